"""Why a referral ended, and what the referring team may do next."""

import pytest

from chalicelib.domain.referrals.reason_codes import (
    DEFAULT_REASON_BY_STAGE,
    REASON_FACTS,
    REASONS_REQUIRED_BY_STAGE,
    ReasonCode,
    describe_outcome,
    format_reason,
)
from chalicelib.domain.referrals.stages import TERMINAL_STAGES, Stage
from chalicelib.domain.referrals.transitions import list_actors_for
from tests.support.referral_values import HOUR, NOON, InMemoryInbox, apply_event, build_referral, build_stage_change


@pytest.mark.parametrize("stage", sorted(TERMINAL_STAGES))
def test_every_ending_has_its_reasons(stage):
    """So that a form can offer them."""
    assert REASONS_REQUIRED_BY_STAGE[stage]


@pytest.mark.parametrize("reason", ReasonCode)
def test_every_reason_reads_well_and_says_what_comes_next(reason):
    """Shown to the referrer in words."""
    assert REASON_FACTS[reason].label[0].isupper()
    assert REASON_FACTS[reason].next_step.endswith(".")
    assert describe_outcome(reason) == {
        "reason_code": reason,
        "label": REASON_FACTS[reason].label,
        "next_step": REASON_FACTS[reason].next_step,
    }


def test_a_senders_own_word_stands_for_itself():
    """A hold may have one; no reason is none."""
    assert describe_outcome("line_down") == {"reason_code": "line_down", "label": "line_down", "next_step": None}
    assert (describe_outcome(None), format_reason(None)) == (None, None)


BEFORE = {
    Stage.DECLINED: Stage.RECEIVED,
    Stage.WITHDRAWN: Stage.RECEIVED,
    Stage.REDIRECTED: Stage.RECEIVED,
    Stage.NOT_PROCEEDING: Stage.CENTER_PROCEED,
    Stage.DECEASED: Stage.ACCEPTED,
    Stage.LOST_TO_FOLLOW_UP: Stage.FOLLOW_UP,
    Stage.TRANSFERRED_CARE: Stage.FOLLOW_UP,
    Stage.CLOSED_COMPLETE: Stage.LONG_TERM_FOLLOW_UP,
}


@pytest.mark.parametrize("stage", sorted(TERMINAL_STAGES))
def test_an_ending_without_a_reason_has_an_unknown_one(stage):
    """Or the one that speaks for itself; it is always one that fits the stage."""
    ended = apply_event(build_referral(BEFORE[stage]), build_stage_change(stage))

    assert ended.status.reason_code == DEFAULT_REASON_BY_STAGE.get(stage, ReasonCode.UNKNOWN)
    assert ended.status.reason_code in REASONS_REQUIRED_BY_STAGE[stage]


@pytest.mark.parametrize("stage", sorted(TERMINAL_STAGES))
def test_the_reason_that_was_given_is_kept(stage):
    """Whatever the ending."""
    reason = min(REASONS_REQUIRED_BY_STAGE[stage])

    ended = apply_event(build_referral(BEFORE[stage]), build_stage_change(stage, reason_code=reason))

    assert ended.status.reason_code == reason


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_a_death_after_the_infusion_is_one_after_treatment(order):
    """In whichever order the two are learned of: it may have to be reported."""
    events = (
        build_stage_change(Stage.INFUSED, NOON + HOUR, event_id="evt_1"),
        build_stage_change(Stage.DECEASED, NOON + 2 * HOUR, event_id="evt_2"),
    )

    inbox = InMemoryInbox(build_referral(Stage.LYMPHODEPLETION_STARTED)).receive(events[n] for n in order)

    assert inbox.referral.stage is Stage.DECEASED
    assert inbox.referral.status.reason_code == ReasonCode.DEATH_AFTER_TREATMENT


def test_going_on_leaves_no_outcome():
    """A deferral's reason is gone with the next consultation."""
    deferred = apply_event(build_referral(Stage.CONSULT_COMPLETED), build_stage_change(Stage.DEFERRED))
    assert deferred.status.reason_code == ReasonCode.UNKNOWN
    at = deferred.stage_since.replace(hour=20)

    again = apply_event(deferred, build_stage_change(Stage.CONSULT_SCHEDULED, at))

    assert again.status.reason_code is None


def test_nothing_that_needs_a_reason_is_out_of_reach():
    """Each such stage is one that somebody moves to."""
    assert all(list_actors_for(stage) for stage in REASONS_REQUIRED_BY_STAGE)
