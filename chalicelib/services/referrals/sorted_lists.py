"""Lists of a tenant's referrals in an order of their own: the worst first, or by a column.

The order depends on the day and on encrypted facts, so no index has it. One bounded read of the tenant's list finds
the rows that match, and they are sorted here; docs/decisions/0072-sorted-lists.md has the cost and the alternatives.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

from chalicelib import catalog
from chalicelib.domain.coverage.display import CoverageState
from chalicelib.domain.identity.members import Member, TenantKind
from chalicelib.domain.referrals.list_order import (
    ListOrder,
    SortKey,
    build_worst_first_key,
    find_due_facts,
    find_start,
)
from chalicelib.domain.referrals.name_search import parse_search_prefixes
from chalicelib.domain.referrals.next_actions import find_next_action
from chalicelib.domain.referrals.planned_dates import get_sort_key
from chalicelib.domain.referrals.stages import Stage
from chalicelib.domain.referrals.worklists import ListViewer
from chalicelib.errors import MalformedError
from chalicelib.services.platform.run_context import RunContext
from chalicelib.services.referrals.list_filters import (
    ReferralFilter,
    RowFilter,
    build_list_viewer,
    find_coverage_state,
    find_next_plan,
    find_product_id,
    get_center_zone,
)
from chalicelib.services.referrals.search import get_index_name, record_list_read, require_lists
from chalicelib.services.referrals.unread import HasUnread
from chalicelib.store.platform.timestamps import to_timestamp
from chalicelib.store.referrals.items import ReferralSummary
from chalicelib.store.referrals.referrals import ROWS_PER_READ

MAX_READS = 25
"""How many queries of `ROWS_PER_READ` rows a sorted list takes at most."""

MAX_EXPORTED = 10_000
"""How many referrals a file has at most: about 4 MB. Lambda returns at most 6 MB."""

_LAST = "\uffff"
"""Sorts after every name: for rows that have none."""

_STAGE_ORDER: Mapping[Stage, int] = {stage: n for n, stage in enumerate(Stage)}
_COVERAGE_ORDER: Mapping[CoverageState, int] = {state: n for n, state in enumerate(CoverageState)}


class Sorting(NamedTuple):
    """What a list is sorted by, and in which direction."""

    order: ListOrder
    is_descending: bool = False


class PageRequest(NamedTuple):
    """Which page of a sorted list: its number from 1, or what follows a key."""

    limit: int
    number: int = 1
    after: SortKey | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SortedPage:
    """A page of a sorted list.

    Attributes:
        total: How many referrals the whole list has.
        last_key: The key of the last row, if more follow.
    """

    rows: Sequence[ReferralSummary]
    total: int
    last_key: SortKey | None


def list_sorted_page(
    filter_: ReferralFilter,
    sorting: Sorting,
    page: PageRequest,
    *,
    member: Member,
    context: RunContext,
    has_unread: HasUnread = lambda _row: False,
) -> SortedPage:
    """A page of the referrals of the member's own tenant, sorted.

    Raises:
        MalformedError: the tenant has too many referrals to sort.
    """
    require_lists(member)
    audit_row = context.calls.start(partial(record_list_read, member, action="referral.list", context=context))
    entries = _sort_rows(filter_, sorting, member=member, context=context, has_unread=has_unread)
    keys = [key for key, _ in entries]
    start = (
        (page.number - 1) * page.limit
        if page.after is None
        else find_start(keys, page.after, is_descending=sorting.is_descending)
    )
    end = start + page.limit
    audit_row.result()
    return SortedPage(
        rows=[row for _, row in entries[start:end]],
        total=len(entries),
        last_key=keys[end - 1] if end < len(keys) else None,
    )


def list_all_sorted(
    filter_: ReferralFilter, sorting: Sorting, *, member: Member, context: RunContext, has_unread: HasUnread
) -> Sequence[ReferralSummary]:
    """All referrals of the member's own tenant that match, sorted, for an export.

    Raises:
        MalformedError: there are too many referrals to sort, or for one file.
    """
    entries = _sort_rows(filter_, sorting, member=member, context=context, has_unread=has_unread)
    if len(entries) > MAX_EXPORTED:
        raise MalformedError(
            "too_many_to_export",
            f"{len(entries):,} referrals match, and a file has at most {MAX_EXPORTED:,}. "
            "Use a filter, or choose only those that changed since a date.",
        )
    record_list_read(member, action="referral.export", context=context)
    return [row for _, row in entries]


def _sort_rows(
    filter_: ReferralFilter, sorting: Sorting, *, member: Member, context: RunContext, has_unread: HasUnread
) -> list[tuple[SortKey, ReferralSummary]]:
    index = get_index_name(member)
    viewer = build_list_viewer(member, context=context)
    rows = RowFilter(filter=filter_, viewer=viewer, context=context, has_unread=has_unread)
    build_key = _KEY_BUILDERS[sorting.order]
    entries = [
        # The id makes every key different, so that a page continues exactly after a row.
        ((*build_key(row, viewer, context), row.referral_id), row)
        for row in _read_rows(filter_, index, member=member, context=context)
        if rows.matches(row)
    ]
    entries.sort(key=lambda entry: entry[0], reverse=sorting.is_descending)
    return list(entries)


def _read_rows(
    filter_: ReferralFilter, index: str, *, member: Member, context: RunContext
) -> Iterator[ReferralSummary]:
    start = None
    for _ in range(MAX_READS):
        page = context.stores.referrals.list_page(
            index=index,
            tenant_id=member.tenant_id,
            limit=ROWS_PER_READ,
            start=start,
            since=filter_.since,
            where=filter_.exact,
            name_prefixes=parse_search_prefixes(filter_.search_text or ""),
            only_open=filter_.only_open,
        )
        context.load_keys_ahead(item["practice_id"] for item in page.items)
        for item in page.items:
            summary = context.stores.referrals.items.row_to_summary(item)
            if summary:
                yield summary
        start = page.next_key
        if start is None:
            return
    raise MalformedError(
        "too_many_to_sort",
        f"Your organization has more than {MAX_READS * ROWS_PER_READ:,} referrals, too many to sort. "
        "Choose only those that changed since a date, or sort by the latest change.",
    )


def _build_worst_first_key(row: ReferralSummary, viewer: ListViewer, _: RunContext) -> SortKey:
    due = find_due_facts(row.stage_summary, viewer)
    return build_worst_first_key(due, is_urgent=row.urgency == "urgent", since=to_timestamp(row.stage_summary.since))


def _build_due_key(row: ReferralSummary, viewer: ListViewer, _: RunContext) -> SortKey:
    return (find_due_facts(row.stage_summary, viewer).due_text,)


def _build_patient_key(row: ReferralSummary, _viewer: ListViewer, _: RunContext) -> SortKey:
    names = (row.patient.get("family_name"), row.patient.get("given_name"))
    return tuple(name.casefold() if name else _LAST for name in names)


def _build_next_action_key(row: ReferralSummary, viewer: ListViewer, _: RunContext) -> SortKey:
    by = find_next_action(row.stage_summary, viewer.side).by
    return (int(by is not viewer.side), by, to_timestamp(row.stage_summary.since))


def _build_next_date_key(row: ReferralSummary, _viewer: ListViewer, context: RunContext) -> SortKey:
    planned = find_next_plan(row, context=context)
    if planned is None:
        return (_LAST, 0)
    day, second = get_sort_key(planned.day, get_center_zone(row, context=context))
    return (day.isoformat(), int(second))


def _build_stage_key(row: ReferralSummary, _viewer: ListViewer, _: RunContext) -> SortKey:
    return (_STAGE_ORDER[row.stage_summary.stage], to_timestamp(row.stage_summary.since))


def _build_coverage_key(row: ReferralSummary, _viewer: ListViewer, context: RunContext) -> SortKey:
    return (_COVERAGE_ORDER[find_coverage_state(row, context=context)],)


def _build_product_key(row: ReferralSummary, _viewer: ListViewer, _: RunContext) -> SortKey:
    product = catalog.load_products().get(find_product_id(row) or "")
    return (product.name.casefold() if product else _LAST, row.disease or _LAST)


def _build_center_key(row: ReferralSummary, _viewer: ListViewer, context: RunContext) -> SortKey:
    center = context.stores.tenants.get_center(row.center_id)
    return (center.tenant.name.casefold() if center else _LAST,)


def _build_practice_key(row: ReferralSummary, _viewer: ListViewer, context: RunContext) -> SortKey:
    practice = context.stores.tenants.get_cached(TenantKind.PRACTICE, row.practice_id)
    return (practice.name.casefold() if practice else _LAST,)


_KEY_BUILDERS: Mapping[ListOrder, Callable[[ReferralSummary, ListViewer, RunContext], SortKey]] = {
    ListOrder.WORST_FIRST: _build_worst_first_key,
    ListOrder.DUE: _build_due_key,
    ListOrder.PATIENT: _build_patient_key,
    ListOrder.NEXT_ACTION: _build_next_action_key,
    ListOrder.NEXT_DATE: _build_next_date_key,
    ListOrder.STAGE: _build_stage_key,
    ListOrder.COVERAGE: _build_coverage_key,
    ListOrder.PRODUCT: _build_product_key,
    ListOrder.CENTER: _build_center_key,
    ListOrder.PRACTICE: _build_practice_key,
}
