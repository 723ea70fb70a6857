"""Weekly digests: when, to whom, of what, and once, whatever happens to a run."""

from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from chalicelib.domain.mailing import QuietHours, Timing
from chalicelib.domain.members import Role
from chalicelib.domain.notices import Category, Lane
from chalicelib.services.digests import digest_writes
from chalicelib.services.members import MemberChange, change
from chalicelib.store.outbox import LEASE
from tests.support import faults, shelves
from tests.support.desk import MINUTE, Refusing
from tests.support.factories import CENTER, PRACTICE, a_member
from tests.support.faults import Mode
from tests.support.letters import choose, mails

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
WEEK = 7 * DAY
OURS, THEIRS = a_member(PRACTICE), a_member(CENTER)
OUR_ADMIN = a_member(PRACTICE, role=Role.ADMIN)
OUR_MONDAY = datetime(2026, 11, 9, 13, tzinfo=UTC)
"""Seven in the morning in Chicago; the center in New York has its own an hour before."""


WORKING_HOURS = OUR_MONDAY - WEEK + HOUR
"""When both Mondays' digests are over for a week."""


def begin(desk, *people):
    """Let the digests of members begin, as when they were made members."""
    for member in people:
        desk.stores.ledger.commit(*digest_writes(None, member, stores=desk.stores, now=desk.now))


@pytest.fixture
def clinic(desk):
    """A practice with three referrals before infusion: a draft, a submission, and a question."""
    desk.now = WORKING_HOURS
    begin(desk, OURS, THEIRS)
    desk.refer("ref_draft", key="draft", submit=False, patient__alias="Grey Owl")
    desk.refer("ref_sent", key="sent", patient__alias="Blue Heron")
    desk.refer("ref_asked", key="asked", patient__alias="Red Kite")
    desk.now += MINUTE
    desk.deliver("info_requested", referral_id="ref_asked")
    desk.work_off(Lane.EVENT)
    desk.work_off(Lane.EVENT, now=desk.now + 2 * HOUR)
    desk.postbox.taken.clear()
    return desk


def run(desk, at=OUR_MONDAY):
    """One run of the job, in a function that remembers nothing."""
    return desk.anew().work_off(Lane.DIGEST, now=at)


def titles(desk, member=OURS):
    """The digests that a member was told, newest first."""
    notices, _ = desk.stores.notices.page(member.member_id, limit=100, start=None)
    return [notice.title for notice in notices if notice.category is Category.DIGEST]


def mailed(desk, member=OURS):
    """The digests that a member was mailed."""
    return [m for m, _ in desk.postbox.taken if m.to == member.email and "Your week" in m.subject]


def row_of(member):
    """A member's row."""
    [row] = [row for row in shelves.digests() if row["member_id"] == member.member_id]
    return row


def test_a_practice_reads_how_many_are_on_the_way_and_how_many_wait_for_it(clinic):
    """In the dashboard in words, in the mail by nickname and whose move it is."""
    run(clinic)

    [message] = mailed(clinic)
    assert titles(clinic) == [
        "3 referrals before infusion: 2 need your action, 3 changed in the last week"
    ]
    assert message.subject == "Your week: 3 patients in the CAR T Referral Dashboard"
    assert sorted(line for line in message.text.splitlines() if line.startswith("- ")) == [
        "- Blue Heron: waits for the center, changed this week",
        "- Grey Owl: waits for you, changed this week",
        "- Red Kite: waits for you, changed this week",
    ]
    assert message.unsubscribe


def test_a_center_reads_what_it_has_not_answered(clinic):
    """Neither the draft, which it must not see, nor what waits for the practice."""
    run(clinic)

    [message] = mailed(clinic, THEIRS)
    assert titles(clinic, THEIRS) == [
        "1 referral before infusion waits for your center: 1 changed in the last week"
    ]
    assert "- Blue Heron: waits for you, changed this week\n\n" in message.text
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
    """After the lease the next one takes over. A mail may have gone just before the death."""
    people = [a_member(PRACTICE, n=n) for n in range(50, 90)]
    desk.now = WORKING_HOURS
    desk.refer()
    desk.work_off(Lane.EVENT)
    deaths = 0
    for number, member in enumerate(people, start=1):
        desk.stores.members.add(member)
        begin(desk, member)
        with faults.injected(faults.at(number, Mode.CRASH_AFTER)) as calls, suppress(faults.Crash):
            run(desk)
        deaths += calls.faults
        for n in (1, 2):
            run(desk, OUR_MONDAY + n * LEASE)
        assert len(titles(desk, member)) == 1, number
        assert 1 <= len(mailed(desk, member)) <= 2, number
        assert row_of(member)["due_at"].startswith("2026-11-16T13:00")
        if not calls.faults:
            break

    assert deaths == number - 1 > 10


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
    choose(clinic, OURS, quiet_hours=QuietHours(datetime.min.time(), OUR_MONDAY.time()))
    run(clinic)
    clinic.now = OUR_MONDAY + HOUR
    clinic.deliver("declined", referral_id="ref_sent")

    run(clinic, OUR_MONDAY + 7 * HOUR)

    [message] = mailed(clinic)
    assert message.subject.startswith("Your week: 2 patients")
    assert "Blue Heron" not in message.text


def test_a_mail_with_nobody_left_to_name_is_not_sent(clinic):
    """Its row says why."""
    choose(clinic, THEIRS, quiet_hours=QuietHours(datetime.min.time(), OUR_MONDAY.time()))
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
    assert {line.rpartition(": ")[0] for line in lines[:3]} == {f"- Bird {n}" for n in (20, 21, 22)}
    assert lines[20] == "- and 3 more patients"


def test_who_works_with_no_patients_has_no_digest(desk):
    """An administrator alone sees none."""
    begin(desk, OUR_ADMIN)

    assert shelves.digests() == []


@pytest.mark.parametrize(
    "wanted", [{"active": False}, {"roles": frozenset({Role.ADMIN})}], ids=["shut out", "no care"]
)
def test_digests_end_with_the_work_and_begin_again_with_it(clinic, wanted):
    """In the transactions that change the member; of the weeks between nothing is caught up."""
    back = {"active": True, "roles": OURS.roles}
    change_to(clinic, wanted, version=1)
    run(clinic, OUR_MONDAY + DAY)
    clinic.now = OUR_MONDAY + 2 * DAY
    change_to(clinic, back, version=2)
    run(clinic, OUR_MONDAY + 3 * DAY)
    missed = titles(clinic)

    run(clinic, OUR_MONDAY + WEEK)

    assert missed == []
    assert len(titles(clinic)) == 1
    assert "was due" not in titles(clinic)[0]


def test_a_member_who_is_gone_otherwise_is_told_nothing(clinic):
    """The job looks at the member and not at the row."""
    gone = replace(OURS, active=False, version=2)
    clinic.stores.ledger.commit(clinic.stores.members.saving(gone))

    run(clinic)

    assert titles(clinic) == []
    assert "lane" not in row_of(OURS)


@pytest.mark.parametrize(
    ("at", "chosen", "due"),
    [
        (OUR_MONDAY - DAY, {"digest_hour": 9}, OUR_MONDAY + 2 * HOUR),
        (OUR_MONDAY - DAY, {"time_zone": "Pacific/Honolulu"}, OUR_MONDAY + 4 * HOUR),
        # This week's hour has passed by the new clock, and was ahead by the old one.
        (OUR_MONDAY - HOUR, {"digest_hour": 5}, OUR_MONDAY - 2 * HOUR),
        # It was due when the member chose, and no run had come yet.
        (OUR_MONDAY + MINUTE, {"digest_hour": 6}, OUR_MONDAY - HOUR),
    ],
    ids=["later", "elsewhere", "just past", "overdue"],
)
def test_it_moves_with_its_readers_hours_and_loses_no_week(clinic, at, chosen, due):
    """Set anew in the transaction that saves the preferences."""
    clinic.now = at
    choose(clinic, OURS, **chosen)

    assert row_of(OURS)["due_at"] == f"{due:%Y-%m-%dT%H:%M:%S.%fZ}"


def test_a_later_hour_on_the_same_monday_brings_no_second_one(clinic):
    """The week is done with."""
    run(clinic)
    clinic.now = OUR_MONDAY + MINUTE
    choose(clinic, OURS, digest_hour=10)

    run(clinic, OUR_MONDAY + 4 * HOUR)

    assert len(titles(clinic)) == 1
    assert row_of(OURS)["due_at"].startswith("2026-11-16T16:00")


def test_a_choice_made_while_a_run_tells_brings_no_second_one(clinic):
    """It sets the row anew, so that the run cannot move it; the notice is there all the same."""
    choosing = clinic.anew()
    choosing.now = OUR_MONDAY
    meanwhile = faults.meanwhile(
        "TransactWriteItems", lambda: choose(choosing, OURS, digest_hour=6), number=1
    )
    run(clinic, OUR_MONDAY - HOUR)  # The center's goes first, so that this is ours.

    with faults.injected(meanwhile):
        run(clinic)
    run(clinic, OUR_MONDAY + HOUR)

    assert (len(titles(clinic)), len(mailed(clinic))) == (1, 1)


def test_other_choices_leave_the_row_alone(clinic):
    """Nothing is written for them."""
    before = row_of(OURS)

    choose(clinic, OURS, timings={Category.JOURNEY: Timing.NEVER})

    assert row_of(OURS) == before


def test_who_was_a_member_before_there_were_digests_gets_them_with_the_first_choice(desk):
    """From the next Monday on."""
    desk.now = WORKING_HOURS
    choose(desk, OURS, digest_hour=8)

    assert row_of(OURS)["due_at"].startswith("2026-11-09T14:00")


def change_to(desk, wanted, *, version):
    """Change our member, as the administrator does."""
    return change(
        OURS.member_id,
        MemberChange(**wanted),
        version=version,
        by=OUR_ADMIN,
        stores=desk.stores,
        now=desk.now,
    )
