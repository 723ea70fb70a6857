"""The list of upcoming overdue alerts of a referral."""

from datetime import UTC, datetime

from chalicelib.domain.notices.notice_wording import list_notice_rules
from chalicelib.domain.notices.tasks import TaskQueue
from chalicelib.services.notices.overdue_alerts import list_upcoming_alerts
from chalicelib.services.platform.run_context import RunContext
from chalicelib.store.notices.notices import format_due_time
from tests.support.factories import CENTER, NOON
from tests.support.stores import list_alert_rows

AMBER = datetime(2026, 11, 4, 5, tzinfo=UTC)
RED = datetime(2026, 11, 6, 5, tzinfo=UTC)
ESCALATED = datetime(2026, 11, 10, 5, tzinfo=UTC)
"""When the levels of a referral that was submitted at noon are due: midnights at the center."""

PLANNED = [(level, "planned") for level in ("amber", "red", "escalated")]


def list_levels(driver, at):
    """The upcoming levels and their states, earliest first."""
    upcoming = list_upcoming_alerts(driver.get_referral(), context=RunContext(driver.stores, at))
    return [(notice.rule.removeprefix("clock_"), notice.state) for notice in upcoming]


def test_after_an_outage_only_the_highest_level_is_upcoming(submitted_services):
    """It includes the levels before it."""
    levels = [list_levels(submitted_services, at) for at in (NOON, AMBER, RED, ESCALATED)]

    assert levels == [PLANNED, PLANNED, PLANNED[1:], PLANNED[2:]]


def test_a_level_that_was_sent_is_no_longer_upcoming(submitted_services):
    """The levels that it includes are not upcoming either."""
    for at, remaining in ((RED, PLANNED[2:]), (ESCALATED, [])):
        submitted_services.run_queue(TaskQueue.OVERDUE, now=at)

        assert list_levels(submitted_services, at) == remaining


def test_an_upcoming_alert_has_the_id_time_and_title_that_are_sent(submitted_services):
    """So a list shows one row for it, before and after."""
    [amber, *_] = list_upcoming_alerts(
        submitted_services.get_referral(), context=RunContext(submitted_services.stores, NOON)
    )
    [(_, rule)] = list_notice_rules(amber.task)

    submitted_services.run_queue(TaskQueue.OVERDUE, now=AMBER)

    [sent] = {
        (notice.outbox_id, notice.due, notice.title)
        for notice in submitted_services.stores.notices.list_for_referral("ref_1", CENTER.tenant_id, up_to=None)
    }
    assert sent == (amber.task.outbox_id, format_due_time(AMBER), rule.title)
    assert f"{amber.due_on}" == "2026-11-04"


def test_a_failed_alert_is_shown_as_failed_and_nothing_follows_it(submitted_services):
    """No alert is sent until a person retries it. The API calls the state `parked`."""
    [row] = list_alert_rows()
    claim = submitted_services.stores.outbox.claim(row, now=AMBER)
    submitted_services.stores.outbox.mark_failed(claim, error="KeyError", now=AMBER)

    assert list_levels(submitted_services, AMBER) == [("amber", "parked")]


def test_a_row_that_is_not_scheduled_has_no_upcoming_alert(submitted_services):
    """For example after a release gave a stage its first limits. The next change of the referral schedules it."""
    [row] = list_alert_rows()
    claim = submitted_services.stores.outbox.claim(row, now=AMBER)
    submitted_services.stores.overdue_alerts.set_next_level(claim, last_alert=None, next_at=None)

    assert list_levels(submitted_services, AMBER) == []
