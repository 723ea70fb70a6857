"""What a clock is to tell if nobody moves the referral, as it is shown before."""

from datetime import UTC, datetime

from chalicelib.domain.notices.notice_rules import Lane, told_by
from chalicelib.services.notices.overdue_alerts import alarms_to_come
from chalicelib.store.notices.notices import spelled_due
from tests.support import shelves
from tests.support.factories import CENTER, NOON

AMBER = datetime(2026, 11, 4, 5, tzinfo=UTC)
RED = datetime(2026, 11, 6, 5, tzinfo=UTC)
ESCALATED = datetime(2026, 11, 10, 5, tzinfo=UTC)
"""Of what was submitted at noon: midnights at the center."""

PLANNED = [(level, "planned") for level in ("amber", "red", "escalated")]


def ahead(desk, at):
    """Levels and their states, earliest first."""
    known = alarms_to_come(desk.referral(), stores=desk.stores, now=at)
    return [(notice.rule.removeprefix("clock_"), notice.state) for notice in known]


def test_after_an_outage_only_the_highest_level_is_to_be_told(referred):
    """It contains those that it passed."""
    shown = [ahead(referred, at) for at in (NOON, AMBER, RED, ESCALATED)]

    assert shown == [PLANNED, PLANNED, PLANNED[1:], PLANNED[2:]]


def test_what_was_told_is_not_ahead_any_more(referred):
    """Nor is what it contains."""
    for at, left in ((RED, PLANNED[2:]), (ESCALATED, [])):
        referred.work_off(Lane.CLOCK, now=at)

        assert ahead(referred, at) == left


def test_the_words_and_the_time_are_those_of_what_is_told_then(referred):
    """So that a list shows one line, before and after."""
    [amber, *_] = alarms_to_come(referred.referral(), stores=referred.stores, now=NOON)
    [(_, rule)] = told_by(amber.task)

    referred.work_off(Lane.CLOCK, now=AMBER)

    [told] = {
        (each.outbox_id, each.due, each.title)
        for each in referred.stores.notices.of_referral("ref_1", CENTER.tenant_id, up_to=None)
    }
    assert told == (amber.task.outbox_id, spelled_due(AMBER), rule.title)
    assert f"{amber.due_on}" == "2026-11-04"


def test_what_could_not_be_told_is_parked_and_nothing_else_is_ahead(referred):
    """The clock stands until a person has looked at it."""
    [row] = shelves.clocks()
    claim = referred.stores.outbox.claim(row, now=AMBER)
    referred.stores.outbox.park(claim, error="KeyError", now=AMBER)

    assert ahead(referred, AMBER) == [("amber", "parked")]


def test_a_clock_that_nobody_set_tells_nothing(referred):
    """As where a release gave a stage its first limits: it is set as the referral changes."""
    [row] = shelves.clocks()
    claim = referred.stores.outbox.claim(row, now=AMBER)
    referred.stores.alarms.move_on(claim, told=None, next_at=None)

    assert ahead(referred, AMBER) == []
