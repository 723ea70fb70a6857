"""When a referral's clock rings: the same moment as it is late on the list of who owes the move."""

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


def alarms(referral, time_zone=NEW_YORK):
    """The alarms of a referral that has some."""
    found = compute_stage_alerts(referral, time_zone)
    assert found is not None
    return found


def dated(stage=Stage.MONITORING, *, ends_on=date(2026, 11, 30)):
    """A referral whose stage lasts until a day of its own."""
    window = MonitoringWindow(time_zone=NEW_YORK, infused_on=ends_on - timedelta(days=28), profile=PROFILE)
    return build_referral(stage, window=window, status=ReferralStatus(revisit_on=ends_on))


def test_a_submission_rings_three_times():
    """Submitted on a Monday; business days leave out the weekend."""
    found = alarms(build_referral(Stage.SUBMITTED))

    midnights = [(AMBER, "2026-11-04"), (RED, "2026-11-06"), (ESCALATED, "2026-11-10")]
    assert [(alarm.level, alarm.at) for alarm in found.alerts] == [
        (level, datetime.fromisoformat(f"{day}T05:00:00+00:00")) for level, day in midnights
    ]
    assert (found.waiting_for, found.late_since) == (TenantKind.CENTER, date(2026, 11, 4))


@given(
    stage=st.sampled_from(STAGES),
    begun=st.integers(0, 7 * 365 * 24 * 60),
    minutes=st.integers(0, 90 * 24 * 60),
    time_zone=st.sampled_from(ZONES),
    on_hold=st.booleans(),
)
def test_an_alarm_is_reached_as_the_list_calls_it_late(stage, begun, minutes, time_zone, on_hold):
    """For the side that owes the move, by its own calendar, to the minute, in every stage."""
    since = datetime(2024, 1, 1, tzinfo=UTC) + timedelta(minutes=begun)
    referral = replace(
        dated(stage, ends_on=(since + timedelta(days=20)).date()),
        stage_since=since,
        submitted_at=since - timedelta(days=3),
    )
    referral = replace(referral, status=replace(referral.status, hold=HOLD if on_hold else None))
    now, standing = since + timedelta(minutes=minutes), summarize_stage(referral)
    reader = ListViewer(side=standing.owner, now=now, time_zone=time_zone)

    found = compute_stage_alerts(referral, time_zone)
    reached = found.get_highest_reached(now) if found else None

    very_late = standing.compute_turnaround(now=now, time_zone=time_zone).level is TurnaroundLevel.RED
    assert bool(reached and reached.level is not AMBER) is very_late
    if stage not in STAGES_WITH_PLANNED_NOTICES:
        assert (reached is not None) is is_late(standing, reader)


@pytest.mark.parametrize("time_zone", ZONES)
def test_every_alarm_rings_at_a_local_midnight(time_zone):
    """On both sides of the change of the clocks in November."""
    for stage in TURNAROUND_LIMITS:
        since = datetime(2026, 10, 25, 16, tzinfo=UTC)
        found = alarms(build_referral(stage, stage_since=since, submitted_at=since), time_zone)
        local = [alarm.at.astimezone(ZoneInfo(time_zone)) for alarm in found.alerts]

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
def test_nothing_rings_at_an_end_on_hold_or_without_limits(referral):
    """A deferral without a day to look again has none either."""
    assert compute_stage_alerts(referral, NEW_YORK) is None


def test_a_dated_stage_rings_after_its_day():
    """The day after, a week later, and two business days after that."""
    ends_on = date(2026, 11, 30)

    days = [alarm.at.date() for alarm in alarms(dated(Stage.DEFERRED, ends_on=ends_on)).alerts]

    assert days == [ends_on + DAY, ends_on + RED_AFTER_OWN_DATE + DAY, date(2026, 12, 10)]


def test_an_overdue_hand_back_rings_a_week_late_and_is_late_from_its_day_on():
    """The schedule tells of the days before; a clock that rings says since when all the same."""
    ends_on = date(2026, 11, 30)

    found = alarms(dated(Stage.MONITORING, ends_on=ends_on))

    assert found.late_since == ends_on + DAY
    assert [(alarm.level, alarm.at.date()) for alarm in found.alerts] == [
        (RED, ends_on + RED_AFTER_OWN_DATE + DAY),
        (ESCALATED, date(2026, 12, 10)),
    ]


def test_a_request_to_withdraw_is_the_centers_to_answer():
    """Whoever owes the move hears of it, and by their calendar."""
    asked = build_event(WithdrawalRequested, actor=Actor.PRACTICE)
    waiting = apply_event(build_referral(Stage.HANDED_BACK), asked)

    assert find_side_to_act(build_referral(Stage.HANDED_BACK)) is TenantKind.PRACTICE
    assert find_side_to_act(waiting) is TenantKind.CENTER
    assert find_side_to_act(build_referral(Stage.DECEASED)) is None


def test_the_way_to_the_consultation_rings_by_the_referrals_own_day():
    """Accepted late: the days since the referral count."""
    accepted = build_referral(Stage.ACCEPTED, stage_since=NOON + 10 * DAY, submitted_at=NOON)

    assert alarms(accepted).late_since == date(2026, 11, 17)


def test_each_level_is_told_once_in_a_stay():
    """And none below one that was told."""
    found = alarms(build_referral(Stage.SUBMITTED))
    on_red = found.alerts[1].at
    told = [None, *(LastAlert(found.stage_visit, level) for level in AlertLevel), LastAlert("before", ESCALATED)]

    due = [found.get_due(on_red, each) for each in told]

    assert due == [found.alerts[1], found.alerts[1], None, None, found.alerts[1]]


def test_after_an_outage_only_the_highest_level_is_told():
    """A month late: one alarm, and none ahead."""
    found = alarms(build_referral(Stage.SUBMITTED))
    late = NOON + 30 * DAY

    assert found.get_due(late, None) == found.alerts[2]
    assert found.get_next_time(late) is None
    assert found.get_next_time(NOON) == found.alerts[0].at
    assert found.get_due(NOON, None) is None


def test_another_stay_in_the_same_stage_is_told_anew():
    """The second time that information is asked for."""
    first = build_referral(Stage.INFO_REQUESTED)
    again = replace(first, stage_since=NOON + 9 * DAY)

    assert alarms(first).stage_visit != alarms(again).stage_visit


@pytest.mark.parametrize(
    ("before", "after", "kept"),
    [
        (None, build_referral(Stage.DRAFT), False),
        (build_referral(Stage.RECEIVED), build_referral(Stage.RECEIVED, version=2, alias="x"), True),
        (build_referral(Stage.RECEIVED), build_referral(Stage.INFO_REQUESTED), False),
        (build_referral(Stage.INFUSED), build_referral(Stage.FOLLOW_UP), True),
        (build_referral(Stage.INFUSED), build_referral(Stage.DECEASED), True),
        (build_referral(Stage.RECEIVED), build_referral(Stage.DECLINED), False),
        (dated(), dated(ends_on=date(2026, 12, 1)), False),
        (dated(Stage.HANDBACK_READY), dated(Stage.HANDBACK_READY, ends_on=date(2026, 12, 1)), True),
        (build_referral(Stage.ACCEPTED), apply_event(build_referral(Stage.ACCEPTED), build_event(HoldStarted)), False),
    ],
)
def test_only_what_moves_an_alarm_sets_it(before, after, kept):
    """An alias does not, nor does a move between two stages that have none."""
    assert has_same_alerts(before, after) is kept


def test_who_owes_a_move_is_a_side_or_nobody():
    """As the lists say."""
    for stage in Stage:
        owner = summarize_stage(build_referral(stage)).owner
        assert (find_side_to_act(build_referral(stage)) is None) is (owner is NextActor.NONE)
