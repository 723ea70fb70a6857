"""Weekly digests: to whom, of what, and once, whatever happens to a run."""

from contextlib import suppress
from datetime import time
from itertools import count

import pytest

from chalicelib.domain.notices.mail_timing import QuietHours, Timing
from chalicelib.domain.notices.notice_rules import Category, Lane
from chalicelib.store.notices.leases import LEASE
from tests.support import faults
from tests.support.desk import MINUTE, Refusing
from tests.support.digests import (
    DAY,
    HOUR,
    OUR_MONDAY,
    OURS,
    THEIRS,
    WEEK,
    WORKING_HOURS,
    begin,
    mailed,
    open_practice,
    row_of,
    run,
    titles,
)
from tests.support.factories import PRACTICE, a_member
from tests.support.faults import Mode
from tests.support.letters import choose, mails


@pytest.fixture
def clinic(desk):
    """A practice with three referrals before infusion: a draft, a submission, and a question."""
    return open_practice(desk)


def test_a_practice_reads_how_many_are_on_the_way_and_how_many_wait_for_it(clinic):
    """In the dashboard in words; in the mail by nickname, and nothing else."""
    run(clinic)

    [message] = mailed(clinic)
    assert titles(clinic) == [
        "3 referrals before infusion: 2 need your action, 3 changed in the last week"
    ]
    assert message.subject == "Your week: 3 patients in the CAR T Referral Dashboard"
    assert sorted(line for line in message.text.splitlines() if line.startswith("- ")) == [
        "- Blue Heron",
        "- Grey Owl",
        "- Red Kite",
    ]
    assert message.unsubscribe


def test_a_center_reads_what_it_has_not_answered(clinic):
    """Neither the draft, which it must not see, nor what waits for the practice."""
    run(clinic)

    [message] = mailed(clinic, THEIRS)
    assert titles(clinic, THEIRS) == [
        "1 referral before infusion waits for your center: 1 changed in the last week"
    ]
    assert "- Blue Heron\n\n" in message.text
    assert "Grey Owl" not in message.text


def test_it_comes_on_monday_at_the_hour_of_each_members_own_zone(clinic):
    """The center's an hour before the practice's."""
    told = []
    for at in (OUR_MONDAY - HOUR - MINUTE, OUR_MONDAY - HOUR, OUR_MONDAY - MINUTE, OUR_MONDAY):
        run(clinic, at)
        told.append((len(titles(clinic, THEIRS)), len(titles(clinic))))

    assert told == [(0, 0), (1, 0), (1, 0), (1, 1)]


def test_however_often_the_job_runs_there_is_one_a_week(clinic):
    """And another one a week later."""
    for at in (OUR_MONDAY, OUR_MONDAY, OUR_MONDAY + HOUR, OUR_MONDAY + 6 * DAY):
        run(clinic, at)
    once = len(titles(clinic)), len(mailed(clinic))

    run(clinic, OUR_MONDAY + WEEK)

    assert once == (1, 1)
    assert titles(clinic)[0] == (
        "3 referrals before infusion: 2 need your action, none changed in the last week"
    )
    assert len(mailed(clinic)) == 2


def test_weeks_that_were_missed_are_caught_up_once(clinic):
    """It says since when; the Monday after it is as any."""
    run(clinic, OUR_MONDAY + WEEK + 3 * DAY)
    run(clinic, OUR_MONDAY + WEEK + 4 * DAY)
    [late] = titles(clinic)
    [message] = mailed(clinic)

    run(clinic, OUR_MONDAY + 2 * WEEK)

    assert late.endswith(" (was due on 2026-11-09)")
    assert "This mail is late. It was due on November 9, 2026 at 07:00 CST" in message.text
    assert len(titles(clinic)) == 2
    assert "was due" not in titles(clinic)[0]


def test_two_runs_at_once_tell_once(clinic):
    """Both have seen it due."""
    other = clinic.anew()
    between = faults.meanwhile("UpdateItem", lambda: run(other))

    with faults.injected(between):
        run(clinic)

    assert (len(titles(clinic)), len(mailed(clinic))) == (1, 1)


def test_a_run_that_dies_after_any_call_tells_once_in_the_end(desk):
    """After the lease the next one takes over, with one mail, which waits for the evening."""
    desk.now = WORKING_HOURS
    desk.refer()
    desk.work_off(Lane.EVENT)
    for number in count(1):
        member = a_member(PRACTICE, n=number + 50)
        desk.stores.members.add(member)
        choose(desk, member, quiet_hours=QuietHours(time(6), time(18)), digest_hour=8)
        with faults.injected(faults.at(number, Mode.CRASH_AFTER)) as calls, suppress(faults.Crash):
            run(desk, OUR_MONDAY + HOUR)
        run(desk, OUR_MONDAY + HOUR + LEASE)
        assert len(titles(desk, member)) == 1, number
        assert len(mails(member_id=member.member_id)) == 1, number
        assert row_of(member)["due_at"].startswith("2026-11-16T14:00")
        if not calls.faults:
            break

    assert number > 10


def test_who_has_nothing_on_the_way_is_told_nothing(desk):
    """The week is done with all the same: nothing comes on Wednesday."""
    desk.now = WORKING_HOURS
    begin(desk, OURS)
    run(desk)
    desk.now = OUR_MONDAY + DAY
    desk.refer()

    run(desk, desk.now + DAY)

    assert titles(desk) == []
    assert row_of(OURS)["due_at"].startswith("2026-11-16T13:00")


def test_what_has_ended_is_on_no_digest(clinic):
    """The practice was told of the end when it came."""
    clinic.deliver("declined", referral_id="ref_sent")

    run(clinic)

    assert titles(clinic)[0].startswith("2 referrals before infusion: ")
    assert titles(clinic, THEIRS) == []


def test_a_mail_names_whom_its_reader_may_see_when_it_is_sent(clinic):
    """Planned before quiet hours end; meanwhile one patient was declined and one moved on."""
    choose(clinic, OURS, quiet_hours=QuietHours(time(0), time(13)))
    run(clinic)
    clinic.now = OUR_MONDAY + HOUR
    clinic.deliver("declined", referral_id="ref_sent")

    run(clinic, OUR_MONDAY + 7 * HOUR)

    [message] = mailed(clinic)
    assert message.subject.startswith("Your week: 2 patients")
    assert "Blue Heron" not in message.text


def test_a_mail_with_nobody_left_to_name_is_not_sent(clinic):
    """Its row says why."""
    choose(clinic, THEIRS, quiet_hours=QuietHours(time(0), time(13)))
    run(clinic)
    clinic.now = OUR_MONDAY
    clinic.deliver("declined", referral_id="ref_sent")

    run(clinic, OUR_MONDAY + 7 * HOUR)

    assert mailed(clinic, THEIRS) == []
    assert [row["why"] for row in mails(member_id=THEIRS.member_id, kind="digest")] == [
        "not_visible"
    ]


@pytest.mark.parametrize(
    ("timing", "count"), [(Timing.AT_ONCE, 1), (Timing.DAILY, 1), (Timing.NEVER, 0)]
)
def test_its_mail_can_be_turned_off_and_it_stays_in_the_dashboard(clinic, timing, count):
    """It is weekly in any case."""
    choose(clinic, OURS, timings={Category.DIGEST: timing})

    run(clinic)

    assert (len(titles(clinic)), len(mailed(clinic))) == (1, count)


def test_a_digest_goes_by_itself_after_an_outage(clinic):
    """What is gathered is told in numbers; the digest has words of its own."""
    clinic.postbox = Refusing(error=ConnectionError(), refused="@")
    for n in range(5):
        clinic.refer(f"ref_{n}", key=f"key-{n}", patient__alias=f"Bird {n}")
    clinic.now = OUR_MONDAY
    run(clinic)
    clinic.work_off(Lane.EVENT, now=OUR_MONDAY)
    clinic.postbox.refused = ""

    clinic.work_off(Lane.EVENT, now=OUR_MONDAY + HOUR)

    subjects = sorted(m.subject for m, _ in clinic.postbox.taken if m.to == THEIRS.email)
    assert [subject.partition(" in ")[0] for subject in subjects] == [
        "5 new notices about 5 patients",
        "Your week: 6 patients",
    ]


def test_a_long_list_names_twenty_and_counts_the_others(desk):
    """Those that wait for the reader first."""
    desk.now = WORKING_HOURS
    begin(desk, OURS)
    for n in range(23):
        desk.refer(f"ref_{n}", key=f"key-{n}", submit=n < 20, patient__alias=f"Bird {n}")

    run(desk)

    [message] = mailed(desk)
    lines = [line for line in message.text.splitlines() if line.startswith("- ")]
    assert message.subject.startswith("Your week: 23 patients")
    assert len(lines) == 21
    assert set(lines[:3]) == {f"- Bird {n}" for n in (20, 21, 22)}
    assert lines[20] == "- and 3 more patients"
