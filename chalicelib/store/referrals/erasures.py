"""Erased referrals: a row `erased` in the referral's partition, and the rows of other tables that were about it.

    item      attributes
    erased    practice_id, tenants, erased_at, audited, state: begun until everything was removed, then done

The row has ids and times, and nothing about the patient. It stays, so that nothing can be written about the
referral again, and so that an erasure that was interrupted can continue. Reading whole tables is slow, but no
index finds every row of a referral, and an erasure is rare.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from chalicelib.domain.audit.hash_chain import ChainHead
from chalicelib.domain.consultation.slots import Slot
from chalicelib.store.audit.rows import AuditEntry, AuditLog
from chalicelib.store.platform import codec
from chalicelib.store.platform.dynamo import DynamoTable, Item, TransactionWrite
from chalicelib.store.platform.envelope_encryption import EnvelopeEncryption
from chalicelib.store.platform.timestamps import from_timestamp, to_timestamp
from chalicelib.store.referrals.items import REFERRAL_ITEM
from chalicelib.store.webhooks.idempotency import open_response

ERASED_ITEM = "erased"
ERASURE_WRITE = "erasure"
"""The name of the write that begins an erasure in a `ConditionFailedError`."""

_BEGUN, _DONE = "begun", "done"

GetTable = Callable[[str], DynamoTable]


@dataclass(frozen=True, slots=True, kw_only=True)
class Erasure:
    """A referral that was erased. `tenants` are those that had rows about it; `is_done` says that none is left."""

    referral_id: str
    practice_id: str
    tenants: Sequence[str]
    erased_at: datetime
    audit_chain_head: ChainHead
    is_done: bool


@dataclass(frozen=True, slots=True)
class Erasures:
    """Finds, begins and completes erasures. `get_table` returns a table by its name without the prefix."""

    get_table: GetTable
    audit: AuditLog
    encryption: EnvelopeEncryption

    def get(self, referral_id: str) -> Erasure | None:
        """Read the erasure of a referral, strongly consistent; None if it was not erased."""
        row = self.get_table("referrals").get({"referral_id": referral_id, "item": ERASED_ITEM})
        if row is None:
            return None
        return Erasure(
            referral_id=referral_id,
            practice_id=row["practice_id"],
            tenants=tuple(row["tenants"]),
            erased_at=from_timestamp(row["erased_at"]),
            audit_chain_head=codec.from_json(ChainHead, row["audited"]),
            is_done=row["state"] == _DONE,
        )

    def read_state_row(self, referral_id: str) -> Item | None:
        """Read the row of a referral's state as it is stored, which also works if it cannot be decrypted."""
        return self.get_table("referrals").get({"referral_id": referral_id, "item": REFERRAL_ITEM})

    def prepare_begin(
        self, row: Item, *, tenants: Sequence[str], entry: AuditEntry, now: datetime
    ) -> Sequence[TransactionWrite]:
        """Build the writes that begin an erasure: the state goes, and the audit row says who erased it and why.

        They fail if someone changed the referral after it was read.
        """
        table, referral_id = self.get_table("referrals"), row["referral_id"]
        audit_write, head = self.audit.prepare_append_after(entry, codec.from_json(ChainHead, row["audited"]))
        erased = {
            "referral_id": referral_id,
            "item": ERASED_ITEM,
            "practice_id": row["practice_id"],
            "tenants": list(tenants),
            "erased_at": to_timestamp(now),
            "audited": codec.to_json(ChainHead, head),
            "state": _BEGUN,
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
        self.get_table("referrals").update(
            {"referral_id": referral_id, "item": ERASED_ITEM},
            "SET #state = :done",
            when="attribute_exists(referral_id)",
            values={"done": _DONE},
            names={"#state": "state"},
        )

    def list_tenants(self, referral_id: str) -> Iterator[str]:
        """List the tenants that have rows about a referral, besides its practice; one can be listed twice."""
        for item in self._list_partition(referral_id):
            yield from (str(item[name]) for name in ("center_id", "scope") if item.get(name))
        by_referral = self.get_table("notices").query_all(
            "referral_id = :referral", {"referral": referral_id}, index="by_referral"
        )
        yield from (str(row["tenant_id"]) for row in by_referral)

    def remove_rows(self, erasure: Erasure) -> Iterator[tuple[str, int]]:
        """Remove or change every row about an erased referral, table by table. Yields how many there were."""
        referral_id = erasure.referral_id
        yield "referrals", self._remove_partition(referral_id)
        yield "outbox", self._remove_tasks(referral_id)
        yield "notices", self._remove_found("notices", ("member_id", "notice_id"), "referral_id", referral_id)
        yield "deliveries", self._remove_found("deliveries", ("center_id", "webhook_id"), "referral_id", referral_id)
        yield "idempotency", self._remove_responses(erasure)
        yield "looks", self._remove_found("looks", ("member_id", "referral_id"), "referral_id", referral_id)
        yield "recipients", self._remove_threads(referral_id)
        yield "slots", self._free_seats(referral_id)

    def _list_partition(self, referral_id: str) -> Iterator[Item]:
        rows = self.get_table("referrals").query_all("referral_id = :id", {"id": referral_id})
        return (row for row in rows if row["item"] != ERASED_ITEM)

    def _remove_partition(self, referral_id: str) -> int:
        keys = [{"referral_id": referral_id, "item": row["item"]} for row in self._list_partition(referral_id)]
        return self._delete("referrals", keys)

    def _remove_found(self, table: str, key: Sequence[str], attribute: str, value: str) -> int:
        rows = self.get_table(table).scan("#found = :value", {"value": value}, names={"#found": attribute})
        return self._delete(table, [{name: row[name] for name in key} for row in rows])

    def _remove_tasks(self, referral_id: str) -> int:
        """Remove tasks and emails. An email about several patients loses only what is about this one."""
        table, lost = self.get_table("outbox"), 0
        own_notices = {
            row["notice_id"]
            for row in self.get_table("notices").scan("referral_id = :referral", {"referral": referral_id})
        }
        about = "referral_id = :none OR referral_id = :referral"
        for row in list(table.scan(about, {"none": "", "referral": referral_id})):
            key = {"outbox_id": row["outbox_id"]}
            if row["referral_id"] == referral_id:
                table.delete(key)
                lost += 1
            elif left := _without_referral(row, referral_id, own_notices):
                change = "SET " + ", ".join(f"{name} = :{name}" for name in left)
                lost += table.update(key, change, when="attribute_exists(outbox_id)", values=left)
        return lost

    def _remove_responses(self, erasure: Erasure) -> int:
        table = self.get_table("idempotency")
        keys = [
            {"scope_key": row["scope_key"]}
            for row in table.scan("attribute_exists(answer)")
            if self._is_about(row, erasure)
        ]
        return self._delete("idempotency", keys)

    def _is_about(self, row: Item, erasure: Erasure) -> bool:
        """Whether a stored response is about the referral. One of an earlier release must be decrypted to know."""
        from cryptography.exceptions import InvalidTag  # noqa: PLC0415 a cold start does not need it

        if "referral_id" in row:
            return bool(row["referral_id"] == erasure.referral_id)
        for tenant_id in erasure.tenants:
            try:
                response = open_response(row, tenant_id=tenant_id, encryption=self.encryption)
            except InvalidTag:
                continue
            return erasure.referral_id.encode() in response
        return False

    def _remove_threads(self, referral_id: str) -> int:
        rows = self.get_table("recipients").scan("contains(#item, :id)", {"id": referral_id}, names={"#item": "item"})
        return self._delete("recipients", [{"member_id": row["member_id"], "item": row["item"]} for row in rows])

    def _free_seats(self, referral_id: str) -> int:
        """Give back the seats of consultation times, so that another patient can have them."""
        table, freed = self.get_table("slots"), 0
        for row in list(table.scan("contains(slot, :id)", {"id": referral_id})):
            slot = codec.from_json(Slot, row["slot"]).without(referral_id)
            changed = row | {"slot": codec.to_json(Slot, slot), "version": slot.version}
            if not table.put(changed, when="version = :read", values={"read": row["version"]}):
                return freed + self._free_seats(referral_id)
            freed += 1
        return freed

    def _delete(self, table: str, keys: Sequence[Mapping[str, Any]]) -> int:
        for key in keys:
            self.get_table(table).delete(key)
        return len(keys)


def _without_referral(row: Item, referral_id: str, own_notices: AbstractSet[str]) -> Item:
    """What an email about several patients has without one of them; empty if it is not about this one."""
    left: Item = {}
    if referral_id in row.get("listed", ()):
        left["listed"] = [each for each in row["listed"] if each != referral_id]
    if own_notices & set(row.get("notice_ids", ())):
        left["notice_ids"] = [each for each in row["notice_ids"] if each not in own_notices]
        left["held"] = len(left["notice_ids"])
    return left
