"""Referring a patient: a new referral, as a draft or sent at once."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from chalicelib.domain.identity.members import Member
from chalicelib.domain.referrals.alias import proposed_alias
from chalicelib.domain.referrals.apply_event import decide
from chalicelib.domain.referrals.events import Source, StageChange, derived_id
from chalicelib.domain.referrals.packet import packet_of, require_complete
from chalicelib.domain.referrals.referral import Overlay, Referral
from chalicelib.domain.referrals.stage_changes import Applied
from chalicelib.domain.referrals.stages import TERMINAL, Actor, Stage
from chalicelib.errors import RefusedError, UnavailableError
from chalicelib.services.notices.overdue_alerts import alarm_writes
from chalicelib.services.referrals.access import (
    entry_of_member,
    require_known,
    require_practice,
    seen,
)
from chalicelib.services.referrals.event_writes import setting_of, writes_of
from chalicelib.store.all_stores import Stores
from chalicelib.store.platform.dynamo import Write
from chalicelib.store.platform.transactions import ConditionFailed
from chalicelib.store.webhooks.idempotency import RECEIPT, Answer, Request


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
    require_practice(member)
    require_known(intake.product_id, intake.center_id, stores=stores)
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
    earlier = seen(earlier_id, member, "referral.continue", stores=stores, now=now)
    if earlier.stage not in TERMINAL or earlier.overlay.continued_by:
        raise RefusedError("not_continuable", "Only an ended referral is continued, and once.")
    linked = replace(
        earlier,
        overlay=replace(earlier.overlay, continued_by=draft.referral_id),
        updated_at=now,
        version=earlier.version + 1,
    )
    entry = entry_of_member(linked, member, "referral.continue", now)
    return stores.referrals.saving(linked, entry)


def _kept(
    draft: Referral, member: Member, stores: Stores, now: datetime
) -> tuple[Referral, Sequence[Write]]:
    """The draft as it is, with the writes that keep it."""
    entry = entry_of_member(draft, member, "referral.create", now)
    alarm = alarm_writes(None, draft, stores=stores)
    return draft, [*stores.referrals.adding(draft, entry), *alarm]


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
