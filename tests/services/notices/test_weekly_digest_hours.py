"""When digests start, move with the hours of their reader, and end."""

from dataclasses import replace

import pytest

from chalicelib.domain.identity.members import Role
from chalicelib.domain.notices.mail_timing import MailTiming
from chalicelib.domain.notices.notice_rules import Category
from chalicelib.services.identity.members import MemberChange, change_member
from tests.support import faults
from tests.support.digests import (
    DAY,
    HOUR,
    PRACTICE_ADMIN,
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
from tests.support.mail_helpers import set_preferences
from tests.support.service_driver import MINUTE
from tests.support.stores import list_digest_rows


@pytest.fixture
def clinic(services):
    """A practice with three referrals before infusion: a draft, a submission, and a question."""
    return create_practice_referrals(services)


def change_practice_member(driver, changes, *, version):
    """Change the member of the practice, as the administrator does."""
    return change_member(
        PRACTICE_MEMBER.member_id,
        MemberChange(**changes),
        version=version,
        by=PRACTICE_ADMIN,
        context=driver.context,
    )


def test_a_member_without_access_to_patients_has_no_digest(services):
    """For example an administrator without a clinical role."""
    start_digests(services, PRACTICE_ADMIN)

    assert list_digest_rows() == []


@pytest.mark.parametrize(
    "changes", [{"active": False}, {"roles": frozenset({Role.ADMIN})}], ids=["disabled", "no access to patients"]
)
def test_digests_end_and_start_with_access_to_patients(clinic, changes):
    """In the transactions that change the member. The weeks in between are not sent."""
    restored = {"active": True, "roles": PRACTICE_MEMBER.roles}
    change_practice_member(clinic, changes, version=1)
    run_digest_job(clinic, PRACTICE_MONDAY + DAY)
    clinic.now = PRACTICE_MONDAY + 2 * DAY
    change_practice_member(clinic, restored, version=2)
    run_digest_job(clinic, PRACTICE_MONDAY + 3 * DAY)
    missed = list_digest_titles(clinic)

    run_digest_job(clinic, PRACTICE_MONDAY + WEEK)

    assert missed == []
    assert len(list_digest_titles(clinic)) == 1
    assert "was due" not in list_digest_titles(clinic)[0]


def test_a_disabled_member_gets_no_digest_although_the_row_is_due(clinic):
    """The job checks the member, not only the row."""
    disabled = replace(PRACTICE_MEMBER, active=False, version=2)
    clinic.stores.transactions.commit(clinic.stores.members.prepare_save(disabled))

    run_digest_job(clinic)

    assert list_digest_titles(clinic) == []
    assert "lane" not in get_digest_row(PRACTICE_MEMBER)


@pytest.mark.parametrize(
    ("at", "chosen", "due"),
    [
        (PRACTICE_MONDAY - DAY, {"digest_hour": 9}, PRACTICE_MONDAY + 2 * HOUR),
        (PRACTICE_MONDAY - DAY, {"time_zone": "Pacific/Honolulu"}, PRACTICE_MONDAY + 4 * HOUR),
        # This week's hour has passed with the new hour, and had not with the old one.
        (PRACTICE_MONDAY - HOUR, {"digest_hour": 5}, PRACTICE_MONDAY - 2 * HOUR),
        # It was due when the member chose, but no run had started yet.
        (PRACTICE_MONDAY + MINUTE, {"digest_hour": 6}, PRACTICE_MONDAY - HOUR),
    ],
    ids=["later hour", "other zone", "just passed", "already due"],
)
def test_a_digest_moves_with_the_hours_of_its_reader_and_no_week_is_lost(clinic, at, chosen, due):
    """It is scheduled again in the transaction that saves the preferences."""
    clinic.now = at
    set_preferences(clinic, PRACTICE_MEMBER, **chosen)

    assert get_digest_row(PRACTICE_MEMBER)["due_at"] == f"{due:%Y-%m-%dT%H:%M:%S.%fZ}"


def test_a_later_hour_on_the_same_monday_sends_no_second_digest(clinic):
    """The week is done."""
    run_digest_job(clinic)
    clinic.now = PRACTICE_MONDAY + MINUTE
    set_preferences(clinic, PRACTICE_MEMBER, digest_hour=10)

    run_digest_job(clinic, PRACTICE_MONDAY + 4 * HOUR)

    assert len(list_digest_titles(clinic)) == 1
    assert get_digest_row(PRACTICE_MEMBER)["due_at"].startswith("2026-11-16T16:00")


def test_a_choice_during_a_run_sends_no_second_digest(clinic):
    """It schedules the row again, so the run cannot move it, but the notice already exists."""
    other = clinic.restart()
    other.now = PRACTICE_MONDAY
    choice = faults.plan_interruption(
        "TransactWriteItems", lambda: set_preferences(other, PRACTICE_MEMBER, digest_hour=6), number=1
    )
    run_digest_job(clinic, PRACTICE_MONDAY - HOUR)  # The center's digest is first, so the next run is the practice's.

    with faults.inject_faults(choice):
        run_digest_job(clinic)
    run_digest_job(clinic, PRACTICE_MONDAY + HOUR)

    assert (len(list_digest_titles(clinic)), len(list_digest_mails(clinic))) == (1, 1)


def test_other_preferences_do_not_write_the_digest_row(clinic):
    """Its due time stays."""
    before = get_digest_row(PRACTICE_MEMBER)

    set_preferences(clinic, PRACTICE_MEMBER, timings={Category.STATUS_UPDATE: MailTiming.NEVER})

    assert get_digest_row(PRACTICE_MEMBER) == before


def test_a_member_from_before_digests_existed_gets_them_with_the_first_choice(services):
    """From the next Monday on."""
    services.now = WORKING_HOURS
    set_preferences(services, PRACTICE_MEMBER, digest_hour=8)

    assert get_digest_row(PRACTICE_MEMBER)["due_at"].startswith("2026-11-09T14:00")
