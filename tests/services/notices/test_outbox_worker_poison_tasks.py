"""Tasks that fail: for good, for a while, or only in the eyes of who looks at them."""

from datetime import timedelta

import pytest
from botocore.exceptions import ClientError

from chalicelib.domain.notices.tasks import TaskQueue
from chalicelib.domain.platform.jobs import JOB_PERIODS, ScheduledJob
from chalicelib.errors import UnavailableError
from chalicelib.store.notices.leases import LEASE_DURATION, MAX_ATTEMPTS
from tests.support import stores as store_tools
from tests.support.service_driver import FailingMailer

SWEEP = JOB_PERIODS[ScheduledJob.RELAY]
MESSAGE_REJECTED = ClientError({"Error": {"Code": "MessageRejected", "Message": "Ana Example"}}, "SendEmail")


@pytest.fixture
def services(services):
    """The desk, with a mail service that can be told to fail."""
    services.postbox = FailingMailer()
    return services


def committed(referral_id="ref_1"):
    """The id of the task that a submission made."""
    return _one_of(store_tools.list_task_rows(), referral_id)


def mailed(referral_id="ref_1"):
    """The id of the mail that came of it."""
    return _one_of(store_tools.list_mail_rows(), referral_id)


def _one_of(rows, referral_id):
    [row] = [row for row in rows if row["referral_id"] == referral_id]
    return row["outbox_id"]


@pytest.mark.parametrize(
    ("error", "kind"),
    [(KeyError("Ana Example"), "KeyError"), (MESSAGE_REJECTED, "ClientError MessageRejected")],
    ids=["ours", "the mail service's"],
)
def test_a_poison_record_is_parked_in_the_end_and_put_back_by_a_person(services, error, kind):
    """With the kind of its error and no word of it; when that is mended, it is told after all."""
    services.refer()
    services.postbox.error = error
    services.postbox.refused = "harbor"
    services.run_stream(committed())
    poison = mailed()
    now, parked = services.now, 0
    while not parked and now < services.now + timedelta(days=1):
        now += SWEEP
        parked = services.run_queue(TaskQueue.EVENT, now=now)["parked"]
    services.postbox.refused = ""
    quiet = services.run_queue(TaskQueue.EVENT, now=now + timedelta(days=1))

    [aside] = services.stores.outbox.list_failed()
    assert parked == 1
    assert (aside.outbox_id, aside.error, aside.attempts) == (poison, kind, MAX_ATTEMPTS)
    assert "Ana" not in str(store_tools.dump_tables()["outbox"])
    assert quiet["failed"] == quiet["done"] == 0
    assert services.stores.outbox.retry_failed(poison, now=now)
    assert services.run_queue(TaskQueue.EVENT, now=now)["mails"] == 1


@pytest.mark.parametrize("lane", [TaskQueue.EVENT, TaskQueue.MAIL])
def test_what_takes_its_function_down_is_parked(services, lane):
    """Nobody comes back to say that it failed: runs that never finished have used its tries."""
    services.refer()
    if lane is TaskQueue.MAIL:
        services.postbox.refused = "harbor"
        services.run_stream(committed())
        services.now += SWEEP
    for _ in range(MAX_ATTEMPTS):
        [row] = services.stores.outbox.list_due(lane, by=services.now, limit=9)
        services.stores.outbox.claim(row, now=services.now)
        services.now += LEASE_DURATION
    counts = services.run_queue(lane)

    [aside] = services.stores.outbox.list_failed()
    assert (counts["parked"], aside.error) == (1, "TaskCrashedRepeatedlyError")
    assert services.postbox.accepted == []


def test_a_row_of_another_version_holds_up_nobody(services):
    """A newer version planned it and was rolled back: the words in it are unknown."""
    services.refer("ref_1", key="key-1")
    services.refer("ref_2", key="key-2", center_id="ctr_mesa")
    unknown = committed("ref_1")
    store_tools.get_dynamodb_client().update_item(
        TableName=services.stores.outbox.table.name,
        Key={"outbox_id": {"S": unknown}},
        UpdateExpression="SET stage = :new",
        ExpressionAttributeValues={":new": {"S": "teleported"}},
    )

    by_stream = services.run_stream(committed("ref_1"), committed("ref_2"))
    by_sweep = services.run_queue(TaskQueue.EVENT, now=services.now + SWEEP)

    assert (by_stream["done"], by_stream["failed"]) == (1, 1)
    assert (by_sweep["done"], by_sweep["failed"]) == (0, 1)


def test_an_outage_that_nobody_knows_as_one_parks_nothing_for_six_hours(services):
    """Every mail is refused as if it were poison; when that ends, all go, once."""
    services.postbox.refused = "@"
    services.refer()
    services.run_stream(committed())
    ends = services.now + timedelta(hours=6)
    while services.now < ends:
        services.now += SWEEP
        services.run_queue(TaskQueue.EVENT)
    services.postbox.refused = ""

    services.run_queue(TaskQueue.EVENT, now=ends + timedelta(hours=1))

    assert {row["state"] for row in (*store_tools.list_task_rows(), *store_tools.list_mail_rows())} == {"done"}
    assert len(services.postbox.accepted) == 1


def test_a_long_outage_is_over_within_a_quarter_of_an_hour(services):
    """Nothing is parked in half a day without mail, and no pause has grown beyond that."""
    services.postbox.refused, services.postbox.error = "@", UnavailableError()
    services.refer()
    services.run_stream(committed())
    ends = services.now + timedelta(hours=12)
    while services.now < ends:
        services.now += 4 * SWEEP
        services.run_queue(TaskQueue.EVENT)
    services.postbox.refused = ""

    assert services.run_queue(TaskQueue.EVENT, now=services.now + timedelta(minutes=15))["mails"] == 1
