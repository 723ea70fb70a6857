"""Planning again after a correction, and parked deliveries that expire."""

from dataclasses import replace
from datetime import timedelta

import pytest

from chalicelib.domain.notices.tasks import TaskQueue
from chalicelib.domain.platform.ids import derive_id
from chalicelib.domain.referrals.events import Corrected
from chalicelib.domain.referrals.monitoring_window import MilestoneKind
from chalicelib.domain.referrals.stages import Stage
from chalicelib.services.platform.run_context import RunContext
from chalicelib.services.webhooks import deliveries
from tests.support.factories import CENTER
from tests.support.faults import inject_faults, plan_interruption
from tests.support.new_worlds import open_services_after
from tests.support.referral_values import build_event, build_stage_change
from tests.support.service_driver import MINUTE, STAGES_TO_LYMPHODEPLETION, refer_first
from tests.support.stores import list_rows, list_task_rows

DAY = timedelta(days=1)


def list_planned_days():
    """The days of the window's milestones, by state."""
    rows = [row for row in list_task_rows() if row["rule"] in set(MilestoneKind)]
    return {state: {row["due_on"] for row in rows if row["state"] == state} for state in {row["state"] for row in rows}}


def move_to_infusion(driver):
    """Submit a referral and move it to its infusion."""
    refer_first(driver).move_to(*STAGES_TO_LYMPHODEPLETION)
    driver.now += MINUTE
    driver.deliver("infused", webhook_id="msg-infused")
    return driver


@pytest.fixture
def infused_services(stores):
    """Services after an infusion."""
    return open_services_after(move_to_infusion, stores)


def correct_infusion(driver, really, *, n=1):
    """Correct the day of the infusion."""
    webhook_id = f"msg-correction-{n}"
    event_id = derive_id("evt", CENTER.tenant_id, webhook_id)
    correct_event = build_stage_change(Stage.INFUSED, really, event_id=event_id)
    driver.now += MINUTE
    event = build_event(
        Corrected,
        driver.now,
        supersedes=derive_id("evt", CENTER.tenant_id, "msg-infused"),
        replacement=replace(correct_event, referral_id="ref_1"),
        referral_id="ref_1",
    )
    return driver.deliver_event(event, webhook_id=webhook_id)


def list_due_days(infused_on):
    """The days on which the notices of a window are due."""
    return {(infused_on + n * DAY).isoformat() for n in (7, 14, 21, 28)}


def test_a_corrected_infusion_is_planned_again(infused_services):
    """The notices of the new days are sent, and those of the old days are not."""
    first = infused_services.get_referral().window.infused_on
    second = first + DAY

    outcome = correct_infusion(infused_services, infused_services.now + DAY)
    infused_services.run_queue(TaskQueue.PLAN, now=infused_services.now + 40 * DAY)

    assert outcome.status == "applied"
    assert infused_services.get_referral().window.infused_on == second
    # The two plans have no day in common.
    assert list_planned_days() == {"skipped": list_due_days(first), "done": list_due_days(second)}


def test_a_day_that_is_corrected_back_keeps_its_first_plan(infused_services):
    """Its notices are already in the outbox and are sent once."""
    at = infused_services.now
    first = infused_services.get_referral().window.infused_on

    outcomes = [correct_infusion(infused_services, at + DAY, n=1), correct_infusion(infused_services, at, n=2)]
    infused_services.run_queue(TaskQueue.PLAN, now=infused_services.now + 40 * DAY)

    assert [outcome.status for outcome in outcomes] == ["applied", "applied"]
    assert infused_services.get_referral().window.infused_on == first
    assert list_planned_days() == {"done": list_due_days(first), "skipped": list_due_days(first + DAY)}


def test_a_task_that_was_skipped_after_a_wrong_correction_is_planned_again(infused_services):
    """Corrected to a later day, then the first days pass, and then corrected back."""
    at = infused_services.now
    first = infused_services.get_referral().window.infused_on
    correct_infusion(infused_services, at + DAY, n=1)
    infused_services.run_queue(TaskQueue.PLAN, now=at + 7 * DAY)
    skipped = list_planned_days()["skipped"]

    correct_infusion(infused_services, at, n=2)
    infused_services.run_queue(TaskQueue.PLAN, now=at + 40 * DAY)

    assert skipped == {(first + 7 * DAY).isoformat()}
    assert list_planned_days() == {"done": list_due_days(first), "skipped": list_due_days(first + DAY)}


def test_monitoring_starts_the_day_after_the_corrected_infusion(infused_services):
    """Once, with a time that depends on the correction."""
    correct_infusion(infused_services, infused_services.now + 3 * DAY)

    early = infused_services.run_queue(TaskQueue.PLAN, now=infused_services.now + 2 * DAY)
    stage = infused_services.get_referral().stage
    infused_services.run_queue(TaskQueue.PLAN, now=infused_services.now + 5 * DAY)

    assert early["skipped"] >= 1
    assert (stage, infused_services.get_referral().stage) == (Stage.INFUSED, Stage.MONITORING)


def expire(driver):
    """Expire the parked delivery after a day. Return whether there was one."""
    now = driver.now + DAY + MINUTE
    return deliveries.expire_parked_delivery("ctr_harbor", "msg-w", context=RunContext(driver.stores, now))


def test_a_delivery_expires_after_it_was_parked_for_a_day(submitted_services):
    """Not a minute earlier. The log shows it as failed, and the referral has a missing update."""
    submitted_services.deliver("infused", webhook_id="msg-w")
    early = submitted_services.run_queue(TaskQueue.PLAN, now=submitted_services.now + DAY - MINUTE)
    statuses = [row["status"] for row in list_rows("deliveries")]

    late = submitted_services.run_queue(TaskQueue.PLAN, now=submitted_services.now + DAY + MINUTE)

    assert (statuses, early["skipped"]) == (["parked"], 0)
    assert (late["done"], late["skipped"]) == (1, 0)
    assert [row["status"] for row in list_rows("deliveries")] == ["failed"]
    assert submitted_services.get_referral().status.updates_lost == 1


def test_the_expiry_of_an_applied_delivery_is_skipped(submitted_services):
    """There is nothing to expire."""
    submitted_services.deliver("consult_scheduled", webhook_id="msg-w", at=submitted_services.now + MINUTE)
    submitted_services.deliver("accepted")

    late = submitted_services.run_queue(TaskQueue.PLAN, now=submitted_services.now + DAY + MINUTE)

    assert (late["done"], late["skipped"]) == (0, 1)
    assert submitted_services.get_referral().status.updates_lost == 0


def test_a_delivery_expires_only_once(submitted_services):
    """However often the job runs."""
    submitted_services.deliver("infused", webhook_id="msg-w")

    assert [expire(submitted_services), expire(submitted_services)] == [True, False]
    assert submitted_services.get_referral().status.updates_lost == 1


def test_a_delivery_that_was_never_parked_does_not_expire(submitted_services):
    """It was applied when it arrived."""
    submitted_services.deliver("accepted", webhook_id="msg-w")

    assert expire(submitted_services) is False
    assert submitted_services.get_referral().status.updates_lost == 0


def test_a_delivery_that_is_applied_during_its_expiry_does_not_expire(submitted_services):
    """The earlier event arrives between the read and the write of the job."""
    submitted_services.deliver("consult_scheduled", webhook_id="msg-w", at=submitted_services.now + MINUTE)

    def overtake():
        submitted_services.deliver("accepted", webhook_id="msg-a")

    with inject_faults(plan_interruption("TransactWriteItems", overtake)):
        expired = expire(submitted_services)

    assert expired is False
    assert submitted_services.get_referral().stage is Stage.CONSULT_SCHEDULED
    assert submitted_services.get_referral().status.updates_lost == 0


def test_a_change_during_the_expiry_does_not_hide_the_missing_update(submitted_services):
    """The referral changed between the read and the write, and the count is added to its new state."""
    submitted_services.deliver("infused", webhook_id="msg-w")

    def overtake():
        submitted_services.deliver("received", webhook_id="msg-r")

    with inject_faults(plan_interruption("TransactWriteItems", overtake)):
        expired = expire(submitted_services)

    assert expired is True
    assert submitted_services.get_referral().stage is Stage.RECEIVED
    assert submitted_services.get_referral().status.updates_lost == 1


def test_an_expired_delivery_for_an_unknown_referral_changes_no_referral(submitted_services):
    """As far as we know, it was never about this referral."""
    event = replace(build_stage_change(Stage.ACCEPTED), referral_id="ref_unknown")
    submitted_services.deliver_event(event, webhook_id="msg-w")

    assert expire(submitted_services) is True
    assert submitted_services.get_referral().status.updates_lost == 0
