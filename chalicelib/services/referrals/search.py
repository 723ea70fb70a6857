"""List a tenant's own referrals, with filters, a page at a time."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from chalicelib.domain.identity.members import Member, TenantKind
from chalicelib.domain.referrals.name_search import parse_search_prefixes
from chalicelib.errors import ForbiddenError
from chalicelib.services.platform.run_context import RunContext
from chalicelib.services.referrals.list_filters import ReferralFilter, RowFilter, build_list_viewer
from chalicelib.services.referrals.unread import HasUnread
from chalicelib.store.audit.rows import AuditEntry
from chalicelib.store.referrals.items import ReferralSummary

MAX_READS_PER_PAGE = 4
"""How many queries one page of a filtered list can take before it is returned with fewer rows: 2,050 rows for a page
of 50."""

ROWS_GROWTH = 4
"""How many times more rows each next query reads. A filter that matches rarely needs few queries, and one that matches
often reads few rows."""

MAX_READS_PER_SEARCH = 20
"""The same for a name, which DynamoDB finds without decrypting anything."""

MAX_ROWS_PER_SEARCH = 1000
"""How many rows of the index one query reads at most: half a megabyte."""

PagePosition = Mapping[str, Any] | None
"""Where the next page starts: a key of the index."""


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
    audit_row = context.calls.start(partial(record_list_read, member, action="referral.list", context=context))
    viewer = build_list_viewer(member, context=context)
    rows = RowFilter(filter=filter_, viewer=viewer, context=context, has_unread=has_unread)
    name_prefixes = parse_search_prefixes(filter_.search_text or "")
    found: list[ReferralSummary] = []
    size = MAX_ROWS_PER_SEARCH if name_prefixes else limit
    for _ in range(MAX_READS_PER_SEARCH if name_prefixes else MAX_READS_PER_PAGE):
        page = context.stores.referrals.list_page(
            index=index,
            tenant_id=member.tenant_id,
            limit=size,
            start=start,
            since=filter_.since,
            where=filter_.exact,
            name_prefixes=name_prefixes,
            only_open=filter_.only_open,
        )
        start, size = page.next_key, min(size * ROWS_GROWTH, MAX_ROWS_PER_SEARCH)
        context.load_keys_ahead(row["practice_id"] for row in page.items)
        for n, row in enumerate(page.items, start=1):
            summary = context.stores.referrals.items.row_to_summary(row)
            if summary and rows.matches(summary):
                found.append(summary)
            if len(found) == limit and n < len(page.items):
                start = context.stores.referrals.get_page_position(row, index=index)
                break
        if start is None or len(found) >= limit:
            break
    audit_row.result()
    return found, start


def record_list_read(member: Member, *, action: str, context: RunContext) -> None:
    """Record that a member read a list of referrals."""
    context.stores.audit_log.append(
        AuditEntry(
            referral_id=f"list#{member.member_id}",
            at=context.now,
            actor_id=member.member_id,
            tenant_id=member.tenant_id,
            action=action,
        )
    )


def get_index_name(member: Member) -> str:
    """The name of the index that lists the referrals of the member's tenant.

    Raises:
        ForbiddenError: the member's role has no access to patients.
    """
    require_lists(member)
    return "by_practice" if member.kind is TenantKind.PRACTICE else "by_center"


def require_lists(member: Member) -> None:
    """Let only members continue who can list referrals.

    Raises:
        ForbiddenError: the member's role has no access to patients.
    """
    if not member.has_clinical_access or member.kind is TenantKind.OPERATOR:
        raise ForbiddenError("not_for_your_role", "Your role does not include patient records.")
