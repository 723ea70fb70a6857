"""Overdue alerts: due at the moment at which the worklist of the side to act shows the stage as overdue."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.identity.members import TenantKind
from chalicelib.domain.notices.overdue_alerts import (
    STAGES_WITH_PLANNED_NOTICES,
    AlertLevel,
    LastAlert,
    compute_stage_alerts,
    find_side_to_act,
    has_same_alerts,
)
from chalicelib.domain.referrals.events import HoldStarted, WithdrawalRequested
from chalicelib.domain.referrals.monitoring_window import MonitoringWindow
from chalicelib.domain.referrals.referral import Hold, ReferralStatus
from chalicelib.domain.referrals.stages import TERMINAL_STAGES, Actor, NextActor, Stage
from chalicelib.domain.referrals.turnaround import RED_AFTER_OWN_DATE, TURNAROUND_LIMITS, TurnaroundLevel
from chalicelib.domain.referrals.worklists import ListViewer, is_late, summarize_stage
from tests.support.referral_values import NOON, PROFILE, apply_event, build_event, build_referral

NEW_YORK = "America/New_York"
ZONES = [NEW_YORK, "America/Phoenix", "Pacific/Honolulu", "America/Puerto_Rico", "Pacific/Guam"]
AMBER, RED, ESCALATED = AlertLevel
HOLD = Hold(since=NOON, reason_code=None, until=None, by=Actor.CENTER)
DAY = timedelta(days=1)

STAGES = sorted(set(Stage) - TERMINAL_STAGES)


def compute_alerts(referral, time_zone=NEW_YORK):
    """The overdue alerts of a referral that has some."""
    found = compute_stage_alerts(referral, time_zone)
    assert found is not None
    return found


def build_dated_referral(stage=Stage.MONITORING, *, ends_on=date(2026, 11, 30)):
    """A referral in a stage that lasts until a date of its own."""
    window = MonitoringWindow(time_zone=NEW_YORK, infused_on=ends_on - timedelta(days=28), profile=PROFILE)
    return build_referral(stage, window=window, status=ReferralStatus(revisit_on=ends_on))


def test_a_submission_without_an_answer_has_three_alerts():
    """Submitted on a Monday; business days do not count the weekend."""
    found = compute_alerts(build_referral(Stage.SUBMITTED))

    midnights = [(AMBER, "2026-11-04"), (RED, "2026-11-06"), (ESCALATED, "2026-11-10")]
    assert [(alert.level, alert.at) for alert in found.alerts] == [
        (level, datetime.fromisoformat(f"{day}T05:00:00+00:00")) for level, day in midnights
    ]
    assert (found.waiting_for, found.late_since) == (TenantKind.CENTER, date(2026, 11, 4))


@given(
    stage=st.sampled_from(STAGES),
    started=st.integers(0, 7 * 365 * 24 * 60),
    minutes=st.integers(0, 90 * 24 * 60),
    time_zone=st.sampled_from(ZONES),
    on_hold=st.booleans(),
)
def test_an_alert_is_reached_when_the_worklist_shows_the_stage_as_overdue(stage, started, minutes, time_zone, on_hold):
    """For the side to act, by its own calendar, to the minute, in every stage."""
    since = datetime(2024, 1, 1, tzinfo=UTC) + timedelta(minutes=started)
    referral = replace(
        build_dated_referral(stage, ends_on=(since + timedelta(days=20)).date()),
        stage_since=since,
        submitted_at=since - timedelta(days=3),
    )
    referral = replace(referral, status=replace(referral.status, hold=HOLD if on_hold else None))
    now, summary = since + timedelta(minutes=minutes), summarize_stage(referral)
    viewer = ListViewer(side=summary.owner, now=now, time_zone=time_zone)

    found = compute_stage_alerts(referral, time_zone)
    reached = found.get_highest_reached(now) if found else None

    is_long_overdue = summary.compute_turnaround(now=now, time_zone=time_zone).level is TurnaroundLevel.RED
    assert bool(reached and reached.level is not AMBER) is is_long_overdue
    if stage not in STAGES_WITH_PLANNED_NOTICES:
        assert (reached is not None) is is_late(summary, viewer)


@pytest.mark.parametrize("time_zone", ZONES)
def test_every_alert_is_due_at_a_local_midnight(time_zone):
    """Before and after the clock change in November."""
    for stage in TURNAROUND_LIMITS:
        since = datetime(2026, 10, 25, 16, tzinfo=UTC)
        found = compute_alerts(build_referral(stage, stage_since=since, submitted_at=since), time_zone)
        local = [alert.at.astimezone(ZoneInfo(time_zone)) for alert in found.alerts]

        assert {(at.hour, at.minute) for at in local} == {(0, 0)}
        assert len(local) == (2 if stage in STAGES_WITH_PLANNED_NOTICES else 3)
        assert sorted(local) == local


@pytest.mark.parametrize(
    "referral",
    [
        *(build_referral(stage) for stage in sorted(TERMINAL_STAGES)),
        build_referral(Stage.INFUSED),
        build_referral(Stage.FOLLOW_UP),
        build_referral(Stage.DEFERRED),
        build_referral(Stage.ACCEPTED, status=ReferralStatus(hold=HOLD)),
    ],
    ids=lambda referral: referral.stage,
)
def test_a_closed_held_or_unlimited_stage_has_no_alert(referral):
    """A deferral without a review date has none either."""
    assert compute_stage_alerts(referral, NEW_YORK) is None


def test_a_dated_stage_is_overdue_after_its_date():
    """Amber the day after, red a week later, and escalation two business days after that."""
    ends_on = date(2026, 11, 30)

    days = [alert.at.date() for alert in compute_alerts(build_dated_referral(Stage.DEFERRED, ends_on=ends_on)).alerts]

    assert days == [ends_on + DAY, ends_on + RED_AFTER_OWN_DATE + DAY, date(2026, 12, 10)]


def test_an_overdue_return_has_no_amber_alert_but_counts_from_its_date():
    """Scheduled notices cover the days before red; the red alert still shows the first overdue day."""
    ends_on = date(2026, 11, 30)

    found = compute_alerts(build_dated_referral(Stage.MONITORING, ends_on=ends_on))

    assert found.late_since == ends_on + DAY
    assert [(alert.level, alert.at.date()) for alert in found.alerts] == [
        (RED, ends_on + RED_AFTER_OWN_DATE + DAY),
        (ESCALATED, date(2026, 12, 10)),
    ]


def test_the_center_must_answer_a_withdrawal_request():
    """The side to act is alerted, by its own calendar."""
    requested = build_event(WithdrawalRequested, actor=Actor.PRACTICE)
    waiting = apply_event(build_referral(Stage.HANDED_BACK), requested)

    assert find_side_to_act(build_referral(Stage.HANDED_BACK)) is TenantKind.PRACTICE
    assert find_side_to_act(waiting) is TenantKind.CENTER


def test_the_consultation_turnaround_counts_from_the_submission():
    """If the referral is accepted late, the days since its submission count."""
    accepted = build_referral(Stage.ACCEPTED, stage_since=NOON + 10 * DAY, submitted_at=NOON)

    assert compute_alerts(accepted).late_since == date(2026, 11, 17)


def test_each_level_is_sent_once_per_stage_visit():
    """And no level below one that was already sent."""
    found = compute_alerts(build_referral(Stage.SUBMITTED))
    on_red = found.alerts[1].at
    sent = [None, *(LastAlert(found.stage_visit, level) for level in AlertLevel), LastAlert("before", ESCALATED)]

    due = [found.get_due(on_red, last_alert) for last_alert in sent]

    assert due == [found.alerts[1], found.alerts[1], None, None, found.alerts[1]]


def test_after_an_outage_only_the_highest_level_is_due():
    """A month late: one alert, and none later."""
    found = compute_alerts(build_referral(Stage.SUBMITTED))
    late = NOON + 30 * DAY

    assert found.get_due(late, None) == found.alerts[2]
    assert found.get_next_time(late) is None
    assert found.get_next_time(NOON) == found.alerts[0].at
    assert found.get_due(NOON, None) is None


def test_a_second_visit_to_a_stage_has_its_own_alerts():
    """When the center requests information a second time."""
    first = build_referral(Stage.INFO_REQUESTED)
    second = replace(first, stage_since=NOON + 9 * DAY)

    assert compute_alerts(first).stage_visit != compute_alerts(second).stage_visit


@pytest.mark.parametrize(
    ("before", "after", "kept"),
    [
        (None, build_referral(Stage.DRAFT), False),
        (build_referral(Stage.RECEIVED), build_referral(Stage.RECEIVED, version=2, alias="x"), True),
        (build_referral(Stage.RECEIVED), build_referral(Stage.INFO_REQUESTED), False),
        (build_referral(Stage.INFUSED), build_referral(Stage.FOLLOW_UP), True),
        (build_referral(Stage.INFUSED), build_referral(Stage.DECEASED), True),
        (build_referral(Stage.RECEIVED), build_referral(Stage.DECLINED), False),
        (build_dated_referral(), build_dated_referral(ends_on=date(2026, 12, 1)), False),
        (
            build_dated_referral(Stage.HANDBACK_READY),
            build_dated_referral(Stage.HANDBACK_READY, ends_on=date(2026, 12, 1)),
            True,
        ),
        (build_referral(Stage.ACCEPTED), apply_event(build_referral(Stage.ACCEPTED), build_event(HoldStarted)), False),
    ],
    ids=[
        "a new referral",
        "another alias",
        "another stage",
        "from one stage without a limit to another",
        "a death after a stage without a limit",
        "declined",
        "monitoring extended",
        "monitoring extended after its end",
        "put on hold",
    ],
)
def test_only_a_change_that_affects_alerts_counts(before, after, kept):
    """A new alias does not, and neither does a change between two stages without limits."""
    assert has_same_alerts(before, after) is kept


def test_every_open_stage_has_a_side_to_act():
    """As in the worklists: no side only if the referral has ended."""
    for stage in Stage:
        owner = summarize_stage(build_referral(stage)).owner
        assert (find_side_to_act(build_referral(stage)) is None) is (owner is NextActor.NONE)
