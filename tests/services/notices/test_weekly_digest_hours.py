"""When digests begin, move with their reader's hours, and end."""

from dataclasses import replace

import pytest

from chalicelib.domain.identity.members import Role
from chalicelib.domain.notices.mail_timing import MailTiming
from chalicelib.domain.notices.notice_rules import Category
from chalicelib.services.identity.members import MemberChange, change_member
from tests.support import faults
from tests.support import stores as store_tools
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


@pytest.fixture
def clinic(services):
    """A practice with three referrals before infusion: a draft, a submission, and a question."""
    return create_practice_referrals(services)


def change_to(driver, wanted, *, version):
    """Change our member, as the administrator does."""
    return change_member(
        PRACTICE_MEMBER.member_id,
        MemberChange(**wanted),
        version=version,
        by=PRACTICE_ADMIN,
        context=driver.context,
    )


def test_who_works_with_no_patients_has_no_digest(services):
    """An administrator alone sees none."""
    start_digests(services, PRACTICE_ADMIN)

    assert store_tools.list_digest_rows() == []


@pytest.mark.parametrize("wanted", [{"active": False}, {"roles": frozenset({Role.ADMIN})}], ids=["shut out", "no care"])
def test_digests_end_with_the_work_and_begin_again_with_it(clinic, wanted):
    """In the transactions that change the member; of the weeks between nothing is caught up."""
    back = {"active": True, "roles": PRACTICE_MEMBER.roles}
    change_to(clinic, wanted, version=1)
    run_digest_job(clinic, PRACTICE_MONDAY + DAY)
    clinic.now = PRACTICE_MONDAY + 2 * DAY
    change_to(clinic, back, version=2)
    run_digest_job(clinic, PRACTICE_MONDAY + 3 * DAY)
    missed = list_digest_titles(clinic)

    run_digest_job(clinic, PRACTICE_MONDAY + WEEK)

    assert missed == []
    assert len(list_digest_titles(clinic)) == 1
    assert "was due" not in list_digest_titles(clinic)[0]


def test_a_member_who_is_gone_otherwise_is_told_nothing(clinic):
    """The job looks at the member and not at the row."""
    gone = replace(PRACTICE_MEMBER, active=False, version=2)
    clinic.stores.transactions.commit(clinic.stores.members.prepare_save(gone))

    run_digest_job(clinic)

    assert list_digest_titles(clinic) == []
    assert "lane" not in get_digest_row(PRACTICE_MEMBER)


@pytest.mark.parametrize(
    ("at", "chosen", "due"),
    [
        (PRACTICE_MONDAY - DAY, {"digest_hour": 9}, PRACTICE_MONDAY + 2 * HOUR),
        (PRACTICE_MONDAY - DAY, {"time_zone": "Pacific/Honolulu"}, PRACTICE_MONDAY + 4 * HOUR),
        # This week's hour has passed by the new clock, and was ahead by the old one.
        (PRACTICE_MONDAY - HOUR, {"digest_hour": 5}, PRACTICE_MONDAY - 2 * HOUR),
        # It was due when the member chose, and no run had come yet.
        (PRACTICE_MONDAY + MINUTE, {"digest_hour": 6}, PRACTICE_MONDAY - HOUR),
    ],
    ids=["later", "elsewhere", "just past", "overdue"],
)
def test_it_moves_with_its_readers_hours_and_loses_no_week(clinic, at, chosen, due):
    """Set anew in the transaction that saves the preferences."""
    clinic.now = at
    set_preferences(clinic, PRACTICE_MEMBER, **chosen)

    assert get_digest_row(PRACTICE_MEMBER)["due_at"] == f"{due:%Y-%m-%dT%H:%M:%S.%fZ}"


def test_a_later_hour_on_the_same_monday_brings_no_second_one(clinic):
    """The week is done with."""
    run_digest_job(clinic)
    clinic.now = PRACTICE_MONDAY + MINUTE
    set_preferences(clinic, PRACTICE_MEMBER, digest_hour=10)

    run_digest_job(clinic, PRACTICE_MONDAY + 4 * HOUR)

    assert len(list_digest_titles(clinic)) == 1
    assert get_digest_row(PRACTICE_MEMBER)["due_at"].startswith("2026-11-16T16:00")


def test_a_choice_made_while_a_run_tells_brings_no_second_one(clinic):
    """It sets the row anew, so that the run cannot move it; the notice is there all the same."""
    choosing = clinic.restart()
    choosing.now = PRACTICE_MONDAY
    meanwhile = faults.plan_interruption(
        "TransactWriteItems", lambda: set_preferences(choosing, PRACTICE_MEMBER, digest_hour=6), number=1
    )
    run_digest_job(clinic, PRACTICE_MONDAY - HOUR)  # The center's goes first, so that this is ours.

    with faults.inject_faults(meanwhile):
        run_digest_job(clinic)
    run_digest_job(clinic, PRACTICE_MONDAY + HOUR)

    assert (len(list_digest_titles(clinic)), len(list_digest_mails(clinic))) == (1, 1)


def test_other_choices_leave_the_row_alone(clinic):
    """Nothing is written for them."""
    before = get_digest_row(PRACTICE_MEMBER)

    set_preferences(clinic, PRACTICE_MEMBER, timings={Category.STATUS_UPDATE: MailTiming.NEVER})

    assert get_digest_row(PRACTICE_MEMBER) == before


def test_who_was_a_member_before_there_were_digests_gets_them_with_the_first_choice(services):
    """From the next Monday on."""
    services.now = WORKING_HOURS
    set_preferences(services, PRACTICE_MEMBER, digest_hour=8)

    assert get_digest_row(PRACTICE_MEMBER)["due_at"].startswith("2026-11-09T14:00")
