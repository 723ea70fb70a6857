"""Count the referrals of a tenant. Of a long list, only those are decrypted that changed since its last snapshot.

    newest rows ─┐
                 ├─▶ usable ────▶ rows since the snapshot + the others of the snapshot
    snapshot ────┘
                 └─▶ not usable ─▶ all rows, and a snapshot of them if they are many

A change moves a referral to the front of its list, with a time at most some minutes before its commit, and only an
erasure removes one. What operators write otherwise forgets the snapshots. So both ways lead to the same counts.
docs/decisions/0087-list-snapshots.md compares the alternatives.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from operator import attrgetter

from chalicelib.domain.identity.members import Member
from chalicelib.domain.referrals.list_counts import FilterValues, ListCounts
from chalicelib.domain.referrals.list_snapshot import (
    SNAPSHOT_FORMAT,
    ListSnapshot,
    SnapshotRow,
    pack_snapshot,
    unpack_snapshot,
)
from chalicelib.domain.referrals.monitoring_window import to_local_day
from chalicelib.domain.referrals.worklist_days import compute_worklist_days
from chalicelib.domain.referrals.worklists import ListViewer, Worklist, list_worklists
from chalicelib.errors import UnavailableError
from chalicelib.services.platform.run_context import CLOCK_SKEW, RunContext
from chalicelib.services.referrals.list_filters import NONE, build_list_viewer, find_product_id
from chalicelib.services.referrals.search import get_index_name
from chalicelib.services.referrals.unread import UnreadRows
from chalicelib.store.platform.dynamo import QueryPage
from chalicelib.store.platform.item_formats import refuse_unreadable
from chalicelib.store.platform.timestamps import to_timestamp
from chalicelib.store.referrals.items import ReferralSummary
from chalicelib.store.referrals.list_snapshots import StoredSnapshot
from chalicelib.version import VERSION

ROWS_OF_FIRST_READ = 100
"""How many of the newest rows are read while the snapshot is: more than change on most days."""

MIN_ROWS_OF_SNAPSHOT, MAX_ROWS_OF_SNAPSHOT = 1_000, 25_000
"""A list with more than 1,000 rows gets a snapshot: a shorter one is counted in some 50 ms. One with more than 25,000
would not fit into an item of DynamoDB."""

USED_FOR = timedelta(days=1)
"""How long a snapshot is used. What no change of a referral shows, such as a wrong clock, is corrected after it."""

INDEX_IS_CURRENT_AFTER = timedelta(minutes=15)
"""After this time, the index has a change, whatever clock it was written with, and has lost an erased referral."""


def count_referrals(*, member: Member, context: RunContext, unread_rows: UnreadRows | None = None) -> ListCounts:
    """Count the referrals of the tenant in each phase, on each worklist, and by what lists can be filtered by.

    Args:
        member: The reader.
        context: The tables and the time.
        unread_rows: What is unread for the reader; None to count nothing as unread.
    """
    reader = _ListReader(member, get_index_name(member), build_list_viewer(member, context=context), context)
    reading = context.calls.start(partial(context.stores.list_snapshots.read, member.tenant_id))
    newest = reader.read_newest()
    stored = reading.result()
    snapshot = reader.open_snapshot(stored)
    rows = reader.list_rows(newest, since=stored.as_of - INDEX_IS_CURRENT_AFTER if snapshot and stored.as_of else None)
    counts = ListCounts()
    for row in rows:
        counts.add_stage(row.stage_summary.stage, list_worklists(row.stage_summary, reader.viewer))
        counts.add_values(_get_values(row))
        counts.worklists[Worklist.CHANGED_SINCE_SEEN] += unread_rows is not None and unread_rows.has_changes(row)
    if snapshot:
        snapshot.add_to(
            counts,
            changed_ids={row.referral_id for row in rows},
            today=to_local_day(context.now, reader.viewer.time_zone),
            last_viewed=unread_rows.last_viewed if unread_rows else None,
        )
    elif MIN_ROWS_OF_SNAPSHOT < len(rows) <= MAX_ROWS_OF_SNAPSHOT:
        reader.save_snapshot(rows, stored)
    return counts


@dataclass(frozen=True, slots=True)
class _ListReader:
    """Reads the list of a member's tenant, and its snapshot."""

    member: Member
    index: str
    viewer: ListViewer
    context: RunContext

    @property
    def made_with(self) -> str:
        """What a snapshot of this release and time zone is made with."""
        return f"{VERSION}/{SNAPSHOT_FORMAT} {self.viewer.time_zone}"

    def read_newest(self) -> QueryPage:
        """Read the rows with the latest changes. They are still encrypted."""
        return self.context.stores.referrals.list_page(
            index=self.index, tenant_id=self.member.tenant_id, limit=ROWS_OF_FIRST_READ, start=None
        )

    def list_rows(self, newest: QueryPage, *, since: datetime | None) -> Sequence[ReferralSummary]:
        """List the rows that changed at or after `since`, or all of them, the latest change first.

        Of more rows than the newest ones, the earliest change is read first. So a row that changes meanwhile is read
        once more, and none is missed.
        """
        referrals, start = self.context.stores.referrals, self.context.calls.start
        wanted = [row for row in newest.items if since is None or row["listed_at"] >= to_timestamp(since)]
        if newest.next_key is None or len(wanted) < len(newest.items):
            found = referrals.open_rows(wanted, start=start)
        else:
            found = referrals.list_summaries(
                index=self.index, tenant_id=self.member.tenant_id, since=since, start=start
            )
        by_id = {row.referral_id: row for row in found}
        return sorted(by_id.values(), key=attrgetter("updated_at"), reverse=True)

    def open_snapshot(self, stored: StoredSnapshot) -> ListSnapshot | None:
        """Decrypt a snapshot, if it can be used. A damaged one is as good as none, because the list is counted then."""
        is_recent = stored.as_of is not None and -CLOCK_SKEW <= self.context.now - stored.as_of <= USED_FOR
        if stored.content is None or not is_recent or stored.made_with != self.made_with:
            return None
        # `UnreadableItemError` too. The rows may be readable, because a center's have the keys of its practices.
        with suppress(UnavailableError), refuse_unreadable("list snapshot"):
            return unpack_snapshot(self.context.stores.list_snapshots.decrypt(stored.content, self.member.tenant_id))
        return None

    def save_snapshot(self, rows: Sequence[ReferralSummary], read_before: StoredSnapshot) -> None:
        """Store a snapshot of the whole list. Without it, the next counts take longer, and nothing else."""
        now = self.context.now
        if read_before.forgotten_at and now - read_before.forgotten_at < INDEX_IS_CURRENT_AFTER:
            return
        packed = pack_snapshot([self._to_snapshot_row(row) for row in rows], now=now)
        if packed:
            with suppress(UnavailableError):
                self.context.stores.list_snapshots.save(
                    self.member.tenant_id, packed, as_of=now, made_with=self.made_with, read_before=read_before
                )

    def _to_snapshot_row(self, row: ReferralSummary) -> SnapshotRow:
        return SnapshotRow(
            referral_id=row.referral_id,
            stage=row.stage_summary.stage,
            worklist_days=compute_worklist_days(
                row.stage_summary, side=self.viewer.side, time_zone=self.viewer.time_zone
            ),
            values=_get_values(row),
            version=row.version,
            last_writer=row.last_writer,
            updated_at=row.updated_at,
        )


def _get_values(row: ReferralSummary) -> FilterValues:
    return FilterValues(
        practice_id=row.practice_id,
        center_id=row.center_id,
        product_id=find_product_id(row) or NONE,
        provider_npi=row.provider.get("npi"),
        provider_name=row.provider.get("name") or "",
    )
