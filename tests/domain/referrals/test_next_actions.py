"""What happens next, in a few words."""

from datetime import UTC, datetime
from typing import Any

import pytest

from chalicelib.domain.referrals.next_actions import ACTION_BY_STAGE, find_next_action
from chalicelib.domain.referrals.plan_terms import DatedPlan, PlanKind, PlannedDay
from chalicelib.domain.referrals.reason_codes import ReasonCode
from chalicelib.domain.referrals.stages import TERMINAL_STAGES, NextActor, Stage
from chalicelib.domain.referrals.worklists import StageSummary

NOW = datetime(2026, 11, 20, 17, tzinfo=UTC)
CONSULTATION = DatedPlan(PlanKind.CONSULTATION, PlannedDay(starts_at=NOW))


def summarize(stage, **changed: Any):
    """Build the summary of a referral in a stage."""
    return StageSummary(stage=Stage(stage), since=NOW, **changed)


def test_every_open_stage_has_a_next_action():
    """And no ending has one."""
    assert set(ACTION_BY_STAGE) == set(Stage) - TERMINAL_STAGES


@pytest.mark.parametrize(
    ("side", "summary", "action", "by"),
    [
        ("practice", summarize("accepted"), "Schedule the consultation", "center"),
        ("practice", summarize("accepted", plans=(CONSULTATION,)), "Confirm the consultation", "center"),
        ("practice", summarize("accepted", requested_items=2), "Answer the request: 2 open", "practice"),
        ("center", summarize("accepted", requested_items=2), "Schedule the consultation", "center"),
        ("center", summarize("accepted", time_asked=True), "Offer a consultation time", "center"),
        (
            "practice",
            summarize("consult_scheduled", reason_code=ReasonCode.NO_SHOW),
            "Book another consultation",
            "practice",
        ),
        ("center", summarize("handed_back", withdrawal_requested=True), "Confirm the withdrawal", "center"),
        ("practice", summarize("declined"), "", "none"),
        ("center", summarize("info_requested", time_asked=True), "Offer a consultation time", "center"),
    ],
)
def test_the_words_say_what_the_named_team_does(side, summary, action, by):
    """A request to the reader's own side comes first."""
    assert find_next_action(summary, NextActor(side)) == (action, by)
