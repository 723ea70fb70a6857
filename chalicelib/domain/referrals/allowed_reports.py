"""What may be reported of a referral now beside a move: asked of the decision itself.

A page therefore offers what would be taken, and nothing that would be refused.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from chalicelib.domain.referrals.apply_event import decide_event
from chalicelib.domain.referrals.events import (
    EventSource,
    EventType,
    HoldEnded,
    HoldStarted,
    ReferralEvent,
    Reopened,
    ToxicityNoticed,
    WindowExtended,
    WithdrawalRequested,
)
from chalicelib.domain.referrals.referral import Referral
from chalicelib.domain.referrals.stage_changes import Applied, DecisionContext
from chalicelib.domain.referrals.stages import Actor, Stage


def list_allowed_reports(referral: Referral, *, actor: Actor, context: DecisionContext) -> list[EventType]:
    """The kinds of events that this side may report now, in the order of a page.

    A draft has nothing to tell anybody of, whatever a decision would make of it.
    """
    if referral.stage is Stage.DRAFT:
        return []
    # A correction has later events fold the whole history, which says no more of whether they
    # may be told.
    plain = replace(referral, status=replace(referral.status, corrected=False))
    return [
        event.type
        for event in _build_candidate_events(referral, actor=actor, now=context.now)
        if isinstance(decide_event(plain, event, context), Applied)
    ]


def _build_candidate_events(referral: Referral, *, actor: Actor, now: datetime) -> Iterator[ReferralEvent]:
    """One event of each kind that would say something new, later than all that is known."""
    overlay, window = referral.status, referral.window
    orders = [order for order in (referral.last_applied_order, overlay.hold_head) if order]
    latest = max([now.astimezone(UTC), *(order.occurred_at for order in orders)])
    common: dict[str, Any] = {
        "event_id": "evt_offered",
        "referral_id": referral.referral_id,
        "occurred_at": latest + timedelta(seconds=1),
        "recorded_at": now,
        "actor": actor,
        "source": EventSource(actor.value),
        "actor_id": "",
        "actor_name": "",
        "note": "offered",
    }
    yield HoldEnded(**common) if overlay.hold else HoldStarted(**common)
    yield ToxicityNoticed(**common)
    if window:
        yield WindowExtended(**common, ends_on=window.ends_on + timedelta(days=1))
    if not overlay.withdrawal_requested_at:
        yield WithdrawalRequested(**common)
    yield Reopened(**common)
