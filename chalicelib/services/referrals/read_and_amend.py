"""Read and edit referrals."""

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
"""Stages in which the practice can still edit the referral."""

PagePosition = Mapping[str, Any] | None
"""Where the next page starts: a key of the index."""


def amend_referral(
    referral_id: str, changes: Mapping[str, Any], *, version: int, member: Member, context: RunContext
) -> Referral:
    """Edit what the practice sends, until the center starts to work on it.

    Args:
        referral_id: The referral.
        changes: Whole sections of the referral by name; a section that is absent does not change.
        version: The version that the member saw.
        member: Who edits it.
        context: The tables and the time.

    Raises:
        NotFoundError: no such referral, or another tenant's.
        PreconditionFailedError: another write came after `version`.
        ConflictError: the center already works on it.
    """
    referral = get_visible_or_404(referral_id, member, "referral.amend", context=context)
    require_practice(member)
    if referral.version != version:
        raise PreconditionFailedError
    if referral.stage not in EDITABLE_STAGES:
        raise ConflictError(
            "not_editable",
            "The center has accepted this referral, so you can no longer edit it. Call the center with changes.",
        )
    require_known_product_and_center(changes.get("product_id"), changes.get("center_id"), stores=context.stores)
    if referral.submitted_at and changes.get("center_id", referral.center_id) != referral.center_id:
        raise ConflictError(
            "center_fixed",
            "You cannot change the center after you submit. "
            "Withdraw this referral and start a new one for another center.",
        )
    changed = _with_changes(referral, changes, now=context.now)
    entry = build_member_audit_entry(changed, member, "referral.amend", context.now)
    try:
        context.stores.transactions.commit(*context.stores.referrals.prepare_save(changed, entry))
    except ConditionFailedError as e:
        raise PreconditionFailedError from e
    return changed


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


def _with_changes(referral: Referral, changes: Mapping[str, Any], *, now: datetime) -> Referral:
    fields = ("product_id", "center_id", "urgency", "alias")
    sections = {name: value for name, value in changes.items() if name not in fields}
    return replace(
        referral,
        **{name: changes[name] for name in fields if name in changes},
        details={**referral.details, **sections},
        updated_at=now,
        version=referral.version + 1,
    )
