"""Tasks that always fail (failing_id tasks), crash the function, or come from another version."""

from datetime import timedelta

import pytest
from botocore.exceptions import ClientError

from chalicelib.domain.notices.tasks import TaskQueue
from chalicelib.domain.platform.jobs import JOB_PERIODS, ScheduledJob
from chalicelib.store.notices.leases import LEASE_DURATION, MAX_ATTEMPTS
from tests.support.service_driver import FailingMailer
from tests.support.stores import dump_tables, get_dynamodb_client, list_mail_rows, list_task_rows

SWEEP = JOB_PERIODS[ScheduledJob.RELAY]
MESSAGE_REJECTED = ClientError({"Error": {"Code": "MessageRejected", "Message": "Ana Example"}}, "SendEmail")


@pytest.fixture
def services(services):
    """Services with a mail service that can fail."""
    services.postbox = FailingMailer()
    return services


def get_task_id(referral_id="ref_1"):
    """The id of the task of a submission."""
    return _get_only_id(list_task_rows(), referral_id)


def get_mail_id(referral_id="ref_1"):
    """The id of the email of a submission."""
    return _get_only_id(list_mail_rows(), referral_id)


def _get_only_id(rows, referral_id):
    [row] = [row for row in rows if row["referral_id"] == referral_id]
    return row["outbox_id"]


@pytest.mark.parametrize(
    ("error", "kind"),
    [(KeyError("Ana Example"), "KeyError"), (MESSAGE_REJECTED, "ClientError MessageRejected")],
    ids=["ours", "the mail service's"],
)
def test_a_task_that_always_fails_waits_for_a_person_and_can_be_retried(services, error, kind):
    """It has the kind of its error and none of its text. After a retry the notice is sent."""
    services.refer()
    services.postbox.error = error
    services.postbox.refused = "harbor"
    services.run_stream(get_task_id())
    failing_id = get_mail_id()
    now, parked = services.now, 0
    while not parked and now < services.now + timedelta(days=1):
        now += SWEEP
        parked = services.run_queue(TaskQueue.EVENT, now=now)["parked"]
    services.postbox.refused = ""
    later = services.run_queue(TaskQueue.EVENT, now=now + timedelta(days=1))

    [failed_task] = services.stores.outbox.list_failed()
    assert parked == 1
    assert (failed_task.outbox_id, failed_task.error, failed_task.attempts) == (failing_id, kind, MAX_ATTEMPTS)
    assert "Ana" not in str(dump_tables()["outbox"])
    assert later["failed"] == later["done"] == 0
    assert services.stores.outbox.retry_failed(failing_id, now=now)
    assert services.run_queue(TaskQueue.EVENT, now=now)["mails"] == 1


@pytest.mark.parametrize("queue", [TaskQueue.EVENT, TaskQueue.MAIL])
def test_a_task_that_crashes_its_function_fails(services, queue):
    """No run records a failure, because runs that never finished used all its attempts."""
    services.refer()
    if queue is TaskQueue.MAIL:
        services.postbox.refused = "harbor"
        services.run_stream(get_task_id())
        services.now += SWEEP
    for _ in range(MAX_ATTEMPTS):
        [row] = services.stores.outbox.list_due(queue, by=services.now, limit=9)
        services.stores.outbox.claim(row, now=services.now)
        services.now += LEASE_DURATION
    counts = services.run_queue(queue)

    [failed_task] = services.stores.outbox.list_failed()
    assert (counts["parked"], failed_task.error) == (1, "TaskCrashedRepeatedlyError")
    assert services.postbox.accepted == []


def test_a_task_of_a_newer_version_does_not_delay_the_others(services):
    """A newer version planned it and was rolled back, so it has an unknown_id value."""
    services.refer("ref_1", key="key-1")
    services.refer("ref_2", key="key-2", center_id="ctr_mesa")
    unknown_id = get_task_id("ref_1")
    get_dynamodb_client().update_item(
        TableName=services.stores.outbox.table.name,
        Key={"outbox_id": {"S": unknown_id}},
        UpdateExpression="SET stage = :new",
        ExpressionAttributeValues={":new": {"S": "teleported"}},
    )

    by_stream = services.run_stream(get_task_id("ref_1"), get_task_id("ref_2"))
    by_sweep = services.run_queue(TaskQueue.EVENT, now=services.now + SWEEP)

    assert (by_stream["done"], by_stream["failed"]) == (1, 1)
    assert (by_sweep["done"], by_sweep["failed"]) == (0, 1)


def test_six_hours_of_unknown_errors_make_no_task_fail(services):
    """Every email is refused with an error that does not look like an outage. After that, each is sent once."""
    services.postbox.refused = "@"
    services.refer()
    services.run_stream(get_task_id())
    ends = services.now + timedelta(hours=6)
    while services.now < ends:
        services.now += SWEEP
        services.run_queue(TaskQueue.EVENT)
    services.postbox.refused = ""

    services.run_queue(TaskQueue.EVENT, now=ends + timedelta(hours=1))

    assert {row["state"] for row in (*list_task_rows(), *list_mail_rows())} == {"done"}
    assert len(services.postbox.accepted) == 1
