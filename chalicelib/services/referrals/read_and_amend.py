"""Read referrals: one of them, its timeline, and the history of its facts."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, TypeVar

from chalicelib.domain.identity.members import Member
from chalicelib.domain.platform.copying import replace
from chalicelib.domain.referrals.facts import FactRevision
from chalicelib.domain.referrals.referral import Referral
from chalicelib.services.platform.run_context import RunContext
from chalicelib.services.referrals.access import build_member_audit_entry, get_visible_or_404
from chalicelib.store.referrals.items import LoggedEvent

PagePosition = Mapping[str, Any] | None
"""Where the next page starts: a key of the index."""

_More = TypeVar("_More")


def read_referral(
    referral_id: str,
    *,
    read_more: Callable[[Referral], _More],
    member: Member,
    request_id: str,
    context: RunContext,
) -> tuple[Referral, _More]:
    """Read a referral, for a member of one of its two tenants.

    Args:
        referral_id: Which referral.
        read_more: Reads what is shown with the referral, while the audit row is written.
        member: Who reads.
        request_id: The request, for the audit row.
        context: The tables and the time.

    Raises:
        NotFoundError: no such referral, or another tenant's.
    """
    referral = get_visible_or_404(referral_id, member, "referral.read", context=context)
    entry = replace(build_member_audit_entry(referral, member, "referral.read", context.now), request_id=request_id)
    audit_row = context.calls.start(partial(context.stores.audit_log.append, entry))
    more = read_more(referral)
    audit_row.result()
    return referral, more


def list_timeline(
    referral_id: str, *, limit: int, start: PagePosition, member: Member, context: RunContext
) -> tuple[Sequence[LoggedEvent], PagePosition]:
    """A page of the referral's events, newest first."""
    referral = get_visible_or_404(referral_id, member, "referral.read_events", context=context)
    entry = build_member_audit_entry(referral, member, "referral.read_events", context.now)
    audit_row = context.calls.start(partial(context.stores.audit_log.append, entry))
    page = context.stores.referrals.list_timeline(referral_id, limit=limit, start=start)
    audit_row.result()
    return page


def list_changes(
    referral_id: str, *, limit: int, start: PagePosition, member: Member, context: RunContext
) -> tuple[Sequence[FactRevision], PagePosition]:
    """A page of what people changed in the referral's facts, newest first, with the values before and after.

    Raises:
        NotFoundError: no such referral, or another tenant's.
    """
    referral = get_visible_or_404(referral_id, member, "referral.read_changes", context=context)
    entry = build_member_audit_entry(referral, member, "referral.read_changes", context.now)
    audit_row = context.calls.start(partial(context.stores.audit_log.append, entry))
    page = context.stores.fact_changes.list_page(referral_id, limit=limit, start=start)
    audit_row.result()
    return page
