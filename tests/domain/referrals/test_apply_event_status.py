"""The status besides the stage: holds, withdrawal requests, and reopening."""

from dataclasses import replace
from datetime import timedelta
from itertools import permutations

import pytest

from chalicelib.domain.referrals.events import HoldEnded, HoldStarted, Reopened, WithdrawalRequested
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


def end_referral(end=Stage.DECLINED, at=NOON + HOUR, **changed):
    """Build a received referral and end it."""
    return apply_event(build_referral(Stage.RECEIVED), build_stage_change(end, at, **changed))


@pytest.mark.parametrize(
    ("stage", "event", "code"),
    [
        pytest.param(stage, build_event(kind), "referral_closed", id=f"{kind.__name__} in {stage}")
        for stage in sorted(TERMINAL_STAGES)
        for kind in (HoldStarted, HoldEnded)
    ]
    + [
        pytest.param(stage, build_event(WithdrawalRequested, actor=Actor.PRACTICE), "withdraw_directly", id=stage.value)
        for stage in OPEN
        if Stage.WITHDRAWN in list_transitions_from(stage)
    ]
    + [
        pytest.param(
            Stage.CENTER_PROCEED,
            build_event(WithdrawalRequested),
            "not_your_move",
            id="a withdrawal request from the center",
        ),
        pytest.param(
            Stage.DECLINED, build_event(Reopened), "reason_needed", id="reopening with neither a code nor a note"
        ),
    ],
)
def test_an_event_is_rejected_with_its_reason(stage, event, code):
    """A hold on an ended referral, a request that is not needed, the wrong organization, no reason."""
    assert get_rejection(build_referral(stage), event) == code


@pytest.mark.parametrize("actor", [Actor.PRACTICE, Actor.CENTER])
def test_a_hold_keeps_the_stage_and_records_its_reason_end_and_actor(actor):
    """Either organization may start it; test_stage_changes_actors.py lists in which stages."""
    until = NOON.date() + DAY
    event = build_event(HoldStarted, actor=actor, reason_code="infection_hold", until=until)

    held = apply_event(build_referral(), event)

    assert held.stage is Stage.SUBMITTED
    assert held.status.hold is not None
    assert (held.status.hold.since, held.status.hold.by) == (NOON + HOUR, actor)
    assert (held.status.hold.reason_code, held.status.hold.until) == ("infection_hold", until)


@pytest.mark.parametrize(
    "event", [build_event(HoldEnded, NOON + 2 * HOUR), build_stage_change(Stage.RECEIVED, NOON + 2 * HOUR)]
)
def test_a_hold_lasts_until_it_is_ended(event):
    """Another stage does not end it."""
    held = apply_event(build_referral(), build_event(HoldStarted))

    assert (apply_event(held, event).status.hold is None) == isinstance(event, HoldEnded)


def test_of_two_holds_the_one_that_was_true_later_counts():
    """In both orders of arrival."""
    early = build_event(HoldStarted, NOON + HOUR, event_id="a", reason_code="early")
    late = build_event(HoldStarted, NOON + 2 * HOUR, event_id="b", reason_code="late")

    in_order = apply_event(apply_event(build_referral(), early), late)
    shuffled = record_event(apply_event(build_referral(), late), early)

    assert in_order.status == shuffled.status
    assert in_order.status.hold is not None
    assert in_order.status.hold.reason_code == "late"


def test_a_hold_that_has_ended_does_not_return():
    """Its start arrives after its end."""
    ended = apply_event(build_referral(), build_event(HoldEnded, NOON + 2 * HOUR))

    assert record_event(ended, build_event(HoldStarted)).status.hold is None


@pytest.mark.parametrize("end", [Stage.DECLINED, Stage.DECEASED])
def test_an_ending_ends_the_hold(end):
    """Nothing is paused any longer."""
    held = apply_event(build_referral(Stage.RECEIVED), build_event(HoldStarted))

    assert apply_event(held, build_stage_change(end, NOON + 2 * HOUR)).status.hold is None


def test_a_late_hold_from_before_the_ending_is_kept_in_the_history():
    """It does not put the referral on hold, not even after reopening."""
    ended = end_referral(at=NOON + 2 * HOUR)
    recorded = record_event(ended, build_event(HoldStarted))
    reopening = build_event(Reopened, NOON + 3 * HOUR, note="New facts")

    assert recorded.status.hold is None
    assert apply_event(recorded, reopening).status.hold is None
    assert record_event(apply_event(ended, reopening), build_event(HoldStarted)).status.hold is None


def request_withdrawal(at=NOON + HOUR, **changed):
    """Build a withdrawal request."""
    return build_event(WithdrawalRequested, at, actor=Actor.PRACTICE, **changed)


@pytest.mark.parametrize("hours", list(permutations((1, 2, 3))))
def test_after_a_withdrawal_request_the_center_must_act(hours):
    """The stage stays, and of several requests the first one counts."""
    referral = build_referral(Stage.APHERESIS_COMPLETED)
    for n in hours:
        referral = apply_event(referral, request_withdrawal(NOON + n * HOUR, event_id=f"evt_{n}"))

    assert (referral.stage, referral.owner) == (Stage.APHERESIS_COMPLETED, NextActor.CENTER)
    assert referral.status.withdrawal_requested_at == NOON + HOUR


def test_an_ending_answers_the_withdrawal_request():
    """No one must act any longer."""
    requested = apply_event(build_referral(Stage.CENTER_PROCEED), request_withdrawal())

    ended = apply_event(requested, build_stage_change(Stage.NOT_PROCEEDING, NOON + 2 * HOUR))

    assert ended.status.withdrawal_requested_at is None
    assert ended.owner is NextActor.NONE


@pytest.mark.parametrize("reason", [{"reason_code": "misrouted"}, {"note": "By mistake."}])
@pytest.mark.parametrize(
    ("end", "ended_by"),
    [(Stage.DECLINED, Actor.CENTER), (Stage.REDIRECTED, Actor.CENTER), (Stage.WITHDRAWN, Actor.PRACTICE)],
)
def test_the_organization_that_ended_a_referral_can_reopen_it(end, ended_by, reason):
    """With a code or a note: back to the last open stage, entered now, without the outcome.

    A practice does not undo a center's decision, nor a center the patient's.
    """
    ended = end_referral(end, actor=ended_by)
    other = Actor.PRACTICE if ended_by is Actor.CENTER else Actor.CENTER

    reopened = apply_event(ended, build_event(Reopened, NOON + 2 * HOUR, actor=ended_by, **reason))

    assert (reopened.stage, reopened.stage_since) == (Stage.RECEIVED, NOON + 2 * HOUR)
    assert reopened.status.reason_code is None
    assert get_rejection(ended, build_event(Reopened, NOON + 2 * HOUR, actor=other, **reason)) == "not_your_move"


def test_a_continued_referral_is_not_reopened():
    """Otherwise one patient would be in two open referrals."""
    ended = end_referral()
    continued = replace(ended, status=replace(ended.status, continued_by="ref_2"))

    assert get_rejection(continued, build_event(Reopened, NOON + 2 * HOUR, note="x")) == "continued"


def test_reopening_is_parked_until_the_ending_arrives():
    """Deliveries overtake each other; the ending is on its way."""
    inbox = InMemoryInbox(build_referral(Stage.RECEIVED))

    inbox.receive([build_event(Reopened, NOON + 2 * HOUR, event_id="evt_2", note="New facts")])
    assert len(inbox.parked) == 1
    inbox.receive([build_stage_change(Stage.DECLINED)])

    assert (inbox.referral.stage, inbox.parked) == (Stage.RECEIVED, [])


def test_a_late_reopening_is_kept_in_the_history():
    """The referral has ended again since."""
    ended = end_referral(at=NOON + 3 * HOUR)

    assert record_event(ended, build_event(Reopened, NOON + HOUR, note="x")).stage is Stage.DECLINED


def test_reopening_returns_to_a_stage_that_was_reported_late():
    """A late event from before the ending counts as the last open stage."""
    ended = end_referral(Stage.DECEASED, NOON + 3 * HOUR)
    recorded = record_event(ended, build_stage_change(Stage.ACCEPTED, NOON + HOUR))

    reopened = apply_event(recorded, build_event(Reopened, NOON + 4 * HOUR, note="Another patient"))

    assert reopened.stage is Stage.ACCEPTED


def test_a_withdrawal_request_stays_open_until_the_referral_ends():
    """The next step does not answer it."""
    requested = apply_event(build_referral(Stage.APHERESIS_COMPLETED), request_withdrawal())

    moved = apply_event(requested, build_stage_change(Stage.MANUFACTURING_STARTED, NOON + 2 * HOUR))

    assert moved.status.withdrawal_requested_at == NOON + HOUR


def test_the_first_visit_comes_with_the_return_and_later_stages_keep_it():
    """No other stage can enter it or remove it."""
    visit = (NOON + 9 * DAY).date()
    ready = build_stage_change(Stage.HANDBACK_READY, first_visit_on=visit)
    referral = apply_event(build_referral(Stage.WINDOW_COMPLETE), ready)
    assert referral.status.first_visit_on is None

    returned = apply_event(referral, build_stage_change(Stage.HANDED_BACK, NOON + 2 * HOUR, first_visit_on=visit))
    later = apply_event(returned, build_stage_change(Stage.FOLLOW_UP, NOON + 3 * HOUR))

    assert (returned.status.first_visit_on, later.status.first_visit_on) == (visit, visit)


def test_only_the_submission_sets_when_a_referral_was_submitted():
    """A stage that is reported of a draft does not."""
    assert apply_event(build_referral(Stage.DRAFT), build_stage_change(Stage.SUBMITTED)).submitted_at == NOON + HOUR
    ended = build_stage_change(Stage.DECEASED, actor=Actor.PRACTICE)
    assert apply_event(build_referral(Stage.DRAFT), ended).submitted_at is None
