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

from chalicelib.domain.audit.hash_chain import Head
from chalicelib.domain.referrals.events import Event, EventStatus
from chalicelib.domain.referrals.referral import Referral
from chalicelib.domain.referrals.stages import Phase
from chalicelib.store.audit.rows import Audit, AuditEntry
from chalicelib.store.platform.dynamo import Item, Page, Table, Write
from chalicelib.store.platform.timestamps import instant
from chalicelib.store.referrals.items import (
    HEAD,
    LoggedEvent,
    Parked,
    ReferralItems,
    Summary,
    strangers_place,
)
from chalicelib.store.referrals.name_index import ATTRIBUTES, mark

_PARTITION = {"by_practice": "practice_id", "by_center": "center_inbox"}


@dataclass(frozen=True, slots=True)
class Referrals:
    """Reads and writes of one table."""

    table: Table
    items: ReferralItems
    audit: Audit

    def get(self, referral_id: str) -> Referral | None:
        """The referral as it stands, strongly consistent."""
        item = self.table.get({"referral_id": referral_id, "item": HEAD})
        return self.items.referral(item) if item else None

    def get_with_parked(self, referral_id: str) -> tuple[Referral | None, Sequence[Parked]]:
        """The referral and the deliveries that wait for it, in one strong read."""
        rows = list(
            self.table.every(
                "referral_id = :id AND #item BETWEEN :first AND :last",
                {"id": referral_id, "first": "parked#", "last": HEAD},
            )
        )
        parked = [self.items.parked(row) for row in rows if row["item"] != HEAD]
        heads = [self.items.referral(row) for row in rows if row["item"] == HEAD]
        return (heads[0] if heads else None), parked

    def strangers(self, referral_id: str, center_id: str) -> Sequence[Parked]:
        """What a center sent for a referral before it was known to be the center's."""
        condition, values = _strangers(referral_id, center_id)
        return [self.items.parked(row) for row in self.table.every(condition, values)]

    def count_strangers(self, referral_id: str, center_id: str, *, most: int) -> int:
        """How many those are; `most` for as many or more."""
        condition, values = _strangers(referral_id, center_id)
        return len(self.table.query(condition, values, limit=most).items)

    def adding(self, referral: Referral, entry: AuditEntry) -> Sequence[Write]:
        """The writes that store a new referral and say who did it; refused if there is one."""
        chaining, head = self.audit.after(entry, referral.audited)
        item = self.items.item(_written(referral, entry, head))
        storing = self.table.putting("referral", item, when="attribute_not_exists(referral_id)")
        return storing, chaining

    def saving(self, referral: Referral, entry: AuditEntry) -> Sequence[Write]:
        """The writes that store a changed referral and say who did it.

        There is no way to store one without the other. Refused if someone wrote since it was
        read.
        """
        chaining, head = self.audit.after(entry, referral.audited)
        item = self.items.item(_written(referral, entry, head))
        storing = self.table.putting(
            "referral", item, when="version = :read", values={"read": referral.version - 1}
        )
        return storing, chaining

    def unchanged(self, referral_id: str, referral: Referral | None) -> Write:
        """The condition that a decision's reading still holds: as read, or still not there."""
        key = {"referral_id": referral_id, "item": HEAD}
        if referral is None:
            # A condition with no placeholder still needs none; `values` would be refused empty.
            return self.table.checking(
                "referral", key, when="attribute_not_exists(referral_id)", values={}
            )
        return self.table.checking(
            "referral", key, when="version = :read", values={"read": referral.version}
        )

    def logging(self, event: Event, status: EventStatus, *, practice_id: str) -> Write:
        """The write that appends an event to the history; never over another one."""
        item = self.items.event_item(event, status, scope=practice_id)
        return self.table.putting("event", item, when="attribute_not_exists(referral_id)")

    def parking(self, parked: Parked) -> Write:
        """The write that keeps a delivery until it can be applied."""
        return self.table.putting("parked", self.items.parked_item(parked))

    def unparking(self, parked: Parked) -> Write:
        """The write that removes a delivery that no longer waits."""
        key = {"referral_id": parked.event.referral_id, "item": parked.place}
        return self.table.deleting("unparked", key)

    def events(
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
        return [self.items.event(item) for item in page.items], page.next_key

    def history(self, referral_id: str) -> Sequence[Event]:
        """Every event, in the order of fold. Only a correction needs them all."""
        rows = self.table.every(
            "referral_id = :id AND begins_with(#item, :prefix)",
            {"id": referral_id, "prefix": "event#"},
        )
        return [self.items.event(row).event for row in rows]

    def page(
        self,
        *,
        index: str,
        tenant_id: str,
        limit: int,
        start: Mapping[str, Any] | None,
        since: datetime | None = None,
        where: Mapping[str, str] | None = None,
        named: AbstractSet[str] = frozenset(),
    ) -> Page:
        """A part of a tenant's list, latest change first, as rows for `summary`.

        Args:
            index: `by_practice` or `by_center`.
            since: Only what changed at or after it.
            where: Attributes that must have a value.
            named: Beginnings that the patient's names must have.
        """
        key = _PARTITION[index]
        filters = where or {}
        values = {"tenant": tenant_id} | {f"v{i}": v for i, v in enumerate(filters.values())}
        condition = f"{key} = :tenant"
        if since is not None:
            condition += " AND listed_at >= :since"
            values["since"] = instant(since)
        conditions = [f"#{name} = :v{i}" for i, name in enumerate(filters)]
        for i, beginning in enumerate(sorted(named)):
            values[f"n{i}"] = mark(beginning, vault=self.items.vault, scope=tenant_id)
            conditions.append(f"contains(#{ATTRIBUTES[index]}, :n{i})")
        return self.table.query(
            condition,
            values,
            index=index,
            where=" AND ".join(conditions) or None,
            limit=limit,
            start=start,
            newest_first=True,
        )

    def position(self, row: Item, *, index: str) -> Mapping[str, Any]:
        """Where a list goes on behind one of its rows."""
        return {name: row[name] for name in ("referral_id", "item", _PARTITION[index], "listed_at")}

    def summaries(self, *, index: str, tenant_id: str) -> Iterable[Summary]:
        """Every referral of a tenant as a list shows it."""
        key = _PARTITION[index]
        for row in self.table.every(f"{key} = :tenant", {"tenant": tenant_id}, index=index):
            yield self.items.summary(row)

    def ids_of(self, practice_id: str) -> Iterable[str]:
        """The id of every referral of a practice, by the index, unopened."""
        rows = self.table.every(
            "practice_id = :practice", {"practice": practice_id}, index="by_practice"
        )
        return (str(row["referral_id"]) for row in rows)

    def ids_in(self, phase: Phase, *, index: str, tenant_id: str) -> Iterable[str]:
        """The id of every referral of a tenant in a phase, by its list, unopened."""
        rows = self.table.every(
            f"{_PARTITION[index]} = :tenant",
            {"tenant": tenant_id, "phase": phase},
            index=index,
            where="#phase = :phase",
        )
        return (str(row["referral_id"]) for row in rows)


def _written(referral: Referral, entry: AuditEntry, head: Head) -> Referral:
    """The referral as it is stored: with the end of its audit chain, and whose work it is."""
    touched = referral.touched.then(entry.actor_id, referral.version)
    return replace(referral, audited=head, touched=touched)


def _strangers(referral_id: str, center_id: str) -> tuple[str, Mapping[str, Any]]:
    condition = "referral_id = :id AND begins_with(#item, :prefix)"
    return condition, {"id": referral_id, "prefix": strangers_place(center_id)}
