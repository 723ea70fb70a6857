"""Runs of the scheduled work: interleaved, failing, dying half way."""

from contextlib import suppress
from datetime import timedelta

import pytest

from chalicelib.domain.notices.tasks import TaskQueue
from chalicelib.domain.referrals.stages import Stage
from chalicelib.mail.ses import SesMailer
from chalicelib.services.notices import outbox_worker as duties
from chalicelib.services.notices.outbox_worker import JobFailedError, run_job
from chalicelib.store.notices.leases import LEASE_DURATION, MAX_ATTEMPTS
from chalicelib.store.notices.outbox import SHARDS
from tests.support import aws_fakes as cloud
from tests.support import faults
from tests.support import stores as store_tools
from tests.support.faults import FaultMode
from tests.support.service_driver import MINUTE, STAGES_TO_LYMPHODEPLETION, MailRecorder


def states(rows=None):
    """How many tasks, or mails, are in which state."""
    rows = store_tools.list_task_rows() if rows is None else rows
    return {state: [r["state"] for r in rows].count(state) for state in {r["state"] for r in rows}}


@pytest.fixture
def mailing(services):
    """The desk with one mail to send, by the mail service of the tests' own cloud."""
    services.postbox = SesMailer(
        client=lambda: store_tools.get_aws_client("sesv2"), sender=cloud.SENDER, configuration_set=""
    )
    services.refer()
    return services


def copies():
    """How often the mail service took the mail."""
    return len(cloud.list_sent_mail())


def test_two_runs_at_once_send_once(mailing):
    """The second begins while the first is about to send: the task is claimed."""
    other, theirs = mailing.restart(), []
    while_sending = faults.plan_interruption("SendEmail", lambda: theirs.append(other.run_queue(TaskQueue.EVENT)))

    with faults.inject_faults(while_sending):
        mine = mailing.run_queue(TaskQueue.EVENT)

    assert (mine["done"], theirs[0]["done"]) == (1, 0)
    assert copies() == 1


def test_two_runs_that_read_the_same_row_send_once(mailing):
    """Both have seen it due; the claim of one is refused, and counted as taken."""
    other, theirs = mailing.restart(), []
    between = faults.plan_interruption("UpdateItem", lambda: theirs.append(other.run_queue(TaskQueue.EVENT)))

    with faults.inject_faults(between):
        mine = mailing.run_queue(TaskQueue.EVENT)

    assert (mine["taken"], mine["done"], theirs[0]["done"]) == (1, 0, 1)
    assert copies() == 1


@pytest.mark.parametrize("mode", [FaultMode.CRASH_BEFORE, FaultMode.CRASH_AFTER, FaultMode.LOST_REPLY])
def test_a_fault_in_a_run_loses_no_mail_and_sends_one_copy_more_at_most(services, mode):
    """At every call of a run that dies or loses a reply; after the lease the next one is there."""
    services.postbox = SesMailer(
        client=lambda: store_tools.get_aws_client("sesv2"), sender=cloud.SENDER, configuration_set=""
    )
    services.refer("ref_first", key="key-first")
    services.run_queue(TaskQueue.EVENT)
    services.refer("ref_count", key="key-count")
    with faults.inject_faults(faults.plan_never) as counted:
        services.restart().run_queue(TaskQueue.EVENT)
    sent = []
    for number in range(1, len(counted.operations) + 1):
        services.refer(f"ref_{number}", key=f"key-{number}")
        before = copies()
        with faults.inject_faults(faults.plan_fault_at(number, mode)), suppress(faults.SimulatedCrash):
            services.restart().run_queue(TaskQueue.EVENT)
        services.now += LEASE_DURATION
        services.restart().run_queue(TaskQueue.EVENT)
        sent.append(copies() - before)

    assert "SendEmail" in counted.operations
    assert sorted(sent) == [1] * (len(sent) - 1) + [2]
    assert states() == {"done": len(sent) + 2}


def test_a_run_that_comes_back_to_life_changes_nothing(services):
    """Frozen while it sent, past its lease; its successor was quicker, and what it marks stands."""
    services.refer()
    frozen = services.restart()
    frozen.postbox = Frozen(services)

    frozen.run_queue(TaskQueue.EVENT)

    assert states() == {"done": 1}
    assert len(services.postbox.accepted) == 1
    assert store_tools.list_mail_rows()[0]["fence"] == 2


class Frozen(MailRecorder):
    """A mail service that takes so long that the next run has done it all."""

    def __init__(self, desk):
        super().__init__()
        self.driver = desk

    def send(self, message, *, tag):
        """Take the mail after the successor has finished."""
        self.driver.run_queue(TaskQueue.EVENT, now=self.driver.now + LEASE_DURATION)
        return super().send(message, tag=tag)


@pytest.mark.parametrize("mode", [FaultMode.THROTTLE, FaultMode.SERVER_ERROR, FaultMode.REFUSED])
def test_a_mail_service_that_is_down_loses_nothing(mailing, mode):
    """Six hours long every run fails; then the mail goes, once."""
    dead = faults.plan_always("SendEmail", mode)
    failed = 0
    with faults.inject_faults(dead):
        for _ in range(24):
            mailing.now += 15 * MINUTE
            failed += mailing.run_queue(TaskQueue.EVENT)["failed"]
    down = copies()

    mailing.run_queue(TaskQueue.EVENT, now=mailing.now + timedelta(hours=1))

    assert (down, copies()) == (0, 1)
    assert failed > MAX_ATTEMPTS, "else it would not matter what counts as a try"
    assert states(store_tools.list_mail_rows()) == {"done": 1}


@pytest.mark.parametrize("mode", [FaultMode.CRASH_BEFORE, FaultMode.CRASH_AFTER])
def test_a_run_that_dies_as_it_opens_monitoring_opens_it_once(services, mode):
    """At the claim, at the move itself and at the mark that it was done."""
    writes = [("UpdateItem", 1), ("TransactWriteItems", 1), ("UpdateItem", 2)]
    opened = []
    for operation, number in writes:
        name = f"ref_{operation}_{number}"
        services.refer(name, key=name)
        services.move_to(*STAGES_TO_LYMPHODEPLETION, "infused", referral_id=name)
        late = services.now + timedelta(days=1, hours=12)
        dies = faults.plan_nth_fault(operation, number, mode)
        with faults.inject_faults(dies), pytest.raises(faults.SimulatedCrash):
            services.restart().run_queue(TaskQueue.PLAN, now=late)
        services.restart().run_queue(TaskQueue.PLAN, now=late + LEASE_DURATION)
        found = [event.event.stage for event in services.list_events(name)]
        opened.append((services.get_referral(name).stage, found.count(Stage.MONITORING)))

    assert opened == [(Stage.MONITORING, 1)] * 3


def test_a_lost_reply_to_the_opening_is_no_failure(services):
    """The SDK's retry meets the event that it wrote itself: it is done."""
    services.refer()
    services.move_to(*STAGES_TO_LYMPHODEPLETION, "infused")
    lost = faults.plan_nth_fault("TransactWriteItems", 1, FaultMode.LOST_REPLY)

    with faults.inject_faults(lost):
        counts = services.run_queue(TaskQueue.PLAN, now=services.now + timedelta(days=2))

    assert (counts["skipped"], counts["failed"]) == (0, 0)
    assert [e.event.stage for e in services.list_events()].count(Stage.MONITORING) == 1


@pytest.mark.parametrize("count", [1, 45])
def test_however_much_is_due_is_worked_off_in_one_run(services, count):
    """More than a reading of the index takes; of so much, one mail tells."""
    for n in range(count):
        services.refer(f"ref_{n}", key=f"key-{n}")

    counts = services.run_queue(TaskQueue.EVENT)

    assert (counts["done"], counts["mails"]) == (count, 1)
    assert states() == {"done": count}


def test_a_run_leaves_the_rest_to_the_next_one(services, monkeypatch):
    """It reads on only so often; a function has a limit of time."""
    monkeypatch.setattr(duties, "MAX_BATCHES", 1)
    monkeypatch.setattr(duties, "ROWS_PER_SHARD", 1)
    for n in range(12):
        services.refer(f"ref_{n}", key=f"key-{n}")

    runs = [services.run_queue(TaskQueue.EVENT)["done"] for _ in range(12)]

    assert max(runs) <= 4
    assert sum(runs) == 12


class Choosy(MailRecorder):
    """A mail service that does not take some mails."""

    refused: str = ""

    def send(self, message, *, tag):
        """Refuse a mail to somebody, as a template that does not render would."""
        if self.refused in message.to:
            raise ValueError("no such template")
        return super().send(message, tag=tag)


def test_a_task_that_fails_does_not_hold_up_the_others(services):
    """One center's mail does not go; the others' do, and it is tried again later."""
    choosy = Choosy()
    choosy.refused = "harbor"
    services.postbox = choosy
    services.refer("ref_1", key="key-1")
    services.refer("ref_2", key="key-2", center_id="ctr_mesa")
    services.refer("ref_3", key="key-3", center_id="ctr_mesa")

    counts = services.run_queue(TaskQueue.EVENT)
    choosy.refused = "nobody"
    soon = services.run_queue(TaskQueue.EVENT, now=services.now + MINUTE)
    later = services.run_queue(TaskQueue.EVENT, now=services.now + 2 * MINUTE)

    assert (counts["mails"], counts["failed"]) == (2, 1)
    assert (soon["mails"], later["mails"]) == (0, 1)
    assert len(choosy.accepted) == 3


def test_a_task_that_never_succeeds_is_parked(services):
    """After twelve tries it waits for a person, and the runs are quiet again."""
    choosy = Choosy()
    services.postbox = choosy
    services.refer()
    now = services.now
    failed, parked = 0, 0
    for _ in range(MAX_ATTEMPTS + 5):
        counts = services.run_queue(TaskQueue.EVENT, now=now)
        failed += counts["failed"]
        parked += counts["parked"]
        now += timedelta(hours=1)

    assert (failed, parked) == (MAX_ATTEMPTS, 1)
    assert states(store_tools.list_mail_rows()) == {"parked": 1}


def test_a_task_whose_tables_do_not_answer_is_tried_soon_and_no_try_less(services):
    """It is not left to its lease, and no outage parks it; the run counts it as failed."""
    services.refer()

    with faults.inject_faults(faults.plan_always("TransactWriteItems", FaultMode.THROTTLE)):
        counts = services.run_queue(TaskQueue.EVENT)
    [task] = store_tools.list_task_rows()
    later = services.run_queue(TaskQueue.EVENT, now=services.now + 2 * MINUTE)

    assert (counts["done"], counts["failed"], counts["parked"]) == (0, 1, 0)
    assert (task["tries"], task["waits"]) == (0, 1)
    assert (later["done"], later["mails"]) == (1, 1)


def test_a_run_with_a_failure_fails_in_the_end(services):
    """So that an alarm sees it; everything else is done."""
    services.postbox = Choosy()
    services.refer()

    with pytest.raises(JobFailedError, match="1 tasks failed"):
        run_job(TaskQueue.EVENT, context=services.build_job_context())


def test_a_run_without_a_failure_tells_its_counts(services):
    """As the function answers them, and as they are logged."""
    services.refer()

    counts = run_job(TaskQueue.EVENT, context=services.build_job_context())

    assert counts == {"done": 1, "skipped": 0, "parked": 0, "failed": 0, "taken": 0, "mails": 1}


def test_a_task_of_a_referral_that_is_gone_is_skipped(services):
    """After a restore a row may point at nothing."""
    services.refer()
    store_tools.get_dynamodb_client().delete_item(
        TableName=services.stores.referrals.table.name, Key={"referral_id": {"S": "ref_1"}, "item": {"S": "referral"}}
    )

    assert services.run_queue(TaskQueue.EVENT)["skipped"] == 1


def test_nothing_due_is_a_few_reads(services):
    """One for each shard, of tasks and of mails, and no write."""
    with faults.inject_faults(faults.plan_never) as calls:
        services.run_queue(TaskQueue.EVENT)

    assert calls.operations == ["Query"] * SHARDS * 2
