"""What one report does to a referral."""

from datetime import date, timedelta
from itertools import product

import pytest

from chalicelib.domain.decisions import decide
from chalicelib.domain.moves import Applied, Never, NotYet, Recorded
from chalicelib.domain.stages import (
    MOVES,
    TERMINAL,
    Actor,
    Stage,
    movers_to,
    moves_from,
    reachable_from,
)
from tests.support.journey import HOUR, NOON, TWO_PARTS, a_change, a_referral, a_setting

OPEN = sorted(set(Stage) - TERMINAL)


def verdict_of(referral, change, setting=None):
    """The verdict, with the everyday setting."""
    return decide(referral, change, setting or a_setting())


@pytest.mark.parametrize("start", OPEN)
def test_a_later_report_moves_exactly_where_the_table_leads(start):
    """From each open stage, every stage by every actor: applied if the table says so."""
    applied = {
        (end, actor)
        for end, actor in product(Stage, Actor)
        if isinstance(verdict_of(a_referral(start), a_change(end, actor=actor)), Applied)
    }

    assert applied == {(end, a) for end, actors in moves_from(start).items() for a in actors}


@pytest.mark.parametrize("start", OPEN)
def test_a_stage_that_can_still_be_reached_waits(start):
    """Not legal now, and legal once what lies between has come: it waits."""
    waiting = {
        end for end in Stage if isinstance(verdict_of(a_referral(start), a_change(end)), NotYet)
    }

    assert waiting == reachable_from(start) - moves_from(start).keys()


@pytest.mark.parametrize("start", OPEN)
def test_a_stage_that_nothing_leads_to_is_refused_for_ever(start):
    """No later event can make it legal, so the sender hears at once."""
    verdicts = {end: verdict_of(a_referral(start), a_change(end)) for end in Stage}
    refused = {
        end
        for end, verdict in verdicts.items()
        if isinstance(verdict, Never) and verdict.code == "move_not_legal"
    }

    assert refused == set(Stage) - reachable_from(start) - {start, Stage.DRAFT}


@pytest.mark.parametrize("end", sorted(TERMINAL))
@pytest.mark.parametrize("stage", [Stage.ACCEPTED, Stage.INFUSED, Stage.DECEASED])
def test_nothing_moves_an_ended_referral(end, stage):
    """After an ending, what is reported as later is refused, and the answer says why."""
    other = Stage.ACCEPTED if end is stage else stage
    verdict = verdict_of(a_referral(end), a_change(other))

    assert verdict == Never("referral_closed", "The referral is closed.")


def test_the_ending_said_again_is_refused_too():
    """Whoever reports a death a second time as of later hears that the referral is closed."""
    verdict = verdict_of(a_referral(Stage.DECEASED), a_change(Stage.DECEASED))

    assert isinstance(verdict, Never)


@pytest.mark.parametrize("stage", Stage)
def test_a_side_that_never_makes_a_move_is_refused_wherever_the_referral_stands(stage):
    """Not your move: whether late, early or in time."""
    strangers = set(Actor) - movers_to(stage)
    verdicts = [
        verdict_of(a_referral(start), a_change(stage, NOON + offset, actor=actor))
        for start, actor, offset in product(Stage, strangers, (-HOUR, HOUR))
    ]

    assert {v.code for v in verdicts if isinstance(v, Never)} <= {"not_your_move"}
    assert all(isinstance(v, Never) for v in verdicts)


def test_a_practice_does_not_decline_in_the_centers_name():
    """The move is legal from here and belongs to the other side."""
    verdict = verdict_of(a_referral(), a_change(Stage.DECLINED, actor=Actor.PRACTICE))

    assert verdict == Never("not_your_move", "This move belongs to the other side.")


def test_the_system_opens_monitoring_only_after_an_infusion():
    """The product itself makes one move, and from one stage."""
    by_system = {
        (start, end)
        for start in OPEN
        for end in Stage
        if isinstance(verdict_of(a_referral(start), a_change(end, actor=Actor.SYSTEM)), Applied)
    }

    assert by_system == {(Stage.INFUSED, Stage.MONITORING)}


@pytest.mark.parametrize("start", OPEN)
def test_a_late_report_is_history_and_moves_nothing(start):
    """Whatever it says, what was true earlier than the last move does not move it again."""
    referral = a_referral(start, head=a_referral().head)
    verdicts = [
        verdict_of(referral, a_change(late, NOON - HOUR)) for late in Stage if movers_to(late)
    ]
    kept = {
        (v.referral.stage, v.referral.stage_since, v.referral.head)
        for v in verdicts
        if isinstance(v, Recorded)
    }

    assert {type(v) for v in verdicts} == {Recorded}
    assert kept == {(start, referral.stage_since, referral.head)}


def test_history_remembers_when_a_stage_was_reached():
    """A skipped stage that is reported late gets its date."""
    verdict = verdict_of(a_referral(Stage.ACCEPTED), a_change(Stage.RECEIVED, NOON - HOUR))

    assert isinstance(verdict, Recorded)
    assert verdict.referral.reached[Stage.RECEIVED] == NOON - HOUR


def test_history_keeps_the_latest_time_of_a_stage():
    """A stage that was entered twice was last entered the second time, however late we hear."""
    second, first = NOON - HOUR, NOON - 2 * HOUR
    once = verdict_of(a_referral(Stage.ACCEPTED), a_change(Stage.RECEIVED, first))
    assert isinstance(once, Recorded)

    twice = verdict_of(once.referral, a_change(Stage.RECEIVED, second))

    assert isinstance(twice, Recorded)
    assert twice.referral.reached[Stage.RECEIVED] == second


@pytest.mark.parametrize("verdict_type", [Applied, Recorded])
def test_every_change_is_one_version_more(verdict_type):
    """Applied or history only: the ETag moves by one."""
    at = NOON + HOUR if verdict_type is Applied else NOON - HOUR
    verdict = verdict_of(a_referral(Stage.RECEIVED, version=7), a_change(Stage.ACCEPTED, at))

    assert isinstance(verdict, verdict_type)
    assert verdict.referral.version == 8


def test_an_applied_report_sets_where_and_since_when():
    """The stage, since when by the reporter's word, and the place in the order of events."""
    change = a_change(Stage.ACCEPTED, NOON + HOUR)

    verdict = verdict_of(a_referral(Stage.RECEIVED), change)

    assert isinstance(verdict, Applied)
    assert verdict.referral.stage is Stage.ACCEPTED
    assert verdict.referral.stage_since == NOON + HOUR
    assert verdict.referral.head == change.order
    assert verdict.referral.reached == {Stage.RECEIVED: NOON, Stage.ACCEPTED: NOON + HOUR}


def test_a_draft_takes_its_submission_whenever_it_is_dated():
    """A draft has no event yet, so nothing is late."""
    change = a_change(Stage.SUBMITTED, NOON - HOUR, actor=Actor.PRACTICE)
    verdict = verdict_of(a_referral(Stage.DRAFT), change)

    assert isinstance(verdict, Applied)
    assert verdict.referral.submitted_at == NOON - HOUR


def test_the_answer_to_a_question_does_not_change_when_it_was_first_submitted():
    """Submitting again after a question keeps the first date."""
    referral = a_referral(Stage.INFO_REQUESTED, submitted_at=NOON - HOUR)
    verdict = verdict_of(referral, a_change(Stage.SUBMITTED, actor=Actor.PRACTICE))

    assert isinstance(verdict, Applied)
    assert verdict.referral.submitted_at == NOON - HOUR


@pytest.mark.parametrize("stage", [s for s in OPEN if s not in MOVES[s] and s != "draft"])
def test_a_stage_said_again_never_moves_it(stage):
    """It is history, or waits where the referral could come back to the stage."""
    verdict = verdict_of(a_referral(stage), a_change(stage))

    assert isinstance(verdict, NotYet if stage in reachable_from(stage) else Recorded)


def test_a_second_start_of_manufacturing_waits_for_the_failure_between():
    """Taken for a repetition, it would be lost, and the referral stuck at the failure."""
    verdict = verdict_of(
        a_referral(Stage.MANUFACTURING_STARTED), a_change(Stage.MANUFACTURING_STARTED)
    )

    assert verdict == NotYet()


def test_an_infusion_opens_the_window_of_its_day():
    """23:30 in New York is that evening, though it is tomorrow in UTC."""
    at = NOON.replace(day=10, month=10) + timedelta(hours=15, minutes=30)
    referral = a_referral(Stage.LYMPHODEPLETION_STARTED, head=None)

    verdict = verdict_of(referral, a_change(Stage.INFUSED, at))

    assert isinstance(verdict, Applied)
    assert verdict.referral.window is not None
    assert verdict.referral.window.infused_on == date(2026, 10, 10)


@pytest.mark.parametrize("days", [-1, 0, 1])
def test_the_centers_own_day_counts_where_it_can_be(days):
    """A day either side may be right: a center stamps its shift, we convert a zone."""
    told = date(2026, 11, 2) + timedelta(days=days)
    change = a_change(Stage.INFUSED, local_date=told)

    verdict = verdict_of(a_referral(Stage.LYMPHODEPLETION_STARTED), change)

    assert isinstance(verdict, Applied)
    assert verdict.referral.window is not None
    assert verdict.referral.window.infused_on == told


@pytest.mark.parametrize("days", [-365, -2, 2, 365])
@pytest.mark.parametrize("offset", [-HOUR, HOUR])
def test_a_day_that_cannot_be_is_refused(days, offset):
    """A wrong day would set every date of the window wrong, so it is refused, late or not."""
    told = date(2026, 11, 2) + timedelta(days=days)
    change = a_change(Stage.INFUSED, NOON + offset, local_date=told)

    verdict = verdict_of(a_referral(Stage.LYMPHODEPLETION_STARTED), change)

    assert isinstance(verdict, Never)
    assert verdict.code == "local_date_wrong"


def test_the_parts_of_a_split_dose_come_in_order():
    """Part 2 waits for part 1, then each counts."""
    lymphodepleted = a_referral(Stage.LYMPHODEPLETION_STARTED)
    second = a_change(Stage.INFUSED, NOON + 2 * HOUR, event_id="evt_2", part=2, of=2)
    assert verdict_of(lymphodepleted, second, a_setting(TWO_PARTS)) == NotYet()

    one = verdict_of(lymphodepleted, a_change(Stage.INFUSED, part=1, of=2), a_setting(TWO_PARTS))
    assert isinstance(one, Applied)
    two = verdict_of(one.referral, second, a_setting(TWO_PARTS))

    assert isinstance(two, Applied)
    assert (one.referral.part, one.referral.of) == (1, 2)
    assert (two.referral.part, two.referral.of) == (2, 2)


def test_a_part_said_again_is_history():
    """The same part with a later time moves nothing and opens no second window."""
    once = verdict_of(a_referral(Stage.LYMPHODEPLETION_STARTED), a_change(Stage.INFUSED))
    assert isinstance(once, Applied)

    again = verdict_of(once.referral, a_change(Stage.INFUSED, NOON + 48 * HOUR))

    assert isinstance(again, Recorded)
    assert again.referral.window == once.referral.window


@pytest.mark.parametrize(("anchor_part", "setting"), [(1, a_setting(TWO_PARTS)), (2, a_setting())])
def test_the_anchoring_part_opens_the_window(anchor_part, setting):
    """The first or the last part, as the product's profile says."""
    referral = a_referral(Stage.LYMPHODEPLETION_STARTED)
    opened = []
    for part in (1, 2):
        change = a_change(Stage.INFUSED, NOON + part * HOUR, part=part, of=2)
        verdict = verdict_of(referral, change, setting)
        assert isinstance(verdict, Applied)
        referral = verdict.referral
        opened.append(referral.window is not None)

    assert opened == [part >= anchor_part for part in (1, 2)]


def test_an_anchoring_part_that_is_learned_of_late_opens_the_window():
    """A patient already in monitoring gets the dates all the same."""
    monitored = a_referral(Stage.MONITORING, part=1, of=2, stage_since=NOON + 24 * HOUR)

    verdict = verdict_of(monitored, a_change(Stage.INFUSED, NOON - HOUR, part=2, of=2))

    assert isinstance(verdict, Recorded)
    assert verdict.referral.stage is Stage.MONITORING
    assert verdict.referral.window is not None
    assert verdict.referral.part == 2


def test_an_infusion_dated_before_the_conditioning_opens_no_window():
    """The patient still waits for the infusion; the window must not start with a wrong day."""
    conditioned = a_referral(Stage.LYMPHODEPLETION_STARTED)

    verdict = verdict_of(conditioned, a_change(Stage.INFUSED, NOON - HOUR))

    assert isinstance(verdict, Recorded)
    assert verdict.referral.window is None
    assert verdict.referral.part == 0
