"""Writing, changing and reading referrals."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from chalicelib import catalogue
from chalicelib.domain.alias import proposed_alias
from chalicelib.domain.decisions import decide
from chalicelib.domain.events import Source, StageChange, derived_id
from chalicelib.domain.members import Member, TenantKind
from chalicelib.domain.notices import window_plan
from chalicelib.domain.packet import packet_of, require_complete
from chalicelib.domain.referral import Overlay, Referral
from chalicelib.domain.stages import TERMINAL, Actor, Stage
from chalicelib.domain.verdicts import Applied
from chalicelib.errors import (
    Fault,
    ForbiddenError,
    MalformedError,
    NotFoundError,
    RefusedError,
    StaleError,
    UnavailableError,
)
from chalicelib.services.bookkeeping import setting_of, writes_of
from chalicelib.store.audit import AuditEntry
from chalicelib.store.dynamo import Write
from chalicelib.store.ledger import ConditionFailed
from chalicelib.store.receipts import RECEIPT, Answer, Request
from chalicelib.store.referral_items import LoggedEvent
from chalicelib.store.stores import Stores

EDITABLE = frozenset({Stage.DRAFT, Stage.INFO_REQUESTED})
"""Stages in which the practice may still change what it sends."""

Position = Mapping[str, Any] | None
"""Where a list goes on: a key of its index."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Intake:
    """What a practice sends of a patient. `details` is spelled as the API contract spells it."""

    details: Mapping[str, Any]
    alias: str | None
    product_id: str | None
    center_id: str | None
    urgency: str
    continues: str | None = None


def refer(
    intake: Intake,
    *,
    submit: bool,
    referral_id: str,
    member: Member,
    request: Request,
    answer: Callable[[Referral], Answer],
    stores: Stores,
    now: datetime,
) -> Answer:
    """Write a new referral, as a draft or sent at once.

    Raises:
        ForbiddenError: only a practice refers.
        MalformedError: an unknown product or center.
        NotFoundError: what it continues is not there, or another tenant's.
        RefusedError: to be sent, it lacks what the center needs.
    """
    _require_practice(member)
    _require_known(intake.product_id, intake.center_id, stores=stores)
    draft = _draft(intake, referral_id=referral_id, member=member, now=now)
    links = _linked(draft, member, stores=stores, now=now)
    referral, writes = (_submitted if submit else _kept)(draft, member, stores, now)
    told = answer(referral)
    try:
        stores.ledger.commit(stores.idempotency.writing(request, told, now=now), *writes, *links)
    except ConditionFailed as e:
        if RECEIPT not in e.items:
            raise UnavailableError("busy") from e
        return stores.idempotency.replay(request, e.items[RECEIPT])
    return told


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
    referral = _seen(referral_id, member, "referral.amend", stores=stores, now=now)
    _require_practice(member)
    if referral.version != version:
        raise StaleError
    if referral.stage not in EDITABLE:
        raise RefusedError("not_editable", "The center is working with what was sent.")
    _require_known(changes.get("product_id"), changes.get("center_id"), stores=stores)
    if referral.submitted_at and changes.get("center_id", referral.center_id) != referral.center_id:
        raise RefusedError("center_fixed", "A submitted referral stays with its center.")
    changed = _amended(referral, changes, now=now)
    entry = _entry(changed, member, "referral.amend", now)
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
    referral = _seen(referral_id, member, "referral.read", stores=stores, now=now)
    entry = _entry(referral, member, "referral.read", now)
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
    referral = _seen(referral_id, member, "referral.read_events", stores=stores, now=now)
    stores.audit.append(_entry(referral, member, "referral.read_events", now))
    return stores.referrals.events(referral_id, limit=limit, start=start)


def planned_notices(referral: Referral, *, stores: Stores) -> Sequence[Mapping[str, str]]:
    """What is planned for each side of an open window, and what became of it."""
    if referral.window is None:
        return []
    tasks = [task for task in window_plan(referral, referral.window) if task.side and task.due_on]
    states = stores.outbox.states([task.outbox_id for task in tasks])
    return [
        {
            "rule": task.rule,
            "to": str(task.side),
            "due_on": task.due_on.isoformat() if task.due_on else "",
            "state": states.get(task.outbox_id, "planned"),
        }
        for task in tasks
    ]


def _seen(
    referral_id: str, member: Member, action: str, *, stores: Stores, now: datetime
) -> Referral:
    """The referral, if this member may know that there is one."""
    referral = stores.referrals.get(referral_id)
    if referral is not None and member.cares and member.may_see(referral):
        return referral
    stores.audit.append(
        AuditEntry(
            referral_id=referral_id,
            at=now,
            actor_id=member.member_id,
            tenant_id=member.tenant_id,
            action=action,
            outcome="not_found",
        )
    )
    raise NotFoundError


def _require_practice(member: Member) -> None:
    if member.kind is not TenantKind.PRACTICE or not member.cares:
        raise ForbiddenError("practice_only", "Only the referring practice may do this.")


def _require_known(product_id: str | None, center_id: str | None, *, stores: Stores) -> None:
    faults = []
    if product_id and product_id not in catalogue.products():
        faults.append(Fault("/product_id", "unknown", "No such product in the catalogue"))
    if center_id and stores.tenants.center(center_id) is None:
        faults.append(Fault("/center_id", "unknown", "No such center in the directory"))
    if faults:
        raise MalformedError("unknown_reference", "Something named is not there.", faults=faults)


def _draft(intake: Intake, *, referral_id: str, member: Member, now: datetime) -> Referral:
    return Referral(
        referral_id=referral_id,
        practice_id=member.tenant_id,
        center_id=intake.center_id,
        product_id=intake.product_id,
        urgency=intake.urgency,
        alias=intake.alias or proposed_alias(referral_id),
        details=intake.details,
        stage=Stage.DRAFT,
        stage_since=now,
        head=None,
        reached={Stage.DRAFT: now},
        window=None,
        created_by=member.member_id,
        created_at=now,
        updated_at=now,
        version=1,
        overlay=Overlay(continues=intake.continues),
    )


def _linked(draft: Referral, member: Member, *, stores: Stores, now: datetime) -> Sequence[Write]:
    """The writes that link an ended referral to the one that goes on from it."""
    earlier_id = draft.overlay.continues
    if earlier_id is None:
        return []
    earlier = _seen(earlier_id, member, "referral.continue", stores=stores, now=now)
    if earlier.stage not in TERMINAL or earlier.overlay.continued_by:
        raise RefusedError("not_continuable", "Only an ended referral is continued, and once.")
    linked = replace(
        earlier,
        overlay=replace(earlier.overlay, continued_by=draft.referral_id),
        updated_at=now,
        version=earlier.version + 1,
    )
    entry = _entry(linked, member, "referral.continue", now)
    return stores.referrals.saving(linked, entry)


def _kept(
    draft: Referral, member: Member, stores: Stores, now: datetime
) -> tuple[Referral, Sequence[Write]]:
    """The draft as it is, with the writes that keep it."""
    entry = _entry(draft, member, "referral.create", now)
    return draft, stores.referrals.adding(draft, entry)


def _submitted(
    draft: Referral, member: Member, stores: Stores, now: datetime
) -> tuple[Referral, Sequence[Write]]:
    """The draft as sent, with the writes of its submission."""
    require_complete(packet_of(draft))
    change = StageChange(
        event_id=derived_id("evt", draft.referral_id, "submitted"),
        referral_id=draft.referral_id,
        stage=Stage.SUBMITTED,
        # A center's feed stamps whole seconds by a clock of its own; what it reports a moment
        # later must not look older than the submission.
        occurred_at=now.replace(second=0, microsecond=0),
        recorded_at=now,
        actor=Actor.PRACTICE,
        source=Source.PRACTICE,
        actor_id=member.member_id,
        actor_name=member.name,
    )
    unwritten = replace(draft, version=0)
    verdict = decide(unwritten, change, setting_of(draft, stores=stores, now=now))
    if not isinstance(verdict, Applied):
        raise TypeError("a draft can always be submitted")
    writes = writes_of(verdict, change, member.tenant_id, before=unwritten, stores=stores)
    return verdict.referral, writes


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


def _entry(referral: Referral, member: Member, action: str, now: datetime) -> AuditEntry:
    return AuditEntry(
        referral_id=referral.referral_id,
        at=now,
        actor_id=member.member_id,
        tenant_id=member.tenant_id,
        action=action,
        version=referral.version,
    )
