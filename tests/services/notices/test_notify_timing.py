"""When an email is sent: at once, after an hour, at the daily hour, or after quiet hours."""

from datetime import time, timedelta

from chalicelib.domain.notices.mail_timing import MailTiming, QuietHours
from chalicelib.domain.notices.notice_rules import Category
from chalicelib.domain.notices.tasks import TaskQueue
from tests.support.factories import PRACTICE, build_member
from tests.support.mail_helpers import CENTER_MEMBER, list_mail_rows, list_subjects, set_preferences
from tests.support.service_driver import MINUTE, STAGES_TO_LYMPHODEPLETION

HOUR = timedelta(hours=1)


def test_notices_within_one_hour_are_one_email_at_its_end(services):
    """The first notice is emailed at once. The next two wait together, and each is in the dashboard."""
    services.refer()
    services.move_to("accepted", "consult_scheduled", "consult_completed", "center_proceed")
    sent = [services.run_queue(TaskQueue.EVENT)["mails"] for _ in range(2)]
    services.now += MINUTE
    services.move_to("apheresis_scheduled", "apheresis_completed")
    sent += [services.run_queue(TaskQueue.EVENT)["mails"]]
    before_the_hour = services.run_queue(TaskQueue.PLAN, now=services.now + 50 * MINUTE)["mails"]
    services.postbox.accepted.clear()

    after = services.run_queue(TaskQueue.PLAN, now=services.now + HOUR)

    practice = build_member(PRACTICE)
    assert (sent, before_the_hour, after["mails"]) == ([2, 0, 0], 0, 1)
    assert services.postbox.list_recipients == [practice.email]
    assert services.stores.notices.count_unread(practice.member_id) == 4


def test_each_referral_has_its_own_hour(services):
    """A notice about another referral is emailed at once."""
    services.refer("ref_1", key="key-1")
    first = services.run_queue(TaskQueue.EVENT)["mails"]
    services.refer("ref_2", key="key-2")

    assert (first, services.run_queue(TaskQueue.EVENT)["mails"]) == (1, 1)


def test_a_run_for_a_future_day_does_not_delay_emails_of_today(services):
    """Someone ran the job for next month. A notice of today is still emailed today."""
    services.refer()
    services.move_to(*STAGES_TO_LYMPHODEPLETION, "infused")
    services.run_queue(TaskQueue.EVENT)
    services.run_queue(TaskQueue.PLAN, now=services.now + timedelta(days=30))
    services.postbox.accepted.clear()
    services.now += 2 * HOUR

    services.deliver("deceased")
    counts = services.run_queue(TaskQueue.EVENT)

    assert counts["mails"] == 2


def test_a_critical_notice_is_emailed_at_once(services):
    """It does not wait for the hour or for the end of quiet hours, and no preference turns it off."""
    practice = build_member(PRACTICE)
    never = dict.fromkeys(Category, MailTiming.NEVER)
    always = QuietHours(time(0), time(23, 59))
    set_preferences(services, practice, timings=never, quiet_hours=always, time_zone="UTC")
    services.refer()
    services.move_to(*STAGES_TO_LYMPHODEPLETION[:7])
    quiet = services.run_queue(TaskQueue.EVENT)["mails"]
    services.postbox.accepted.clear()

    services.move_to("out_of_specification")
    services.run_queue(TaskQueue.EVENT)

    assert quiet == 1, "the submission, to the center"
    assert list_subjects(services) == ["Blue Heron: critical notice in the CAR T Referral Dashboard"]
    assert services.postbox.accepted[0][0].unsubscribe == ""


def test_quiet_hours_use_the_time_zone_of_the_recipient(services):
    """It is noon in UTC and 7 AM in Chicago, so no email is sent before 8 AM there."""
    set_preferences(services, quiet_hours=QuietHours(time(22), time(13)), time_zone="America/Chicago")
    services.refer()

    at_once = services.run_queue(TaskQueue.EVENT)["mails"]
    [waiting] = list_mail_rows()

    assert at_once == 0
    assert waiting["planned_for"] == "2026-11-02T19:00:00.000000Z"
    assert services.stores.notices.count_unread(CENTER_MEMBER.member_id) == 1


def test_a_daily_email_has_the_notices_of_all_referrals(services):
    """It is sent at the daily hour and has only counts."""
    set_preferences(services, timings={Category.STATUS_UPDATE: MailTiming.DAILY}, digest_hour=16, time_zone="UTC")
    for n in range(3):
        services.refer(f"ref_{n}", key=f"key-{n}")
        services.run_queue(TaskQueue.EVENT)

    early = services.run_queue(TaskQueue.EVENT, now=services.now.replace(hour=15, minute=59))["mails"]
    services.run_queue(TaskQueue.EVENT, now=services.now.replace(hour=16, minute=0, second=0))

    assert early == 0
    assert list_subjects(services) == ["3 new notices about 3 patients in the CAR T Referral Dashboard"]


def test_a_category_that_is_turned_off_is_only_in_the_dashboard(services):
    """No email is planned for it."""
    set_preferences(services, timings={Category.STATUS_UPDATE: MailTiming.NEVER})
    services.refer()

    assert services.run_queue(TaskQueue.EVENT)["mails"] == 0
    assert list_mail_rows() == []
    assert services.stores.notices.count_unread(CENTER_MEMBER.member_id) == 1


def test_an_email_without_a_critical_notice_has_an_unsubscribe_link(services):
    """In the header, which mail programs show as a button, and in the text."""
    services.refer()
    services.run_queue(TaskQueue.EVENT)

    [(message, _)] = services.postbox.accepted
    assert message.unsubscribe.startswith("https://dashboard.example/v1/unsubscribe/")
    assert message.unsubscribe in message.text
