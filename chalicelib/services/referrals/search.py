"""List and count a tenant's own referrals, with filters, a page at a time."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from chalicelib.domain.coverage.display import CoverageState, compute_display
from chalicelib.domain.identity.members import Member, TenantKind
from chalicelib.domain.referrals.name_search import matches_search, parse_search_prefixes
from chalicelib.domain.referrals.stages import STAGE_FACTS, TERMINAL_STAGES, NextActor, Phase
from chalicelib.domain.referrals.worklists import WORKLIST_RULES, ListViewer, Worklist, is_late
from chalicelib.errors import ForbiddenError
from chalicelib.services.platform.run_context import RunContext
from chalicelib.services.referrals.consent_checks import get_practice_day
from chalicelib.services.referrals.unread import HasUnread
from chalicelib.store.audit.rows import AuditEntry
from chalicelib.store.referrals.items import ReferralSummary

MAX_READS_PER_PAGE = 20
"""How many queries one page of a filtered list can take before it is returned with fewer rows."""

MAX_ROWS_PER_SEARCH = 1000
"""How many rows of the index DynamoDB searches for a name in one query: half a megabyte."""

PagePosition = Mapping[str, Any] | None
"""Where the next page starts: a key of the index."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferralFilter:
    """Which referrals a list shows.

    `exact` compares attributes of the index. The others are checked in each row: `search_text` has the
    beginnings of names, or a record number, a date of birth or a phone number; `late` is about the
    turnaround of the stage, a worklist is a rule, and `coverage` is the coverage as the list shows it.
    """

    exact: Mapping[str, str]
    since: datetime | None = None
    search_text: str | None = None
    late: bool | None = None
    worklist: Worklist | None = None
    coverage: CoverageState | None = None


def list_referrals(
    filter_: ReferralFilter,
    *,
    limit: int,
    start: PagePosition,
    member: Member,
    context: RunContext,
    has_unread: HasUnread = lambda _row: False,
) -> tuple[Sequence[ReferralSummary], PagePosition]:
    """A page of the referrals of the member's own tenant, latest change first.

    A page is short only if a filter excluded rows that were read; the position says if more follows.
    """
    index = get_index_name(member)
    viewer = build_list_viewer(member, context=context)
    name_prefixes = parse_search_prefixes(filter_.search_text or "")
    found: list[ReferralSummary] = []
    for _ in range(MAX_READS_PER_PAGE):
        page = context.stores.referrals.list_page(
            index=index,
            tenant_id=member.tenant_id,
            limit=MAX_ROWS_PER_SEARCH if name_prefixes else limit - len(found),
            start=start,
            since=filter_.since,
            where=filter_.exact,
            name_prefixes=name_prefixes,
        )
        start = page.next_key
        for n, row in enumerate(page.items, start=1):
            summary = context.stores.referrals.items.row_to_summary(row)
            if (
                summary
                and _has_coverage(summary, filter_.coverage, context)
                and _matches_filter(summary, filter_, viewer, has_unread)
            ):
                found.append(summary)
            if len(found) == limit and n < len(page.items):
                start = context.stores.referrals.get_page_position(row, index=index)
                break
        if start is None or len(found) >= limit:
            break
    context.stores.audit_log.append(
        AuditEntry(
            referral_id=f"list#{member.member_id}",
            at=context.now,
            actor_id=member.member_id,
            tenant_id=member.tenant_id,
            action="referral.list",
        )
    )
    return found, start


def count_referrals(
    *, member: Member, context: RunContext, has_unread: HasUnread = lambda _row: False
) -> tuple[Mapping[Phase, int], Mapping[Worklist, int]]:
    """How many referrals of the tenant are in each phase and on each worklist."""
    index = get_index_name(member)
    viewer = build_list_viewer(member, context=context)
    phases: Counter[Phase] = Counter()
    worklists: Counter[Worklist] = Counter()
    for row in context.stores.referrals.list_summaries(index=index, tenant_id=member.tenant_id):
        phases[STAGE_FACTS[row.stage_summary.stage].phase] += 1
        worklists.update(name for name, matches in WORKLIST_RULES.items() if matches(row.stage_summary, viewer))
        worklists[Worklist.CHANGED_SINCE_SEEN] += has_unread(row)
    return phases, worklists


def build_list_viewer(member: Member, *, context: RunContext) -> ListViewer:
    """The member as a viewer of lists, in the time zone of the member's organization."""
    tenant = context.stores.tenants.get_cached(member.kind, member.tenant_id)
    zone = tenant.time_zone if tenant else "UTC"
    return ListViewer(side=NextActor(member.kind.value), now=context.now, time_zone=zone)


def _has_coverage(row: ReferralSummary, state: CoverageState | None, context: RunContext) -> bool:
    if state is None:
        return True
    today = get_practice_day(row.practice_id, context=context)
    summary = row.stage_summary
    is_closed = summary.stage in TERMINAL_STAGES
    return compute_display(summary.coverage, today=today, is_closed=is_closed).state is state


def _matches_filter(row: ReferralSummary, filter_: ReferralFilter, viewer: ListViewer, has_unread: HasUnread) -> bool:
    if filter_.late is not None and is_late(row.stage_summary, viewer) is not filter_.late:
        return False
    if filter_.worklist is Worklist.CHANGED_SINCE_SEEN:
        if not has_unread(row):
            return False
    elif filter_.worklist and not WORKLIST_RULES[filter_.worklist](row.stage_summary, viewer):
        return False
    return not filter_.search_text or matches_search(filter_.search_text, row.search_names, row.identifiers)


def get_index_name(member: Member) -> str:
    """The name of the index that lists the referrals of the member's tenant.

    Raises:
        ForbiddenError: the member's role has no access to patients.
    """
    if not member.has_clinical_access or member.kind is TenantKind.OPERATOR:
        raise ForbiddenError("not_for_your_role", "Your role does not include patient records.")
    return "by_practice" if member.kind is TenantKind.PRACTICE else "by_center"
