"""When digests begin, move with their reader's hours, and end."""

from dataclasses import replace

import pytest

from chalicelib.domain.identity.members import Role
from chalicelib.domain.notices.mail_timing import Timing
from chalicelib.domain.notices.notice_rules import Category
from chalicelib.services.identity.members import MemberChange, change
from tests.support import faults, shelves
from tests.support.desk import MINUTE
from tests.support.digests import (
    DAY,
    HOUR,
    OUR_ADMIN,
    OUR_MONDAY,
    OURS,
    WEEK,
    WORKING_HOURS,
    begin,
    mailed,
    open_practice,
    row_of,
    run,
    titles,
)
from tests.support.letters import choose


@pytest.fixture
def clinic(desk):
    """A practice with three referrals before infusion: a draft, a submission, and a question."""
    return open_practice(desk)


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
