"""When a mail comes: at once, after the hour, at the digest hour, after quiet hours."""

from datetime import time, timedelta

from chalicelib.domain.notices.mail_timing import QuietHours, Timing
from chalicelib.domain.notices.notice_rules import Category, Lane
from tests.support.desk import MINUTE, TO_CONDITIONED
from tests.support.factories import PRACTICE, a_member
from tests.support.letters import MINE, choose, mails, subjects

HOUR = timedelta(hours=1)


def test_what_follows_within_the_hour_is_one_mail_when_it_is_over(desk):
    """The first goes at once; the two after it wait together, and each is in the dashboard."""
    desk.refer()
    desk.move_to("accepted", "consult_scheduled", "consult_completed", "center_proceed")
    told = [desk.work_off(Lane.EVENT)["mails"] for _ in range(2)]
    desk.now += MINUTE
    desk.move_to("apheresis_scheduled", "apheresis_completed")
    told += [desk.work_off(Lane.EVENT)["mails"]]
    before_the_hour = desk.work_off(Lane.PLAN, now=desk.now + 50 * MINUTE)["mails"]
    desk.postbox.taken.clear()

    after = desk.work_off(Lane.PLAN, now=desk.now + HOUR)

    practice = a_member(PRACTICE)
    assert (told, before_the_hour, after["mails"]) == ([2, 0, 0], 0, 1)
    assert desk.postbox.addressees == [practice.email]
    assert desk.stores.notices.unread(practice.member_id) == 4


def test_two_referrals_do_not_wait_for_each_other(desk):
    """The hour is that of one referral."""
    desk.refer("ref_1", key="key-1")
    first = desk.work_off(Lane.EVENT)["mails"]
    desk.refer("ref_2", key="key-2")

    assert (first, desk.work_off(Lane.EVENT)["mails"]) == (1, 1)


def test_a_rehearsed_day_holds_back_nothing_of_today(desk):
    """Somebody ran the job as of next month; what happens now is mailed now."""
    desk.refer()
    desk.move_to(*TO_CONDITIONED, "infused")
    desk.work_off(Lane.EVENT)
    desk.work_off(Lane.PLAN, now=desk.now + timedelta(days=30))
    desk.postbox.taken.clear()
    desk.now += 2 * HOUR

    desk.deliver("deceased")
    counts = desk.work_off(Lane.EVENT)

    assert counts["mails"] == 2


def test_what_is_critical_waits_for_nothing(desk):
    """Neither for the hour, nor for the end of quiet hours, and no choice turns it off."""
    practice = a_member(PRACTICE)
    never = dict.fromkeys(Category, Timing.NEVER)
    always = QuietHours(time(0), time(23, 59))
    choose(desk, practice, timings=never, quiet_hours=always, time_zone="UTC")
    desk.refer()
    desk.move_to(*TO_CONDITIONED[:7])
    quiet = desk.work_off(Lane.EVENT)["mails"]
    desk.postbox.taken.clear()

    desk.move_to("out_of_specification")
    desk.work_off(Lane.EVENT)

    assert quiet == 1, "to the center, of the submission"
    assert subjects(desk) == [
        "Blue Heron: please read a notice now, in the CAR T Referral Dashboard"
    ]
    assert desk.postbox.taken[0][0].unsubscribe == ""


def test_quiet_hours_are_kept_by_the_readers_clock(desk):
    """It is noon in UTC and seven in Chicago: no mail before eight."""
    choose(desk, quiet_hours=QuietHours(time(22), time(13)), time_zone="America/Chicago")
    desk.refer()

    at_once = desk.work_off(Lane.EVENT)["mails"]
    [waiting] = mails()

    assert at_once == 0
    assert waiting["planned_for"] == "2026-11-02T19:00:00.000000Z"
    assert desk.stores.notices.unread(MINE.member_id) == 1


def test_a_day_is_one_mail_at_the_digest_hour(desk):
    """Of all referrals together, by counts alone."""
    choose(desk, timings={Category.JOURNEY: Timing.DAILY}, digest_hour=16, time_zone="UTC")
    for n in range(3):
        desk.refer(f"ref_{n}", key=f"key-{n}")
        desk.work_off(Lane.EVENT)

    early = desk.work_off(Lane.EVENT, now=desk.now.replace(hour=15, minute=59))["mails"]
    desk.work_off(Lane.EVENT, now=desk.now.replace(hour=16, minute=0, second=0))

    assert early == 0
    assert subjects(desk) == ["3 new notices about 3 patients in the CAR T Referral Dashboard"]


def test_what_was_turned_off_is_in_the_dashboard_alone(desk):
    """No mail is planned for it."""
    choose(desk, timings={Category.JOURNEY: Timing.NEVER})
    desk.refer()

    assert desk.work_off(Lane.EVENT)["mails"] == 0
    assert mails() == []
    assert desk.stores.notices.unread(MINE.member_id) == 1


def test_a_mail_may_be_left_unless_something_in_it_is_critical(desk):
    """By the header that mail programs show as a button, and by a link."""
    desk.refer()
    desk.work_off(Lane.EVENT)

    [(message, _)] = desk.postbox.taken
    assert message.unsubscribe.startswith("https://dashboard.example/v1/unsubscribe/")
    assert message.unsubscribe in message.text
