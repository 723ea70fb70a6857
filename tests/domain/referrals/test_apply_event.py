"""What one report does to a referral."""

from itertools import product

import pytest

from chalicelib.domain.referrals.apply_event import decide_event
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


def verdict_of(referral, change):
    """The verdict, with the everyday setting."""
    return decide_event(referral, change, build_context())


@pytest.mark.parametrize("start", OPEN)
def test_a_later_report_moves_exactly_where_the_table_leads(start):
    """From each open stage, every stage by every actor: applied if the table says so."""
    applied = {
        (end, actor)
        for end, actor in product(Stage, Actor)
        if isinstance(verdict_of(build_referral(start), build_stage_change(end, actor=actor)), Applied)
    }

    assert applied == {(end, a) for end, actors in list_transitions_from(start).items() for a in actors}


@pytest.mark.parametrize("start", OPEN)
def test_a_stage_that_can_still_be_reached_waits(start):
    """Not legal now, and legal once what lies between has come: it waits."""
    waiting = {end for end in Stage if isinstance(verdict_of(build_referral(start), build_stage_change(end)), Pending)}

    assert waiting == list_reachable_stages(start) - list_transitions_from(start).keys()


@pytest.mark.parametrize("start", OPEN)
def test_a_stage_that_nothing_leads_to_is_refused_for_ever(start):
    """No later event can make it legal, so the sender hears at once."""
    verdicts = {end: verdict_of(build_referral(start), build_stage_change(end)) for end in Stage}
    refused = {
        end for end, verdict in verdicts.items() if isinstance(verdict, Rejected) and verdict.code == "move_not_legal"
    }

    assert refused == set(Stage) - list_reachable_stages(start) - {start, Stage.DRAFT}


@pytest.mark.parametrize("end", sorted(TERMINAL_STAGES))
@pytest.mark.parametrize("stage", [Stage.ACCEPTED, Stage.INFUSED, Stage.DECEASED])
def test_nothing_moves_an_ended_referral(end, stage):
    """After an ending, what is reported as later is refused, and the answer says why."""
    other = Stage.ACCEPTED if end is stage else stage
    verdict = verdict_of(build_referral(end), build_stage_change(other))

    assert verdict == Rejected("referral_closed", "The referral is closed.")


def test_the_ending_said_again_is_refused_too():
    """Whoever reports a death a second time as of later hears that the referral is closed."""
    verdict = verdict_of(build_referral(Stage.DECEASED), build_stage_change(Stage.DECEASED))

    assert isinstance(verdict, Rejected)


@pytest.mark.parametrize("stage", Stage)
def test_a_side_that_never_makes_a_move_is_refused_wherever_the_referral_stands(stage):
    """Not your move: whether late, early or in time."""
    strangers = set(Actor) - list_actors_for(stage)
    verdicts = [
        verdict_of(build_referral(start), build_stage_change(stage, NOON + offset, actor=actor))
        for start, actor, offset in product(Stage, strangers, (-HOUR, HOUR))
    ]

    assert {v.code for v in verdicts if isinstance(v, Rejected)} <= {"not_your_move"}
    assert all(isinstance(v, Rejected) for v in verdicts)


def test_a_practice_does_not_decline_in_the_centers_name():
    """The move is legal from here and belongs to the other side."""
    verdict = verdict_of(build_referral(), build_stage_change(Stage.DECLINED, actor=Actor.PRACTICE))

    assert verdict == Rejected("not_your_move", "This move belongs to the other side.")


def test_the_system_opens_monitoring_only_after_an_infusion():
    """The product itself makes one move, and from one stage."""
    by_system = {
        (start, end)
        for start in OPEN
        for end in Stage
        if isinstance(verdict_of(build_referral(start), build_stage_change(end, actor=Actor.SYSTEM)), Applied)
    }

    assert by_system == {(Stage.INFUSED, Stage.MONITORING)}


@pytest.mark.parametrize("start", OPEN)
def test_a_late_report_is_history_and_moves_nothing(start):
    """Whatever it says, what was true earlier than the last move does not move it again."""
    referral = build_referral(start, last_applied_order=build_referral().last_applied_order)
    verdicts = [verdict_of(referral, build_stage_change(late, NOON - HOUR)) for late in Stage if list_actors_for(late)]
    kept = {
        (v.referral.stage, v.referral.stage_since, v.referral.last_applied_order)
        for v in verdicts
        if isinstance(v, Recorded)
    }

    assert {type(v) for v in verdicts} == {Recorded}
    assert kept == {(start, referral.stage_since, referral.last_applied_order)}


def test_history_remembers_when_a_stage_was_reached():
    """A skipped stage that is reported late gets its date."""
    verdict = verdict_of(build_referral(Stage.ACCEPTED), build_stage_change(Stage.RECEIVED, NOON - HOUR))

    assert isinstance(verdict, Recorded)
    assert verdict.referral.stage_entered_at[Stage.RECEIVED] == NOON - HOUR


def test_history_keeps_the_latest_time_of_a_stage():
    """A stage that was entered twice was last entered the second time, however late we hear."""
    second, first = NOON - HOUR, NOON - 2 * HOUR
    once = verdict_of(build_referral(Stage.ACCEPTED), build_stage_change(Stage.RECEIVED, first))
    assert isinstance(once, Recorded)

    twice = verdict_of(once.referral, build_stage_change(Stage.RECEIVED, second))

    assert isinstance(twice, Recorded)
    assert twice.referral.stage_entered_at[Stage.RECEIVED] == second


@pytest.mark.parametrize("verdict_type", [Applied, Recorded])
def test_every_change_is_one_version_more(verdict_type):
    """Applied or history only: the ETag moves by one."""
    at = NOON + HOUR if verdict_type is Applied else NOON - HOUR
    verdict = verdict_of(build_referral(Stage.RECEIVED, version=7), build_stage_change(Stage.ACCEPTED, at))

    assert isinstance(verdict, verdict_type)
    assert verdict.referral.version == 8


def test_an_applied_report_sets_where_and_since_when():
    """The stage, since when by the reporter's word, and the place in the order of events."""
    change = build_stage_change(Stage.ACCEPTED, NOON + HOUR)

    verdict = verdict_of(build_referral(Stage.RECEIVED), change)

    assert isinstance(verdict, Applied)
    assert verdict.referral.stage is Stage.ACCEPTED
    assert verdict.referral.stage_since == NOON + HOUR
    assert verdict.referral.last_applied_order == change.order
    assert verdict.referral.stage_entered_at == {Stage.RECEIVED: NOON, Stage.ACCEPTED: NOON + HOUR}


def test_a_draft_takes_its_submission_whenever_it_is_dated():
    """A draft has no event yet, so nothing is late."""
    change = build_stage_change(Stage.SUBMITTED, NOON - HOUR, actor=Actor.PRACTICE)
    verdict = verdict_of(build_referral(Stage.DRAFT), change)

    assert isinstance(verdict, Applied)
    assert verdict.referral.submitted_at == NOON - HOUR


def test_the_answer_to_a_question_does_not_change_when_it_was_first_submitted():
    """Submitting again after a question keeps the first date."""
    referral = build_referral(Stage.INFO_REQUESTED, submitted_at=NOON - HOUR)
    verdict = verdict_of(referral, build_stage_change(Stage.SUBMITTED, actor=Actor.PRACTICE))

    assert isinstance(verdict, Applied)
    assert verdict.referral.submitted_at == NOON - HOUR


@pytest.mark.parametrize("stage", [s for s in OPEN if s not in TRANSITIONS[s] and s != "draft"])
def test_a_stage_said_again_never_moves_it(stage):
    """It is history, or waits where the referral could come back to the stage."""
    verdict = verdict_of(build_referral(stage), build_stage_change(stage))

    assert isinstance(verdict, Pending if stage in list_reachable_stages(stage) else Recorded)


def test_a_second_start_of_manufacturing_waits_for_the_failure_between():
    """Taken for a repetition, it would be lost, and the referral stuck at the failure."""
    verdict = verdict_of(build_referral(Stage.MANUFACTURING_STARTED), build_stage_change(Stage.MANUFACTURING_STARTED))

    assert verdict == Pending()


@pytest.mark.parametrize("stage", Stage)
def test_a_referral_knows_its_phase_and_who_is_next(stage):
    """Both come with the stage and are never set apart from it."""
    referral = build_referral(stage)

    assert (referral.phase, referral.owner) == (STAGE_FACTS[stage].phase, STAGE_FACTS[stage].owner)
