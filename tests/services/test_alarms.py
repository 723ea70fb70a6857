"""Clocks that run out: who is told of what, once, late, twice at once, or half way."""

from collections import Counter
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest

from chalicelib.domain.identity.members import Role
from chalicelib.domain.notices.notice_rules import Lane
from chalicelib.domain.referrals import turnaround as clocks
from chalicelib.domain.referrals.events import HoldEnded, HoldStarted
from chalicelib.domain.referrals.referral import Feed
from chalicelib.domain.referrals.stages import Stage
from chalicelib.services.referrals import read_and_amend as referrals
from chalicelib.services.referrals.search import Filter, list_page
from chalicelib.store.notices.leases import LEASE
from tests.support import faults, shelves
from tests.support.desk import MINUTE
from tests.support.factories import CENTER, NOON, PRACTICE, a_member
from tests.support.faults import Mode
from tests.support.journey import an_event

DAY = timedelta(days=1)
AMBER = datetime(2026, 11, 4, 5, tzinfo=UTC)
RED = datetime(2026, 11, 6, 5, tzinfo=UTC)
ESCALATED = datetime(2026, 11, 10, 5, tzinfo=UTC)
"""Of what was submitted at noon: midnights at the center."""

THEIRS, OURS = a_member(CENTER), a_member(PRACTICE)
LEAD = a_member(CENTER, n=2, roles=frozenset({Role.CLINICIAN, Role.ADMIN}))


def told(desk, *people):
    """The clock notices of people: whose, of which rule."""
    return sorted(
        (notice.member_id, notice.rule)
        for person in people or (THEIRS, OURS, LEAD)
        for notice in desk.stores.notices.page(person.member_id, limit=100, start=None)[0]
        if notice.rule.startswith("clock_")
    )


def rung(desk, at):
    """What one run tells."""
    before = Counter(told(desk))
    desk.anew().work_off(Lane.CLOCK, now=at)
    return sorted((Counter(told(desk)) - before).elements())


def of(level, *people):
    """Notices of a level for people."""
    return sorted((person.member_id, f"clock_{level}") for person in people)


def test_each_level_is_told_to_more_people(referred):
    """Who owes the move, then both sides, then those who lead the side that owes it."""
    referred.stores.members.add(LEAD)

    heard = [
        rung(referred, at)
        for due in (AMBER, RED, ESCALATED)
        for at in (due - MINUTE, due, due + MINUTE)
    ]

    assert heard == [
        *([], of("amber", THEIRS, LEAD), []),
        *([], of("red", THEIRS, LEAD, OURS), []),
        *([], of("escalated", LEAD), []),
    ]
    assert rung(referred, NOON + 400 * DAY) == []


def test_where_nobody_leads_all_who_care_there_are_told(referred):
    """An administrator who sees no patients is told of none; somebody has to hear it."""
    rung(referred, RED)

    assert rung(referred, ESCALATED) == of("escalated", THEIRS)


def test_after_an_outage_one_notice_each_says_how_far_it_has_come(referred):
    """Those who lead by words of their own; nobody is left out because the job was."""
    referred.stores.members.add(LEAD)

    heard = rung(referred, ESCALATED + DAY)

    assert heard == of("escalated", THEIRS, LEAD, OURS)
    words = {
        person.member_id: referred.stores.notices.page(person.member_id, limit=9, start=None)[0]
        for person in (THEIRS, LEAD)
    }
    assert [notice.title for notice in words[LEAD.member_id]] == [
        "Nobody has moved it; overdue since November 4, 2026: Submitted"
    ]
    assert words[THEIRS.member_id][0].title.startswith("Long overdue")


def test_a_notice_says_which_stage_is_overdue_and_since_when_and_the_mail_does_not(referred):
    """After ten days of silence: one notice, of the highest level, with the first late day."""
    referred.postbox.taken.clear()

    counts = referred.work_off(Lane.CLOCK, now=RED + DAY)
    [notice] = referred.stores.notices.page(OURS.member_id, limit=9, start=None)[0]

    assert notice.title == "Long overdue, since November 4, 2026: Submitted"
    assert counts["mails"] == 2
    mails = "".join(f"{m.subject}{m.text}{m.html}" for m, _ in referred.postbox.taken).lower()
    assert "blue heron" in mails
    assert not [word for word in ("submitted", "overdue", "breyanzi") if word in mails]


def test_a_stage_that_was_left_is_told_of_no_more(referred):
    """Accepted the day before: the next alarm is that of the way to the consultation."""
    referred.now = AMBER - DAY
    referred.deliver("accepted")

    assert rung(referred, ESCALATED) == []
    assert rung(referred, NOON + 15 * DAY) == of("amber", THEIRS)


def test_the_side_that_owes_the_move_is_told_by_its_own_calendar(referred):
    """The center asks the practice; midnight in Chicago is an hour later than in New York."""
    referred.deliver("info_requested", at=referred.now + MINUTE)
    midnight = datetime(2026, 11, 5, 6, tzinfo=UTC)

    assert rung(referred, midnight - MINUTE) == []
    assert rung(referred, midnight) == of("amber", OURS)


def test_a_center_is_never_told_of_a_draft(desk):
    """However long it lies there."""
    desk.refer(submit=False)

    heard = [rung(desk, NOON + days * DAY) for days in (3, 4, 14, 15, 20, 40)]

    assert heard == [[], of("amber", OURS), [], of("red", OURS), of("escalated", OURS), []]


@pytest.mark.parametrize("end", ["declined", "deceased"])
def test_an_end_takes_the_clock_off(referred, end):
    """Nothing is due ever after, and nothing is read for it."""
    referred.move_to(end)

    assert rung(referred, ESCALATED) == []
    assert [row.get("lane") for row in shelves.clocks()] == [None]


def test_a_hold_silences_the_clock_and_tells_nothing_twice(referred):
    """Amber was told before it; red is told when it is over."""
    rung(referred, AMBER)
    referred.now = AMBER + MINUTE
    referred.deliver_event(
        an_event(HoldStarted, at=referred.now, referral_id="ref_1"), webhook_id="hold"
    )
    held = rung(referred, RED + 9 * DAY)
    referred.now = AMBER + 2 * MINUTE
    referred.deliver_event(
        an_event(HoldEnded, at=referred.now, referral_id="ref_1"), webhook_id="go"
    )

    assert held == []
    assert rung(referred, AMBER + DAY) == []
    assert rung(referred, RED) == of("red", THEIRS, OURS)


def test_a_stage_that_is_learned_of_late_is_told_at_the_next_run(referred):
    """Its alarm had passed before anybody knew; the notice comes after what is known."""
    referred.now = NOON + 20 * DAY
    referred.deliver("received", at=NOON + MINUTE)

    assert rung(referred, referred.now) == of("escalated", THEIRS, OURS)
    [row] = shelves.clocks()
    assert row["planned_for"].startswith("2026-11-22")


def test_what_leaves_the_clock_alone_does_not_write_it(referred):
    """History, an amended note, a gap in a feed's numbers."""
    referred.deliver("info_requested", at=referred.now + 9 * MINUTE)
    before = shelves.clocks()

    referred.deliver("received")
    referred.now += 10 * MINUTE
    referrals.amend(
        "ref_1",
        {"note": "with her daughter"},
        version=referred.referral().version,
        member=OURS,
        stores=referred.stores,
        now=referred.now,
    )

    assert referred.referral().overlay.feed == Feed()
    assert shelves.clocks() == before


def test_limits_that_grew_since_tell_nothing_too_early(referred, monkeypatch):
    """The row is of another version of the product; what is told is computed anew."""
    longer = clocks.LIMITS[Stage.SUBMITTED]._replace(amber=10, red=12)
    monkeypatch.setattr(clocks, "LIMITS", {**clocks.LIMITS, Stage.SUBMITTED: longer})

    early = rung(referred, AMBER)

    assert early == []
    assert rung(referred, NOON + 18 * DAY) == of("red", THEIRS, OURS)


def test_two_runs_at_once_tell_once(referred):
    """Both have seen it due."""
    other, theirs = referred.anew(), []
    between = faults.meanwhile(
        "UpdateItem", lambda: theirs.append(other.work_off(Lane.CLOCK, now=AMBER))
    )

    with faults.injected(between):
        mine = referred.work_off(Lane.CLOCK, now=AMBER)

    assert (mine["taken"], mine["done"], theirs[0]["done"]) == (1, 0, 1)
    assert told(referred) == of("amber", THEIRS)


def test_a_run_does_not_undo_what_a_change_has_set_meanwhile(referred):
    """It was telling of the stage that is just being left; the new stage keeps its alarm."""
    other = referred.anew()
    other.now = AMBER
    moved = faults.meanwhile("PutItem", lambda: other.deliver("accepted"))

    with faults.injected(moved):
        referred.work_off(Lane.CLOCK, now=AMBER)

    [row] = shelves.clocks()
    assert row["due_at"].startswith("2026-11-17T05:00")
    assert rung(referred, NOON + 15 * DAY) == of("amber", THEIRS)


def test_a_run_that_dies_after_any_call_tells_once_in_the_end(desk):
    """After the lease the next one takes over, and the one after it has nothing to do."""
    desk.refer("ref_count", key="key-count")
    with faults.injected(faults.never) as counted:
        desk.anew().work_off(Lane.CLOCK, now=AMBER)
    for number in range(1, len(counted.operations) + 1):
        desk.refer(f"ref_{number}", key=f"key-{number}")
        with faults.injected(faults.at(number, Mode.CRASH_AFTER)), suppress(faults.Crash):
            desk.anew().work_off(Lane.CLOCK, now=AMBER)
        for n in (1, 2):
            desk.anew().work_off(Lane.CLOCK, now=AMBER + n * LEASE)

    assert told(desk) == of("amber", THEIRS) * (len(counted.operations) + 1)
    assert {row["due_at"] for row in shelves.clocks()} == {"2026-11-06T05:00:00.000000Z"}


def test_the_list_calls_late_exactly_what_was_told_of(desk):
    """Referrals at several stages, through two weeks: the center's list, and its notices."""
    for n, stages in enumerate([(), ("received",), ("accepted",), ("received", "declined")]):
        desk.now = NOON + n * timedelta(hours=7)
        desk.refer(f"ref_{n}", key=f"key-{n}")
        desk.now += MINUTE
        desk.move_to(*stages, referral_id=f"ref_{n}")
    lists = []
    for hour in range(24, 24 * 16, 11):
        now = NOON + timedelta(hours=hour)
        desk.work_off(Lane.CLOCK, now=now)
        page, _ = list_page(
            Filter(equal={}, late=True),
            limit=50,
            start=None,
            member=THEIRS,
            stores=desk.stores,
            now=now,
        )
        notices, _ = desk.stores.notices.page(THEIRS.member_id, limit=100, start=None)
        heard = {n.referral_id for n in notices if n.rule.startswith("clock_")}
        lists.append({row.referral_id for row in page})
        assert lists[-1] == heard

    assert set(map(len, lists)) == {0, 1, 2, 3}
