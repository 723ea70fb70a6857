"""What one reported stage change does to a referral."""

from itertools import product

import pytest

from chalicelib.domain.referrals.apply_event import decide_event
from chalicelib.domain.referrals.events import EventSource
from chalicelib.domain.referrals.stage_changes import Applied, Pending, Recorded, Rejected
from chalicelib.domain.referrals.stages import STAGE_FACTS, TERMINAL_STAGES, Actor, Stage
from chalicelib.domain.referrals.transitions import (
    TRANSITIONS,
    list_actors_for,
    list_reachable_stages,
    list_transitions_from,
)
from tests.support.referral_values import HOUR, NOON, build_context, build_referral, build_stage_change

OPEN = sorted(set(Stage) - TERMINAL_STAGES)


def decide(referral, change):
    """Decide with the default context."""
    return decide_event(referral, change, build_context())


def build_person_report(stage, **changed):
    """Build a stage change that a person reports on a page."""
    return build_stage_change(stage, source=EventSource.CENTER, **changed)


@pytest.mark.parametrize("start", OPEN)
def test_a_stage_change_applies_exactly_where_a_transition_exists(start):
    """From each open stage, every stage by every actor."""
    applied = {
        (end, actor)
        for end, actor in product(Stage, Actor)
        if isinstance(decide(build_referral(start), build_person_report(end, actor=actor)), Applied)
    }

    assert applied == {(end, a) for end, actors in list_transitions_from(start).items() for a in actors}


@pytest.mark.parametrize("offset", [0 * HOUR, HOUR])
@pytest.mark.parametrize("start", OPEN)
def test_a_stage_that_can_still_be_reached_is_parked(start, offset):
    """Not legal now, but legal once the events between have arrived. Also at the very time of the last one."""
    referral = build_referral(start)
    parked = {end for end in Stage if isinstance(decide(referral, build_stage_change(end, NOON + offset)), Pending)}

    assert parked == list_reachable_stages(start) - list_transitions_from(start).keys() - {start}


@pytest.mark.parametrize("start", OPEN)
def test_a_stage_that_cannot_be_reached_is_rejected(start):
    """No other event can make it legal, so the sender is notified at once."""
    decisions = {end: decide(build_referral(start), build_stage_change(end)) for end in Stage}
    rejected = {end for end, d in decisions.items() if isinstance(d, Rejected) and d.code == "move_not_legal"}

    assert rejected == set(Stage) - list_reachable_stages(start) - {start, Stage.DRAFT}


@pytest.mark.parametrize("end", sorted(TERMINAL_STAGES))
@pytest.mark.parametrize("stage", [Stage.ACCEPTED, Stage.INFUSED, Stage.WITHDRAWN, Stage.DECLINED])
def test_an_ended_referral_rejects_later_stage_changes(end, stage):
    """Except a repeat of the same ending, which is recorded."""
    decision = decide(build_referral(end), build_stage_change(stage))

    closed = Rejected("referral_closed", "This referral is closed. Reopen it to make changes.")
    assert isinstance(decision, Recorded) if stage is end else decision == closed


@pytest.mark.parametrize("stage", [s for s in Stage if s not in {Stage.DRAFT, Stage.DECEASED}])
@pytest.mark.parametrize("offset", [-20 * HOUR, -HOUR, HOUR])
def test_a_death_applies_in_every_stage_whenever_it_arrives(stage, offset):
    """Also if it was true before the last step, and also after another ending."""
    decision = decide(build_referral(stage), build_stage_change(Stage.DECEASED, NOON + offset))

    assert isinstance(decision, Applied)
    assert (decision.referral.stage, decision.referral.stage_since) == (Stage.DECEASED, NOON + offset)


@pytest.mark.parametrize("stage", sorted(TERMINAL_STAGES))
def test_an_ending_long_before_the_submission_is_rejected(stage):
    """A wrong clock or time zone explains a day, not more."""
    decision = decide(build_referral(Stage.ACCEPTED), build_stage_change(stage, NOON - 25 * HOUR))

    assert isinstance(decision, Rejected)
    assert decision.code == "before_referral"


@pytest.mark.parametrize("offset", [HOUR, 24 * HOUR])
def test_a_second_report_of_a_death_is_recorded(offset):
    """The first one counts."""
    decision = decide(build_referral(Stage.DECEASED), build_stage_change(Stage.DECEASED, NOON + offset))

    assert isinstance(decision, Recorded)
    assert decision.referral.stage_since == NOON


@pytest.mark.parametrize("stage", Stage)
def test_an_actor_who_may_never_report_a_stage_is_always_rejected(stage):
    """From every stage, for a late event as well as for an early one."""
    others = set(Actor) - list_actors_for(stage)
    decisions = [
        decide(build_referral(start), build_stage_change(stage, NOON + offset, actor=actor))
        for start, actor, offset in product(Stage, others, (-HOUR, HOUR))
    ]

    assert all(isinstance(d, Rejected) and d.code == "not_your_move" for d in decisions)


@pytest.mark.parametrize(
    ("start", "stage", "actor", "reason"),
    [
        ("submitted", "declined", Actor.PRACTICE, "Only the treatment center can record this step."),
        ("submitted", "withdrawn", Actor.CENTER, "Only the referring practice can record this step."),
        ("draft", "deceased", Actor.CENTER, "Only the referring practice can record this step."),
        (
            "accepted",
            "deceased",
            Actor.SYSTEM,
            "Only the treatment center or the referring practice can record this step.",
        ),
        ("accepted", "draft", Actor.PRACTICE, "Only the dashboard itself can record this step."),
    ],
)
def test_a_rejection_names_the_organization_that_can_record_the_step(start, stage, actor, reason):
    """For a draft that is the practice alone: the center does not know of the patient."""
    decision = decide(build_referral(Stage(start)), build_stage_change(Stage(stage), actor=actor))

    assert decision == Rejected("not_your_move", reason)


@pytest.mark.parametrize("start", OPEN)
def test_a_late_event_is_kept_in_the_history_and_does_not_change_the_stage(start):
    """Regardless of what it reports."""
    referral = build_referral(start, last_applied_order=build_referral().last_applied_order)
    steps = [stage for stage in Stage if list_actors_for(stage) and stage not in TERMINAL_STAGES]
    decisions = [decide(referral, build_stage_change(late, NOON - HOUR)) for late in steps]
    states = {
        (d.referral.stage, d.referral.stage_since, d.referral.last_applied_order)
        for d in decisions
        if isinstance(d, Recorded)
    }

    assert {type(d) for d in decisions} == {Recorded}
    assert states == {(start, referral.stage_since, referral.last_applied_order)}


@pytest.mark.parametrize("hours", [(-1,), (-2, -1), (-1, -2)])
def test_the_history_keeps_the_latest_time_of_a_stage(hours):
    """A skipped stage gets its date from a late event, and the latest one if it was entered twice."""
    referral = build_referral(Stage.ACCEPTED)
    for n, offset in enumerate(hours):
        decision = decide(referral, build_stage_change(Stage.RECEIVED, NOON + offset * HOUR, event_id=f"evt_{n}"))
        assert isinstance(decision, Recorded)
        referral = decision.referral

    assert referral.stage_entered_at[Stage.RECEIVED] == NOON - HOUR


@pytest.mark.parametrize("decision_type", [Applied, Recorded])
def test_every_event_increases_the_version_by_one(decision_type):
    """Whether it is applied or kept in the history only: the ETag changes."""
    at = NOON + HOUR if decision_type is Applied else NOON - HOUR
    decision = decide(build_referral(Stage.RECEIVED, version=7), build_stage_change(Stage.ACCEPTED, at))

    assert isinstance(decision, decision_type)
    assert decision.referral.version == 8


def test_an_applied_stage_change_sets_the_stage_and_its_time():
    """The stage, the reported time, and the order of the last applied event."""
    change = build_stage_change(Stage.ACCEPTED, NOON + HOUR)

    decision = decide(build_referral(Stage.RECEIVED), change)

    assert isinstance(decision, Applied)
    assert decision.referral.stage is Stage.ACCEPTED
    assert decision.referral.stage_since == NOON + HOUR
    assert decision.referral.last_applied_order == change.order
    assert decision.referral.stage_entered_at == {Stage.RECEIVED: NOON, Stage.ACCEPTED: NOON + HOUR}


def test_a_draft_can_be_submitted_with_an_earlier_time():
    """A draft has no event yet, so no event is late."""
    change = build_stage_change(Stage.SUBMITTED, NOON - HOUR, actor=Actor.PRACTICE)
    decision = decide(build_referral(Stage.DRAFT), change)

    assert isinstance(decision, Applied)
    assert decision.referral.submitted_at == NOON - HOUR


def test_submitting_requested_information_keeps_the_first_submission_time():
    """The turnaround counts from the first submission."""
    referral = build_referral(Stage.INFO_REQUESTED, submitted_at=NOON - HOUR)
    decision = decide(referral, build_stage_change(Stage.SUBMITTED, actor=Actor.PRACTICE))

    assert isinstance(decision, Applied)
    assert decision.referral.submitted_at == NOON - HOUR


@pytest.mark.parametrize("stage", [s for s in OPEN if s is not Stage.DRAFT])
def test_a_center_system_that_repeats_the_current_status_is_recorded(stage):
    """Every night under a new id: nothing moves, and no time starts again."""
    referral = build_referral(stage, doses_given=int(stage is Stage.INFUSED))
    decision = decide(referral, build_stage_change(stage))

    assert isinstance(decision, Recorded)
    assert (decision.referral.stage, decision.referral.stage_since) == (stage, NOON)


@pytest.mark.parametrize("stage", [s for s in OPEN if s in TRANSITIONS[s] and s is not Stage.INFUSED])
@pytest.mark.parametrize("new", [{"source": EventSource.CENTER}, {"reason_code": "infection_hold"}])
def test_the_same_status_again_with_a_new_fact_applies(stage, new):
    """A person enters a new date, or a center's system names a reason."""
    assert isinstance(decide(build_referral(stage), build_stage_change(stage, **new)), Applied)


@pytest.mark.parametrize("stage", Stage)
def test_a_referral_has_the_phase_and_next_actor_of_its_stage(stage):
    """Both come from the stage and cannot differ from it."""
    referral = build_referral(stage)

    assert (referral.phase, referral.owner) == (STAGE_FACTS[stage].phase, STAGE_FACTS[stage].owner)
