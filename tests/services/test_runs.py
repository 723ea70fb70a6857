"""Runs of the scheduled work: interleaved, failing, dying half way."""

from contextlib import suppress
from datetime import timedelta

import pytest

from chalicelib.domain.notices.notice_rules import Lane
from chalicelib.domain.referrals.stages import Stage
from chalicelib.mail.ses import SesMailer
from chalicelib.services.notices import outbox_worker as duties
from chalicelib.services.notices.outbox_worker import JobFailedError, run_job
from chalicelib.store.notices.leases import LEASE, TRIES
from chalicelib.store.notices.outbox import SHARDS
from tests.support import cloud, faults, shelves
from tests.support.desk import LINK, MINUTE, TO_CONDITIONED, Postbox
from tests.support.faults import Mode


def states(rows=None):
    """How many tasks, or mails, are in which state."""
    rows = shelves.tasks() if rows is None else rows
    return {state: [r["state"] for r in rows].count(state) for state in {r["state"] for r in rows}}


@pytest.fixture
def mailing(desk):
    """The desk with one mail to send, by the mail service of the tests' own cloud."""
    desk.postbox = SesMailer(
        client=lambda: shelves.aws("sesv2"), sender=cloud.SENDER, configuration_set=""
    )
    desk.refer()
    return desk


def copies():
    """How often the mail service took the mail."""
    return len(cloud.sent_mail())


def test_two_runs_at_once_send_once(mailing):
    """The second begins while the first is about to send: the task is claimed."""
    other, theirs = mailing.anew(), []
    while_sending = faults.meanwhile("SendEmail", lambda: theirs.append(other.work_off(Lane.EVENT)))

    with faults.injected(while_sending):
        mine = mailing.work_off(Lane.EVENT)

    assert (mine["done"], theirs[0]["done"]) == (1, 0)
    assert copies() == 1


def test_two_runs_that_read_the_same_row_send_once(mailing):
    """Both have seen it due; the claim of one is refused, and counted as taken."""
    other, theirs = mailing.anew(), []
    between = faults.meanwhile("UpdateItem", lambda: theirs.append(other.work_off(Lane.EVENT)))

    with faults.injected(between):
        mine = mailing.work_off(Lane.EVENT)

    assert (mine["taken"], mine["done"], theirs[0]["done"]) == (1, 0, 1)
    assert copies() == 1


@pytest.mark.parametrize("mode", [Mode.CRASH_BEFORE, Mode.CRASH_AFTER, Mode.LOST_REPLY])
def test_a_fault_in_a_run_loses_no_mail_and_sends_one_copy_more_at_most(desk, mode):
    """At every call of a run that dies or loses a reply; after the lease the next one is there."""
    desk.postbox = SesMailer(
        client=lambda: shelves.aws("sesv2"), sender=cloud.SENDER, configuration_set=""
    )
    desk.refer("ref_first", key="key-first")
    desk.work_off(Lane.EVENT)
    desk.refer("ref_count", key="key-count")
    with faults.injected(faults.never) as counted:
        desk.anew().work_off(Lane.EVENT)
    sent = []
    for number in range(1, len(counted.operations) + 1):
        desk.refer(f"ref_{number}", key=f"key-{number}")
        before = copies()
        with faults.injected(faults.at(number, mode)), suppress(faults.Crash):
            desk.anew().work_off(Lane.EVENT)
        desk.now += LEASE
        desk.anew().work_off(Lane.EVENT)
        sent.append(copies() - before)

    assert "SendEmail" in counted.operations
    assert sorted(sent) == [1] * (len(sent) - 1) + [2]
    assert states() == {"done": len(sent) + 2}


def test_a_run_that_comes_back_to_life_changes_nothing(desk):
    """Frozen while it sent, past its lease; its successor was quicker, and what it marks stands."""
    desk.refer()
    frozen = desk.anew()
    frozen.postbox = Frozen(desk)

    frozen.work_off(Lane.EVENT)

    assert states() == {"done": 1}
    assert len(desk.postbox.taken) == 1
    assert shelves.mails()[0]["fence"] == 2


class Frozen(Postbox):
    """A mail service that takes so long that the next run has done it all."""

    def __init__(self, desk):
        super().__init__()
        self.desk = desk

    def send(self, message, *, tag):
        """Take the mail after the successor has finished."""
        self.desk.work_off(Lane.EVENT, now=self.desk.now + LEASE)
        return super().send(message, tag=tag)


@pytest.mark.parametrize("mode", [Mode.THROTTLE, Mode.SERVER_ERROR, Mode.REFUSED])
def test_a_mail_service_that_is_down_loses_nothing(mailing, mode):
    """Six hours long every run fails; then the mail goes, once."""
    dead = faults.always("SendEmail", mode)
    failed = 0
    with faults.injected(dead):
        for _ in range(24):
            mailing.now += 15 * MINUTE
            failed += mailing.work_off(Lane.EVENT)["failed"]
    down = copies()

    mailing.work_off(Lane.EVENT, now=mailing.now + timedelta(hours=1))

    assert (down, copies()) == (0, 1)
    assert failed > TRIES, "else it would not matter what counts as a try"
    assert states(shelves.mails()) == {"done": 1}


@pytest.mark.parametrize("mode", [Mode.CRASH_BEFORE, Mode.CRASH_AFTER])
def test_a_run_that_dies_as_it_opens_monitoring_opens_it_once(desk, mode):
    """At the claim, at the move itself and at the mark that it was done."""
    writes = [("UpdateItem", 1), ("TransactWriteItems", 1), ("UpdateItem", 2)]
    opened = []
    for operation, number in writes:
        name = f"ref_{operation}_{number}"
        desk.refer(name, key=name)
        desk.move_to(*TO_CONDITIONED, "infused", referral_id=name)
        late = desk.now + timedelta(days=1, hours=12)
        dies = faults.nth(operation, number, mode)
        with faults.injected(dies), pytest.raises(faults.Crash):
            desk.anew().work_off(Lane.PLAN, now=late)
        desk.anew().work_off(Lane.PLAN, now=late + LEASE)
        found = [event.event.stage for event in desk.events(name)]
        opened.append((desk.referral(name).stage, found.count(Stage.MONITORING)))

    assert opened == [(Stage.MONITORING, 1)] * 3


def test_a_lost_reply_to_the_opening_is_no_failure(desk):
    """The SDK's retry meets the event that it wrote itself: it is done."""
    desk.refer()
    desk.move_to(*TO_CONDITIONED, "infused")
    lost = faults.nth("TransactWriteItems", 1, Mode.LOST_REPLY)

    with faults.injected(lost):
        counts = desk.work_off(Lane.PLAN, now=desk.now + timedelta(days=2))

    assert (counts["skipped"], counts["failed"]) == (0, 0)
    assert [e.event.stage for e in desk.events()].count(Stage.MONITORING) == 1


@pytest.mark.parametrize("count", [1, 45])
def test_however_much_is_due_is_worked_off_in_one_run(desk, count):
    """More than a reading of the index takes; of so much, one mail tells."""
    for n in range(count):
        desk.refer(f"ref_{n}", key=f"key-{n}")

    counts = desk.work_off(Lane.EVENT)

    assert (counts["done"], counts["mails"]) == (count, 1)
    assert states() == {"done": count}


def test_a_run_leaves_the_rest_to_the_next_one(desk, monkeypatch):
    """It reads on only so often; a function has a limit of time."""
    monkeypatch.setattr(duties, "READINGS", 1)
    monkeypatch.setattr(duties, "ROWS_PER_SHARD", 1)
    for n in range(12):
        desk.refer(f"ref_{n}", key=f"key-{n}")

    runs = [desk.work_off(Lane.EVENT)["done"] for _ in range(12)]

    assert max(runs) <= 4
    assert sum(runs) == 12


class Choosy(Postbox):
    """A mail service that does not take some mails."""

    refused: str = ""

    def send(self, message, *, tag):
        """Refuse a mail to somebody, as a template that does not render would."""
        if self.refused in message.to:
            raise ValueError("no such template")
        return super().send(message, tag=tag)


def test_a_task_that_fails_does_not_hold_up_the_others(desk):
    """One center's mail does not go; the others' do, and it is tried again later."""
    choosy = Choosy()
    choosy.refused = "harbor"
    desk.postbox = choosy
    desk.refer("ref_1", key="key-1")
    desk.refer("ref_2", key="key-2", center_id="ctr_mesa")
    desk.refer("ref_3", key="key-3", center_id="ctr_mesa")

    counts = desk.work_off(Lane.EVENT)
    choosy.refused = "nobody"
    soon = desk.work_off(Lane.EVENT, now=desk.now + MINUTE)
    later = desk.work_off(Lane.EVENT, now=desk.now + 2 * MINUTE)

    assert (counts["mails"], counts["failed"]) == (2, 1)
    assert (soon["mails"], later["mails"]) == (0, 1)
    assert len(choosy.taken) == 3


def test_a_task_that_never_succeeds_is_parked(desk):
    """After twelve tries it waits for a person, and the runs are quiet again."""
    choosy = Choosy()
    desk.postbox = choosy
    desk.refer()
    now = desk.now
    failed, parked = 0, 0
    for _ in range(TRIES + 5):
        counts = desk.work_off(Lane.EVENT, now=now)
        failed += counts["failed"]
        parked += counts["parked"]
        now += timedelta(hours=1)

    assert (failed, parked) == (TRIES, 1)
    assert states(shelves.mails()) == {"parked": 1}


def test_a_task_whose_tables_do_not_answer_is_tried_soon_and_no_try_less(desk):
    """It is not left to its lease, and no outage parks it; the run counts it as failed."""
    desk.refer()

    with faults.injected(faults.always("TransactWriteItems", Mode.THROTTLE)):
        counts = desk.work_off(Lane.EVENT)
    [task] = shelves.tasks()
    later = desk.work_off(Lane.EVENT, now=desk.now + 2 * MINUTE)

    assert (counts["done"], counts["failed"], counts["parked"]) == (0, 1, 0)
    assert (task["tries"], task["waits"]) == (0, 1)
    assert (later["done"], later["mails"]) == (1, 1)


def test_a_run_with_a_failure_fails_in_the_end(desk):
    """So that an alarm sees it; everything else is done."""
    desk.postbox = Choosy()
    desk.refer()

    with pytest.raises(JobFailedError, match="1 tasks failed"):
        run_job(Lane.EVENT, stores=desk.stores, mailer=desk.postbox, link=LINK, now=desk.now)


def test_a_run_without_a_failure_tells_its_counts(desk):
    """As the function answers them, and as they are logged."""
    desk.refer()

    counts = run_job(Lane.EVENT, stores=desk.stores, mailer=desk.postbox, link=LINK, now=desk.now)

    assert counts == {"done": 1, "skipped": 0, "parked": 0, "failed": 0, "taken": 0, "mails": 1}


def test_a_task_of_a_referral_that_is_gone_is_skipped(desk):
    """After a restore a row may point at nothing."""
    desk.refer()
    shelves.dynamodb().delete_item(
        TableName=desk.stores.referrals.table.name,
        Key={"referral_id": {"S": "ref_1"}, "item": {"S": "referral"}},
    )

    assert desk.work_off(Lane.EVENT)["skipped"] == 1


def test_nothing_due_is_a_few_reads(desk):
    """One for each shard, of tasks and of mails, and no write."""
    with faults.injected(faults.never) as calls:
        desk.work_off(Lane.EVENT)

    assert calls.operations == ["Query"] * SHARDS * 2
