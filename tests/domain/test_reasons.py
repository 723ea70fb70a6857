"""Why a referral ended, and what the referring team may do next."""

import pytest

from chalicelib.domain.referrals.reason_codes import (
    DEFAULT_FOR,
    FACTS,
    NEEDED_FOR,
    Reason,
    label_of,
    outcome_of,
)
from chalicelib.domain.referrals.stages import TERMINAL, Stage
from chalicelib.domain.referrals.transitions import movers_to
from tests.support.journey import HOUR, NOON, Inbox, a_change, a_referral, applied


@pytest.mark.parametrize("stage", sorted(TERMINAL))
def test_every_ending_has_its_reasons(stage):
    """So that a form can offer them."""
    assert NEEDED_FOR[stage]


@pytest.mark.parametrize("reason", Reason)
def test_every_reason_reads_well_and_says_what_comes_next(reason):
    """Shown to the referrer in words."""
    assert FACTS[reason].label[0].isupper()
    assert FACTS[reason].next_step.endswith(".")
    assert outcome_of(reason) == {
        "reason_code": reason,
        "label": FACTS[reason].label,
        "next_step": FACTS[reason].next_step,
    }


def test_a_senders_own_word_stands_for_itself():
    """A hold may have one; no reason is none."""
    assert outcome_of("line_down") == {
        "reason_code": "line_down",
        "label": "line_down",
        "next_step": None,
    }
    assert (outcome_of(None), label_of(None)) == (None, None)


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


@pytest.mark.parametrize("stage", sorted(TERMINAL))
def test_an_ending_without_a_reason_has_an_unknown_one(stage):
    """Or the one that speaks for itself; it is always one that fits the stage."""
    ended = applied(a_referral(BEFORE[stage]), a_change(stage))

    assert ended.overlay.reason_code == DEFAULT_FOR.get(stage, Reason.UNKNOWN)
    assert ended.overlay.reason_code in NEEDED_FOR[stage]


@pytest.mark.parametrize("stage", sorted(TERMINAL))
def test_the_reason_that_was_given_is_kept(stage):
    """Whatever the ending."""
    reason = min(NEEDED_FOR[stage])

    ended = applied(a_referral(BEFORE[stage]), a_change(stage, reason_code=reason))

    assert ended.overlay.reason_code == reason


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_a_death_after_the_infusion_is_one_after_treatment(order):
    """In whichever order the two are learned of: it may have to be reported."""
    events = (
        a_change(Stage.INFUSED, NOON + HOUR, event_id="evt_1"),
        a_change(Stage.DECEASED, NOON + 2 * HOUR, event_id="evt_2"),
    )

    inbox = Inbox(a_referral(Stage.LYMPHODEPLETION_STARTED)).take(events[n] for n in order)

    assert inbox.referral.stage is Stage.DECEASED
    assert inbox.referral.overlay.reason_code == Reason.DEATH_AFTER_TREATMENT


def test_going_on_leaves_no_outcome():
    """A deferral's reason is gone with the next consultation."""
    deferred = applied(a_referral(Stage.CONSULT_COMPLETED), a_change(Stage.DEFERRED))
    assert deferred.overlay.reason_code == Reason.UNKNOWN
    at = deferred.stage_since.replace(hour=20)

    again = applied(deferred, a_change(Stage.CONSULT_SCHEDULED, at))

    assert again.overlay.reason_code is None


def test_nothing_that_needs_a_reason_is_out_of_reach():
    """Each such stage is one that somebody moves to."""
    assert all(movers_to(stage) for stage in NEEDED_FOR)
