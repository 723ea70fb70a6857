"""What was planned from a wrong report is planned again; what waits is given up once."""

from dataclasses import replace
from datetime import timedelta

import pytest

from chalicelib.domain.notices.tasks import TaskQueue
from chalicelib.domain.referrals.events import Corrected, derive_id
from chalicelib.domain.referrals.monitoring_window import MilestoneKind
from chalicelib.domain.referrals.stages import Stage
from chalicelib.services.platform.run_context import RunContext
from chalicelib.services.webhooks import deliveries
from tests.support import stores as store_tools
from tests.support.factories import CENTER
from tests.support.faults import inject_faults, plan_interruption
from tests.support.referral_values import build_event, build_stage_change
from tests.support.service_driver import MINUTE, STAGES_TO_LYMPHODEPLETION

DAY = timedelta(days=1)


def planned(driver):
    """The days that the window's milestones are planned for, by their state."""
    rows = [row for row in store_tools.list_task_rows() if row["rule"] in set(MilestoneKind)]
    return {state: {row["due_on"] for row in rows if row["state"] == state} for state in {row["state"] for row in rows}}


@pytest.fixture
def infused_services(submitted_services):
    """The desk after an infusion."""
    submitted_services.move_to(*STAGES_TO_LYMPHODEPLETION)
    submitted_services.now += MINUTE
    submitted_services.deliver("infused", webhook_id="msg-infused")
    return submitted_services


def correct(driver, really, *, n=1):
    """Correct the day of the infusion."""
    webhook_id = f"msg-correction-{n}"
    event_id = derive_id("evt", CENTER.tenant_id, webhook_id)
    right = build_stage_change(Stage.INFUSED, really, event_id=event_id)
    driver.now += MINUTE
    event = build_event(
        Corrected,
        driver.now,
        supersedes=derive_id("evt", CENTER.tenant_id, "msg-infused"),
        replacement=replace(right, referral_id="ref_1"),
        referral_id="ref_1",
    )
    return driver.deliver_event(event, webhook_id=webhook_id)


def days_after(infused_on):
    """When the notices of a window are due."""
    return {(infused_on + n * DAY).isoformat() for n in (7, 14, 21, 28)}


def test_a_corrected_infusion_plans_anew(infused_services):
    """The new days are planned, and the notices of the old ones are not sent."""
    first = infused_services.get_referral().window.infused_on
    second = first + DAY

    outcome = correct(infused_services, infused_services.now + DAY)
    infused_services.run_queue(TaskQueue.PLAN, now=infused_services.now + 40 * DAY)

    assert outcome.status == "applied"
    assert infused_services.get_referral().window.infused_on == second
    # Both plans have no day in common.
    assert planned(infused_services) == {"skipped": days_after(first), "done": days_after(second)}


def test_a_day_that_is_corrected_back_keeps_its_first_plan(infused_services):
    """Its notices stand in the outbox already, and are sent once."""
    at = infused_services.now
    first = infused_services.get_referral().window.infused_on

    outcomes = [correct(infused_services, at + DAY, n=1), correct(infused_services, at, n=2)]
    infused_services.run_queue(TaskQueue.PLAN, now=infused_services.now + 40 * DAY)

    assert [outcome.status for outcome in outcomes] == ["applied", "applied"]
    assert infused_services.get_referral().window.infused_on == first
    assert planned(infused_services) == {"done": days_after(first), "skipped": days_after(first + DAY)}


def test_what_was_skipped_meanwhile_is_planned_again(infused_services):
    """Corrected to a later day, the first days go by, and then it was the first day after all."""
    at = infused_services.now
    first = infused_services.get_referral().window.infused_on
    correct(infused_services, at + DAY, n=1)
    infused_services.run_queue(TaskQueue.PLAN, now=at + 7 * DAY)
    skipped = planned(infused_services)["skipped"]

    correct(infused_services, at, n=2)
    infused_services.run_queue(TaskQueue.PLAN, now=at + 40 * DAY)

    assert skipped == {(first + 7 * DAY).isoformat()}
    assert planned(infused_services) == {"done": days_after(first), "skipped": days_after(first + DAY)}


def test_monitoring_is_opened_the_day_after_the_corrected_infusion(infused_services):
    """Once, and dated by it."""
    correct(infused_services, infused_services.now + 3 * DAY)

    early = infused_services.run_queue(TaskQueue.PLAN, now=infused_services.now + 2 * DAY)
    stage = infused_services.get_referral().stage
    infused_services.run_queue(TaskQueue.PLAN, now=infused_services.now + 5 * DAY)

    assert early["skipped"] >= 1
    assert (stage, infused_services.get_referral().stage) == (Stage.INFUSED, Stage.MONITORING)


def lost(driver):
    """Give up the delivery that waits. Whether there was something to give up."""
    now = driver.now + DAY + MINUTE
    return deliveries.expire_parked_delivery("ctr_harbor", "msg-w", context=RunContext(driver.stores, now))


def test_a_job_gives_up_what_has_waited_for_a_day(submitted_services):
    """Not a minute earlier; the log calls it failed, and the referral misses an update."""
    submitted_services.deliver("infused", webhook_id="msg-w")
    soon = submitted_services.run_queue(TaskQueue.PLAN, now=submitted_services.now + DAY - MINUTE)
    waiting = [row["status"] for row in store_tools.list_rows("deliveries")]

    late = submitted_services.run_queue(TaskQueue.PLAN, now=submitted_services.now + DAY + MINUTE)

    assert (waiting, soon["skipped"]) == (["parked"], 0)
    assert (late["done"], late["skipped"]) == (1, 0)
    assert [row["status"] for row in store_tools.list_rows("deliveries")] == ["failed"]
    assert submitted_services.get_referral().status.updates_lost == 1


def test_a_job_skips_what_was_settled_in_time(submitted_services):
    """There is nothing to give up."""
    submitted_services.deliver("consult_scheduled", webhook_id="msg-w", at=submitted_services.now + MINUTE)
    submitted_services.deliver("accepted")

    late = submitted_services.run_queue(TaskQueue.PLAN, now=submitted_services.now + DAY + MINUTE)

    assert (late["done"], late["skipped"]) == (0, 1)
    assert submitted_services.get_referral().status.updates_lost == 0


def test_a_delivery_is_given_up_once(submitted_services):
    """However often the job runs."""
    submitted_services.deliver("infused", webhook_id="msg-w")

    assert [lost(submitted_services), lost(submitted_services)] == [True, False]
    assert submitted_services.get_referral().status.updates_lost == 1


def test_what_was_settled_is_not_given_up(submitted_services):
    """It came in time."""
    submitted_services.deliver("accepted", webhook_id="msg-w")

    assert lost(submitted_services) is False
    assert submitted_services.get_referral().status.updates_lost == 0


def test_a_delivery_that_is_settled_meanwhile_is_not_given_up(submitted_services):
    """What it waited for comes between the job's reading and its writing."""
    submitted_services.deliver("consult_scheduled", webhook_id="msg-w", at=submitted_services.now + MINUTE)

    def overtake():
        submitted_services.deliver("accepted", webhook_id="msg-a")

    with inject_faults(plan_interruption("TransactWriteItems", overtake)):
        gave_up = lost(submitted_services)

    assert gave_up is False
    assert submitted_services.get_referral().stage is Stage.CONSULT_SCHEDULED
    assert submitted_services.get_referral().status.updates_lost == 0


def test_a_move_meanwhile_does_not_hide_the_loss(submitted_services):
    """The referral was written between; the count is of what it is now."""
    submitted_services.deliver("infused", webhook_id="msg-w")

    def overtake():
        submitted_services.deliver("received", webhook_id="msg-r")

    with inject_faults(plan_interruption("TransactWriteItems", overtake)):
        gave_up = lost(submitted_services)

    assert gave_up is True
    assert submitted_services.get_referral().stage is Stage.RECEIVED
    assert submitted_services.get_referral().status.updates_lost == 1


def test_a_strangers_delivery_is_given_up_without_a_trace_on_the_referral(submitted_services):
    """It never was about it, as far as anybody knows."""
    event = replace(build_stage_change(Stage.ACCEPTED), referral_id="ref_unknown")
    submitted_services.deliver_event(event, webhook_id="msg-w")

    assert lost(submitted_services) is True
    assert submitted_services.get_referral().status.updates_lost == 0
