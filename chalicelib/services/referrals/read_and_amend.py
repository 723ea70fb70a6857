"""Reading and changing referrals."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from chalicelib.domain.identity.members import Member
from chalicelib.domain.referrals.referral import Referral
from chalicelib.domain.referrals.stages import Stage
from chalicelib.errors import RefusedError, StaleError
from chalicelib.services.referrals.access import (
    entry_of_member,
    require_known,
    require_practice,
    seen,
)
from chalicelib.store.all_stores import Stores
from chalicelib.store.platform.transactions import ConditionFailed
from chalicelib.store.referrals.items import LoggedEvent

EDITABLE = frozenset({Stage.DRAFT, Stage.INFO_REQUESTED})
"""Stages in which the practice may still change what it sends."""

Position = Mapping[str, Any] | None
"""Where a list goes on: a key of its index."""


def amend(
    referral_id: str,
    changes: Mapping[str, Any],
    *,
    version: int,
    member: Member,
    stores: Stores,
    now: datetime,
) -> Referral:
    """Change what the practice sends, while the center has not started with it.

    Args:
        referral_id: Which one.
        changes: Whole sections of the intake by name; a section that is absent stays.
        version: The version that the member saw.
        member: Who changes it.
        stores: Where it is kept.
        now: When.

    Raises:
        NotFoundError: no such referral, or another tenant's.
        StaleError: somebody else wrote since `version`.
        RefusedError: the center has it in hand.
    """
    referral = seen(referral_id, member, "referral.amend", stores=stores, now=now)
    require_practice(member)
    if referral.version != version:
        raise StaleError
    if referral.stage not in EDITABLE:
        raise RefusedError("not_editable", "The center is working with what was sent.")
    require_known(changes.get("product_id"), changes.get("center_id"), stores=stores)
    if referral.submitted_at and changes.get("center_id", referral.center_id) != referral.center_id:
        raise RefusedError("center_fixed", "A submitted referral stays with its center.")
    changed = _amended(referral, changes, now=now)
    entry = entry_of_member(changed, member, "referral.amend", now)
    try:
        stores.ledger.commit(*stores.referrals.saving(changed, entry))
    except ConditionFailed as e:
        raise StaleError from e
    return changed


def read(
    referral_id: str, *, member: Member, request_id: str, stores: Stores, now: datetime
) -> Referral:
    """A referral, for a member of one of its two tenants.

    Raises:
        NotFoundError: no such referral, or another tenant's.
    """
    referral = seen(referral_id, member, "referral.read", stores=stores, now=now)
    entry = entry_of_member(referral, member, "referral.read", now)
    stores.audit.append(replace(entry, request_id=request_id))
    return referral


def timeline(
    referral_id: str,
    *,
    limit: int,
    start: Position,
    member: Member,
    stores: Stores,
    now: datetime,
) -> tuple[Sequence[LoggedEvent], Position]:
    """A part of what happened, newest first."""
    referral = seen(referral_id, member, "referral.read_events", stores=stores, now=now)
    stores.audit.append(entry_of_member(referral, member, "referral.read_events", now))
    return stores.referrals.events(referral_id, limit=limit, start=start)


def _amended(referral: Referral, changes: Mapping[str, Any], *, now: datetime) -> Referral:
    own = ("product_id", "center_id", "urgency", "alias")
    sections = {name: value for name, value in changes.items() if name not in own}
    return replace(
        referral,
        **{name: changes[name] for name in own if name in changes},
        details={**referral.details, **sections},
        updated_at=now,
        version=referral.version + 1,
    )
