"""When a mail is due: hours apart, quiet hours, digest hours, and changes of the clock."""

from datetime import UTC, datetime, time, timedelta
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
    get_thread_key,
)
from chalicelib.domain.notices.notice_rules import Category

HOUR = timedelta(hours=1)
NEW_YORK, PHOENIX, HONOLULU = "America/New_York", "America/Phoenix", "Pacific/Honolulu"
ZONES = (NEW_YORK, PHOENIX, HONOLULU, "America/Anchorage", "UTC")
NIGHT = QuietHours(time(22), time(7))

# Seven years by the minute, with both changes of the clock in each.
moments = st.integers(0, 7 * 365 * 24 * 60).map(
    lambda minutes: datetime(2024, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
)


def utc(text):
    """A time in UTC."""
    return datetime.fromisoformat(f"2026-{text}+00:00")


def due(now, *, timing=MailTiming.AT_ONCE, zone=NEW_YORK, last=None, **chosen):
    """When a mail is due that is planned now."""
    return compute_mail_time(timing, Preferences(**chosen), zone=zone, last=last, now=now)


def test_the_first_mail_is_due_at_once():
    """There was none about this referral."""
    assert due(utc("11-02T12:00")) == utc("11-02T12:00")


@pytest.mark.parametrize(
    ("planned", "expected"),
    [
        ("11-02T11:30", "11-02T12:30"),
        ("11-02T11:00", "11-02T12:00"),
        ("11-02T09:00", "11-02T12:00"),
        # Nothing can be sent before it is due: that one was rehearsed.
        ("12-24T09:00", "11-02T12:00"),
    ],
)
def test_the_next_one_comes_an_hour_after_the_last(planned, expected):
    """Counted from when the last one was planned for."""
    assert due(utc("11-02T12:00"), last=LastMail("mail_1", utc(planned))) == utc(expected)


@pytest.mark.parametrize(
    ("now", "zone", "expected"),
    [
        ("11-03T02:59", NEW_YORK, "11-03T02:59"),
        ("11-03T03:00", NEW_YORK, "11-03T12:00"),
        ("11-03T11:59", NEW_YORK, "11-03T12:00"),
        ("11-03T12:00", NEW_YORK, "11-03T12:00"),
        ("11-03T05:00", PHOENIX, "11-03T14:00"),
        ("11-03T08:00", HONOLULU, "11-03T17:00"),
        # Clocks go forward in this night (March 8) and back in that one (November 1).
        ("03-08T04:00", NEW_YORK, "03-08T11:00"),
        ("11-01T04:00", NEW_YORK, "11-01T12:00"),
    ],
)
def test_quiet_hours_end_by_the_clock_on_the_wall(now, zone, expected):
    """From 22:00 to 07:00, across midnight and across changes of the clock."""
    assert due(utc(now), zone=zone, quiet_hours=NIGHT) == utc(expected)


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        # 02:30 does not exist on March 8: it is what comes an hour after 01:30.
        ("03-08T06:45", "03-08T07:30"),
        # 01:30 comes twice on November 1; in the second hour it is quiet once more.
        ("11-01T05:10", "11-01T05:30"),
        ("11-01T06:10", "11-01T06:30"),
    ],
)
def test_quiet_hours_may_end_in_the_hour_of_a_change(now, expected):
    """Never before now, and never a day later."""
    ends = time(2, 30) if now.startswith("03") else time(1, 30)

    assert due(utc(now), quiet_hours=QuietHours(time(0), ends)) == utc(expected)


@given(moments, st.sampled_from(ZONES), st.integers(0, 23), st.integers(0, 23))
def test_no_mail_is_due_in_quiet_hours(now, zone, begins, ends):
    """Whatever they are, wherever; and none waits longer than a day for their end."""
    quiet = QuietHours(time(begins, 30), time(ends))

    at = due(now, zone=zone, quiet_hours=quiet)

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
def test_a_daily_mail_is_due_at_the_next_digest_hour(now, expected):
    """Seven in New York, on both sides of a change of the clock."""
    assert due(utc(now), timing=MailTiming.DAILY) == utc(expected)


@given(moments, st.sampled_from(ZONES), st.integers(0, 23))
def test_the_digest_hour_comes_within_a_day(now, zone, hour):
    """Once in 25 hours even when clocks change, on the hour."""
    at = due(now, zone=zone, timing=MailTiming.DAILY, digest_hour=hour)

    assert now <= at <= now + timedelta(hours=25)
    assert (at.minute, at.second) == (0, 0)


def test_a_digest_hour_in_quiet_hours_waits_for_their_end():
    """Quiet is quiet."""
    early = due(utc("11-02T06:00"), timing=MailTiming.DAILY, digest_hour=5, quiet_hours=NIGHT)

    assert early == utc("11-02T12:00")


def test_what_is_critical_cannot_be_turned_off():
    """Whatever was saved."""
    chosen = Preferences(timings=dict.fromkeys(Category, MailTiming.NEVER))

    assert chosen.get_timing(Category.CRITICAL) is MailTiming.AT_ONCE
    assert chosen.get_timing(Category.WINDOW) is MailTiming.NEVER


def test_mails_of_a_day_are_of_one_thread_and_others_of_their_referral():
    """That is what they are coalesced by."""
    assert get_thread_key(MailTiming.DAILY, "ref_1") == get_thread_key(MailTiming.DAILY, "ref_2")
    assert get_thread_key(MailTiming.AT_ONCE, "ref_1") != get_thread_key(MailTiming.AT_ONCE, "ref_2")


@pytest.mark.parametrize(
    ("planned", "may_wait"),
    [("11-02T10:59", False), ("11-02T11:00", True), ("11-04T12:00", True), ("11-04T12:01", False)],
)
def test_a_mail_is_joined_only_while_it_may_be_there(planned, may_wait):
    """Not one that was due long ago, nor one of a rehearsed month."""
    assert LastMail("mail_1", utc(planned)).can_be_joined(utc("11-02T12:00")) is may_wait


@pytest.mark.parametrize(
    ("due_ago", "notice_late", "expected"),
    [(HOUR, None, None), (2 * HOUR, None, 2 * HOUR), (HOUR, 30 * HOUR, 30 * HOUR)],
)
def test_a_mail_is_late_since_it_or_its_notice_was_due(due_ago, notice_late, expected):
    """An hour is not late yet."""
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
