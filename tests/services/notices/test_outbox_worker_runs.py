"""Runs of scheduled jobs that overlap, fail, or crash."""

from contextlib import suppress
from datetime import timedelta

import pytest

from chalicelib.domain.notices.tasks import TaskQueue
from chalicelib.domain.referrals.stages import Stage
from chalicelib.mail.ses import SesMailer
from chalicelib.services.notices import outbox_worker
from chalicelib.services.notices.outbox_worker import JobFailedError, run_job
from chalicelib.store.notices.leases import LEASE_DURATION, MAX_ATTEMPTS
from chalicelib.store.notices.outbox import SHARDS
from tests.support import aws_fakes, faults
from tests.support.faults import FaultMode
from tests.support.service_driver import MINUTE, STAGES_TO_LYMPHODEPLETION, FailingMailer, MailRecorder
from tests.support.stores import get_aws_client, get_dynamodb_client, list_mail_rows, list_task_rows


def count_states(rows=None):
    """The number of tasks, or emails, in each state."""
    rows = list_task_rows() if rows is None else rows
    return {state: [r["state"] for r in rows].count(state) for state in {r["state"] for r in rows}}


@pytest.fixture
def ses_services(services):
    """Services with one email to send through the fake SES."""
    services.postbox = SesMailer(client=lambda: get_aws_client("sesv2"), sender=aws_fakes.SENDER, configuration_set="")
    services.refer()
    return services


def count_sent():
    """How many emails SES accepted."""
    return len(aws_fakes.list_sent_mail())


@pytest.mark.parametrize(
    ("before_call", "expected"),
    [("SendEmail", (0, 1, 0)), ("UpdateItem", (1, 0, 1))],
    ids=["before sending", "before the claim"],
)
def test_two_runs_at_once_send_one_email(ses_services, before_call, expected):
    """The second run starts before the first one sends, or before it claims the row that both read."""
    other, other_counts = ses_services.restart(), []
    second_run = faults.plan_interruption(before_call, lambda: other_counts.append(other.run_queue(TaskQueue.EVENT)))

    with faults.inject_faults(second_run):
        counts = ses_services.run_queue(TaskQueue.EVENT)

    assert (counts["taken"], counts["done"], other_counts[0]["done"]) == expected
    assert count_sent() == 1


@pytest.mark.parametrize("mode", [FaultMode.CRASH_BEFORE, FaultMode.CRASH_AFTER, FaultMode.LOST_REPLY])
def test_a_fault_at_any_call_loses_no_email_and_sends_at_most_one_more_copy(services, mode):
    """For a crash or a lost response at each call of a run. The next run continues after the lease."""
    services.postbox = SesMailer(client=lambda: get_aws_client("sesv2"), sender=aws_fakes.SENDER, configuration_set="")
    services.refer("ref_first", key="key-first")
    services.run_queue(TaskQueue.EVENT)
    services.refer("ref_count", key="key-count")
    with faults.inject_faults(faults.plan_never) as fault_free:
        services.restart().run_queue(TaskQueue.EVENT)
    sent = []
    for number in range(1, len(fault_free.operations) + 1):
        services.refer(f"ref_{number}", key=f"key-{number}")
        before = count_sent()
        with faults.inject_faults(faults.plan_fault_at(number, mode)), suppress(faults.SimulatedCrash):
            services.restart().run_queue(TaskQueue.EVENT)
        services.now += LEASE_DURATION
        services.restart().run_queue(TaskQueue.EVENT)
        sent.append(count_sent() - before)

    assert "SendEmail" in fault_free.operations
    assert sorted(sent) == [1] * (len(sent) - 1) + [2]
    assert count_states() == {"done": len(sent) + 2}


def test_a_run_that_continues_after_its_lease_changes_nothing(services):
    """It was paused while it sent. The run that took over marked the email, and that stays."""
    services.refer()
    paused = services.restart()
    paused.postbox = PausingMailer(services)

    paused.run_queue(TaskQueue.EVENT)

    assert count_states() == {"done": 1}
    assert len(services.postbox.accepted) == 1
    assert list_mail_rows()[0]["fence"] == 2


class PausingMailer(MailRecorder):
    """A mail service that takes so long that the next run finishes everything."""

    def __init__(self, services):
        super().__init__()
        self.services = services

    def send(self, message, *, tag):
        """Accept the email after the other run has finished."""
        self.services.run_queue(TaskQueue.EVENT, now=self.services.now + LEASE_DURATION)
        return super().send(message, tag=tag)


@pytest.mark.parametrize("mode", [FaultMode.THROTTLE, FaultMode.SERVER_ERROR, FaultMode.REFUSED])
def test_an_outage_of_ses_loses_no_email_and_makes_no_task_fail(ses_services, mode):
    """Every run fails for six hours. Within 15 minutes after the outage, the email is sent once."""
    outage = faults.plan_always("SendEmail", mode)
    failed = 0
    with faults.inject_faults(outage):
        for _ in range(24):
            ses_services.now += 15 * MINUTE
            failed += ses_services.run_queue(TaskQueue.EVENT)["failed"]
    sent_in_outage = count_sent()

    ses_services.run_queue(TaskQueue.EVENT, now=ses_services.now + 15 * MINUTE)

    assert (sent_in_outage, count_sent()) == (0, 1)
    assert failed > MAX_ATTEMPTS, "otherwise the test would not show that these attempts do not count"
    assert count_states(list_mail_rows()) == {"done": 1}


@pytest.mark.parametrize("mode", [FaultMode.CRASH_BEFORE, FaultMode.CRASH_AFTER])
def test_a_crash_during_the_start_of_monitoring_starts_it_once(services, mode):
    """At the claim, at the stage change, and at the mark that the task is done."""
    writes = [("UpdateItem", 1), ("TransactWriteItems", 1), ("UpdateItem", 2)]
    results = []
    for operation, number in writes:
        name = f"ref_{operation}_{number}"
        services.refer(name, key=name)
        services.move_to(*STAGES_TO_LYMPHODEPLETION, "infused", referral_id=name)
        late = services.now + timedelta(days=1, hours=12)
        crash = faults.plan_nth_fault(operation, number, mode)
        with faults.inject_faults(crash), pytest.raises(faults.SimulatedCrash):
            services.restart().run_queue(TaskQueue.PLAN, now=late)
        services.restart().run_queue(TaskQueue.PLAN, now=late + LEASE_DURATION)
        stages = [event.event.stage for event in services.list_events(name)]
        results.append((services.get_referral(name).stage, stages.count(Stage.MONITORING)))

    assert results == [(Stage.MONITORING, 1)] * 3


def test_a_lost_response_to_the_start_of_monitoring_is_no_failure(services):
    """The retry of the SDK finds the event that it wrote, so the task is done."""
    services.refer()
    services.move_to(*STAGES_TO_LYMPHODEPLETION, "infused")
    lost = faults.plan_nth_fault("TransactWriteItems", 1, FaultMode.LOST_REPLY)

    with faults.inject_faults(lost):
        counts = services.run_queue(TaskQueue.PLAN, now=services.now + timedelta(days=2))

    assert (counts["skipped"], counts["failed"]) == (0, 0)
    assert [e.event.stage for e in services.list_events()].count(Stage.MONITORING) == 1


@pytest.mark.parametrize("count", [1, 45])
def test_one_run_processes_every_due_task(services, count):
    """Also more tasks than one read of the index returns. They are one email."""
    for n in range(count):
        services.refer(f"ref_{n}", key=f"key-{n}")

    counts = services.run_queue(TaskQueue.EVENT)

    assert (counts["done"], counts["mails"]) == (count, 1)
    assert count_states() == {"done": count}


def test_a_run_leaves_remaining_tasks_to_the_next_run(services, monkeypatch):
    """The number of reads is limited because a function has a time limit."""
    monkeypatch.setattr(outbox_worker, "MAX_BATCHES", 1)
    monkeypatch.setattr(outbox_worker, "ROWS_PER_SHARD", 1)
    for n in range(12):
        services.refer(f"ref_{n}", key=f"key-{n}")

    runs = [services.run_queue(TaskQueue.EVENT)["done"] for _ in range(12)]

    assert max(runs) <= 4
    assert sum(runs) == 12


def test_a_task_that_fails_does_not_delay_the_others(services):
    """The email of one center fails and the others are sent. It is tried again later."""
    services.postbox = FailingMailer(refused="harbor")
    services.refer("ref_1", key="key-1")
    services.refer("ref_2", key="key-2", center_id="ctr_mesa")
    services.refer("ref_3", key="key-3", center_id="ctr_mesa")

    counts = services.run_queue(TaskQueue.EVENT)
    services.postbox.refused = ""
    soon = services.run_queue(TaskQueue.EVENT, now=services.now + MINUTE)
    later = services.run_queue(TaskQueue.EVENT, now=services.now + 2 * MINUTE)

    assert (counts["mails"], counts["failed"]) == (2, 1)
    assert (soon["mails"], later["mails"]) == (0, 1)
    assert len(services.postbox.accepted) == 3


def test_a_task_is_retried_soon_after_an_outage_of_dynamodb(services):
    """It does not wait for the end of its lease, and the attempt does not count. The run counts it as failed."""
    services.refer()

    with faults.inject_faults(faults.plan_always("TransactWriteItems", FaultMode.THROTTLE)):
        counts = services.run_queue(TaskQueue.EVENT)
    [task] = list_task_rows()
    later = services.run_queue(TaskQueue.EVENT, now=services.now + 2 * MINUTE)

    assert (counts["done"], counts["failed"], counts["parked"]) == (0, 1, 0)
    assert (task["tries"], task["waits"]) == (0, 1)
    assert (later["done"], later["mails"]) == (1, 1)


def test_a_run_with_a_failed_task_raises_at_its_end(services):
    """So that an alarm reports it. All other tasks are done."""
    services.postbox = FailingMailer(refused="@")
    services.refer()

    with pytest.raises(JobFailedError, match="1 tasks failed"):
        run_job(TaskQueue.EVENT, context=services.build_job_context())


def test_a_run_without_a_failed_task_returns_its_counts(services):
    """The function returns and logs them."""
    services.refer()

    counts = run_job(TaskQueue.EVENT, context=services.build_job_context())

    assert counts == {"done": 1, "skipped": 0, "parked": 0, "failed": 0, "taken": 0, "mails": 1}


def test_a_task_of_a_missing_referral_is_skipped(services):
    """After a restore, a row can name a referral that does not exist."""
    services.refer()
    get_dynamodb_client().delete_item(
        TableName=services.stores.referrals.table.name, Key={"referral_id": {"S": "ref_1"}, "item": {"S": "referral"}}
    )

    assert services.run_queue(TaskQueue.EVENT)["skipped"] == 1


def test_a_run_without_due_tasks_costs_a_few_reads(services):
    """One query per shard for tasks and for emails, and no write."""
    with faults.inject_faults(faults.plan_never) as calls:
        services.run_queue(TaskQueue.EVENT)

    assert calls.operations == ["Query"] * SHARDS * 2


THROTTLED_CALLS = 3
"""One claim: the SDK tries it three times."""


@pytest.mark.parametrize("claims", [1, 2])
def test_a_throttled_claim_ends_only_its_own_task(services, claims):
    """The other tasks of the run are done. The throttled ones have not lost an attempt, and the next run does them."""
    for n in range(5):
        services.refer(f"ref_{n}", key=f"key-{n}")
    ids = [row["outbox_id"] for row in list_task_rows()]

    with faults.inject_faults(plan_throttled("UpdateItem", range(1, claims * THROTTLED_CALLS + 1))):
        counts = services.run_stream(*ids)

    assert (counts["done"], counts["failed"], counts["unreachable"]) == (5 - claims, claims, claims)
    assert count_states() == {"done": 5 - claims, "planned": claims}
    assert all("tries" not in row for row in list_task_rows() if row["state"] == "planned")
    assert services.restart().run_queue(TaskQueue.EVENT)["done"] == claims


def plan_throttled(operation, numbers):
    """Throttle these calls of an operation, counted from 1 with their retries."""
    seen = []

    def plan(_n, name):
        seen.extend([name] if name == operation else [])
        return FaultMode.THROTTLE if name == operation and len(seen) in numbers else None

    return plan


def test_a_run_on_a_throttled_table_ends(services):
    """It tries each task once, fails, and is over: the same tasks are not read again and again."""
    for n in range(5):
        services.refer(f"ref_{n}", key=f"key-{n}")

    with faults.inject_faults(faults.plan_always("UpdateItem", FaultMode.THROTTLE)) as calls:
        counts = services.run_queue(TaskQueue.EVENT)

    assert (counts["failed"], counts["unreachable"]) == (5, 5)
    assert calls.operations.count("UpdateItem") == 5 * THROTTLED_CALLS
    assert services.restart().run_queue(TaskQueue.EVENT)["done"] == 5


def test_an_outage_that_lasts_until_the_task_is_given_back_ends_only_that_task(services):
    """Its lease ends by itself."""
    services.refer("ref_0", key="key-0")
    with faults.inject_faults(faults.plan_never) as calls:
        services.run_stream(*[row["outbox_id"] for row in list_task_rows()])
    after_claim = calls.operations.index("UpdateItem") + 2
    for n in (1, 2):
        services.refer(f"ref_{n}", key=f"key-{n}")
    ids = [row["outbox_id"] for row in list_task_rows() if row["state"] == "planned"]

    outage = range(after_claim, after_claim + 2 * THROTTLED_CALLS)
    with faults.inject_faults(faults.plan_outage(outage, FaultMode.THROTTLE)):
        counts = services.run_stream(*ids)

    assert (counts["done"], counts["failed"], counts["unreachable"]) == (1, 1, 1)
    assert services.run_queue(TaskQueue.EVENT)["done"] == 0
    services.now += LEASE_DURATION
    assert services.restart().run_queue(TaskQueue.EVENT)["done"] == 1
