"""A center's system reports events: what is written, what is returned, and what a repeat returns."""

from dataclasses import replace
from datetime import timedelta

import pytest

from chalicelib.domain.notices.tasks import TaskQueue
from chalicelib.domain.referrals.stages import Actor, Stage
from chalicelib.errors import ConflictError
from chalicelib.services.referrals.apply_parked import apply_parked
from chalicelib.services.referrals.report_event import report_by_system
from tests.support import faults
from tests.support.factories import OTHER_CENTER
from tests.support.referral_values import build_stage_change
from tests.support.service_driver import MINUTE, STAGES_TO_LYMPHODEPLETION
from tests.support.stores import dump_tables, list_rows, list_task_rows


def list_stages(services):
    """The stages in the timeline, with the status of each event."""
    return [(event.event.stage.value, event.status.value) for event in services.list_events()]


def test_a_delivery_changes_the_stage(submitted_services):
    """The result has the status and the new stage."""
    result = submitted_services.deliver("received")

    assert (result.status, result.stage) == ("applied", "received")
    assert submitted_services.get_referral().stage is Stage.RECEIVED
    assert list_stages(submitted_services) == [("submitted", "applied"), ("received", "applied")]


def test_an_event_is_written_in_one_transaction(submitted_services):
    """Log entry, referral, event, audit row and follow-up tasks, after two reads at the same time."""
    submitted_services.deliver("received")

    with faults.inject_faults(faults.plan_never) as calls:
        submitted_services.deliver("accepted", at=submitted_services.now + MINUTE)

    assert calls.operations == ["GetItem", "Query", "TransactWriteItems"]


def test_a_repeated_delivery_is_a_duplicate(submitted_services):
    """It gets the first result, and nothing is written."""
    first = submitted_services.deliver("received", webhook_id="msg-1")
    before = dump_tables()

    again = submitted_services.deliver("received", webhook_id="msg-1")

    # A data key can be created for an event that might have been parked; nothing is encrypted with it.
    assert again == replace(first, status="duplicate")
    assert dump_tables() | {"keys": []} == before | {"keys": []}


def test_a_webhook_id_with_another_body_is_refused(submitted_services):
    """The first delivery stays as it was."""
    submitted_services.deliver("received", webhook_id="msg-1", body=b"{}")

    with pytest.raises(ConflictError) as refusal:
        submitted_services.deliver("received", webhook_id="msg-1", body=b"[]")

    assert refusal.value.code == "webhook_id_reused"
    assert list_stages(submitted_services)[1:] == [("received", "applied")]


def test_a_late_event_is_recorded_in_the_history(submitted_services):
    """With its date. The stage does not change, and no one is notified."""
    submitted_services.deliver("accepted", at=submitted_services.now + MINUTE)
    tasks = len(list_task_rows())

    result = submitted_services.deliver("received")

    assert (result.status, result.stage) == ("recorded", "accepted")
    assert list_stages(submitted_services) == [
        ("submitted", "applied"),
        ("received", "recorded"),
        ("accepted", "applied"),
    ]
    assert len(list_task_rows()) == tasks


def test_a_repeated_late_delivery_is_a_duplicate(submitted_services):
    """The same as a repeat of an applied delivery."""
    submitted_services.deliver("accepted", at=submitted_services.now + MINUTE)
    submitted_services.deliver("received", webhook_id="msg-1")

    assert submitted_services.deliver("received", webhook_id="msg-1").status == "duplicate"
    assert len(submitted_services.list_events()) == 3


@pytest.mark.parametrize("times", [1, 3])
def test_a_rejected_delivery_is_rejected_again_on_repeat(submitted_services, times):
    """The same error each time, with one row in the delivery log and one in the audit trail."""
    submitted_services.move_to("declined")
    at = submitted_services.now + MINUTE
    codes = []
    for _ in range(times):
        with pytest.raises(ConflictError) as refusal:
            submitted_services.deliver("accepted", webhook_id="msg-late", at=at)
        codes.append(refusal.value.code)

    log_rows = [row for row in list_rows("deliveries") if row["webhook_id"] == "msg-late"]
    audit_rows = [row for row in list_rows("audit") if row["outcome"] == "referral_closed"]
    assert codes == ["referral_closed"] * times
    assert [(row["status"], row["code"]) for row in log_rows] == [("refused", "referral_closed")]
    assert len(audit_rows) == 1


def test_a_center_cannot_withdraw_a_referral(submitted_services):
    """Only the practice can, even if the delivery is signed."""
    with pytest.raises(ConflictError) as refusal:
        submitted_services.deliver("withdrawn")

    assert refusal.value.code == "not_your_move"
    assert submitted_services.get_referral().stage is Stage.SUBMITTED


def test_another_centers_referral_and_an_unknown_one_get_the_same_result(submitted_services):
    """Both deliveries are parked, and neither has an effect."""
    foreign = submitted_services.deliver("accepted", center=OTHER_CENTER, webhook_id="a")
    unknown = submitted_services.deliver("accepted", center=OTHER_CENTER, webhook_id="b", referral_id="ref_unknown")

    ids = {"referral_id": "ref_1", "event_id": foreign.event_id}
    assert replace(unknown, **ids) == foreign
    assert (foreign.status, foreign.stage) == ("parked", None)
    assert submitted_services.get_referral().stage is Stage.SUBMITTED
    assert len(submitted_services.list_events()) == 1


def test_a_delivery_from_another_center_never_applies(submitted_services):
    """Not after later stages, and not when the parked deliveries are checked again."""
    submitted_services.deliver("received", center=OTHER_CENTER, webhook_id="a")
    submitted_services.move_to("received", "accepted")

    count = apply_parked("ref_1", context=submitted_services.context)

    assert count == 0
    assert submitted_services.list_parked_stages() == ["received"]
    assert {e.event.actor_id for e in submitted_services.list_events()[1:]} == {"feed:ctr_harbor"}


def test_a_center_cannot_report_on_a_draft(services):
    """A referral that was not submitted does not exist for the center."""
    services.refer(submit=False)

    assert services.deliver("received").status == "parked"
    assert services.get_referral().stage is Stage.DRAFT


def test_two_centers_can_use_the_same_webhook_id(submitted_services):
    """An id that another center used first still works for the referral's own center."""
    submitted_services.deliver("received", center=OTHER_CENTER, webhook_id="msg-1")

    assert submitted_services.deliver("received", webhook_id="msg-1").status == "applied"


@pytest.mark.parametrize(("product_id", "parts"), [("breyanzi", 1), ("aucatzyl", 2), (None, 3)])
def test_monitoring_starts_after_the_last_dose(services, product_id, parts):
    """Doses are nine days apart and the daily job runs; only the last dose leads to monitoring."""
    services.refer(product_id=product_id)
    services.move_to(*STAGES_TO_LYMPHODEPLETION)
    stages_before_doses = set()
    for part in range(1, parts + 1):
        services.now += timedelta(days=9)
        services.run_queue(TaskQueue.PLAN)
        stages_before_doses.add(services.get_referral().stage)
        assert services.deliver("infused", part=part, of=parts).status == "applied"

    services.run_queue(TaskQueue.PLAN, now=services.now + timedelta(days=1, hours=12))

    assert stages_before_doses <= {Stage.LYMPHODEPLETION_STARTED, Stage.INFUSED}
    assert services.get_referral().stage is Stage.MONITORING
    assert services.get_referral().window is not None


def test_a_system_event_that_does_not_apply_writes_nothing(submitted_services):
    """For an unknown referral, or for one in another stage."""
    before = dump_tables()
    change = build_stage_change(Stage.MONITORING, submitted_services.now, referral_id="ref_1", actor=Actor.SYSTEM)
    results = [
        report_by_system(event, context=submitted_services.context)
        for event in (change, replace(change, referral_id="ref_unknown"))
    ]

    assert results == [False, False]
    assert dump_tables() == before
