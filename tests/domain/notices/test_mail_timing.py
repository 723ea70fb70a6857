"""When an email is due: the gap between emails, quiet hours, the daily email, and clock changes."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.notices.mail_timing import (
    LastMail,
    Mail,
    MailKind,
    MailTiming,
    Preferences,
    QuietHours,
    compute_late_since,
    compute_mail_time,
    find_joinable,
    get_thread_key,
)
from chalicelib.domain.notices.notice_rules import Category

HOUR = timedelta(hours=1)
NEW_YORK, PHOENIX, HONOLULU = "America/New_York", "America/Phoenix", "Pacific/Honolulu"
ZONES = (NEW_YORK, PHOENIX, HONOLULU, "America/Anchorage", "UTC")
NIGHT = QuietHours(time(22), time(7))

# Seven years by the minute, with both clock changes in each year.
moments = st.integers(0, 7 * 365 * 24 * 60).map(
    lambda minutes: datetime(2024, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
)


def utc(text):
    """A time of 2026 in UTC."""
    return datetime.fromisoformat(f"2026-{text}+00:00")


def compute_due(now, *, timing=MailTiming.AT_ONCE, zone=NEW_YORK, last=None, **preferences):
    """When an email is due whose notice is created now."""
    return compute_mail_time(timing, Preferences(**preferences), zone=zone, last=last, now=now)


def test_the_first_email_about_a_referral_is_due_at_once():
    """There is no earlier email about this referral to wait for."""
    assert compute_due(utc("11-02T12:00")) == utc("11-02T12:00")


@pytest.mark.parametrize(
    ("planned", "expected"),
    [
        ("11-02T11:30", "11-02T12:30"),
        ("11-02T11:00", "11-02T12:00"),
        ("11-02T09:00", "11-02T12:00"),
        # No email is sent before it is due: this one is from a rehearsal with a future date.
        ("12-24T09:00", "11-02T12:00"),
    ],
)
def test_the_next_email_comes_an_hour_after_the_last(planned, expected):
    """The hour counts from the time that the last email was planned for."""
    assert compute_due(utc("11-02T12:00"), last=LastMail("mail_1", utc(planned))) == utc(expected)


@pytest.mark.parametrize(
    ("now", "zone", "expected"),
    [
        ("11-03T02:59", NEW_YORK, "11-03T02:59"),
        ("11-03T03:00", NEW_YORK, "11-03T12:00"),
        ("11-03T11:59", NEW_YORK, "11-03T12:00"),
        ("11-03T12:00", NEW_YORK, "11-03T12:00"),
        ("11-03T05:00", PHOENIX, "11-03T14:00"),
        ("11-03T08:00", HONOLULU, "11-03T17:00"),
        # Clocks go forward in the night of March 8 and back in the night of November 1.
        ("03-08T04:00", NEW_YORK, "03-08T11:00"),
        ("11-01T04:00", NEW_YORK, "11-01T12:00"),
    ],
)
def test_quiet_hours_follow_local_time(now, zone, expected):
    """From 10 PM to 7 AM, across midnight and across clock changes."""
    assert compute_due(utc(now), zone=zone, quiet_hours=NIGHT) == utc(expected)


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        # 02:30 does not exist on March 8: it counts as one hour after 01:30.
        ("03-08T06:45", "03-08T07:30"),
        # 01:30 occurs twice on November 1; in the second hour the quiet hours apply again.
        ("11-01T05:10", "11-01T05:30"),
        ("11-01T06:10", "11-01T06:30"),
    ],
)
def test_quiet_hours_can_end_during_a_clock_change(now, expected):
    """The email is never due in the past, and never a day later."""
    ends = time(2, 30) if now.startswith("03") else time(1, 30)

    assert compute_due(utc(now), quiet_hours=QuietHours(time(0), ends)) == utc(expected)


@given(moments, st.sampled_from(ZONES), st.integers(0, 23), st.integers(0, 23))
def test_no_email_is_due_in_quiet_hours(now, zone, begins, ends):
    """For any quiet hours in any zone; and no email waits more than 25 hours for their end."""
    quiet = QuietHours(time(begins, 30), time(ends))

    at = compute_due(now, zone=zone, quiet_hours=quiet)

    assert now <= at <= now + timedelta(hours=25)
    assert not quiet.contains(at.astimezone(ZoneInfo(zone)).time())


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        ("11-02T11:59", "11-02T12:00"),
        ("11-02T12:00", "11-02T12:00"),
        ("11-02T12:01", "11-03T12:00"),
        ("10-31T12:00", "11-01T12:00"),
        ("03-07T13:00", "03-08T11:00"),
    ],
)
def test_the_daily_email_is_due_at_the_next_daily_hour(now, expected):
    """7 AM in New York, before and after a clock change."""
    assert compute_due(utc(now), timing=MailTiming.DAILY) == utc(expected)


@given(moments, st.sampled_from(ZONES), st.integers(0, 23))
def test_the_daily_hour_comes_within_25_hours(now, zone, hour):
    """On the hour, even when clocks change."""
    at = compute_due(now, zone=zone, timing=MailTiming.DAILY, digest_hour=hour)

    assert now <= at <= now + timedelta(hours=25)
    assert (at.minute, at.second) == (0, 0)


def test_a_daily_email_in_quiet_hours_waits_for_their_end():
    """Quiet hours also apply to the daily email."""
    at = compute_due(utc("11-02T06:00"), timing=MailTiming.DAILY, digest_hour=5, quiet_hours=NIGHT)

    assert at == utc("11-02T12:00")


def test_critical_notices_cannot_be_turned_off():
    """Even if the stored preferences turn every category off."""
    preferences = Preferences(timings=dict.fromkeys(Category, MailTiming.NEVER))

    assert preferences.get_timing(Category.CRITICAL) is MailTiming.AT_ONCE
    assert preferences.get_timing(Category.WINDOW) is MailTiming.NEVER


def test_daily_emails_share_one_thread_and_others_have_a_thread_per_referral():
    """Notices are combined into one email by this key."""
    assert get_thread_key(MailTiming.DAILY, "ref_1") == get_thread_key(MailTiming.DAILY, "ref_2")
    assert get_thread_key(MailTiming.AT_ONCE, "ref_1") != get_thread_key(MailTiming.AT_ONCE, "ref_2")


@pytest.mark.parametrize(
    ("planned", "can_join"),
    [("11-02T10:59", False), ("11-02T11:00", True), ("11-04T12:00", True), ("11-04T12:01", False)],
)
def test_a_notice_joins_an_email_only_while_it_can_be_waiting(planned, can_join):
    """Not an email that was due long ago, and not one from a rehearsal with a future date."""
    assert LastMail("mail_1", utc(planned)).can_be_joined(utc("11-02T12:00")) is can_join


@pytest.mark.parametrize(
    ("due_ago", "notice_late", "expected"),
    [(HOUR, None, None), (2 * HOUR, None, 2 * HOUR), (HOUR, 30 * HOUR, 30 * HOUR)],
)
def test_an_email_is_late_since_it_or_its_first_notice_was_due(due_ago, notice_late, expected):
    """An email is not late in the first hour."""
    now = utc("11-02T12:00")
    mail = Mail(
        mail_id="mail_1",
        kind=MailKind.NOTICE,
        member_id="mem_1",
        recipient_subject="sub-1",
        tenant_id="prc_1",
        referral_id="ref_1",
        notice_ids=("ntc_1",),
        due_at=now - due_ago,
        late_since=now - notice_late if notice_late else None,
    )

    assert compute_late_since(mail, now=now) == (now - expected if expected else None)


@pytest.mark.parametrize(
    ("now", "zone", "expected"),
    [
        # The day begins at the center in New York.
        ("11-09T05:00", NEW_YORK, "11-09T12:00"),
        ("11-09T05:00", PHOENIX, "11-09T14:00"),
        ("11-09T05:00", HONOLULU, "11-09T17:00"),
        # The run is late: in the morning, in the evening, and in the night after.
        ("11-09T15:00", NEW_YORK, "11-09T15:00"),
        ("11-10T03:00", NEW_YORK, "11-10T03:00"),
        ("11-10T05:30", NEW_YORK, "11-10T12:00"),
    ],
)
def test_a_notice_about_a_day_is_due_in_the_morning(now, zone, expected):
    """At 7 AM of that day in the recipient's zone; if that is over, at once, but not before 7 AM."""
    at = compute_mail_time(MailTiming.AT_ONCE, Preferences(), zone=zone, last=None, now=utc(now), day=date(2026, 11, 9))

    assert at == utc(expected)


@given(
    moment=moments,
    zone=st.sampled_from(ZONES),
    shift=st.integers(-3, 1),
    quiet=st.booleans(),
    sent_before=st.none() | st.integers(0, 59),
)
def test_an_email_about_a_day_never_comes_at_night(moment, zone, shift, quiet, sent_before):
    """Neither before 7 AM nor in quiet hours, nor before its day, however late the run is, and after another email."""
    last = None if sent_before is None else LastMail("mail_sent", moment - timedelta(minutes=sent_before))
    day = (moment + timedelta(days=shift)).date()
    preferences = Preferences(quiet_hours=NIGHT if quiet else None)

    at = compute_mail_time(MailTiming.AT_ONCE, preferences, zone=zone, last=last, now=moment, day=day)

    local = at.astimezone(ZoneInfo(zone))
    assert at >= moment
    assert local.date() >= day
    assert local.time() >= time(7)
    assert not (quiet and NIGHT.contains(local.time()))


def test_the_next_email_about_a_day_does_not_come_at_night():
    """An email went out at 11:30 PM, so the next one could follow at 12:30 AM. Those after it join it."""
    day, sent, now = date(2026, 11, 9), LastMail("mail_sent", utc("11-10 04:30")), utc("11-10 04:40")
    about_a_day = {"zone": NEW_YORK, "now": now, "day": day}

    due = compute_mail_time(MailTiming.AT_ONCE, Preferences(), last=sent, **about_a_day)
    waiting = LastMail("mail_waiting", due)

    assert due == utc("11-10 12:00")
    assert find_joinable([waiting], MailTiming.AT_ONCE, Preferences(), **about_a_day) == waiting


def test_notices_about_days_have_a_thread_of_their_own():
    """So an event of the night does not wait for the morning."""
    assert get_thread_key(MailTiming.AT_ONCE, "ref_1", day=date(2026, 11, 9)) != get_thread_key(
        MailTiming.AT_ONCE, "ref_1"
    )
    assert get_thread_key(MailTiming.DAILY, "ref_1", day=date(2026, 11, 9)) == get_thread_key(MailTiming.DAILY, "ref_2")
