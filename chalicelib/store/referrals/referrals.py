"""The `referrals` table: a referral, its events and what waits for it, in one partition.

    referral_id   item
    ref_…         event#<occurred_at>#<sequence>#<event id>   one row an event, in the order of fold
    ref_…         parked#<center>#<webhook id>                a delivery that came too early
    ref_…         referral                                    where it stands now
    ref_…         stranger#<center>#<webhook id>              one that came before we knew that
                                                              the referral is this center's

`parked#…` and `referral` stand side by side, so that one strong Query reads all that a decision
needs, however long the history. Patient data is sealed with the practice's key.
"""

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from chalicelib.domain.audit.hash_chain import ChainHead
from chalicelib.domain.referrals.events import EventStatus, ReferralEvent
from chalicelib.domain.referrals.referral import Referral
from chalicelib.domain.referrals.stages import Phase
from chalicelib.store.audit.rows import AuditEntry, AuditLog
from chalicelib.store.platform.dynamo import DynamoTable, Item, QueryPage, TransactionWrite
from chalicelib.store.platform.timestamps import to_timestamp
from chalicelib.store.referrals.items import (
    REFERRAL_ITEM,
    LoggedEvent,
    ParkedDelivery,
    ReferralItems,
    ReferralSummary,
    get_unknown_referrals_prefix,
)
from chalicelib.store.referrals.name_index import BLIND_INDEX_ATTRIBUTES, compute_name_index

_TENANT_BY_INDEX = {"by_practice": "practice_id", "by_center": "center_inbox"}


@dataclass(frozen=True, slots=True)
class Referrals:
    """Reads and writes of one table."""

    table: DynamoTable
    items: ReferralItems
    audit: AuditLog

    def get(self, referral_id: str) -> Referral | None:
        """The referral as it stands, strongly consistent."""
        item = self.table.get({"referral_id": referral_id, "item": REFERRAL_ITEM})
        return self.items.item_to_referral(item) if item else None

    def get_with_parked(self, referral_id: str) -> tuple[Referral | None, Sequence[ParkedDelivery]]:
        """The referral and the deliveries that wait for it, in one strong read."""
        rows = list(
            self.table.query_all(
                "referral_id = :id AND #item BETWEEN :first AND :last",
                {"id": referral_id, "first": "parked#", "last": REFERRAL_ITEM},
            )
        )
        parked = [self.items.item_to_parked(row) for row in rows if row["item"] != REFERRAL_ITEM]
        heads = [self.items.item_to_referral(row) for row in rows if row["item"] == REFERRAL_ITEM]
        return (heads[0] if heads else None), parked

    def list_parked_for_unknown(self, referral_id: str, center_id: str) -> Sequence[ParkedDelivery]:
        """What a center sent for a referral before it was known to be the center's."""
        condition, values = _unknown_referral_condition(referral_id, center_id)
        return [self.items.item_to_parked(row) for row in self.table.query_all(condition, values)]

    def count_parked_for_unknown(self, referral_id: str, center_id: str, *, limit: int) -> int:
        """How many those are; `most` for as many or more."""
        condition, values = _unknown_referral_condition(referral_id, center_id)
        return len(self.table.query(condition, values, limit=limit).items)

    def prepare_add(self, referral: Referral, entry: AuditEntry) -> Sequence[TransactionWrite]:
        """The writes that store a new referral and say who did it; refused if there is one."""
        chaining, head = self.audit.prepare_append_after(entry, referral.audit_chain_head)
        item = self.items.referral_to_item(_with_audit_head_and_writer(referral, entry, head))
        storing = self.table.prepare_put("referral", item, when="attribute_not_exists(referral_id)")
        return storing, chaining

    def prepare_save(self, referral: Referral, entry: AuditEntry) -> Sequence[TransactionWrite]:
        """The writes that store a changed referral and say who did it.

        There is no way to store one without the other. Refused if someone wrote since it was
        read.
        """
        chaining, head = self.audit.prepare_append_after(entry, referral.audit_chain_head)
        item = self.items.referral_to_item(_with_audit_head_and_writer(referral, entry, head))
        storing = self.table.prepare_put(
            "referral", item, when="version = :read", values={"read": referral.version - 1}
        )
        return storing, chaining

    def prepare_check_unchanged(self, referral_id: str, referral: Referral | None) -> TransactionWrite:
        """The condition that a decision's reading still holds: as read, or still not there."""
        key = {"referral_id": referral_id, "item": REFERRAL_ITEM}
        if referral is None:
            # A condition with no placeholder still needs none; `values` would be refused empty.
            return self.table.prepare_check("referral", key, when="attribute_not_exists(referral_id)", values={})
        return self.table.prepare_check("referral", key, when="version = :read", values={"read": referral.version})

    def prepare_log_event(self, event: ReferralEvent, status: EventStatus, *, practice_id: str) -> TransactionWrite:
        """The write that appends an event to the history; never over another one."""
        item = self.items.event_to_item(event, status, scope=practice_id)
        return self.table.prepare_put("event", item, when="attribute_not_exists(referral_id)")

    def prepare_park(self, parked: ParkedDelivery) -> TransactionWrite:
        """The write that keeps a delivery until it can be applied."""
        return self.table.prepare_put("parked", self.items.parked_to_item(parked))

    def prepare_unpark(self, parked: ParkedDelivery) -> TransactionWrite:
        """The write that removes a delivery that no longer waits."""
        key = {"referral_id": parked.event.referral_id, "item": parked.item_key}
        return self.table.prepare_delete("unparked", key)

    def list_timeline(
        self, referral_id: str, *, limit: int, start: Mapping[str, Any] | None
    ) -> tuple[Sequence[LoggedEvent], Mapping[str, Any] | None]:
        """A part of the timeline, newest first."""
        page = self.table.query(
            "referral_id = :id AND begins_with(#item, :prefix)",
            {"id": referral_id, "prefix": "event#"},
            limit=limit,
            start=start,
            newest_first=True,
        )
        return [self.items.item_to_event(item) for item in page.items], page.next_key

    def list_history(self, referral_id: str) -> Sequence[ReferralEvent]:
        """Every event, in the order of fold. Only a correction needs them all."""
        rows = self.table.query_all(
            "referral_id = :id AND begins_with(#item, :prefix)", {"id": referral_id, "prefix": "event#"}
        )
        return [self.items.item_to_event(row).event for row in rows]

    def list_page(
        self,
        *,
        index: str,
        tenant_id: str,
        limit: int,
        start: Mapping[str, Any] | None,
        since: datetime | None = None,
        where: Mapping[str, str] | None = None,
        attribute_names: AbstractSet[str] = frozenset(),
    ) -> QueryPage:
        """A part of a tenant's list, latest change first, as rows for `summary`.

        Args:
            index: `by_practice` or `by_center`.
            since: Only what changed at or after it.
            where: Attributes that must have a value.
            named: Beginnings that the patient's names must have.
        """
        key = _TENANT_BY_INDEX[index]
        filters = where or {}
        values = {"tenant": tenant_id} | {f"v{i}": v for i, v in enumerate(filters.values())}
        condition = f"{key} = :tenant"
        if since is not None:
            condition += " AND listed_at >= :since"
            values["since"] = to_timestamp(since)
        conditions = [f"#{name} = :v{i}" for i, name in enumerate(filters)]
        for i, beginning in enumerate(sorted(attribute_names)):
            values[f"n{i}"] = compute_name_index(beginning, encryption=self.items.encryption, scope=tenant_id)
            conditions.append(f"contains(#{BLIND_INDEX_ATTRIBUTES[index]}, :n{i})")
        return self.table.query(
            condition,
            values,
            index=index,
            where=" AND ".join(conditions) or None,
            limit=limit,
            start=start,
            newest_first=True,
        )

    def get_page_position(self, row: Item, *, index: str) -> Mapping[str, Any]:
        """Where a list goes on behind one of its rows."""
        return {name: row[name] for name in ("referral_id", "item", _TENANT_BY_INDEX[index], "listed_at")}

    def list_summaries(self, *, index: str, tenant_id: str) -> Iterable[ReferralSummary]:
        """Every referral of a tenant as a list shows it."""
        key = _TENANT_BY_INDEX[index]
        for row in self.table.query_all(f"{key} = :tenant", {"tenant": tenant_id}, index=index):
            yield self.items.row_to_summary(row)

    def list_ids_for_practice(self, practice_id: str) -> Iterable[str]:
        """The id of every referral of a practice, by the index, unopened."""
        rows = self.table.query_all("practice_id = :practice", {"practice": practice_id}, index="by_practice")
        return (str(row["referral_id"]) for row in rows)

    def list_ids_in_phase(self, phase: Phase, *, index: str, tenant_id: str) -> Iterable[str]:
        """The id of every referral of a tenant in a phase, by its list, unopened."""
        rows = self.table.query_all(
            f"{_TENANT_BY_INDEX[index]} = :tenant",
            {"tenant": tenant_id, "phase": phase},
            index=index,
            where="#phase = :phase",
        )
        return (str(row["referral_id"]) for row in rows)


def _with_audit_head_and_writer(referral: Referral, entry: AuditEntry, head: ChainHead) -> Referral:
    """The referral as it is stored: with the end of its audit chain, and whose work it is."""
    touched = referral.last_writer.add_change(entry.actor_id, referral.version)
    return replace(referral, audit_chain_head=head, last_writer=touched)


def _unknown_referral_condition(referral_id: str, center_id: str) -> tuple[str, Mapping[str, Any]]:
    condition = "referral_id = :id AND begins_with(#item, :prefix)"
    return condition, {"id": referral_id, "prefix": get_unknown_referrals_prefix(center_id)}
