"""Reading and changing referrals."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from chalicelib.domain.identity.members import Member
from chalicelib.domain.referrals.referral import Referral
from chalicelib.domain.referrals.stages import Stage
from chalicelib.errors import ConflictError, PreconditionFailedError
from chalicelib.services.platform.run_context import RunContext
from chalicelib.services.referrals.access import (
    build_member_audit_entry,
    get_visible_or_404,
    require_known_product_and_center,
    require_practice,
)
from chalicelib.store.platform.transactions import ConditionFailedError
from chalicelib.store.referrals.items import LoggedEvent

EDITABLE_STAGES = frozenset({Stage.DRAFT, Stage.INFO_REQUESTED})
"""Stages in which the practice may still change what it sends."""

PagePosition = Mapping[str, Any] | None
"""Where a list goes on: a key of its index."""


def amend_referral(
    referral_id: str, changes: Mapping[str, Any], *, version: int, member: Member, context: RunContext
) -> Referral:
    """Change what the practice sends, while the center has not started with it.

    Args:
        referral_id: Which one.
        changes: Whole sections of the intake by name; a section that is absent stays.
        version: The version that the member saw.
        member: Who changes it.
        context: The tables and the time.

    Raises:
        NotFoundError: no such referral, or another tenant's.
        StaleError: somebody else wrote since `version`.
        RefusedError: the center has it in hand.
    """
    referral = get_visible_or_404(referral_id, member, "referral.amend", context=context)
    require_practice(member)
    if referral.version != version:
        raise PreconditionFailedError
    if referral.stage not in EDITABLE_STAGES:
        raise ConflictError("not_editable", "The center is working with what was sent.")
    require_known_product_and_center(changes.get("product_id"), changes.get("center_id"), stores=context.stores)
    if referral.submitted_at and changes.get("center_id", referral.center_id) != referral.center_id:
        raise ConflictError("center_fixed", "A submitted referral stays with its center.")
    changed = _with_changes(referral, changes, now=context.now)
    entry = build_member_audit_entry(changed, member, "referral.amend", context.now)
    try:
        context.stores.transactions.commit(*context.stores.referrals.prepare_save(changed, entry))
    except ConditionFailedError as e:
        raise PreconditionFailedError from e
    return changed


def read_referral(referral_id: str, *, member: Member, request_id: str, context: RunContext) -> Referral:
    """A referral, for a member of one of its two tenants.

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
    """A part of what happened, newest first."""
    referral = get_visible_or_404(referral_id, member, "referral.read_events", context=context)
    context.stores.audit_log.append(build_member_audit_entry(referral, member, "referral.read_events", context.now))
    return context.stores.referrals.list_timeline(referral_id, limit=limit, start=start)


def _with_changes(referral: Referral, changes: Mapping[str, Any], *, now: datetime) -> Referral:
    own = ("product_id", "center_id", "urgency", "alias")
    sections = {name: value for name, value in changes.items() if name not in own}
    return replace(
        referral,
        **{name: changes[name] for name in own if name in changes},
        details={**referral.details, **sections},
        updated_at=now,
        version=referral.version + 1,
    )
