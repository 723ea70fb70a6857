"""What lies over the stage: holds, toxicities, a request to withdraw, and opening again."""

from dataclasses import replace
from datetime import timedelta

import pytest

from chalicelib.domain.referrals.events import HoldEnded, HoldStarted, Reopened, ToxicityNoticed, WithdrawalRequested
from chalicelib.domain.referrals.stages import TERMINAL_STAGES, Actor, NextActor, Stage
from chalicelib.domain.referrals.transitions import list_transitions_from
from tests.support.referral_values import (
    HOUR,
    NOON,
    InMemoryInbox,
    apply_event,
    build_event,
    build_referral,
    build_stage_change,
    get_rejection,
    record_event,
)

OPEN = sorted(set(Stage) - TERMINAL_STAGES)
DAY = timedelta(days=1)


@pytest.mark.parametrize("actor", [Actor.PRACTICE, Actor.CENTER])
@pytest.mark.parametrize("stage", OPEN)
def test_either_side_puts_an_open_referral_on_hold(stage, actor):
    """The stage stays; the hold says since when, why, until when and by whom."""
    until = NOON.date() + DAY
    event = build_event(HoldStarted, actor=actor, reason_code="infection_hold", until=until)

    held = apply_event(build_referral(stage), event)

    assert held.stage is stage
    assert held.status.hold is not None
    assert (held.status.hold.since, held.status.hold.by) == (NOON + HOUR, actor)
    assert (held.status.hold.reason_code, held.status.hold.until) == ("infection_hold", until)


def test_a_hold_ends():
    """Nothing is left of it."""
    held = apply_event(build_referral(), build_event(HoldStarted))

    assert apply_event(held, build_event(HoldEnded, NOON + 2 * HOUR)).status.hold is None


def test_of_two_holds_the_one_that_was_true_later_counts():
    """Whichever arrives first."""
    early = build_event(HoldStarted, NOON + HOUR, event_id="a", reason_code="early")
    late = build_event(HoldStarted, NOON + 2 * HOUR, event_id="b", reason_code="late")

    in_order = apply_event(apply_event(build_referral(), early), late)
    shuffled = record_event(apply_event(build_referral(), late), early)

    assert in_order.status == shuffled.status
    assert in_order.status.hold is not None
    assert in_order.status.hold.reason_code == "late"


def test_a_hold_that_had_ended_does_not_come_back():
    """Its start arrives after its end."""
    over = apply_event(build_referral(), build_event(HoldEnded, NOON + 2 * HOUR))

    assert record_event(over, build_event(HoldStarted)).status.hold is None


@pytest.mark.parametrize("end", [Stage.DECLINED, Stage.DECEASED])
def test_an_ending_ends_the_hold(end):
    """Nothing waits any more."""
    held = apply_event(build_referral(Stage.RECEIVED), build_event(HoldStarted))

    assert apply_event(held, build_stage_change(end, NOON + 2 * HOUR)).status.hold is None


@pytest.mark.parametrize("stage", sorted(TERMINAL_STAGES))
@pytest.mark.parametrize("kind", [HoldStarted, HoldEnded])
def test_an_ended_referral_is_not_held(stage, kind):
    """Later than the ending: never."""
    assert get_rejection(build_referral(stage), build_event(kind)) == "referral_closed"


def test_a_hold_from_before_the_ending_is_history():
    """It was true; it holds nothing, not even after the referral is opened again."""
    ended = apply_event(build_referral(Stage.RECEIVED), build_stage_change(Stage.DECLINED, NOON + 2 * HOUR))
    told = record_event(ended, build_event(HoldStarted))
    reopened = build_event(Reopened, NOON + 3 * HOUR, note="New facts")

    assert told.status.hold is None
    assert apply_event(told, reopened).status.hold is None
    assert record_event(apply_event(ended, reopened), build_event(HoldStarted)).status.hold is None


def test_a_toxicity_is_noticed_after_the_infusion():
    """The latest one is told."""
    infused = build_referral(Stage.INFUSED)
    late = build_event(ToxicityNoticed, NOON + 3 * HOUR, kind="crs", grade=2)

    once = apply_event(infused, late)
    twice = apply_event(once, build_event(ToxicityNoticed, NOON + HOUR, event_id="evt_0"))

    assert once.stage is Stage.INFUSED
    assert twice.status.toxicity_at == NOON + 3 * HOUR


def test_a_toxicity_before_the_infusion_waits_for_it():
    """It settles when the infusion arrives."""
    inbox = InMemoryInbox(build_referral(Stage.LYMPHODEPLETION_STARTED))

    inbox.receive([build_event(ToxicityNoticed, NOON + 2 * HOUR, event_id="evt_2")])
    assert len(inbox.parked) == 1
    inbox.receive([build_stage_change(Stage.INFUSED)])

    assert inbox.parked == []
    assert inbox.referral.status.toxicity_at == NOON + 2 * HOUR


def test_only_the_center_notices_a_toxicity():
    """It is the center that monitors."""
    event = build_event(ToxicityNoticed, actor=Actor.PRACTICE)

    assert get_rejection(build_referral(Stage.INFUSED), event) == "not_your_move"


def test_a_toxicity_of_somebody_who_was_never_infused_is_refused():
    """The journey ended before."""
    assert get_rejection(build_referral(Stage.DECLINED), build_event(ToxicityNoticed)) == "referral_closed"


def asked(at=NOON + HOUR, **changed):
    """A request to withdraw."""
    return build_event(WithdrawalRequested, at, actor=Actor.PRACTICE, **changed)


@pytest.mark.parametrize("stage", [s for s in OPEN if Stage.WITHDRAWN not in list_transitions_from(s)])
def test_a_practice_asks_where_it_cannot_withdraw(stage):
    """The stage stays, and the next move is the center's, since the first request."""
    once = apply_event(build_referral(stage), asked(NOON + 2 * HOUR, event_id="b"))
    twice = apply_event(once, asked(NOON + HOUR, event_id="a"))

    assert (twice.stage, twice.owner) == (stage, NextActor.CENTER)
    assert twice.status.withdrawal_requested_at == NOON + HOUR


@pytest.mark.parametrize("stage", [s for s in OPEN if Stage.WITHDRAWN in list_transitions_from(s)])
def test_a_practice_that_may_withdraw_does_so_itself(stage):
    """A request would only wait."""
    assert get_rejection(build_referral(stage), asked()) == "withdraw_directly"


def test_a_center_does_not_ask_itself():
    """The request is the practice's."""
    event = build_event(WithdrawalRequested)

    assert get_rejection(build_referral(Stage.CENTER_PROCEED), event) == "not_your_move"


def test_the_ending_answers_the_request():
    """Nothing is asked any more, and nobody owns a next move."""
    waiting = apply_event(build_referral(Stage.CENTER_PROCEED), asked())

    ended = apply_event(waiting, build_stage_change(Stage.NOT_PROCEEDING, NOON + 2 * HOUR))

    assert ended.status.withdrawal_requested_at is None
    assert ended.owner is NextActor.NONE


WHO_ENDS = {Stage.DECLINED: Actor.CENTER, Stage.REDIRECTED: Actor.CENTER, Stage.WITHDRAWN: Actor.PRACTICE}


@pytest.mark.parametrize(("end", "actor"), WHO_ENDS.items())
def test_who_ended_a_referral_opens_it_again(end, actor):
    """It stands where it stood, since now, and no outcome is left."""
    ended = apply_event(build_referral(Stage.RECEIVED), build_stage_change(end, actor=actor))
    event = build_event(Reopened, NOON + 2 * HOUR, actor=actor, note="New facts")

    again = apply_event(ended, event)

    assert (again.stage, again.stage_since) == (Stage.RECEIVED, NOON + 2 * HOUR)
    assert again.status.reason_code is None


@pytest.mark.parametrize(("end", "actor"), WHO_ENDS.items())
def test_the_other_side_does_not_open_it_again(end, actor):
    """A practice does not undo a center's decision, nor a center the patient's."""
    ended = apply_event(build_referral(Stage.RECEIVED), build_stage_change(end, actor=actor))
    other = Actor.PRACTICE if actor is Actor.CENTER else Actor.CENTER

    event = build_event(Reopened, NOON + 2 * HOUR, actor=other, note="x")

    assert get_rejection(ended, event) == "not_your_move"


def test_opening_again_needs_a_reason():
    """A code or a note."""
    ended = apply_event(build_referral(Stage.RECEIVED), build_stage_change(Stage.DECLINED))
    event = build_event(Reopened, NOON + 2 * HOUR)

    assert get_rejection(ended, event) == "reason_needed"


def test_what_another_referral_goes_on_from_is_not_opened_again():
    """Else one patient's way would go on in two places."""
    ended = apply_event(build_referral(Stage.RECEIVED), build_stage_change(Stage.DECLINED))
    continued = replace(ended, status=replace(ended.status, continued_by="ref_2"))

    assert get_rejection(continued, build_event(Reopened, NOON + 2 * HOUR, note="x")) == "continued"


def test_opening_again_waits_for_the_ending():
    """A feed's deliveries overtake each other; the ending is on its way."""
    inbox = InMemoryInbox(build_referral(Stage.RECEIVED))

    inbox.receive([build_event(Reopened, NOON + 2 * HOUR, event_id="evt_2", note="New facts")])
    assert len(inbox.parked) == 1
    inbox.receive([build_stage_change(Stage.DECLINED)])

    assert (inbox.referral.stage, inbox.parked) == (Stage.RECEIVED, [])


def test_an_opening_that_is_learned_of_late_is_history():
    """The referral has gone on, or ended anew, since."""
    ended = apply_event(build_referral(Stage.RECEIVED), build_stage_change(Stage.DECLINED, NOON + 3 * HOUR))

    late = record_event(ended, build_event(Reopened, NOON + HOUR, note="x"))

    assert late.stage is Stage.DECLINED


def test_it_is_opened_where_it_stood_though_that_arrives_late():
    """What was true before the ending, and is heard of after it, counts for the way back."""
    ended = apply_event(build_referral(Stage.RECEIVED), build_stage_change(Stage.DECEASED, NOON + 3 * HOUR))
    told = record_event(ended, build_stage_change(Stage.ACCEPTED, NOON + HOUR))

    again = apply_event(told, build_event(Reopened, NOON + 4 * HOUR, note="Another patient"))

    assert again.stage is Stage.ACCEPTED
