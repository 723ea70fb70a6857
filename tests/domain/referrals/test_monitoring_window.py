"""The monitoring window: calendar days at the center, also when the clocks change."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from chalicelib.domain.referrals.monitoring_window import (
    MILESTONE_LABELS,
    AnchorInfusion,
    MilestoneKind,
    MonitoringProfile,
    get_start_of_day,
    open_window,
    to_local_day,
)
from tests.support.referral_values import PROFILE

ZONES = sorted(available_timezones() - {"localtime", "Factory"})
zones = st.sampled_from(ZONES)
days = st.dates(date(2024, 1, 1), date(2030, 12, 31))
times = st.times()


def build_window(infused_at, time_zone, *, local_date=None, target=28):
    """Build the window that an infusion opens."""
    profile = MonitoringProfile(product_id="x", label_as_of=date(2026, 1, 1), handback_target_day=target)
    return open_window(infused_at=infused_at, local_date=local_date, time_zone=time_zone, profile=profile)


@given(zone=zones, day=days, at=times, target=st.sampled_from([14, 28]))
@example("America/New_York", date(2026, 3, 8), time(2, 30), 14)
@example("America/New_York", date(2026, 11, 1), time(1, 30), 28)
def test_the_window_ends_n_calendar_days_after_the_infusion(zone, day, at, target):
    """In every time zone, on every day, at every time: never N times 24 hours."""
    infused_at = datetime.combine(day, at, tzinfo=ZoneInfo(zone)).astimezone(UTC)
    infused_on = infused_at.astimezone(ZoneInfo(zone)).date()

    window = build_window(infused_at, zone, target=target)

    assert window.infused_on == infused_on
    assert (window.ends_on - infused_on).days == target


@given(zone=zones, day=days)
@example("Africa/Cairo", date(2024, 4, 26))
@example("Asia/Beirut", date(2026, 3, 29))
@example("America/Havana", date(2026, 3, 8))
@example("America/Havana", date(2026, 11, 1))
@example("America/Asuncion", date(2024, 10, 6))
def test_a_day_starts_at_its_first_moment(zone, day):
    """A microsecond earlier is the previous day."""
    start = get_start_of_day(day, zone)

    assert to_local_day(start, zone) == day
    assert to_local_day(start - timedelta(microseconds=1), zone) == day - timedelta(days=1)


@pytest.mark.parametrize(
    ("day", "zone", "start"),
    [
        # The clocks go forward at midnight: the day starts at 01:00.
        (date(2018, 11, 4), "America/Sao_Paulo", datetime(2018, 11, 4, 3, tzinfo=UTC)),
        (date(2024, 4, 26), "Africa/Cairo", datetime(2024, 4, 25, 22, tzinfo=UTC)),
        # They go back at 01:00, so midnight occurs twice: the day starts at the first one.
        (date(2026, 11, 1), "America/Havana", datetime(2026, 11, 1, 4, tzinfo=UTC)),
        (date(2026, 3, 8), "America/New_York", datetime(2026, 3, 8, 5, tzinfo=UTC)),
        (date(2026, 3, 9), "America/New_York", datetime(2026, 3, 9, 4, tzinfo=UTC)),
        (date(2026, 7, 1), "America/Phoenix", datetime(2026, 7, 1, 7, tzinfo=UTC)),
        (date(2027, 1, 1), "Pacific/Honolulu", datetime(2027, 1, 1, 10, tzinfo=UTC)),
    ],
)
def test_the_start_of_a_day_on_known_dates(day, zone, start):
    """Written by hand from the published rules of each time zone."""
    assert get_start_of_day(day, zone) == start


@pytest.mark.parametrize(
    ("infused_at", "zone", "infused_on", "day_14", "day_28"),
    [
        pytest.param(
            datetime(2026, 10, 11, 3, 30, tzinfo=UTC),
            "America/New_York",
            date(2026, 10, 10),
            date(2026, 10, 24),
            date(2026, 11, 7),
            id="11:30 PM in New York is the next day in UTC, and the clocks go back on day 22",
        ),
        pytest.param(
            datetime(2026, 3, 1, 4, 30, tzinfo=UTC),
            "America/New_York",
            date(2026, 2, 28),
            date(2026, 3, 14),
            date(2026, 3, 28),
            id="the clocks go forward on day 8",
        ),
        pytest.param(
            datetime(2028, 2, 1, 18, 0, tzinfo=UTC),
            "America/Chicago",
            date(2028, 2, 1),
            date(2028, 2, 15),
            date(2028, 2, 29),
            id="day 28 is the leap day",
        ),
        pytest.param(
            datetime(2028, 2, 29, 18, 0, tzinfo=UTC),
            "America/Chicago",
            date(2028, 2, 29),
            date(2028, 3, 14),
            date(2028, 3, 28),
            id="the infusion is on the leap day",
        ),
        pytest.param(
            datetime(2027, 1, 1, 9, 59, tzinfo=UTC),
            "Pacific/Honolulu",
            date(2026, 12, 31),
            date(2027, 1, 14),
            date(2027, 1, 28),
            id="Honolulu is still in the old year for ten hours",
        ),
        pytest.param(
            datetime(2026, 11, 1, 6, 59, tzinfo=UTC),
            "America/Phoenix",
            date(2026, 10, 31),
            date(2026, 11, 14),
            date(2026, 11, 28),
            id="Phoenix does not change its clocks",
        ),
        pytest.param(
            datetime(2026, 12, 31, 10, 30, tzinfo=UTC),
            "Pacific/Kiritimati",
            date(2027, 1, 1),
            date(2027, 1, 15),
            date(2027, 1, 29),
            id="Kiritimati is the first place with the new year",
        ),
    ],
)
def test_the_dates_of_known_windows(infused_at, zone, infused_on, day_14, day_28):
    """Counted by hand on a calendar."""
    window = build_window(infused_at, zone)
    dates = {milestone.kind: milestone.on for milestone in window.milestones}

    assert window.infused_on == infused_on
    assert dates[MilestoneKind.LABEL_MINIMUM_ENDS] == day_14
    assert window.ends_on == day_28


@pytest.mark.parametrize("hour", [1, 2])
@pytest.mark.parametrize("fold", [0, 1])
@pytest.mark.parametrize("day", [date(2026, 3, 8), date(2026, 11, 1)])
def test_a_missing_or_repeated_hour_belongs_to_its_day(day, fold, hour):
    """02:30 does not exist in March, 01:30 occurs twice in November."""
    wall_time = datetime.combine(day, time(hour, 30, fold=fold), tzinfo=ZoneInfo("America/Denver"))

    assert build_window(wall_time, "America/Denver").infused_on == day


def test_the_day_reported_by_the_center_has_priority():
    """The time zone decides only if the center reports no day."""
    at = datetime(2026, 10, 11, 3, 30, tzinfo=UTC)

    window = build_window(at, "America/New_York", local_date=date(2026, 10, 11))

    assert window.infused_on == date(2026, 10, 11)


@given(hours=st.integers(0, 24 * 365 * 7), zone=zones)
def test_the_senders_utc_offset_does_not_change_the_day(hours, zone):
    """The center's time zone decides."""
    at = datetime(2024, 1, 1, tzinfo=UTC) + timedelta(hours=hours)
    with_offset = at.astimezone(ZoneInfo("Asia/Kathmandu"))

    assert to_local_day(with_offset, zone) == to_local_day(at, zone)


def test_the_milestones_are_the_label_days_in_order():
    """Days 0, 7, 14 (three times), 21 and 28 of the default profile."""
    window = open_window(
        infused_at=datetime(2026, 11, 2, 18, tzinfo=UTC), local_date=None, time_zone="America/Chicago", profile=PROFILE
    )

    assert [(m.day, m.kind.value) for m in window.milestones] == [
        (0, "infusion"),
        (7, "daily_monitoring_ends"),
        (14, "label_minimum_ends"),
        (14, "proximity_minimum_ends"),
        (14, "driving_minimum_ends"),
        (21, "handback_near"),
        (28, "handback_target"),
    ]
    assert all((m.on - window.infused_on).days == m.day for m in window.milestones)


def test_every_kind_of_milestone_has_a_label():
    """A page never shows a code."""
    assert set(MILESTONE_LABELS) == set(MilestoneKind)


@pytest.mark.parametrize(
    ("anchor", "is_anchor"), [(AnchorInfusion.FIRST, [True, False, False]), (AnchorInfusion.LAST, [False] * 2 + [True])]
)
def test_one_infusion_of_a_split_dose_is_day_0(anchor, is_anchor):
    """The first or the last of three, as the label counts."""
    profile = MonitoringProfile(product_id="x", label_as_of=date(2026, 1, 1), anchor=anchor)

    assert [profile.is_anchor(dose_number=dose, dose_total=3) for dose in (1, 2, 3)] == is_anchor
