"""Overdue alerts: who is notified at which level, once, also after outages, overlaps and crashes."""

from collections import Counter
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest

from chalicelib.domain.identity.members import Role
from chalicelib.domain.notices.tasks import TaskQueue
from chalicelib.domain.referrals import turnaround
from chalicelib.domain.referrals.events import HoldEnded, HoldStarted
from chalicelib.domain.referrals.referral import SequenceTracker
from chalicelib.domain.referrals.stages import Stage
from chalicelib.services.platform.run_context import RunContext
from chalicelib.services.referrals.amend import amend_referral
from chalicelib.services.referrals.list_filters import ReferralFilter
from chalicelib.services.referrals.search import list_referrals
from chalicelib.store.notices.leases import LEASE_DURATION
from tests.support import faults
from tests.support.factories import CENTER, NOON, PRACTICE, build_member
from tests.support.faults import FaultMode
from tests.support.referral_values import build_event
from tests.support.service_driver import MINUTE
from tests.support.stores import list_alert_rows

DAY = timedelta(days=1)
AMBER = datetime(2026, 11, 4, 5, tzinfo=UTC)
RED = datetime(2026, 11, 6, 5, tzinfo=UTC)
ESCALATED = datetime(2026, 11, 10, 5, tzinfo=UTC)
"""When the levels of a referral that was submitted at noon are due: midnights at the center."""

CENTER_MEMBER, PRACTICE_MEMBER = build_member(CENTER), build_member(PRACTICE)
CENTER_ADMIN = build_member(CENTER, n=2, roles=frozenset({Role.CLINICIAN, Role.ADMIN}))


def list_alerts(driver):
    """The overdue alerts that the members got, by member and rule."""
    return sorted(
        (notice.member_id, notice.rule)
        for person in (CENTER_MEMBER, PRACTICE_MEMBER, CENTER_ADMIN)
        for notice in driver.stores.notices.list_page(person.member_id, limit=100, start=None)[0]
        if notice.rule.startswith("clock_")
    )


def run_and_list_new(driver, at):
    """The overdue alerts that one run sends."""
    before = Counter(list_alerts(driver))
    driver.restart().run_queue(TaskQueue.OVERDUE, now=at)
    return sorted((Counter(list_alerts(driver)) - before).elements())


def expect(level, *people):
    """The alerts of a level to these members."""
    return sorted((person.member_id, f"clock_{level}") for person in people)


def test_each_level_notifies_more_people(submitted_services):
    """First the side that must act, then both sides, then the administrators of the side that must act."""
    submitted_services.stores.members.add(CENTER_ADMIN)

    alerts = [
        run_and_list_new(submitted_services, at)
        for due in (AMBER, RED, ESCALATED)
        for at in (due - MINUTE, due, due + MINUTE)
    ]

    assert alerts == [
        *([], expect("amber", CENTER_MEMBER, CENTER_ADMIN), []),
        *([], expect("red", CENTER_MEMBER, CENTER_ADMIN, PRACTICE_MEMBER), []),
        *([], expect("escalated", CENTER_ADMIN), []),
    ]
    assert run_and_list_new(submitted_services, NOON + 400 * DAY) == []


def test_without_a_clinical_administrator_all_clinical_members_get_the_escalation(submitted_services):
    """An administrator without access to patients is never notified, but someone must be."""
    run_and_list_new(submitted_services, RED)

    assert run_and_list_new(submitted_services, ESCALATED) == expect("escalated", CENTER_MEMBER)


def test_after_an_outage_each_member_gets_one_alert_of_the_highest_level(submitted_services):
    """Administrators get it in their own words. The lower levels' recipients also get one."""
    submitted_services.stores.members.add(CENTER_ADMIN)

    alerts = run_and_list_new(submitted_services, ESCALATED + DAY)

    assert alerts == expect("escalated", CENTER_MEMBER, CENTER_ADMIN, PRACTICE_MEMBER)
    notices = {
        person.member_id: submitted_services.stores.notices.list_page(person.member_id, limit=9, start=None)[0]
        for person in (CENTER_MEMBER, CENTER_ADMIN)
    }
    assert [notice.title for notice in notices[CENTER_ADMIN.member_id]] == [
        "Escalated: no update, overdue since November 4, 2026: Submitted"
    ]
    assert notices[CENTER_MEMBER.member_id][0].title.startswith("Long overdue")


def test_an_alert_has_the_stage_and_the_date_and_its_email_does_not(submitted_services):
    """After days of silence there is one alert, of the highest level, with the first overdue day."""
    submitted_services.postbox.accepted.clear()

    counts = submitted_services.run_queue(TaskQueue.OVERDUE, now=RED + DAY + timedelta(hours=9))
    [notice] = submitted_services.stores.notices.list_page(PRACTICE_MEMBER.member_id, limit=9, start=None)[0]

    assert notice.title == "Long overdue since November 4, 2026: Submitted"
    assert counts["mails"] == 2
    mails = "".join(f"{m.subject}{m.text}{m.html}" for m, _ in submitted_services.postbox.accepted).lower()
    assert "blue heron" in mails
    assert not [word for word in ("submitted", "overdue", "breyanzi") if word in mails]


def test_a_stage_that_has_ended_sends_no_alert(submitted_services):
    """It was accepted the day before, so the next alert is about the time to the consultation."""
    submitted_services.now = AMBER - DAY
    submitted_services.deliver("accepted")

    assert run_and_list_new(submitted_services, ESCALATED) == []
    assert run_and_list_new(submitted_services, NOON + 15 * DAY) == expect("amber", CENTER_MEMBER)


def test_an_alert_follows_the_calendar_of_the_side_that_must_act(submitted_services):
    """The center asks the practice for information. Midnight in Chicago is one hour later than in New York."""
    submitted_services.deliver("info_requested", at=submitted_services.now + MINUTE)
    midnight = datetime(2026, 11, 5, 6, tzinfo=UTC)

    assert run_and_list_new(submitted_services, midnight - MINUTE) == []
    assert run_and_list_new(submitted_services, midnight) == expect("amber", PRACTICE_MEMBER)


def test_a_draft_notifies_only_the_practice(services):
    """However long it is not submitted."""
    services.refer(submit=False)

    alerts = [run_and_list_new(services, NOON + days * DAY) for days in (3, 4, 14, 15, 20, 40)]

    assert alerts == [
        [],
        expect("amber", PRACTICE_MEMBER),
        [],
        expect("red", PRACTICE_MEMBER),
        expect("escalated", PRACTICE_MEMBER),
        [],
    ]


@pytest.mark.parametrize("end", ["declined", "deceased"])
def test_a_referral_that_has_ended_leaves_the_index(submitted_services, end):
    """Nothing is due after that, and nothing is read for it."""
    submitted_services.move_to(end)

    assert run_and_list_new(submitted_services, ESCALATED) == []
    assert [row.get("lane") for row in list_alert_rows()] == [None]


def test_a_hold_stops_alerts_and_its_end_repeats_none(submitted_services):
    """Amber was sent before the hold. Red is sent after it."""
    run_and_list_new(submitted_services, AMBER)
    submitted_services.now = AMBER + MINUTE
    submitted_services.deliver_event(
        build_event(HoldStarted, at=submitted_services.now, referral_id="ref_1"), webhook_id="hold"
    )
    during_hold = run_and_list_new(submitted_services, RED + 9 * DAY)
    submitted_services.now = AMBER + 2 * MINUTE
    submitted_services.deliver_event(
        build_event(HoldEnded, at=submitted_services.now, referral_id="ref_1"), webhook_id="go"
    )

    assert during_hold == []
    assert run_and_list_new(submitted_services, AMBER + DAY) == []
    assert run_and_list_new(submitted_services, RED) == expect("red", CENTER_MEMBER, PRACTICE_MEMBER)


def test_a_stage_that_is_reported_late_sends_its_alert_at_the_next_run(submitted_services):
    """The alert's time had passed before the report; the alert comes after it."""
    submitted_services.now = NOON + 20 * DAY
    submitted_services.deliver("received", at=NOON + MINUTE)

    assert run_and_list_new(submitted_services, submitted_services.now) == expect(
        "escalated", CENTER_MEMBER, PRACTICE_MEMBER
    )
    [row] = list_alert_rows()
    assert row["planned_for"].startswith("2026-11-22")


def test_a_change_without_effect_on_alerts_does_not_write_their_row(submitted_services):
    """A late event, a changed note, a gap in the sequence numbers of a center's system."""
    submitted_services.deliver("info_requested", at=submitted_services.now + 9 * MINUTE)
    before = list_alert_rows()

    submitted_services.deliver("received")
    submitted_services.now += 10 * MINUTE
    amend_referral(
        "ref_1",
        {"note": "with her daughter"},
        version=submitted_services.get_referral().version,
        member=PRACTICE_MEMBER,
        context=submitted_services.context,
    )

    assert submitted_services.get_referral().status.feed == SequenceTracker()
    assert list_alert_rows() == before


def test_longer_turnaround_limits_send_no_alert_too_early(submitted_services, monkeypatch):
    """The row comes from an older version of the product, but the alert is computed from the current limits."""
    longer = turnaround.TURNAROUND_LIMITS[Stage.SUBMITTED]._replace(amber=10, red=12)
    monkeypatch.setattr(turnaround, "TURNAROUND_LIMITS", {**turnaround.TURNAROUND_LIMITS, Stage.SUBMITTED: longer})

    early = run_and_list_new(submitted_services, AMBER)

    assert early == []
    assert run_and_list_new(submitted_services, NOON + 18 * DAY) == expect("red", CENTER_MEMBER, PRACTICE_MEMBER)


def test_two_runs_at_once_send_one_alert(submitted_services):
    """Both runs read the row as due."""
    other, other_counts = submitted_services.restart(), []
    between = faults.plan_interruption(
        "UpdateItem", lambda: other_counts.append(other.run_queue(TaskQueue.OVERDUE, now=AMBER))
    )

    with faults.inject_faults(between):
        counts = submitted_services.run_queue(TaskQueue.OVERDUE, now=AMBER)

    assert (counts["taken"], counts["done"], other_counts[0]["done"]) == (1, 0, 1)
    assert list_alerts(submitted_services) == expect("amber", CENTER_MEMBER)


def test_a_run_does_not_overwrite_a_row_that_a_change_set_again(submitted_services):
    """It was sending an alert about the stage that just ended. The new stage keeps its own alert."""
    other = submitted_services.restart()
    other.now = AMBER
    change = faults.plan_interruption("TransactWriteItems", lambda: other.deliver("accepted"))

    with faults.inject_faults(change):
        submitted_services.run_queue(TaskQueue.OVERDUE, now=AMBER)

    [row] = list_alert_rows()
    assert row["due_at"].startswith("2026-11-17T05:00")
    assert run_and_list_new(submitted_services, NOON + 15 * DAY) == expect("amber", CENTER_MEMBER)


def test_a_crash_after_any_call_sends_one_alert(services):
    """After the lease the next run takes over, and the one after that has nothing to do."""
    services.refer("ref_count", key="key-count")
    with faults.inject_faults(faults.plan_never) as fault_free:
        services.restart().run_queue(TaskQueue.OVERDUE, now=AMBER)
    for number in range(1, len(fault_free.operations) + 1):
        services.refer(f"ref_{number}", key=f"key-{number}")
        with faults.inject_faults(faults.plan_fault_at(number, FaultMode.CRASH_AFTER)), suppress(faults.SimulatedCrash):
            services.restart().run_queue(TaskQueue.OVERDUE, now=AMBER)
        for n in (1, 2):
            services.restart().run_queue(TaskQueue.OVERDUE, now=AMBER + n * LEASE_DURATION)

    assert list_alerts(services) == expect("amber", CENTER_MEMBER) * (len(fault_free.operations) + 1)
    assert {row["due_at"] for row in list_alert_rows()} == {"2026-11-06T05:00:00.000000Z"}


def test_the_list_shows_as_overdue_exactly_what_alerts_were_sent_for(services):
    """Referrals in several stages for two weeks: the list of the center and its alerts."""
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
            member=CENTER_MEMBER,
            context=RunContext(services.stores, now),
        )
        notices, _ = services.stores.notices.list_page(CENTER_MEMBER.member_id, limit=100, start=None)
        alerted = {n.referral_id for n in notices if n.rule.startswith("clock_")}
        lists.append({row.referral_id for row in page})
        assert lists[-1] == alerted

    assert set(map(len, lists)) == {0, 1, 2, 3}


def test_missing_updates_do_not_silence_an_alert(submitted_services):
    """A gap may never close, and the patient waits."""
    submitted_services.deliver("received", sequence=1)
    submitted_services.now += MINUTE
    submitted_services.deliver("accepted", sequence=3)

    alerts = run_and_list_new(submitted_services, NOON + 30 * DAY)

    assert submitted_services.get_referral().status.feed.missing == (2,)
    assert alerts
