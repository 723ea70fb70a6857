"""Reason codes: why a referral ended, and what the referring team can do next."""

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


@pytest.mark.parametrize("reason", ReasonCode)
def test_every_reason_has_a_label_and_a_next_step(reason):
    """Both are shown to the referring team."""
    assert REASON_FACTS[reason].label[0].isupper()
    assert REASON_FACTS[reason].next_step.endswith(".")
    assert describe_outcome(reason) == (reason, REASON_FACTS[reason].label, REASON_FACTS[reason].next_step)


def test_the_senders_own_text_is_shown_unchanged():
    """A hold may have one; it has no next step."""
    assert describe_outcome("line_down") == ("line_down", "line_down", None)
    assert format_reason(None) is None


STAGE_BEFORE = {
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
def test_an_ending_without_a_reason_gets_a_default_reason(stage):
    """Or "unknown"; every ending has a list of reasons for the form, and the default is in it."""
    ended = apply_event(build_referral(STAGE_BEFORE[stage]), build_stage_change(stage))

    assert ended.status.reason_code == DEFAULT_REASON_BY_STAGE.get(stage, ReasonCode.UNKNOWN)
    assert ended.status.reason_code in REASONS_REQUIRED_BY_STAGE[stage]


@pytest.mark.parametrize("stage", sorted(TERMINAL_STAGES))
def test_a_reported_reason_is_kept(stage):
    """For every ending."""
    reason = min(REASONS_REQUIRED_BY_STAGE[stage])

    ended = apply_event(build_referral(STAGE_BEFORE[stage]), build_stage_change(stage, reason_code=reason))

    assert ended.status.reason_code == reason


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_a_death_after_the_infusion_is_a_death_after_treatment(order):
    """In both orders of arrival, because it may have to be reported."""
    events = (
        build_stage_change(Stage.INFUSED, NOON + HOUR, event_id="evt_1"),
        build_stage_change(Stage.DECEASED, NOON + 2 * HOUR, event_id="evt_2"),
    )

    inbox = InMemoryInbox(build_referral(Stage.LYMPHODEPLETION_STARTED)).receive(events[n] for n in order)

    assert inbox.referral.stage is Stage.DECEASED
    assert inbox.referral.status.reason_code == ReasonCode.DEATH_AFTER_TREATMENT


def test_a_later_stage_clears_the_reason():
    """The reason of a deferral is cleared by the next consultation."""
    deferred = apply_event(build_referral(Stage.CONSULT_COMPLETED), build_stage_change(Stage.DEFERRED))
    assert deferred.status.reason_code == ReasonCode.UNKNOWN
    at = deferred.stage_since.replace(hour=20)

    scheduled = apply_event(deferred, build_stage_change(Stage.CONSULT_SCHEDULED, at))

    assert scheduled.status.reason_code is None


def test_every_stage_that_requires_a_reason_can_be_reached():
    """At least one actor may report it."""
    assert all(list_actors_for(stage) for stage in REASONS_REQUIRED_BY_STAGE)
