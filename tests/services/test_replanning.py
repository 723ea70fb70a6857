"""What was planned from a wrong report is planned again; what waits is given up once."""

from dataclasses import replace
from datetime import timedelta

import pytest

from chalicelib.domain.notices.notice_rules import Lane
from chalicelib.domain.referrals.events import Corrected, derived_id
from chalicelib.domain.referrals.monitoring_window import MilestoneKind
from chalicelib.domain.referrals.stages import Stage
from chalicelib.services.webhooks import deliveries
from tests.support import shelves
from tests.support.desk import MINUTE, TO_CONDITIONED
from tests.support.factories import CENTER
from tests.support.faults import injected, meanwhile
from tests.support.journey import a_change, an_event

DAY = timedelta(days=1)


def planned(desk):
    """The days that the window's milestones are planned for, by their state."""
    rows = [row for row in shelves.tasks() if row["rule"] in set(MilestoneKind)]
    return {
        state: {row["due_on"] for row in rows if row["state"] == state}
        for state in {row["state"] for row in rows}
    }


@pytest.fixture
def infused(referred):
    """The desk after an infusion."""
    referred.move_to(*TO_CONDITIONED)
    referred.now += MINUTE
    referred.deliver("infused", webhook_id="msg-infused")
    return referred


def correct(desk, really, *, n=1):
    """Correct the day of the infusion."""
    webhook_id = f"msg-correction-{n}"
    event_id = derived_id("evt", CENTER.tenant_id, webhook_id)
    right = a_change(Stage.INFUSED, really, event_id=event_id)
    desk.now += MINUTE
    event = an_event(
        Corrected,
        desk.now,
        supersedes=derived_id("evt", CENTER.tenant_id, "msg-infused"),
        replacement=replace(right, referral_id="ref_1"),
        referral_id="ref_1",
    )
    return desk.deliver_event(event, webhook_id=webhook_id)


def days_after(infused_on):
    """When the notices of a window are due."""
    return {(infused_on + n * DAY).isoformat() for n in (7, 14, 21, 28)}


def test_a_corrected_infusion_plans_anew(infused):
    """The new days are planned, and the notices of the old ones are not sent."""
    first = infused.referral().window.infused_on
    second = first + DAY

    outcome = correct(infused, infused.now + DAY)
    infused.work_off(Lane.PLAN, now=infused.now + 40 * DAY)

    assert outcome.status == "applied"
    assert infused.referral().window.infused_on == second
    # Both plans have no day in common.
    assert planned(infused) == {"skipped": days_after(first), "done": days_after(second)}


def test_a_day_that_is_corrected_back_keeps_its_first_plan(infused):
    """Its notices stand in the outbox already, and are sent once."""
    at = infused.now
    first = infused.referral().window.infused_on

    outcomes = [correct(infused, at + DAY, n=1), correct(infused, at, n=2)]
    infused.work_off(Lane.PLAN, now=infused.now + 40 * DAY)

    assert [outcome.status for outcome in outcomes] == ["applied", "applied"]
    assert infused.referral().window.infused_on == first
    assert planned(infused) == {"done": days_after(first), "skipped": days_after(first + DAY)}


def test_what_was_skipped_meanwhile_is_planned_again(infused):
    """Corrected to a later day, the first days go by, and then it was the first day after all."""
    at = infused.now
    first = infused.referral().window.infused_on
    correct(infused, at + DAY, n=1)
    infused.work_off(Lane.PLAN, now=at + 7 * DAY)
    skipped = planned(infused)["skipped"]

    correct(infused, at, n=2)
    infused.work_off(Lane.PLAN, now=at + 40 * DAY)

    assert skipped == {(first + 7 * DAY).isoformat()}
    assert planned(infused) == {"done": days_after(first), "skipped": days_after(first + DAY)}


def test_monitoring_is_opened_the_day_after_the_corrected_infusion(infused):
    """Once, and dated by it."""
    correct(infused, infused.now + 3 * DAY)

    early = infused.work_off(Lane.PLAN, now=infused.now + 2 * DAY)
    stage = infused.referral().stage
    infused.work_off(Lane.PLAN, now=infused.now + 5 * DAY)

    assert early["skipped"] >= 1
    assert (stage, infused.referral().stage) == (Stage.INFUSED, Stage.MONITORING)


def lost(desk):
    """Give up the delivery that waits. Whether there was something to give up."""
    now = desk.now + DAY + MINUTE
    return deliveries.give_up("ctr_harbor", "msg-w", stores=desk.stores, now=now)


def test_a_job_gives_up_what_has_waited_for_a_day(referred):
    """Not a minute earlier; the log calls it failed, and the referral misses an update."""
    referred.deliver("infused", webhook_id="msg-w")
    soon = referred.work_off(Lane.PLAN, now=referred.now + DAY - MINUTE)
    waiting = [row["status"] for row in shelves.rows("deliveries")]

    late = referred.work_off(Lane.PLAN, now=referred.now + DAY + MINUTE)

    assert (waiting, soon["skipped"]) == (["parked"], 0)
    assert (late["done"], late["skipped"]) == (1, 0)
    assert [row["status"] for row in shelves.rows("deliveries")] == ["failed"]
    assert referred.referral().overlay.updates_lost == 1


def test_a_job_skips_what_was_settled_in_time(referred):
    """There is nothing to give up."""
    referred.deliver("consult_scheduled", webhook_id="msg-w", at=referred.now + MINUTE)
    referred.deliver("accepted")

    late = referred.work_off(Lane.PLAN, now=referred.now + DAY + MINUTE)

    assert (late["done"], late["skipped"]) == (0, 1)
    assert referred.referral().overlay.updates_lost == 0


def test_a_delivery_is_given_up_once(referred):
    """However often the job runs."""
    referred.deliver("infused", webhook_id="msg-w")

    assert [lost(referred), lost(referred)] == [True, False]
    assert referred.referral().overlay.updates_lost == 1


def test_what_was_settled_is_not_given_up(referred):
    """It came in time."""
    referred.deliver("accepted", webhook_id="msg-w")

    assert lost(referred) is False
    assert referred.referral().overlay.updates_lost == 0


def test_a_delivery_that_is_settled_meanwhile_is_not_given_up(referred):
    """What it waited for comes between the job's reading and its writing."""
    referred.deliver("consult_scheduled", webhook_id="msg-w", at=referred.now + MINUTE)

    def overtake():
        referred.deliver("accepted", webhook_id="msg-a")

    with injected(meanwhile("TransactWriteItems", overtake)):
        gave_up = lost(referred)

    assert gave_up is False
    assert referred.referral().stage is Stage.CONSULT_SCHEDULED
    assert referred.referral().overlay.updates_lost == 0


def test_a_move_meanwhile_does_not_hide_the_loss(referred):
    """The referral was written between; the count is of what it is now."""
    referred.deliver("infused", webhook_id="msg-w")

    def overtake():
        referred.deliver("received", webhook_id="msg-r")

    with injected(meanwhile("TransactWriteItems", overtake)):
        gave_up = lost(referred)

    assert gave_up is True
    assert referred.referral().stage is Stage.RECEIVED
    assert referred.referral().overlay.updates_lost == 1


def test_a_strangers_delivery_is_given_up_without_a_trace_on_the_referral(referred):
    """It never was about it, as far as anybody knows."""
    event = replace(a_change(Stage.ACCEPTED), referral_id="ref_unknown")
    referred.deliver_event(event, webhook_id="msg-w")

    assert lost(referred) is True
    assert referred.referral().overlay.updates_lost == 0
