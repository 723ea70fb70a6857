"""What lies over the stage: holds, toxicities, a request to withdraw, and opening again."""

from dataclasses import replace
from datetime import timedelta

import pytest

from chalicelib.domain.referrals.events import (
    HoldEnded,
    HoldStarted,
    Reopened,
    ToxicityNoticed,
    WithdrawalRequested,
)
from chalicelib.domain.referrals.stages import TERMINAL, Actor, Owner, Stage
from chalicelib.domain.referrals.transitions import moves_from
from tests.support.journey import (
    HOUR,
    NOON,
    Inbox,
    a_change,
    a_referral,
    an_event,
    applied,
    recorded,
    refusal,
)

OPEN = sorted(set(Stage) - TERMINAL)
DAY = timedelta(days=1)


@pytest.mark.parametrize("actor", [Actor.PRACTICE, Actor.CENTER])
@pytest.mark.parametrize("stage", OPEN)
def test_either_side_puts_an_open_referral_on_hold(stage, actor):
    """The stage stays; the hold says since when, why, until when and by whom."""
    until = NOON.date() + DAY
    event = an_event(HoldStarted, actor=actor, reason_code="infection_hold", until=until)

    held = applied(a_referral(stage), event)

    assert held.stage is stage
    assert held.overlay.hold is not None
    assert (held.overlay.hold.since, held.overlay.hold.by) == (NOON + HOUR, actor)
    assert (held.overlay.hold.reason_code, held.overlay.hold.until) == ("infection_hold", until)


def test_a_hold_ends():
    """Nothing is left of it."""
    held = applied(a_referral(), an_event(HoldStarted))

    assert applied(held, an_event(HoldEnded, NOON + 2 * HOUR)).overlay.hold is None


def test_of_two_holds_the_one_that_was_true_later_counts():
    """Whichever arrives first."""
    early = an_event(HoldStarted, NOON + HOUR, event_id="a", reason_code="early")
    late = an_event(HoldStarted, NOON + 2 * HOUR, event_id="b", reason_code="late")

    in_order = applied(applied(a_referral(), early), late)
    shuffled = recorded(applied(a_referral(), late), early)

    assert in_order.overlay == shuffled.overlay
    assert in_order.overlay.hold is not None
    assert in_order.overlay.hold.reason_code == "late"


def test_a_hold_that_had_ended_does_not_come_back():
    """Its start arrives after its end."""
    over = applied(a_referral(), an_event(HoldEnded, NOON + 2 * HOUR))

    assert recorded(over, an_event(HoldStarted)).overlay.hold is None


@pytest.mark.parametrize("end", [Stage.DECLINED, Stage.DECEASED])
def test_an_ending_ends_the_hold(end):
    """Nothing waits any more."""
    held = applied(a_referral(Stage.RECEIVED), an_event(HoldStarted))

    assert applied(held, a_change(end, NOON + 2 * HOUR)).overlay.hold is None


@pytest.mark.parametrize("stage", sorted(TERMINAL))
@pytest.mark.parametrize("kind", [HoldStarted, HoldEnded])
def test_an_ended_referral_is_not_held(stage, kind):
    """Later than the ending: never."""
    assert refusal(a_referral(stage), an_event(kind)) == "referral_closed"


def test_a_hold_from_before_the_ending_is_history():
    """It was true; it holds nothing, not even after the referral is opened again."""
    ended = applied(a_referral(Stage.RECEIVED), a_change(Stage.DECLINED, NOON + 2 * HOUR))
    told = recorded(ended, an_event(HoldStarted))
    reopened = an_event(Reopened, NOON + 3 * HOUR, note="New facts")

    assert told.overlay.hold is None
    assert applied(told, reopened).overlay.hold is None
    assert recorded(applied(ended, reopened), an_event(HoldStarted)).overlay.hold is None


def test_a_toxicity_is_noticed_after_the_infusion():
    """The latest one is told."""
    infused = a_referral(Stage.INFUSED)
    late = an_event(ToxicityNoticed, NOON + 3 * HOUR, kind="crs", grade=2)

    once = applied(infused, late)
    twice = applied(once, an_event(ToxicityNoticed, NOON + HOUR, event_id="evt_0"))

    assert once.stage is Stage.INFUSED
    assert twice.overlay.toxicity_at == NOON + 3 * HOUR


def test_a_toxicity_before_the_infusion_waits_for_it():
    """It settles when the infusion arrives."""
    inbox = Inbox(a_referral(Stage.LYMPHODEPLETION_STARTED))

    inbox.take([an_event(ToxicityNoticed, NOON + 2 * HOUR, event_id="evt_2")])
    assert len(inbox.parked) == 1
    inbox.take([a_change(Stage.INFUSED)])

    assert inbox.parked == []
    assert inbox.referral.overlay.toxicity_at == NOON + 2 * HOUR


def test_only_the_center_notices_a_toxicity():
    """It is the center that monitors."""
    event = an_event(ToxicityNoticed, actor=Actor.PRACTICE)

    assert refusal(a_referral(Stage.INFUSED), event) == "not_your_move"


def test_a_toxicity_of_somebody_who_was_never_infused_is_refused():
    """The journey ended before."""
    assert refusal(a_referral(Stage.DECLINED), an_event(ToxicityNoticed)) == "referral_closed"


def asked(at=NOON + HOUR, **changed):
    """A request to withdraw."""
    return an_event(WithdrawalRequested, at, actor=Actor.PRACTICE, **changed)


@pytest.mark.parametrize("stage", [s for s in OPEN if Stage.WITHDRAWN not in moves_from(s)])
def test_a_practice_asks_where_it_cannot_withdraw(stage):
    """The stage stays, and the next move is the center's, since the first request."""
    once = applied(a_referral(stage), asked(NOON + 2 * HOUR, event_id="b"))
    twice = applied(once, asked(NOON + HOUR, event_id="a"))

    assert (twice.stage, twice.owner) == (stage, Owner.CENTER)
    assert twice.overlay.withdrawal_requested_at == NOON + HOUR


@pytest.mark.parametrize("stage", [s for s in OPEN if Stage.WITHDRAWN in moves_from(s)])
def test_a_practice_that_may_withdraw_does_so_itself(stage):
    """A request would only wait."""
    assert refusal(a_referral(stage), asked()) == "withdraw_directly"


def test_a_center_does_not_ask_itself():
    """The request is the practice's."""
    event = an_event(WithdrawalRequested)

    assert refusal(a_referral(Stage.CENTER_PROCEED), event) == "not_your_move"


def test_the_ending_answers_the_request():
    """Nothing is asked any more, and nobody owns a next move."""
    waiting = applied(a_referral(Stage.CENTER_PROCEED), asked())

    ended = applied(waiting, a_change(Stage.NOT_PROCEEDING, NOON + 2 * HOUR))

    assert ended.overlay.withdrawal_requested_at is None
    assert ended.owner is Owner.NONE


WHO_ENDS = {
    Stage.DECLINED: Actor.CENTER,
    Stage.REDIRECTED: Actor.CENTER,
    Stage.WITHDRAWN: Actor.PRACTICE,
}


@pytest.mark.parametrize(("end", "actor"), WHO_ENDS.items())
def test_who_ended_a_referral_opens_it_again(end, actor):
    """It stands where it stood, since now, and no outcome is left."""
    ended = applied(a_referral(Stage.RECEIVED), a_change(end, actor=actor))
    event = an_event(Reopened, NOON + 2 * HOUR, actor=actor, note="New facts")

    again = applied(ended, event)

    assert (again.stage, again.stage_since) == (Stage.RECEIVED, NOON + 2 * HOUR)
    assert again.overlay.reason_code is None


@pytest.mark.parametrize(("end", "actor"), WHO_ENDS.items())
def test_the_other_side_does_not_open_it_again(end, actor):
    """A practice does not undo a center's decision, nor a center the patient's."""
    ended = applied(a_referral(Stage.RECEIVED), a_change(end, actor=actor))
    other = Actor.PRACTICE if actor is Actor.CENTER else Actor.CENTER

    event = an_event(Reopened, NOON + 2 * HOUR, actor=other, note="x")

    assert refusal(ended, event) == "not_your_move"


def test_opening_again_needs_a_reason():
    """A code or a note."""
    ended = applied(a_referral(Stage.RECEIVED), a_change(Stage.DECLINED))
    event = an_event(Reopened, NOON + 2 * HOUR)

    assert refusal(ended, event) == "reason_needed"


def test_what_another_referral_goes_on_from_is_not_opened_again():
    """Else one patient's way would go on in two places."""
    ended = applied(a_referral(Stage.RECEIVED), a_change(Stage.DECLINED))
    continued = replace(ended, overlay=replace(ended.overlay, continued_by="ref_2"))

    assert refusal(continued, an_event(Reopened, NOON + 2 * HOUR, note="x")) == "continued"


def test_opening_again_waits_for_the_ending():
    """A feed's deliveries overtake each other; the ending is on its way."""
    inbox = Inbox(a_referral(Stage.RECEIVED))

    inbox.take([an_event(Reopened, NOON + 2 * HOUR, event_id="evt_2", note="New facts")])
    assert len(inbox.parked) == 1
    inbox.take([a_change(Stage.DECLINED)])

    assert (inbox.referral.stage, inbox.parked) == (Stage.RECEIVED, [])


def test_an_opening_that_is_learned_of_late_is_history():
    """The referral has gone on, or ended anew, since."""
    ended = applied(a_referral(Stage.RECEIVED), a_change(Stage.DECLINED, NOON + 3 * HOUR))

    late = recorded(ended, an_event(Reopened, NOON + HOUR, note="x"))

    assert late.stage is Stage.DECLINED


def test_it_is_opened_where_it_stood_though_that_arrives_late():
    """What was true before the ending, and is heard of after it, counts for the way back."""
    ended = applied(a_referral(Stage.RECEIVED), a_change(Stage.DECEASED, NOON + 3 * HOUR))
    told = recorded(ended, a_change(Stage.ACCEPTED, NOON + HOUR))

    again = applied(told, an_event(Reopened, NOON + 4 * HOUR, note="Another patient"))

    assert again.stage is Stage.ACCEPTED
