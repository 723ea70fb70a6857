"""Which events, other than stage changes, may be reported now: asked of the decision itself.

A page therefore offers exactly what would be accepted, and nothing that would be rejected.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from chalicelib.domain.platform.copying import replace
from chalicelib.domain.referrals.adverse_events import AdverseEventKind
from chalicelib.domain.referrals.apply_event import decide_event
from chalicelib.domain.referrals.care_terms import BridgingStatus
from chalicelib.domain.referrals.events import (
    AdverseEventReported,
    BridgingReported,
    EventSource,
    EventType,
    HoldEnded,
    HoldStarted,
    InformationRequested,
    PlanChanged,
    ReferralEvent,
    RelapseReported,
    Reopened,
    WindowExtended,
    WithdrawalRequested,
)
from chalicelib.domain.referrals.plan_terms import PlanKind
from chalicelib.domain.referrals.referral import Referral
from chalicelib.domain.referrals.stage_changes import Applied, DecisionContext
from chalicelib.domain.referrals.stages import Actor, Stage


def list_allowed_reports(referral: Referral, *, actor: Actor, context: DecisionContext) -> list[EventType]:
    """List the event types that `actor` may report now, in the order that a page shows them.

    Nothing is offered for a draft, even if a decision would accept it: no other organization
    can see a draft.
    """
    if referral.stage is Stage.DRAFT:
        return []
    # After a correction, every later event replays the whole history. That does not change which
    # events are allowed, so decide without it.
    without_corrections = replace(referral, status=replace(referral.status, corrected=False))
    return [
        event.type
        for event in _build_candidate_events(referral, actor=actor, now=context.now)
        if isinstance(decide_event(without_corrections, event, context), Applied)
    ]


def _build_candidate_events(referral: Referral, *, actor: Actor, now: datetime) -> Iterator[ReferralEvent]:
    """Build one event of each type that would add something new, later than all known events."""
    status, window = referral.status, referral.window
    orders = [order for order in (referral.last_applied_order, status.hold_head) if order]
    latest = max([now.astimezone(UTC), *(order.occurred_at for order in orders)])
    common: dict[str, Any] = {
        "event_id": "evt_candidate",
        "referral_id": referral.referral_id,
        "occurred_at": latest + timedelta(seconds=1),
        "recorded_at": now,
        "actor": actor,
        "source": EventSource(actor.value),
        "actor_id": "",
        "actor_name": "",
        "note": "candidate",
    }
    yield HoldEnded(**common) if status.hold else HoldStarted(**common)
    yield AdverseEventReported(**common, kind=AdverseEventKind.OTHER)
    yield RelapseReported(**common)
    yield BridgingReported(**common, status=BridgingStatus.PLANNED)
    plan = PlanKind.CONSULTATION if actor is Actor.CENTER else PlanKind.RETURN
    yield PlanChanged(**common, plan=plan, on=latest.date() + timedelta(days=1), place="candidate")
    if window:
        yield WindowExtended(**common, ends_on=window.ends_on + timedelta(days=1))
    if not status.withdrawal_requested_at:
        yield WithdrawalRequested(**common)
    yield InformationRequested(**common, text="candidate")
    yield Reopened(**common)
