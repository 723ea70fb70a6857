"""Read referrals: one of them, its timeline, and the history of its facts."""

from collections.abc import Mapping, Sequence
from typing import Any

from chalicelib.domain.identity.members import Member
from chalicelib.domain.platform.copying import replace
from chalicelib.domain.referrals.facts import FactRevision
from chalicelib.domain.referrals.referral import Referral
from chalicelib.services.platform.run_context import RunContext
from chalicelib.services.referrals.access import build_member_audit_entry, get_visible_or_404
from chalicelib.store.referrals.items import LoggedEvent

PagePosition = Mapping[str, Any] | None
"""Where the next page starts: a key of the index."""


def read_referral(referral_id: str, *, member: Member, request_id: str, context: RunContext) -> Referral:
    """Read a referral, for a member of one of its two tenants.

    Raises:
        NotFoundError: no such referral, or another tenant's.
    """
    referral = get_visible_or_404(referral_id, member, "referral.read", context=context)
    entry = build_member_audit_entry(referral, member, "referral.read", context.now)
    context.stores.audit_log.append(replace(entry, request_id=request_id))
    return referral


def list_timeline(
    referral_id: str, *, limit: int, start: PagePosition, member: Member, context: RunContext
) -> tuple[Sequence[LoggedEvent], PagePosition]:
    """A page of the referral's events, newest first."""
    referral = get_visible_or_404(referral_id, member, "referral.read_events", context=context)
    context.stores.audit_log.append(build_member_audit_entry(referral, member, "referral.read_events", context.now))
    return context.stores.referrals.list_timeline(referral_id, limit=limit, start=start)


def list_changes(
    referral_id: str, *, limit: int, start: PagePosition, member: Member, context: RunContext
) -> tuple[Sequence[FactRevision], PagePosition]:
    """A page of what people changed in the referral's facts, newest first, with the values before and after.

    Raises:
        NotFoundError: no such referral, or another tenant's.
    """
    referral = get_visible_or_404(referral_id, member, "referral.read_changes", context=context)
    context.stores.audit_log.append(build_member_audit_entry(referral, member, "referral.read_changes", context.now))
    return context.stores.fact_changes.list_page(referral_id, limit=limit, start=start)
