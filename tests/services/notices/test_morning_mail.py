"""Notices about a day: in the dashboard when the day begins, emailed in the reader's morning."""

from datetime import time, timedelta

import pytest

from chalicelib.domain.notices.mail_timing import MailTiming, QuietHours
from chalicelib.domain.notices.notice_rules import Category
from chalicelib.domain.notices.tasks import TaskQueue
from tests.support.factories import NOON, PRACTICE, build_member
from tests.support.mail_helpers import list_mail_rows, set_preferences
from tests.support.new_worlds import open_services_after
from tests.support.service_driver import MINUTE, STAGES_TO_LYMPHODEPLETION

HOUR = timedelta(hours=1)
DAY_7 = NOON.replace(month=11, day=9, hour=5)
"""When day 7 begins at the center in New York: 11 PM of the day before at the practice in Chicago."""
READER = build_member(PRACTICE)


def move_to_infusion(services):
    """Submit a referral, move it to its infusion, and send the emails so far."""
    services.refer()
    services.move_to(*STAGES_TO_LYMPHODEPLETION, "infused")
    for hours in (0, 1, 40):
        services.run_queue(TaskQueue.EVENT, now=services.now + hours * HOUR)
        services.run_queue(TaskQueue.PLAN, now=services.now + hours * HOUR)
    services.postbox.accepted.clear()
    return services


@pytest.fixture
def infused_services(stores):
    """A referral after its infusion, whose emails so far were sent."""
    return open_services_after(move_to_infusion, stores)


def list_times(tenant=PRACTICE):
    """When the emails of a coordinator that were planned from day 7 on are due, as UTC."""
    member_id = build_member(tenant).member_id
    rows = [row for row in list_mail_rows() if row["member_id"] == member_id]
    return sorted(row["planned_for"][5:16] for row in rows if row["planned_for"] >= "2026-11-09")


@pytest.mark.parametrize(
    ("zone", "due"),
    [
        ("America/Chicago", "11-09T13:00"),
        ("America/New_York", "11-09T12:00"),
        ("America/Los_Angeles", "11-09T15:00"),
        ("Pacific/Honolulu", "11-09T17:00"),
        # In Guam it is 3 PM already when the day begins at the center.
        ("Pacific/Guam", "11-09T05:00"),
    ],
)
def test_the_email_comes_at_seven_in_the_readers_time_zone(infused_services, zone, due):
    """On that day in the reader's calendar, wherever the reader is."""
    set_preferences(infused_services, READER, time_zone=zone)

    infused_services.run_queue(TaskQueue.PLAN, now=DAY_7)

    assert list_times() == [due]


def test_the_notice_is_in_the_dashboard_when_the_day_begins(infused_services):
    """A person who works at night sees it."""
    before = infused_services.stores.notices.count_unread(READER.member_id)

    infused_services.run_queue(TaskQueue.PLAN, now=DAY_7)

    assert infused_services.stores.notices.count_unread(READER.member_id) == before + 1


def test_quiet_hours_go_on_after_seven(infused_services):
    """The email waits for their end."""
    set_preferences(infused_services, READER, quiet_hours=QuietHours(time(20), time(9, 30)))

    infused_services.run_queue(TaskQueue.PLAN, now=DAY_7)

    assert list_times() == ["11-09T15:30"]


def test_a_daily_email_keeps_its_hour(infused_services):
    """The member chose it."""
    set_preferences(infused_services, READER, timings={Category.WINDOW: MailTiming.DAILY}, digest_hour=5)

    infused_services.run_queue(TaskQueue.PLAN, now=DAY_7)

    assert list_times() == ["11-09T11:00"]


def test_a_run_that_is_late_sends_at_once_by_day_and_waits_at_night(infused_services):
    """It was to run at the beginning of the day, and runs at noon, or in the following night."""
    infused_services.run_queue(TaskQueue.PLAN, now=DAY_7.replace(hour=18))
    by_day = list_times()
    infused_services.run_queue(TaskQueue.PLAN, now=DAY_7.replace(day=17, hour=9))

    assert by_day == ["11-09T18:00"]
    assert list_times() == ["11-09T18:00", "11-17T13:00"]


def report_return(driver, at):
    """Report that the summary is ready, of which the practice is notified at once."""
    driver.now = at
    driver.deliver("window_complete")
    driver.deliver("handback_ready", at=at + MINUTE)
    driver.run_queue(TaskQueue.EVENT, now=at + MINUTE)


def test_an_event_of_the_night_is_emailed_at_once(infused_services):
    """It does not wait in the email of the morning, which comes all the same with its own notice."""
    infused_services.run_queue(TaskQueue.PLAN, now=DAY_7)

    report_return(infused_services, DAY_7 + 3 * HOUR)

    assert list_times() == ["11-09T08:01", "11-09T13:00"]


def test_an_event_shortly_before_the_morning_joins_its_email(infused_services):
    """One email an hour about one referral."""
    infused_services.run_queue(TaskQueue.PLAN, now=DAY_7)

    report_return(infused_services, DAY_7 + 7 * HOUR + 30 * MINUTE)

    assert list_times() == ["11-09T13:00"]
    [mail] = [row for row in list_mail_rows() if row["planned_for"].startswith("2026-11-09T13")]
    assert len(mail["notice_ids"]) == 2


def test_the_morning_keeps_the_gap_to_the_last_email(infused_services):
    """An email half an hour before it moves it by half an hour."""
    report_return(infused_services, DAY_7 + 7 * HOUR + 29 * MINUTE)

    infused_services.run_queue(TaskQueue.PLAN, now=DAY_7 + 7 * HOUR + 40 * MINUTE)

    assert list_times() == ["11-09T12:30", "11-09T13:30"]


def test_an_overdue_alert_comes_in_the_morning_too(services):
    """A status becomes overdue when a day begins at the center."""
    services.refer()
    services.run_queue(TaskQueue.EVENT)

    services.run_queue(TaskQueue.OVERDUE, now=NOON.replace(month=11, day=4, hour=5))

    assert [row["planned_for"][5:16] for row in list_mail_rows()][-1] == "11-04T12:00"
