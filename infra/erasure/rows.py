"""The rows about a referral, in every table: find them, begin an erasure, remove them.

Reading whole tables is slow, but no index finds every row of a referral, and an erasure is rare.
"""

from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from chalicelib.domain.audit.hash_chain import ChainHead
from chalicelib.domain.consultation.slots import Slot
from chalicelib.store.all_stores import Stores
from chalicelib.store.audit.rows import AuditEntry
from chalicelib.store.platform import codec
from chalicelib.store.platform.dynamo import DynamoTable, Item, TransactionWrite
from chalicelib.store.platform.idempotency import open_response
from chalicelib.store.platform.timestamps import to_timestamp
from chalicelib.store.referrals.erasures import BEGUN, DONE, ERASED_ITEM, Erasure
from chalicelib.store.referrals.items import REFERRAL_ITEM
from infra.scanning import scan_table

ERASURE_WRITE = "erasure"
"""The name of the write that begins an erasure in a `ConditionFailedError`."""


@dataclass(frozen=True, slots=True)
class ErasureRows:
    """Begins and completes erasures."""

    stores: Stores

    def _get_table(self, name: str) -> DynamoTable:
        return self.stores.erasures.get_table(name)

    def read_state_row(self, referral_id: str) -> Item | None:
        """Read the row of a referral's state as it is stored, which also works if it cannot be decrypted."""
        return self._get_table("referrals").get({"referral_id": referral_id, "item": REFERRAL_ITEM})

    def list_state_rows(self) -> Iterator[str]:
        """List the id of every referral that has a state, without decrypting anything. Reads the whole table."""
        table, names = self._get_table("referrals"), {"#item": "item"}
        rows = scan_table(table, "#item = :state", {"state": REFERRAL_ITEM}, names=names)
        return (str(row["referral_id"]) for row in rows)

    def list_mentioned(self, referral_ids: AbstractSet[str]) -> Iterator[str]:
        """List which of these referrals have rows that an erasure removes; one can be listed several times."""
        for row in scan_table(self._get_table("referrals")):
            if row["referral_id"] in referral_ids and not row["item"].startswith((ERASED_ITEM, "stranger#")):
                yield str(row["referral_id"])
        for name in ("outbox", "notices", "looks"):
            rows = scan_table(self._get_table(name), "attribute_exists(referral_id)")
            yield from (str(row["referral_id"]) for row in rows if row["referral_id"] in referral_ids)

    def prepare_begin(
        self, row: Item, *, tenants: Sequence[str], entry: AuditEntry, now: datetime
    ) -> Sequence[TransactionWrite]:
        """Build the writes that begin an erasure: the state goes, and the audit row says who erased it and why.

        They fail if someone changed the referral after it was read.
        """
        table, referral_id = self._get_table("referrals"), row["referral_id"]
        # A state that a backup brought back ends before its chain. A chain that lost rows ends before its state.
        ends = codec.from_json(ChainHead, row["audited"]), self.stores.audit_log.read_head(referral_id)
        audit_write, head = self.stores.audit_log.prepare_append_after(entry, max(ends, key=lambda end: end.seq))
        erased = {
            "referral_id": referral_id,
            "item": ERASED_ITEM,
            "practice_id": row["practice_id"],
            "tenants": list(tenants),
            "erased_at": to_timestamp(now),
            "audited": codec.to_json(ChainHead, head),
            "state": BEGUN,
        }
        return (
            table.prepare_put(ERASURE_WRITE, erased, when="attribute_not_exists(referral_id)"),
            table.prepare_delete(
                "referral",
                {"referral_id": referral_id, "item": REFERRAL_ITEM},
                when="version = :read",
                values={"read": row["version"]},
            ),
            audit_write,
        )

    def mark_done(self, referral_id: str) -> None:
        """Record that nothing is left of a referral."""
        self._get_table("referrals").update(
            {"referral_id": referral_id, "item": ERASED_ITEM},
            "SET #state = :done",
            when="attribute_exists(referral_id)",
            values={"done": DONE},
            names={"#state": "state"},
        )

    def list_tenants(self, referral_id: str) -> Iterator[str]:
        """List the tenants that have rows about a referral, besides its practice; one can be listed twice."""
        for item in self._list_partition(referral_id):
            yield from (str(item[name]) for name in ("center_id", "scope") if item.get(name))
        by_referral = self._get_table("notices").query_all(
            "referral_id = :referral", {"referral": referral_id}, index="by_referral"
        )
        yield from (str(row["tenant_id"]) for row in by_referral)

    def remove_rows(self, erasures: Mapping[str, Erasure]) -> Iterator[tuple[str, int]]:
        """Remove or change every row about erased referrals, table by table. Yields how many there were.

        Args:
            erasures: The erasures by the id of the referral. Each table is read once for all of them.
        """
        yield "referrals", sum(self._remove_partition(referral_id) for referral_id in erasures)
        yield "outbox", self._remove_tasks(erasures)
        yield "notices", self._remove_found("notices", ("member_id", "notice_id"), erasures)
        yield "deliveries", self._remove_found("deliveries", ("center_id", "webhook_id"), erasures)
        yield "idempotency", self._remove_responses(erasures)
        yield "looks", self._remove_found("looks", ("member_id", "referral_id"), erasures)
        yield "recipients", self._remove_threads(erasures)
        yield "slots", self._free_seats(erasures)

    def _list_partition(self, referral_id: str) -> Iterator[Item]:
        rows = self._get_table("referrals").query_all("referral_id = :id", {"id": referral_id})
        return (row for row in rows if row["item"] != ERASED_ITEM)

    def _remove_partition(self, referral_id: str) -> int:
        keys = [{"referral_id": referral_id, "item": row["item"]} for row in self._list_partition(referral_id)]
        return self._delete("referrals", keys)

    def _remove_found(self, table: str, key: Sequence[str], erasures: Mapping[str, Erasure]) -> int:
        rows = (row for row in scan_table(self._get_table(table)) if row.get("referral_id") in erasures)
        return self._delete(table, [{name: row[name] for name in key} for row in rows])

    def _remove_tasks(self, erasures: Mapping[str, Erasure]) -> int:
        """Remove tasks and emails. An email about several patients loses only what is about an erased one."""
        table, lost = self._get_table("outbox"), 0
        own_notices = {
            row["notice_id"] for row in scan_table(self._get_table("notices")) if row.get("referral_id") in erasures
        }
        for row in scan_table(table):
            key = {"outbox_id": row["outbox_id"]}
            if row.get("referral_id") in erasures:
                table.delete(key)
                lost += 1
            elif left := _without_referrals(row, erasures.keys(), own_notices):
                change = "SET " + ", ".join(f"{name} = :{name}" for name in left)
                lost += table.update(key, change, when="attribute_exists(outbox_id)", values=left)
        return lost

    def _remove_responses(self, erasures: Mapping[str, Erasure]) -> int:
        rows = scan_table(self._get_table("idempotency"), "attribute_exists(answer)")
        return self._delete(
            "idempotency", [{"scope_key": row["scope_key"]} for row in rows if self._is_about(row, erasures)]
        )

    def _is_about(self, row: Item, erasures: Mapping[str, Erasure]) -> bool:
        """Whether a stored response is about a referral. One of an earlier release must be decrypted to know."""
        from cryptography.exceptions import InvalidTag  # noqa: PLC0415 a cold start does not need it

        if "referral_id" in row:
            return row["referral_id"] in erasures
        for tenant_id in {tenant for erasure in erasures.values() for tenant in erasure.tenants}:
            try:
                response = open_response(row, tenant_id=tenant_id, encryption=self.stores.encryption)
            except InvalidTag:
                continue
            return any(referral_id.encode() in response for referral_id in erasures)
        return False

    def _remove_threads(self, erasures: Mapping[str, Erasure]) -> int:
        rows = scan_table(
            self._get_table("recipients"), "begins_with(#item, :open)", {"open": "open#ref_"}, names={"#item": "item"}
        )
        about = (row for row in rows if any(referral_id in row["item"] for referral_id in erasures))
        return self._delete("recipients", [{"member_id": row["member_id"], "item": row["item"]} for row in about])

    def _free_seats(self, erasures: Mapping[str, Erasure]) -> int:
        """Give back the seats of consultation times, so that another patient can have them."""
        table, freed = self._get_table("slots"), 0
        for row in scan_table(table, "attribute_exists(slot)"):
            freed += _free_seats_of(table, row, erasures.keys())
        return freed

    def _delete(self, table: str, keys: Sequence[Mapping[str, Any]]) -> int:
        for key in keys:
            self._get_table(table).delete(key)
        return len(keys)


def _free_seats_of(table: DynamoTable, row: Item | None, referral_ids: AbstractSet[str]) -> bool:
    """Remove referrals from one consultation time. If someone changes it at this moment, it is read again."""
    while row is not None:
        slot = codec.from_json(Slot, row["slot"])
        if not referral_ids & {seat.referral_id for seat in slot.seats}:
            return False
        for referral_id in referral_ids & {seat.referral_id for seat in slot.seats}:
            slot = slot.without(referral_id)
        changed = row | {"slot": codec.to_json(Slot, slot), "version": slot.version}
        if table.put(changed, when="version = :read", values={"read": row["version"]}):
            return True
        row = table.get({"slots_of": row["slots_of"], "item": row["item"]})
    return False


def _without_referrals(row: Item, referral_ids: AbstractSet[str], own_notices: AbstractSet[str]) -> Item:
    """What an email about several patients has without some of them; empty if it is not about them."""
    left: Item = {}
    if referral_ids & set(row.get("listed", ())):
        left["listed"] = [each for each in row["listed"] if each not in referral_ids]
    if own_notices & set(row.get("notice_ids", ())):
        left["notice_ids"] = [each for each in row["notice_ids"] if each not in own_notices]
        left["held"] = len(left["notice_ids"])
    return left
