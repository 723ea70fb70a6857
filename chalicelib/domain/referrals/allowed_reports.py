"""What may be reported of a referral now beside a move: asked of the decision itself.

A page therefore offers what would be taken, and nothing that would be refused.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from chalicelib.domain.referrals.apply_event import decide
from chalicelib.domain.referrals.events import (
    Event,
    EventType,
    HoldEnded,
    HoldStarted,
    Reopened,
    Source,
    ToxicityNoticed,
    WindowExtended,
    WithdrawalRequested,
)
from chalicelib.domain.referrals.referral import Referral
from chalicelib.domain.referrals.stage_changes import Applied, Setting
from chalicelib.domain.referrals.stages import Actor, Stage


def offered(referral: Referral, *, actor: Actor, setting: Setting) -> list[EventType]:
    """The kinds of events that this side may report now, in the order of a page.

    A draft has nothing to tell anybody of, whatever a decision would make of it.
    """
    if referral.stage is Stage.DRAFT:
        return []
    # A correction has later events fold the whole history, which says no more of whether they
    # may be told.
    plain = replace(referral, overlay=replace(referral.overlay, corrected=False))
    return [
        event.type
        for event in _worth_telling(referral, actor=actor, now=setting.now)
        if isinstance(decide(plain, event, setting), Applied)
    ]


def _worth_telling(referral: Referral, *, actor: Actor, now: datetime) -> Iterator[Event]:
    """One event of each kind that would say something new, later than all that is known."""
    overlay, window = referral.overlay, referral.window
    orders = [order for order in (referral.head, overlay.hold_head) if order]
    latest = max([now.astimezone(UTC), *(order.occurred_at for order in orders)])
    told: dict[str, Any] = {
        "event_id": "evt_offered",
        "referral_id": referral.referral_id,
        "occurred_at": latest + timedelta(seconds=1),
        "recorded_at": now,
        "actor": actor,
        "source": Source(actor.value),
        "actor_id": "",
        "actor_name": "",
        "note": "offered",
    }
    yield HoldEnded(**told) if overlay.hold else HoldStarted(**told)
    yield ToxicityNoticed(**told)
    if window:
        yield WindowExtended(**told, ends_on=window.ends_on + timedelta(days=1))
    if not overlay.withdrawal_requested_at:
        yield WithdrawalRequested(**told)
    yield Reopened(**told)
