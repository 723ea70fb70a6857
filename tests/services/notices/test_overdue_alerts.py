"""Clocks that run out: who is told of what, once, late, twice at once, or half way."""

from collections import Counter
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest

from chalicelib.domain.identity.members import Role
from chalicelib.domain.notices.tasks import TaskQueue
from chalicelib.domain.referrals import turnaround as clocks
from chalicelib.domain.referrals.events import HoldEnded, HoldStarted
from chalicelib.domain.referrals.referral import SequenceTracker
from chalicelib.domain.referrals.stages import Stage
from chalicelib.services.platform.run_context import RunContext
from chalicelib.services.referrals import read_and_amend as referrals
from chalicelib.services.referrals.search import ReferralFilter, list_referrals
from chalicelib.store.notices.leases import LEASE_DURATION
from tests.support import faults
from tests.support import stores as store_tools
from tests.support.factories import CENTER, NOON, PRACTICE, build_member
from tests.support.faults import FaultMode
from tests.support.referral_values import build_event
from tests.support.service_driver import MINUTE

DAY = timedelta(days=1)
AMBER = datetime(2026, 11, 4, 5, tzinfo=UTC)
RED = datetime(2026, 11, 6, 5, tzinfo=UTC)
ESCALATED = datetime(2026, 11, 10, 5, tzinfo=UTC)
"""Of what was submitted at noon: midnights at the center."""

THEIRS, OURS = build_member(CENTER), build_member(PRACTICE)
LEAD = build_member(CENTER, n=2, roles=frozenset({Role.CLINICIAN, Role.ADMIN}))


def result(driver, *people):
    """The clock notices of people: whose, of which rule."""
    return sorted(
        (notice.member_id, notice.rule)
        for person in people or (THEIRS, OURS, LEAD)
        for notice in driver.stores.notices.list_page(person.member_id, limit=100, start=None)[0]
        if notice.rule.startswith("clock_")
    )


def rung(driver, at):
    """What one run tells."""
    before = Counter(result(driver))
    driver.restart().run_queue(TaskQueue.OVERDUE, now=at)
    return sorted((Counter(result(driver)) - before).elements())


def of(level, *people):
    """Notices of a level for people."""
    return sorted((person.member_id, f"clock_{level}") for person in people)


def test_each_level_is_told_to_more_people(submitted_services):
    """Who owes the move, then both sides, then those who lead the side that owes it."""
    submitted_services.stores.members.add(LEAD)

    heard = [
        rung(submitted_services, at) for due in (AMBER, RED, ESCALATED) for at in (due - MINUTE, due, due + MINUTE)
    ]

    assert heard == [
        *([], of("amber", THEIRS, LEAD), []),
        *([], of("red", THEIRS, LEAD, OURS), []),
        *([], of("escalated", LEAD), []),
    ]
    assert rung(submitted_services, NOON + 400 * DAY) == []


def test_where_nobody_leads_all_who_care_there_are_told(submitted_services):
    """An administrator who sees no patients is told of none; somebody has to hear it."""
    rung(submitted_services, RED)

    assert rung(submitted_services, ESCALATED) == of("escalated", THEIRS)


def test_after_an_outage_one_notice_each_says_how_far_it_has_come(submitted_services):
    """Those who lead by words of their own; nobody is left out because the job was."""
    submitted_services.stores.members.add(LEAD)

    heard = rung(submitted_services, ESCALATED + DAY)

    assert heard == of("escalated", THEIRS, LEAD, OURS)
    words = {
        person.member_id: submitted_services.stores.notices.list_page(person.member_id, limit=9, start=None)[0]
        for person in (THEIRS, LEAD)
    }
    assert [notice.title for notice in words[LEAD.member_id]] == [
        "Escalated: no update, overdue since November 4, 2026: Submitted"
    ]
    assert words[THEIRS.member_id][0].title.startswith("Long overdue")


def test_a_notice_says_which_stage_is_overdue_and_since_when_and_the_mail_does_not(submitted_services):
    """After ten days of silence: one notice, of the highest level, with the first late day."""
    submitted_services.postbox.accepted.clear()

    counts = submitted_services.run_queue(TaskQueue.OVERDUE, now=RED + DAY)
    [notice] = submitted_services.stores.notices.list_page(OURS.member_id, limit=9, start=None)[0]

    assert notice.title == "Long overdue since November 4, 2026: Submitted"
    assert counts["mails"] == 2
    mails = "".join(f"{m.subject}{m.text}{m.html}" for m, _ in submitted_services.postbox.accepted).lower()
    assert "blue heron" in mails
    assert not [word for word in ("submitted", "overdue", "breyanzi") if word in mails]


def test_a_stage_that_was_left_is_told_of_no_more(submitted_services):
    """Accepted the day before: the next alarm is that of the way to the consultation."""
    submitted_services.now = AMBER - DAY
    submitted_services.deliver("accepted")

    assert rung(submitted_services, ESCALATED) == []
    assert rung(submitted_services, NOON + 15 * DAY) == of("amber", THEIRS)


def test_the_side_that_owes_the_move_is_told_by_its_own_calendar(submitted_services):
    """The center asks the practice; midnight in Chicago is an hour later than in New York."""
    submitted_services.deliver("info_requested", at=submitted_services.now + MINUTE)
    midnight = datetime(2026, 11, 5, 6, tzinfo=UTC)

    assert rung(submitted_services, midnight - MINUTE) == []
    assert rung(submitted_services, midnight) == of("amber", OURS)


def test_a_center_is_never_told_of_a_draft(services):
    """However long it lies there."""
    services.refer(submit=False)

    heard = [rung(services, NOON + days * DAY) for days in (3, 4, 14, 15, 20, 40)]

    assert heard == [[], of("amber", OURS), [], of("red", OURS), of("escalated", OURS), []]


@pytest.mark.parametrize("end", ["declined", "deceased"])
def test_an_end_takes_the_clock_off(submitted_services, end):
    """Nothing is due ever after, and nothing is read for it."""
    submitted_services.move_to(end)

    assert rung(submitted_services, ESCALATED) == []
    assert [row.get("lane") for row in store_tools.list_alert_rows()] == [None]


def test_a_hold_silences_the_clock_and_tells_nothing_twice(submitted_services):
    """Amber was told before it; red is told when it is over."""
    rung(submitted_services, AMBER)
    submitted_services.now = AMBER + MINUTE
    submitted_services.deliver_event(
        build_event(HoldStarted, at=submitted_services.now, referral_id="ref_1"), webhook_id="hold"
    )
    held = rung(submitted_services, RED + 9 * DAY)
    submitted_services.now = AMBER + 2 * MINUTE
    submitted_services.deliver_event(
        build_event(HoldEnded, at=submitted_services.now, referral_id="ref_1"), webhook_id="go"
    )

    assert held == []
    assert rung(submitted_services, AMBER + DAY) == []
    assert rung(submitted_services, RED) == of("red", THEIRS, OURS)


def test_a_stage_that_is_learned_of_late_is_told_at_the_next_run(submitted_services):
    """Its alarm had passed before anybody knew; the notice comes after what is known."""
    submitted_services.now = NOON + 20 * DAY
    submitted_services.deliver("received", at=NOON + MINUTE)

    assert rung(submitted_services, submitted_services.now) == of("escalated", THEIRS, OURS)
    [row] = store_tools.list_alert_rows()
    assert row["planned_for"].startswith("2026-11-22")


def test_what_leaves_the_clock_alone_does_not_write_it(submitted_services):
    """History, an amended note, a gap in a feed's numbers."""
    submitted_services.deliver("info_requested", at=submitted_services.now + 9 * MINUTE)
    before = store_tools.list_alert_rows()

    submitted_services.deliver("received")
    submitted_services.now += 10 * MINUTE
    referrals.amend_referral(
        "ref_1",
        {"note": "with her daughter"},
        version=submitted_services.get_referral().version,
        member=OURS,
        context=submitted_services.context,
    )

    assert submitted_services.get_referral().status.feed == SequenceTracker()
    assert store_tools.list_alert_rows() == before


def test_limits_that_grew_since_tell_nothing_too_early(submitted_services, monkeypatch):
    """The row is of another version of the product; what is told is computed anew."""
    longer = clocks.TURNAROUND_LIMITS[Stage.SUBMITTED]._replace(amber=10, red=12)
    monkeypatch.setattr(clocks, "TURNAROUND_LIMITS", {**clocks.TURNAROUND_LIMITS, Stage.SUBMITTED: longer})

    early = rung(submitted_services, AMBER)

    assert early == []
    assert rung(submitted_services, NOON + 18 * DAY) == of("red", THEIRS, OURS)


def test_two_runs_at_once_tell_once(submitted_services):
    """Both have seen it due."""
    other, theirs = submitted_services.restart(), []
    between = faults.plan_interruption(
        "UpdateItem", lambda: theirs.append(other.run_queue(TaskQueue.OVERDUE, now=AMBER))
    )

    with faults.inject_faults(between):
        mine = submitted_services.run_queue(TaskQueue.OVERDUE, now=AMBER)

    assert (mine["taken"], mine["done"], theirs[0]["done"]) == (1, 0, 1)
    assert result(submitted_services) == of("amber", THEIRS)


def test_a_run_does_not_undo_what_a_change_has_set_meanwhile(submitted_services):
    """It was telling of the stage that is just being left; the new stage keeps its alarm."""
    other = submitted_services.restart()
    other.now = AMBER
    moved = faults.plan_interruption("PutItem", lambda: other.deliver("accepted"))

    with faults.inject_faults(moved):
        submitted_services.run_queue(TaskQueue.OVERDUE, now=AMBER)

    [row] = store_tools.list_alert_rows()
    assert row["due_at"].startswith("2026-11-17T05:00")
    assert rung(submitted_services, NOON + 15 * DAY) == of("amber", THEIRS)


def test_a_run_that_dies_after_any_call_tells_once_in_the_end(services):
    """After the lease the next one takes over, and the one after it has nothing to do."""
    services.refer("ref_count", key="key-count")
    with faults.inject_faults(faults.plan_never) as counted:
        services.restart().run_queue(TaskQueue.OVERDUE, now=AMBER)
    for number in range(1, len(counted.operations) + 1):
        services.refer(f"ref_{number}", key=f"key-{number}")
        with faults.inject_faults(faults.plan_fault_at(number, FaultMode.CRASH_AFTER)), suppress(faults.SimulatedCrash):
            services.restart().run_queue(TaskQueue.OVERDUE, now=AMBER)
        for n in (1, 2):
            services.restart().run_queue(TaskQueue.OVERDUE, now=AMBER + n * LEASE_DURATION)

    assert result(services) == of("amber", THEIRS) * (len(counted.operations) + 1)
    assert {row["due_at"] for row in store_tools.list_alert_rows()} == {"2026-11-06T05:00:00.000000Z"}


def test_the_list_calls_late_exactly_what_was_told_of(services):
    """Referrals at several stages, through two weeks: the center's list, and its notices."""
    for n, stages in enumerate([(), ("received",), ("accepted",), ("received", "declined")]):
        services.now = NOON + n * timedelta(hours=7)
        services.refer(f"ref_{n}", key=f"key-{n}")
        services.now += MINUTE
        services.move_to(*stages, referral_id=f"ref_{n}")
    lists = []
    for hour in range(24, 24 * 16, 11):
        now = NOON + timedelta(hours=hour)
        services.run_queue(TaskQueue.OVERDUE, now=now)
        page, _ = list_referrals(
            ReferralFilter(exact={}, late=True),
            limit=50,
            start=None,
            member=THEIRS,
            context=RunContext(services.stores, now),
        )
        notices, _ = services.stores.notices.list_page(THEIRS.member_id, limit=100, start=None)
        heard = {n.referral_id for n in notices if n.rule.startswith("clock_")}
        lists.append({row.referral_id for row in page})
        assert lists[-1] == heard

    assert set(map(len, lists)) == {0, 1, 2, 3}
