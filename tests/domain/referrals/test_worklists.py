"""Which referrals stand on which list."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from chalicelib.domain.referrals.events import HoldStarted, WithdrawalRequested
from chalicelib.domain.referrals.reason_codes import ReasonCode
from chalicelib.domain.referrals.stages import Actor, NextActor, Stage
from chalicelib.domain.referrals.worklists import (
    WORKLIST_RULES,
    ListViewer,
    StageSummary,
    Worklist,
    is_late,
    summarize_stage,
)
from tests.support.referral_values import apply_event, build_event, build_referral

NOW = datetime(2026, 11, 20, 17, tzinfo=UTC)
PRACTICE = ListViewer(side=NextActor.PRACTICE, now=NOW, time_zone="America/New_York")
CENTER = ListViewer(side=NextActor.CENTER, now=NOW, time_zone="America/New_York")


def standing(stage, *, days=0, **changed: Any):
    """A referral that has stood at a stage for some days."""
    return StageSummary(stage=Stage(stage), since=NOW - timedelta(days=days), **changed)


YESTERDAY, IN_SEVEN, IN_EIGHT = date(2026, 11, 19), date(2026, 11, 27), date(2026, 11, 28)
NO_SHOW, RESCHEDULED = ReasonCode.NO_SHOW, ReasonCode.RESCHEDULED

ON: list[tuple[str, ListViewer, StageSummary]] = [
    ("needs_my_action", PRACTICE, standing("info_requested")),
    ("needs_my_action", PRACTICE, standing("handback_ready")),
    ("needs_my_action", CENTER, standing("submitted")),
    ("needs_my_action", CENTER, standing("handed_back", withdrawal_requested=True)),
    ("needs_information", CENTER, standing("info_requested")),
    ("awaiting_booking", PRACTICE, standing("accepted")),
    ("no_show_or_cancelled", CENTER, standing("consult_scheduled", reason_code=NO_SHOW)),
    ("update_overdue", PRACTICE, standing("accepted", days=15)),
    ("update_overdue", PRACTICE, standing("accepted", has_gap=True)),
    ("update_overdue", PRACTICE, standing("deferred", revisit_on=YESTERDAY)),
    ("update_overdue", PRACTICE, standing("monitoring", days=29, window_ends_on=YESTERDAY)),
    ("monitoring_ends_soon", PRACTICE, standing("monitoring", window_ends_on=IN_SEVEN)),
    ("monitoring_ends_soon", CENTER, standing("window_complete", window_ends_on=NOW.date())),
    ("handback_awaiting_acknowledgement", CENTER, standing("handback_ready")),
    ("returned_or_declined", PRACTICE, standing("declined")),
    ("returned_or_declined", PRACTICE, standing("redirected")),
    ("returned_or_declined", PRACTICE, standing("not_proceeding")),
    ("returned_or_declined", PRACTICE, standing("deferred")),
]
OFF: list[tuple[str, ListViewer, StageSummary]] = [
    ("needs_my_action", CENTER, standing("info_requested")),
    ("needs_my_action", PRACTICE, standing("submitted")),
    ("needs_my_action", PRACTICE, standing("deceased")),
    ("needs_my_action", PRACTICE, standing("handed_back", withdrawal_requested=True)),
    ("needs_information", CENTER, standing("submitted")),
    ("awaiting_booking", PRACTICE, standing("consult_scheduled")),
    ("no_show_or_cancelled", CENTER, standing("consult_scheduled")),
    ("no_show_or_cancelled", CENTER, standing("consult_scheduled", reason_code=RESCHEDULED)),
    ("update_overdue", PRACTICE, standing("accepted", days=14)),
    ("update_overdue", PRACTICE, standing("accepted", days=99, on_hold=True)),
    ("update_overdue", PRACTICE, standing("declined", days=99)),
    ("update_overdue", PRACTICE, standing("deferred", days=99, revisit_on=NOW.date())),
    ("update_overdue", PRACTICE, standing("deferred", days=99)),
    ("update_overdue", PRACTICE, standing("monitoring", days=99, window_ends_on=NOW.date())),
    ("update_overdue", PRACTICE, standing("handed_back", window_ends_on=YESTERDAY)),
    ("monitoring_ends_soon", PRACTICE, standing("monitoring", window_ends_on=IN_EIGHT)),
    ("monitoring_ends_soon", PRACTICE, standing("handed_back", window_ends_on=IN_SEVEN)),
    ("monitoring_ends_soon", PRACTICE, standing("monitoring")),
    ("handback_awaiting_acknowledgement", CENTER, standing("handed_back")),
    ("returned_or_declined", PRACTICE, standing("withdrawn")),
    ("returned_or_declined", PRACTICE, standing("accepted")),
]


@pytest.mark.parametrize(("worklist", "reader", "told"), ON)
def test_a_referral_stands_on_its_list(worklist, reader, told):
    """What somebody has to look at."""
    assert WORKLIST_RULES[Worklist(worklist)](told, reader)


@pytest.mark.parametrize(("worklist", "reader", "told"), OFF)
def test_a_referral_stands_on_no_other(worklist, reader, told):
    """And nothing else, or nobody reads the list."""
    assert not WORKLIST_RULES[Worklist(worklist)](told, reader)


def test_every_list_has_both_cases_here():
    """A rule that is added needs them."""
    named = {name for name, _, _ in ON}

    # What has news is told by who looked when, not by how the referral stands.
    by_rule = set(Worklist) - {Worklist.CHANGED_SINCE_SEEN}
    assert named == {name for name, _, _ in OFF} == set(WORKLIST_RULES) == by_rule


@pytest.mark.parametrize(("days", "on_hold", "late"), [(14, False, False), (15, False, True), (99, True, False)])
def test_late_is_amber_or_red(days, on_hold, late):
    """And never under a hold."""
    assert is_late(standing("accepted", days=days, on_hold=on_hold), PRACTICE) is late


@pytest.mark.parametrize(("deferred", "counted"), [(False, True), (True, False)])
def test_a_deferral_begins_the_way_to_a_consultation_anew(deferred, counted):
    """What the center put off is not late by the days that it put it off."""
    referral = build_referral(Stage.CONSULT_SCHEDULED)
    reached = {**referral.stage_entered_at, **({Stage.DEFERRED: NOW} if deferred else {})}

    told = summarize_stage(replace(referral, stage_entered_at=reached))

    assert (told.referred_at == referral.submitted_at) is counted


def test_a_referral_stands_as_it_is():
    """What lists go by comes from the referral and its overlay."""
    held = apply_event(build_referral(Stage.CENTER_PROCEED), build_event(HoldStarted))
    asked = apply_event(held, build_event(WithdrawalRequested, actor=Actor.PRACTICE, event_id="evt_2"))

    told = summarize_stage(asked)

    assert (told.stage, told.since) == (Stage.CENTER_PROCEED, asked.stage_since)
    assert (told.on_hold, told.withdrawal_requested, told.has_gap) == (True, True, False)
    assert told.owner is asked.owner is NextActor.CENTER
