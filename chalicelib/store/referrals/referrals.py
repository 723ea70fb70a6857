"""The `referrals` table: a referral, its events and its parked deliveries, in one partition.

    referral_id   item
    alias#…       alias                                       which referral has an alias, in `aliases`
    directory#…   <entry id>                                  a provider or payer that a practice used,
                                                              in `practice_directory`
    ref_…         change#<time>#<change id>                   what people changed, in `fact_changes`
    ref_…         event#<occurred_at>#<sequence>#<event id>   one row per event, in replay order
    ref_…         parked#<center>#<webhook id>                a delivery that waits for an earlier event
    ref_…         referral                                    the current state
    ref_…         stranger#<center>#<webhook id>              a delivery that arrived before the referral
                                                              was known to be this center's
    views#…       <member id>, or `shared`                    saved views, in `saved_views`

`parked#…` and `referral` are next to each other, so one strongly consistent Query reads everything
that a decision needs, however long the history is. Patient data is encrypted with the practice's key.

Changes are optimistic: a conditional write on `version` fails if another writer changed the referral
after it was read.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias

from chalicelib.domain.audit.hash_chain import ChainHead
from chalicelib.domain.platform.copying import replace
from chalicelib.domain.referrals.events import EventStatus, ReferralEvent
from chalicelib.domain.referrals.referral import Referral
from chalicelib.domain.referrals.stages import Phase
from chalicelib.errors import ReferralErasedError
from chalicelib.store.audit.rows import AuditEntry, AuditLog
from chalicelib.store.platform import codec
from chalicelib.store.platform.dynamo import DynamoTable, Item, ItemRead, QueryPage, TransactionWrite
from chalicelib.store.platform.envelope_encryption import StartCall
from chalicelib.store.platform.timestamps import to_timestamp
from chalicelib.store.referrals.items import (
    REFERRAL_ITEM,
    LoggedEvent,
    ParkedDelivery,
    ReferralItems,
    ReferralSummary,
    build_event_key,
    get_unknown_referrals_prefix,
)
from chalicelib.store.referrals.name_index import BLIND_INDEX_ATTRIBUTES, compute_name_index

VisibilityCheck: TypeAlias = Callable[[str, str | None], bool]
"""Whether the caller can see a referral, by its practice and the center that it was submitted to."""

EVENT_WRITE = "event"
"""The name of the write that appends an event. If it fails, the event is in the history already."""

ROWS_PER_READ = 1000
"""How many rows one query of a whole list reads: half a megabyte, where DynamoDB returns up to one."""

_TENANT_BY_INDEX = {"by_practice": "practice_id", "by_center": "center_inbox"}


@dataclass(frozen=True, slots=True)
class Referrals:
    """Reads referrals, and builds the writes of a transaction."""

    table: DynamoTable
    items: ReferralItems
    audit: AuditLog

    def get(self, referral_id: str, *, is_visible: VisibilityCheck | None = None) -> Referral | None:
        """Read the referral's current state, strongly consistent. An erased one does not exist.

        A referral that is not visible is not decrypted, so it takes the same calls as one that does not exist.
        """
        return self.open_item(self.read_item(referral_id), is_visible=is_visible)

    def prepare_get(self, referral_id: str) -> ItemRead:
        """Build the read of a referral for `open_item`."""
        return ItemRead(self.table, _build_key(referral_id))

    def read_item(self, referral_id: str) -> Item | None:
        """Read the item of a referral for `open_item`, strongly consistent. It is still encrypted."""
        return self.table.get(_build_key(referral_id))

    def open_item(self, item: Item | None, *, is_visible: VisibilityCheck | None = None) -> Referral | None:
        """Decrypt what `read_item` returned, if the referral is visible. An erased referral does not exist."""
        if item is None or not _is_visible_item(item, is_visible):
            return None
        with suppress(ReferralErasedError):
            return self.items.item_to_referral(item)
        return None

    def get_with_parked(
        self, referral_id: str, *, is_visible: VisibilityCheck | None = None
    ) -> tuple[Referral | None, Sequence[ParkedDelivery]]:
        """Read the referral and its parked deliveries in one strongly consistent query.

        Nothing of a referral that is not visible is decrypted.
        """
        return self.open_with_parked(self.read_with_parked(referral_id), is_visible=is_visible)

    def read_with_parked(self, referral_id: str) -> Sequence[Item]:
        """Read the items of a referral for `open_with_parked`, strongly consistent. They are still encrypted."""
        condition, values = "referral_id = :id AND #item BETWEEN :first AND :last", {"id": referral_id}
        return list(self.table.query_all(condition, {**values, "first": "parked#", "last": REFERRAL_ITEM}))

    def open_with_parked(
        self, rows: Sequence[Item], *, is_visible: VisibilityCheck | None = None
    ) -> tuple[Referral | None, Sequence[ParkedDelivery]]:
        """Decrypt what `read_with_parked` returned, if the referral is visible."""
        if not all(_is_visible_item(row, is_visible) for row in rows if row["item"] == REFERRAL_ITEM):
            return None, ()
        with suppress(ReferralErasedError):
            parked = [self.items.item_to_parked(row) for row in rows if row["item"] != REFERRAL_ITEM]
            referrals = [self.items.item_to_referral(row) for row in rows if row["item"] == REFERRAL_ITEM]
            return (referrals[0] if referrals else None), parked
        return None, ()

    def list_parked_for_unknown(self, referral_id: str, center_id: str) -> Sequence[ParkedDelivery]:
        """List what a center sent for a referral before the referral was known to be the center's."""
        condition, values = _unknown_referral_condition(referral_id, center_id)
        return [self.items.item_to_parked(row) for row in self.table.query_all(condition, values)]

    def count_parked_for_unknown(self, referral_id: str, center_id: str, *, limit: int) -> int:
        """Count those deliveries, up to `limit`."""
        condition, values = _unknown_referral_condition(referral_id, center_id)
        return len(self.table.query(condition, values, limit=limit).items)

    def prepare_add(self, referral: Referral, entry: AuditEntry) -> Sequence[TransactionWrite]:
        """Build the writes that store a new referral and its audit row. They fail if it already exists."""
        audit_write, head = self.audit.prepare_append_after(entry, referral.audit_chain_head)
        item = self.items.referral_to_item(_with_audit_head_and_writer(referral, entry, head))
        referral_write = self.table.prepare_put("referral", item, when="attribute_not_exists(referral_id)")
        return referral_write, audit_write

    def prepare_save(self, referral: Referral, entry: AuditEntry) -> Sequence[TransactionWrite]:
        """Build the writes that store a changed referral and its audit row.

        There is no way to store one without the other. The conditional write fails if someone
        changed the referral after it was read.
        """
        audit_write, head = self.audit.prepare_append_after(entry, referral.audit_chain_head)
        item = self.items.referral_to_item(_with_audit_head_and_writer(referral, entry, head))
        return self._prepare_replace(item, read_version=referral.version - 1), audit_write

    def get_with_format(self, referral_id: str) -> tuple[Referral, bool] | None:
        """Read a referral, and whether its row is as this release stores it. An erased one does not exist."""
        item = self.table.get(_build_key(referral_id))
        with suppress(ReferralErasedError):
            return (self.items.item_to_referral(item), self.items.is_current_format(item)) if item else None
        return None

    def prepare_rewrite(self, referral: Referral) -> TransactionWrite:
        """Build the write that stores an unchanged referral as this release stores it.

        Its version stays, so that no one's edit in progress fails. A writer who read the referral before stores
        a complete row of this release; one who was faster makes the condition fail.
        """
        return self._prepare_replace(self.items.referral_to_item(referral), read_version=referral.version)

    def _prepare_replace(self, item: Item, *, read_version: int) -> TransactionWrite:
        # A newer release may have rewritten the row in its own format without a new version.
        values = {"read": read_version, "newest": self.table.newest_format}
        return self.table.prepare_put("referral", item, when="version = :read AND #schema <= :newest", values=values)

    def prepare_check_unchanged(self, referral_id: str, referral: Referral | None) -> TransactionWrite:
        """Build the condition that the referral is unchanged after it was read, or still does not exist."""
        key = _build_key(referral_id)
        if referral is None:
            # This condition has no placeholders. DynamoDB refuses an empty `values` map, so none is sent.
            return self.table.prepare_check("referral", key, when="attribute_not_exists(referral_id)", values={})
        return self.table.prepare_check("referral", key, when="version = :read", values={"read": referral.version})

    def prepare_log_event(self, event: ReferralEvent, status: EventStatus, *, practice_id: str) -> TransactionWrite:
        """Build the write that appends an event to the history. It never replaces another one."""
        item = self.items.event_to_item(event, status, scope=practice_id)
        return self.table.prepare_put(EVENT_WRITE, item, when="attribute_not_exists(referral_id)")

    def prepare_park(self, parked: ParkedDelivery) -> TransactionWrite:
        """Build the write that parks a delivery until it can be applied."""
        return self.table.prepare_put("parked", self.items.parked_to_item(parked))

    def prepare_unpark(self, parked: ParkedDelivery) -> TransactionWrite:
        """Build the write that removes a delivery that is no longer parked."""
        key = {"referral_id": parked.event.referral_id, "item": parked.item_key}
        return self.table.prepare_delete("unparked", key)

    def list_timeline(
        self, referral_id: str, *, limit: int, start: Mapping[str, Any] | None
    ) -> tuple[Sequence[LoggedEvent], Mapping[str, Any] | None]:
        """List one page of the timeline, newest first."""
        page = self.table.query(
            "referral_id = :id AND begins_with(#item, :prefix)",
            {"id": referral_id, "prefix": "event#"},
            limit=limit,
            start=start,
            newest_first=True,
        )
        return [self.items.item_to_event(item) for item in page.items], page.next_key

    def get_logged_event(self, event: ReferralEvent) -> LoggedEvent | None:
        """Read what the history has about an event, strongly consistent; None if it is not in the history."""
        row = self.table.get({"referral_id": event.referral_id, "item": build_event_key(event)})
        return self.items.item_to_event(row) if row else None

    def has_event(self, referral_id: str, event_id: str) -> bool:
        """Whether the history has an event with this id, whatever its time. Reads it newest first, decrypts nothing."""
        rows = self.table.query_all(
            "referral_id = :id AND begins_with(#item, :prefix)",
            {"id": referral_id, "prefix": "event#"},
            newest_first=True,
        )
        return any(row["event_id"] == event_id for row in rows)

    def list_history(self, referral_id: str) -> Sequence[ReferralEvent]:
        """List every event, in replay order. Only a correction needs them all."""
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
        where: Mapping[str, list[str]] | None = None,
        name_prefixes: Sequence[AbstractSet[str]] = (),
        only_open: bool = False,
    ) -> QueryPage:
        """List one page of a tenant's referrals, latest change first, as rows for `row_to_summary`.

        Args:
            index: `by_practice` or `by_center`.
            since: Only referrals that changed at or after this time.
            where: For each attribute, the values that it may have.
            name_prefixes: Groups of prefixes; of each group, the patient must have one. Found by blind index.
            only_open: Leave out referrals that have ended, before anything is decrypted.
        """
        condition, values = _list_condition(index, tenant_id, since)
        conditions = []
        for i, (name, wanted) in enumerate((where or {}).items()):
            choices = {f"v{i}_{j}": value for j, value in enumerate(wanted)}
            values |= choices
            conditions.append(f"#{name} IN ({', '.join(f':{choice}' for choice in choices)})")
        if only_open:
            conditions.append("#phase <> :closed")
            values["closed"] = Phase.CLOSED
        for i, group in enumerate(name_prefixes):
            names = {f"n{i}_{j}": prefix for j, prefix in enumerate(sorted(group))}
            for name, prefix in names.items():
                values[name] = compute_name_index(prefix, encryption=self.items.encryption, scope=tenant_id)
            has_one = " OR ".join(f"contains(#{BLIND_INDEX_ATTRIBUTES[index]}, :{name})" for name in names)
            conditions.append(f"({has_one})")
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
        """Build the position from which a list continues after one of its rows."""
        return {name: row[name] for name in ("referral_id", "item", _TENANT_BY_INDEX[index], "listed_at")}

    def list_summaries(
        self,
        *,
        index: str,
        tenant_id: str,
        since: datetime | None = None,
        newest_first: bool = False,
        start: StartCall | None = None,
    ) -> Iterable[ReferralSummary]:
        """List every referral of a tenant as a list shows it, in the order of their latest changes.

        Args:
            index: `by_practice` or `by_center`.
            tenant_id: The practice or the center.
            since: Only referrals that changed at or after this time.
            newest_first: Begin with the latest change.
            start: What starts to load the keys of several practices at the same time.
        """
        condition, values = _list_condition(index, tenant_id, since)
        pages = self.table.query_pages(condition, values, index=index, limit=ROWS_PER_READ, newest_first=newest_first)
        for page in pages:
            yield from self.open_rows(page.items, start=start)

    def open_rows(self, rows: Sequence[Item], *, start: StartCall | None = None) -> Iterable[ReferralSummary]:
        """Decrypt rows of a list, without those that were erased. `start` is that of `list_summaries`."""
        if start:
            self.items.encryption.load_ahead((row["practice_id"] for row in rows), start)
        for row in rows:
            summary = self.items.row_to_summary(row)
            if summary:
                yield summary

    def list_id_page(self, *, index: str, tenant_id: str, start: Mapping[str, Any] | None) -> QueryPage:
        """List one page of the rows of a tenant's referrals from an index, longest unchanged first; decrypts nothing.

        Args:
            index: `by_practice` or `by_center`.
            tenant_id: The practice or the center.
            start: Where the page starts; None for the first one.
        """
        condition = f"{_TENANT_BY_INDEX[index]} = :tenant"
        return self.table.query(condition, {"tenant": tenant_id}, index=index, start=start)

    def read_audit_head(self, referral_id: str) -> ChainHead | None:
        """Read where the chain of a referral's writes ends; None if there is no such referral. Decrypts nothing."""
        item = self.table.get(_build_key(referral_id))
        return codec.from_json(ChainHead, item["audited"]) if item else None

    def list_ids_for_practice(self, practice_id: str) -> Iterable[str]:
        """List the id of every referral of a practice from the index; decrypts nothing."""
        rows = self.table.query_all("practice_id = :practice", {"practice": practice_id}, index="by_practice")
        return (str(row["referral_id"]) for row in rows)


def _list_condition(index: str, tenant_id: str, since: datetime | None) -> tuple[str, dict[str, str]]:
    condition, values = f"{_TENANT_BY_INDEX[index]} = :tenant", {"tenant": tenant_id}
    if since is None:
        return condition, values
    return f"{condition} AND listed_at >= :since", {**values, "since": to_timestamp(since)}


def _with_audit_head_and_writer(referral: Referral, entry: AuditEntry, head: ChainHead) -> Referral:
    """Add the end of the audit chain and the last writer, which are stored with the referral."""
    last_writer = referral.last_writer.add_change(entry.actor_id, referral.version)
    return replace(referral, audit_chain_head=head, last_writer=last_writer)


def _build_key(referral_id: str) -> Mapping[str, str]:
    return {"referral_id": referral_id, "item": REFERRAL_ITEM}


def _is_visible_item(item: Item, is_visible: VisibilityCheck | None) -> bool:
    return is_visible is None or is_visible(item["practice_id"], item.get("center_inbox"))


def _unknown_referral_condition(referral_id: str, center_id: str) -> tuple[str, Mapping[str, Any]]:
    condition = "referral_id = :id AND begins_with(#item, :prefix)"
    return condition, {"id": referral_id, "prefix": get_unknown_referrals_prefix(center_id)}
