"""Which referrals are on which worklist."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from chalicelib.domain.referrals.events import HoldStarted, WithdrawalRequested
from chalicelib.domain.referrals.reason_codes import ReasonCode
from chalicelib.domain.referrals.stages import TERMINAL_STAGES, Actor, NextActor, Stage
from chalicelib.domain.referrals.worklists import (
    OPEN_WORKLISTS,
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


def summarize(stage, *, days=0, **changed: Any):
    """Build the summary of a referral that has been in a stage for some days."""
    return StageSummary(stage=Stage(stage), since=NOW - timedelta(days=days), **changed)


YESTERDAY, IN_SEVEN, IN_EIGHT = date(2026, 11, 19), date(2026, 11, 27), date(2026, 11, 28)
NO_SHOW, RESCHEDULED = ReasonCode.NO_SHOW, ReasonCode.RESCHEDULED

ON: list[tuple[str, ListViewer, StageSummary]] = [
    ("needs_action", PRACTICE, summarize("info_requested")),
    ("needs_action", PRACTICE, summarize("accepted", days=15)),
    ("waiting_for_other_team", PRACTICE, summarize("submitted")),
    ("waiting_for_other_team", CENTER, summarize("info_requested")),
    ("new_referrals", CENTER, summarize("submitted")),
    ("new_referrals", CENTER, summarize("received")),
    ("all_open", CENTER, summarize("follow_up")),
    ("needs_my_action", PRACTICE, summarize("info_requested")),
    ("needs_my_action", PRACTICE, summarize("handback_ready")),
    ("needs_my_action", CENTER, summarize("submitted")),
    ("needs_my_action", CENTER, summarize("handed_back", withdrawal_requested=True)),
    ("needs_information", CENTER, summarize("info_requested")),
    ("needs_my_action", PRACTICE, summarize("accepted", requested_items=1)),
    ("needs_my_action", CENTER, summarize("accepted", requested_items=1)),
    ("needs_information", PRACTICE, summarize("infused", requested_items=2)),
    ("awaiting_booking", PRACTICE, summarize("accepted")),
    ("no_show_or_cancelled", CENTER, summarize("consult_scheduled", reason_code=NO_SHOW)),
    ("update_overdue", PRACTICE, summarize("accepted", days=15)),
    ("late", PRACTICE, summarize("accepted", days=15)),
    ("late", PRACTICE, summarize("accepted", days=99, has_gap=True)),
    ("needs_action", PRACTICE, summarize("accepted", days=99, has_gap=True)),
    ("update_missing", PRACTICE, summarize("accepted", days=99, has_gap=True)),
    ("update_overdue", PRACTICE, summarize("accepted", has_gap=True)),
    ("update_missing", PRACTICE, summarize("accepted", has_gap=True)),
    ("update_overdue", PRACTICE, summarize("deferred", revisit_on=YESTERDAY)),
    ("late", PRACTICE, summarize("deferred", revisit_on=YESTERDAY)),
    ("update_overdue", PRACTICE, summarize("monitoring", days=29, window_ends_on=YESTERDAY)),
    ("late", PRACTICE, summarize("monitoring", days=29, window_ends_on=YESTERDAY)),
    ("monitoring_ends_soon", PRACTICE, summarize("monitoring", window_ends_on=IN_SEVEN)),
    ("monitoring_ends_soon", CENTER, summarize("window_complete", window_ends_on=NOW.date())),
    ("handback_awaiting_acknowledgement", CENTER, summarize("handback_ready")),
    ("returned_or_declined", PRACTICE, summarize("declined")),
    ("returned_or_declined", PRACTICE, summarize("redirected")),
    ("returned_or_declined", PRACTICE, summarize("not_proceeding")),
    ("returned_or_declined", PRACTICE, summarize("deferred")),
]
OFF: list[tuple[str, ListViewer, StageSummary]] = [
    ("needs_action", PRACTICE, summarize("accepted", days=14)),
    ("needs_action", PRACTICE, summarize("declined", days=99)),
    ("waiting_for_other_team", PRACTICE, summarize("accepted", requested_items=1)),
    ("waiting_for_other_team", PRACTICE, summarize("declined")),
    ("new_referrals", CENTER, summarize("info_requested")),
    ("all_open", CENTER, summarize("declined")),
    ("needs_my_action", CENTER, summarize("info_requested")),
    ("needs_my_action", PRACTICE, summarize("submitted")),
    ("needs_my_action", PRACTICE, summarize("deceased")),
    ("needs_my_action", PRACTICE, summarize("handed_back", withdrawal_requested=True)),
    ("needs_information", CENTER, summarize("submitted")),
    ("needs_my_action", CENTER, summarize("handback_ready", requested_items=1)),
    ("needs_my_action", PRACTICE, summarize("accepted", practice_messages=3, center_messages=4)),
    ("awaiting_booking", PRACTICE, summarize("consult_scheduled")),
    ("no_show_or_cancelled", CENTER, summarize("consult_scheduled")),
    ("no_show_or_cancelled", CENTER, summarize("consult_scheduled", reason_code=RESCHEDULED)),
    ("late", PRACTICE, summarize("accepted", has_gap=True)),
    ("update_missing", PRACTICE, summarize("accepted", days=15)),
    ("update_overdue", PRACTICE, summarize("accepted", days=14)),
    ("late", PRACTICE, summarize("accepted", days=14)),
    ("update_overdue", PRACTICE, summarize("accepted", days=99, on_hold=True)),
    ("late", PRACTICE, summarize("accepted", days=99, on_hold=True)),
    ("update_overdue", PRACTICE, summarize("declined", days=99)),
    ("late", PRACTICE, summarize("declined", days=99)),
    ("update_overdue", PRACTICE, summarize("deferred", days=99, revisit_on=NOW.date())),
    ("late", PRACTICE, summarize("deferred", days=99, revisit_on=NOW.date())),
    ("update_overdue", PRACTICE, summarize("deferred", days=99)),
    ("late", PRACTICE, summarize("deferred", days=99)),
    ("update_overdue", PRACTICE, summarize("monitoring", days=99, window_ends_on=NOW.date())),
    ("late", PRACTICE, summarize("monitoring", days=99, window_ends_on=NOW.date())),
    ("update_overdue", PRACTICE, summarize("handed_back", window_ends_on=YESTERDAY)),
    ("late", PRACTICE, summarize("handed_back", window_ends_on=YESTERDAY)),
    ("monitoring_ends_soon", PRACTICE, summarize("monitoring", window_ends_on=IN_EIGHT)),
    ("monitoring_ends_soon", PRACTICE, summarize("handed_back", window_ends_on=IN_SEVEN)),
    ("monitoring_ends_soon", PRACTICE, summarize("monitoring")),
    ("handback_awaiting_acknowledgement", CENTER, summarize("handed_back")),
    ("returned_or_declined", PRACTICE, summarize("withdrawn")),
    ("returned_or_declined", PRACTICE, summarize("accepted")),
]


@pytest.mark.parametrize(("worklist", "viewer", "stage_summary"), ON)
def test_a_referral_is_on_its_worklist(worklist, viewer, stage_summary):
    """Because the team must review it."""
    assert WORKLIST_RULES[Worklist(worklist)](stage_summary, viewer)


@pytest.mark.parametrize(("worklist", "viewer", "stage_summary"), OFF)
def test_a_referral_is_not_on_other_worklists(worklist, viewer, stage_summary):
    """A list with other referrals would be ignored."""
    assert not WORKLIST_RULES[Worklist(worklist)](stage_summary, viewer)


@pytest.mark.parametrize("worklist", sorted(OPEN_WORKLISTS))
@pytest.mark.parametrize("stage", sorted(TERMINAL_STAGES))
@pytest.mark.parametrize("viewer", [PRACTICE, CENTER])
def test_a_list_of_open_referrals_has_none_that_ended(worklist, stage, viewer):
    """Such a list does not read them, so its rule must not want them."""
    ended = summarize(stage, days=99, window_ends_on=YESTERDAY, withdrawal_requested=True)

    assert not WORKLIST_RULES[worklist](ended, viewer)


def test_every_worklist_has_both_cases_here():
    """A new rule needs them."""
    named = {name for name, _, _ in ON}

    # Unread changes are decided from the member's last view, not from the stage summary.
    by_rule = set(Worklist) - {Worklist.CHANGED_SINCE_SEEN}
    assert named == {name for name, _, _ in OFF} == set(WORKLIST_RULES) == by_rule


@pytest.mark.parametrize(("days", "on_hold", "late"), [(14, False, False), (15, False, True), (99, True, False)])
def test_amber_and_red_are_overdue(days, on_hold, late):
    """But nothing is overdue during a hold."""
    assert is_late(summarize("accepted", days=days, on_hold=on_hold), PRACTICE) is late


@pytest.mark.parametrize(("deferred", "counted"), [(False, True), (True, False)])
def test_a_deferral_restarts_the_time_to_the_consultation(deferred, counted):
    """The days of the deferral do not make the consultation overdue."""
    referral = build_referral(Stage.CONSULT_SCHEDULED)
    entered_at = {**referral.stage_entered_at, **({Stage.DEFERRED: NOW} if deferred else {})}

    summary = summarize_stage(replace(referral, stage_entered_at=entered_at))

    assert (summary.referred_at == referral.submitted_at) is counted


def test_a_summary_comes_from_the_stage_and_the_status():
    """Hold, withdrawal request, gaps and next actor."""
    held = apply_event(build_referral(Stage.CENTER_PROCEED), build_event(HoldStarted))
    requested = apply_event(held, build_event(WithdrawalRequested, actor=Actor.PRACTICE, event_id="evt_2"))

    summary = summarize_stage(requested)

    assert (summary.stage, summary.since) == (Stage.CENTER_PROCEED, requested.stage_since)
    assert (summary.on_hold, summary.withdrawal_requested, summary.has_gap) == (True, True, False)
    assert summary.owner is requested.owner is NextActor.CENTER
