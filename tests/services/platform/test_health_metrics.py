"""What the relay measures: how far the jobs are behind, the key, the quota of email, and throttling."""

from datetime import timedelta

import pytest

from chalicelib.domain.notices.tasks import TaskQueue
from chalicelib.errors import UnavailableError
from chalicelib.mail.ses import SesMailer
from chalicelib.metrics import Metric
from chalicelib.services.platform.health_metrics import measure_health
from chalicelib.services.platform.run_context import JobContext
from tests.support import faults
from tests.support.aws_fakes import SENDER
from tests.support.factories import NOON
from tests.support.faults import FaultMode
from tests.support.metric_lines import record_metrics, sum_metrics
from tests.support.service_driver import MailRecorder
from tests.support.stores import get_aws_client
from tests.support.tasks import build_task, write_tasks

MINUTE = timedelta(minutes=1)


def measure(stores, *, now=NOON, mailer=None):
    """Measure as the relay does, and return what it wrote."""
    context = JobContext(stores, now, mailer=mailer or MailRecorder(), sign_in_url="", sender=SENDER)
    with record_metrics() as output:
        measured = measure_health(context=context)
    assert sum_metrics(output.getvalue()) == measured
    return measured


def test_nothing_is_due(stores):
    assert measure(stores) == {
        Metric.OLDEST_DUE_TASK_MINUTES: 0,
        Metric.DUE_TASKS: 0,
        Metric.KEY_UNUSABLE: 0,
        Metric.EMAIL_QUOTA_USED: 0,
    }


@pytest.mark.parametrize("queue", list(TaskQueue))
def test_the_oldest_due_task_of_any_queue_is_found(stores, queue):
    """Also if the job of that queue does not run at all. A task that is due later does not count."""
    write_tasks(
        stores,
        build_task(1, queue=queue, due_at=NOON - 100 * MINUTE),
        build_task(2, queue=queue, due_at=NOON - 5 * MINUTE),
        build_task(3, queue=queue, due_at=NOON + MINUTE),
    )

    measured = measure(stores)

    assert measured[Metric.OLDEST_DUE_TASK_MINUTES] == 100
    assert measured[Metric.DUE_TASKS] == 2


def test_a_task_that_a_run_has_is_not_due(stores):
    """Its lease makes it due again if the run crashes."""
    write_tasks(stores, build_task(1, queue=TaskQueue.EVENT, due_at=NOON - MINUTE))
    [row] = stores.outbox.list_due(TaskQueue.EVENT, by=NOON, limit=1)
    stores.outbox.claim(row, now=NOON)

    assert measure(stores)[Metric.DUE_TASKS] == 0


def test_a_disabled_key_is_noticed(stores):
    """Before the data keys in memory expire: DescribeKey works with a disabled key."""
    kms = get_aws_client("kms")
    kms.disable_key(KeyId=stores.encryption.kms_key_id)
    try:
        assert measure(stores)[Metric.KEY_UNUSABLE] == 1
    finally:
        kms.enable_key(KeyId=stores.encryption.kms_key_id)


def build_ses(**account):
    """A mailer whose SES has this account; moto has none."""

    class Ses:
        def get_account(self):
            quota = {"Max24HourSend": 50_000.0, "MaxSendRate": 14.0, "SentLast24Hours": 41_000.0}
            return {"SendingEnabled": True, "SendQuota": quota} | account

    return SesMailer(client=Ses, sender=SENDER, configuration_set="")


@pytest.mark.parametrize(
    ("account", "percent"),
    [
        ({}, 82),
        ({"SendingEnabled": False}, 100),
        ({"SendQuota": {"Max24HourSend": -1.0, "SentLast24Hours": 500.0}}, 0),
    ],
    ids=["used", "paused by SES", "unlimited"],
)
def test_the_used_part_of_the_email_quota_is_measured(stores, account, percent):
    assert measure(stores, mailer=build_ses(**account))[Metric.EMAIL_QUOTA_USED] == percent


class BrokenMailer(MailRecorder):
    def read_quota_used(self):
        raise UnavailableError


def test_a_measurement_that_fails_leaves_the_others(stores):
    measured = measure(stores, mailer=BrokenMailer())

    assert measured.keys() == {Metric.OLDEST_DUE_TASK_MINUTES, Metric.DUE_TASKS, Metric.KEY_UNUSABLE}


def test_a_throttled_call_is_counted_although_a_repeat_saved_it(stores):
    with record_metrics() as output, faults.inject_faults(faults.plan_nth_fault("GetItem", 1, FaultMode.THROTTLE)):
        stores.outbox.table.get({"outbox_id": "out_1"})

    assert sum_metrics(output.getvalue()) == {Metric.STORAGE_THROTTLED: 1}


def test_a_conflict_is_not_counted_as_throttled(stores):
    """Two writers of one item are normal."""
    with (
        record_metrics() as output,
        faults.inject_faults(faults.plan_always("PutItem", FaultMode.CONFLICT)),
        pytest.raises(Exception, match=r"TransactionConflict|unavailable"),
    ):
        stores.outbox.table.put({"outbox_id": "out_1"})

    assert output.getvalue() == ""
