"""What a clock is to tell if nobody moves the referral, as it is shown before."""

from datetime import UTC, datetime

from chalicelib.domain.notices.notice_wording import list_notice_rules
from chalicelib.domain.notices.tasks import TaskQueue
from chalicelib.services.notices.overdue_alerts import list_upcoming_alerts
from chalicelib.services.platform.run_context import RunContext
from chalicelib.store.notices.notices import format_due_time
from tests.support import stores as store_tools
from tests.support.factories import CENTER, NOON

AMBER = datetime(2026, 11, 4, 5, tzinfo=UTC)
RED = datetime(2026, 11, 6, 5, tzinfo=UTC)
ESCALATED = datetime(2026, 11, 10, 5, tzinfo=UTC)
"""Of what was submitted at noon: midnights at the center."""

PLANNED = [(level, "planned") for level in ("amber", "red", "escalated")]


def ahead(driver, at):
    """Levels and their states, earliest first."""
    known = list_upcoming_alerts(driver.get_referral(), context=RunContext(driver.stores, at))
    return [(notice.rule.removeprefix("clock_"), notice.state) for notice in known]


def test_after_an_outage_only_the_highest_level_is_to_be_told(submitted_services):
    """It contains those that it passed."""
    shown = [ahead(submitted_services, at) for at in (NOON, AMBER, RED, ESCALATED)]

    assert shown == [PLANNED, PLANNED, PLANNED[1:], PLANNED[2:]]


def test_what_was_told_is_not_ahead_any_more(submitted_services):
    """Nor is what it contains."""
    for at, left in ((RED, PLANNED[2:]), (ESCALATED, [])):
        submitted_services.run_queue(TaskQueue.OVERDUE, now=at)

        assert ahead(submitted_services, at) == left


def test_the_words_and_the_time_are_those_of_what_is_told_then(submitted_services):
    """So that a list shows one line, before and after."""
    [amber, *_] = list_upcoming_alerts(
        submitted_services.get_referral(), context=RunContext(submitted_services.stores, NOON)
    )
    [(_, rule)] = list_notice_rules(amber.task)

    submitted_services.run_queue(TaskQueue.OVERDUE, now=AMBER)

    [result] = {
        (each.outbox_id, each.due, each.title)
        for each in submitted_services.stores.notices.list_for_referral("ref_1", CENTER.tenant_id, up_to=None)
    }
    assert result == (amber.task.outbox_id, format_due_time(AMBER), rule.title)
    assert f"{amber.due_on}" == "2026-11-04"


def test_what_could_not_be_told_is_parked_and_nothing_else_is_ahead(submitted_services):
    """The clock stands until a person has looked at it."""
    [row] = store_tools.list_alert_rows()
    claim = submitted_services.stores.outbox.claim(row, now=AMBER)
    submitted_services.stores.outbox.mark_failed(claim, error="KeyError", now=AMBER)

    assert ahead(submitted_services, AMBER) == [("amber", "parked")]


def test_a_clock_that_nobody_set_tells_nothing(submitted_services):
    """As where a release gave a stage its first limits: it is set as the referral changes."""
    [row] = store_tools.list_alert_rows()
    claim = submitted_services.stores.outbox.claim(row, now=AMBER)
    submitted_services.stores.overdue_alerts.set_next_level(claim, last_alert=None, next_at=None)

    assert ahead(submitted_services, AMBER) == []
