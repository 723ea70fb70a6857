"""Weekly digests: recipients and content, once a week whatever happens to a run."""

from contextlib import suppress
from datetime import time
from itertools import count

import pytest

from chalicelib.domain.notices.mail_timing import MailTiming, QuietHours
from chalicelib.domain.notices.notice_rules import Category
from chalicelib.domain.notices.tasks import TaskQueue
from chalicelib.store.notices.leases import LEASE_DURATION
from tests.support import faults
from tests.support.digests import (
    CENTER_MEMBER,
    DAY,
    HOUR,
    PRACTICE_MEMBER,
    PRACTICE_MONDAY,
    WEEK,
    WORKING_HOURS,
    create_practice_referrals,
    get_digest_row,
    list_digest_mails,
    list_digest_titles,
    run_digest_job,
    start_digests,
)
from tests.support.factories import PRACTICE, build_member
from tests.support.faults import FaultMode
from tests.support.mail_helpers import list_mail_rows, set_preferences
from tests.support.service_driver import MINUTE, FailingMailer


@pytest.fixture
def clinic(services):
    """A practice with three referrals before infusion: a draft, a submission, and a question."""
    return create_practice_referrals(services)


def test_the_digest_of_a_practice_counts_its_open_referrals(clinic):
    """The dashboard has the counts in words. The email has only aliases."""
    run_digest_job(clinic)

    [message] = list_digest_mails(clinic)
    assert list_digest_titles(clinic) == [
        "3 referrals before infusion: 2 need your action, 3 updated in the last 7 days"
    ]
    assert message.subject == "Weekly summary: 3 patients in the CAR T Referral Dashboard"
    assert sorted(line for line in message.text.splitlines() if line.startswith("- ")) == [
        "- Blue Heron",
        "- Grey Owl",
        "- Red Kite",
    ]
    assert message.unsubscribe


def test_the_digest_of_a_center_lists_what_waits_for_the_center(clinic):
    """Not the draft, which it must not see, and not what waits for the practice."""
    run_digest_job(clinic)

    [message] = list_digest_mails(clinic, CENTER_MEMBER)
    assert list_digest_titles(clinic, CENTER_MEMBER) == [
        "1 referral before infusion waiting for your center; 1 updated in the last 7 days"
    ]
    assert "- Blue Heron\n\n" in message.text
    assert "Grey Owl" not in message.text


def test_a_digest_is_sent_on_monday_in_the_time_zone_of_each_member(clinic):
    """To the center one hour before the practice."""
    sent = []
    for at in (PRACTICE_MONDAY - HOUR - MINUTE, PRACTICE_MONDAY - HOUR, PRACTICE_MONDAY - MINUTE, PRACTICE_MONDAY):
        run_digest_job(clinic, at)
        sent.append((len(list_digest_titles(clinic, CENTER_MEMBER)), len(list_digest_titles(clinic))))

    assert sent == [(0, 0), (1, 0), (1, 0), (1, 1)]


def test_there_is_one_digest_a_week_however_often_the_job_runs(clinic):
    """And another one a week later."""
    for at in (PRACTICE_MONDAY, PRACTICE_MONDAY, PRACTICE_MONDAY + HOUR, PRACTICE_MONDAY + 6 * DAY):
        run_digest_job(clinic, at)
    first_week = len(list_digest_titles(clinic)), len(list_digest_mails(clinic))

    run_digest_job(clinic, PRACTICE_MONDAY + WEEK)

    assert first_week == (1, 1)
    assert list_digest_titles(clinic)[0] == (
        "3 referrals before infusion: 2 need your action, none updated in the last 7 days"
    )
    assert len(list_digest_mails(clinic)) == 2


def test_missed_weeks_are_one_late_digest(clinic):
    """It has the date on which it was due. The next Monday is normal again."""
    run_digest_job(clinic, PRACTICE_MONDAY + WEEK + 3 * DAY)
    run_digest_job(clinic, PRACTICE_MONDAY + WEEK + 4 * DAY)
    [late] = list_digest_titles(clinic)
    [message] = list_digest_mails(clinic)

    run_digest_job(clinic, PRACTICE_MONDAY + 2 * WEEK)

    assert late.endswith(" (was due November 9, 2026)")
    assert "This email is late. It was due November 9, 2026 at 7:00 AM CST" in message.text
    assert len(list_digest_titles(clinic)) == 2
    assert "was due" not in list_digest_titles(clinic)[0]


def test_two_runs_at_once_send_one_digest(clinic):
    """Both runs read the row as due."""
    other = clinic.restart()
    between = faults.plan_interruption("UpdateItem", lambda: run_digest_job(other))

    with faults.inject_faults(between):
        run_digest_job(clinic)

    assert (len(list_digest_titles(clinic)), len(list_digest_mails(clinic))) == (1, 1)


def test_a_crash_after_any_call_sends_one_digest(services):
    """After the lease the next run takes over. The one email waits for the evening because of quiet hours."""
    services.now = WORKING_HOURS
    services.refer()
    services.run_queue(TaskQueue.EVENT)
    for number in count(1):
        member = build_member(PRACTICE, n=number + 50)
        services.stores.members.add(member)
        set_preferences(services, member, quiet_hours=QuietHours(time(6), time(18)), digest_hour=8)
        with (
            faults.inject_faults(faults.plan_fault_at(number, FaultMode.CRASH_AFTER)) as calls,
            suppress(faults.SimulatedCrash),
        ):
            run_digest_job(services, PRACTICE_MONDAY + HOUR)
        run_digest_job(services, PRACTICE_MONDAY + HOUR + LEASE_DURATION)
        assert len(list_digest_titles(services, member)) == 1, number
        assert len(list_mail_rows(member_id=member.member_id)) == 1, number
        assert get_digest_row(member)["due_at"].startswith("2026-11-16T14:00")
        if not calls.count_faults:
            break

    assert number > 10


def test_a_member_without_open_referrals_gets_no_digest(services):
    """The week is done, so nothing is sent on Wednesday either."""
    services.now = WORKING_HOURS
    start_digests(services, PRACTICE_MEMBER)
    run_digest_job(services)
    services.now = PRACTICE_MONDAY + DAY
    services.refer()

    run_digest_job(services, services.now + DAY)

    assert list_digest_titles(services) == []
    assert get_digest_row(PRACTICE_MEMBER)["due_at"].startswith("2026-11-16T13:00")


def test_a_referral_that_has_ended_is_not_in_the_digest(clinic):
    """The practice was notified when it ended."""
    clinic.deliver("declined", referral_id="ref_sent")

    run_digest_job(clinic)

    assert list_digest_titles(clinic)[0].startswith("2 referrals before infusion: ")
    assert list_digest_titles(clinic, CENTER_MEMBER) == []


def test_a_digest_email_lists_only_patients_that_are_visible_when_it_is_sent(clinic):
    """It was planned before quiet hours ended. In that time one patient was declined."""
    set_preferences(clinic, PRACTICE_MEMBER, quiet_hours=QuietHours(time(0), time(13)))
    run_digest_job(clinic)
    clinic.now = PRACTICE_MONDAY + HOUR
    clinic.deliver("declined", referral_id="ref_sent")

    run_digest_job(clinic, PRACTICE_MONDAY + 7 * HOUR)

    [message] = list_digest_mails(clinic)
    assert message.subject.startswith("Weekly summary: 2 patients")
    assert "Blue Heron" not in message.text


def test_a_digest_email_without_any_patient_is_skipped(clinic):
    """Its row has the reason."""
    set_preferences(clinic, CENTER_MEMBER, quiet_hours=QuietHours(time(0), time(13)))
    run_digest_job(clinic)
    clinic.now = PRACTICE_MONDAY
    clinic.deliver("declined", referral_id="ref_sent")

    run_digest_job(clinic, PRACTICE_MONDAY + 7 * HOUR)

    assert list_digest_mails(clinic, CENTER_MEMBER) == []
    assert [row["why"] for row in list_mail_rows(member_id=CENTER_MEMBER.member_id, kind="digest")] == ["not_visible"]


@pytest.mark.parametrize(("timing", "count"), [(MailTiming.AT_ONCE, 1), (MailTiming.DAILY, 1), (MailTiming.NEVER, 0)])
def test_the_digest_email_can_be_turned_off_and_the_notice_stays(clinic, timing, count):
    """It is weekly with every timing."""
    set_preferences(clinic, PRACTICE_MEMBER, timings={Category.DIGEST: timing})

    run_digest_job(clinic)

    assert (len(list_digest_titles(clinic)), len(list_digest_mails(clinic))) == (1, count)


def test_a_digest_email_is_not_merged_after_an_outage(clinic):
    """A merged email has only counts, but the digest has its own text."""
    clinic.postbox = FailingMailer(error=ConnectionError(), refused="@")
    for n in range(5):
        clinic.refer(f"ref_{n}", key=f"key-{n}", patient__alias=f"Bird {n}")
    clinic.now = PRACTICE_MONDAY
    run_digest_job(clinic)
    clinic.run_queue(TaskQueue.EVENT, now=PRACTICE_MONDAY)
    clinic.postbox.refused = ""

    clinic.run_queue(TaskQueue.EVENT, now=PRACTICE_MONDAY + HOUR)

    subjects = sorted(m.subject for m, _ in clinic.postbox.accepted if m.to == CENTER_MEMBER.email)
    assert [subject.partition(" in ")[0] for subject in subjects] == [
        "5 new notices about 5 patients",
        "Weekly summary: 6 patients",
    ]


def test_a_long_digest_lists_20_patients_and_counts_the_others(services):
    """Patients that wait for the reader come first."""
    services.now = WORKING_HOURS
    start_digests(services, PRACTICE_MEMBER)
    for n in range(23):
        services.refer(f"ref_{n}", key=f"key-{n}", submit=n < 20, patient__alias=f"Bird {n}")

    run_digest_job(services)

    [message] = list_digest_mails(services)
    lines = [line for line in message.text.splitlines() if line.startswith("- ")]
    assert message.subject.startswith("Weekly summary: 23 patients")
    assert len(lines) == 21
    assert set(lines[:3]) == {f"- Bird {n}" for n in (20, 21, 22)}
    assert lines[20] == "- and 3 more patients"
