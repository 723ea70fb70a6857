"""The outbox: which tasks are due, leases, fencing tokens and stored names."""

from dataclasses import replace
from datetime import timedelta

import pytest

from chalicelib.domain.notices.tasks import TaskQueue
from chalicelib.domain.referrals.stages import Stage
from chalicelib.store.notices.leases import LEASE_DURATION, MAX_ATTEMPTS, TaskState
from chalicelib.store.notices.outbox import SHARDS, parse_existing_tasks
from chalicelib.store.notices.planned_tasks import TaskOutcome, load_task_outcomes
from chalicelib.store.platform.transactions import ConditionFailedError
from tests.support import faults
from tests.support.factories import NOON
from tests.support.faults import FaultMode
from tests.support.stores import list_rows
from tests.support.tasks import MINUTE, build_task, claim_one, list_due, write_tasks

FULL = build_task(stage=Stage.INFUSED, event_id="evt_1")
BARE = build_task(2, due_on=None, side=None, queue=TaskQueue.EVENT)


@pytest.mark.parametrize("task", [FULL, BARE])
def test_a_claimed_task_has_every_field(stores, task):
    """A full task, and one without optional fields."""
    write_tasks(stores, task)
    (row,) = list_due(stores.outbox, lane=task.queue)

    claim = stores.outbox.claim(row, now=NOON)

    assert claim.task == task


def test_a_task_is_planned_only_once(stores):
    """A second plan is refused, so a finished task does not come back."""
    write_tasks(stores, build_task())
    stores.outbox.finish(claim_one(stores.outbox), TaskState.DONE, now=NOON)

    with pytest.raises(ConditionFailedError):
        write_tasks(stores, build_task())

    assert list_due(stores.outbox) == []


@pytest.mark.parametrize(("by", "found"), [(NOON - MINUTE, 0), (NOON, 1), (NOON + timedelta(days=400), 1)])
def test_only_due_tasks_are_listed(stores, by, found):
    """From the due time on, however late the run is."""
    write_tasks(stores, build_task())

    assert len(list_due(stores.outbox, by=by)) == found


def test_each_queue_lists_only_its_own_tasks(stores):
    """The relay does not read planned notices, and the notices job does not read committed events."""
    write_tasks(stores, build_task(1), build_task(2, queue=TaskQueue.EVENT))

    assert [row["outbox_id"] for row in list_due(stores.outbox)] == [build_task(1).outbox_id]
    assert [row["outbox_id"] for row in list_due(stores.outbox, lane=TaskQueue.EVENT)] == [build_task(2).outbox_id]


def test_due_tasks_are_found_with_one_query_per_shard(stores):
    """No scan, and tasks for later are not read, however many there are."""
    for n in range(40):
        write_tasks(stores, build_task(n, due_at=NOON + timedelta(days=n)))

    with faults.inject_faults(faults.plan_never) as calls:
        due = list_due(stores.outbox)

    assert [row["outbox_id"] for row in due] == [build_task(0).outbox_id]
    assert calls.operations == ["Query"] * SHARDS


def test_tasks_are_spread_over_the_shards(stores):
    """One partition must not have the whole load."""
    write_tasks(stores, *(build_task(n) for n in range(60)))

    shards = {row["lane"] for row in list_rows("outbox")}

    assert shards == {f"plan#{shard}" for shard in range(SHARDS)}


def test_each_shard_is_read_oldest_first(stores):
    """The task that has waited longest comes first."""
    write_tasks(stores, *(build_task(n, due_at=NOON - n * MINUTE) for n in range(30)))
    by_shard: dict[str, list[str]] = {}
    for row in list_due(stores.outbox, limit=100):
        by_shard.setdefault(row["lane"], []).append(row["due_at"])

    assert sum(map(len, by_shard.values())) == 30
    assert all(times == sorted(times) for times in by_shard.values())


def test_a_second_claim_of_the_same_row_fails(stores):
    """Both runs read the row, and the faster one gets it."""
    write_tasks(stores, build_task())
    (row,) = list_due(stores.outbox)

    first = stores.outbox.claim(row, now=NOON)
    later = [stores.outbox.claim(row, now=NOON + n * MINUTE) for n in (0, 1, 30)]

    assert first is not None
    assert later == [None, None, None]


def test_a_row_that_was_set_again_after_it_was_read_is_not_claimed(stores):
    """Although it is due at the same time again, because another run had claimed it in between."""
    stores.transactions.commit(stores.overdue_alerts.prepare_set("ref_1", [NOON], now=NOON))
    [row] = list_due(stores.outbox, lane=TaskQueue.OVERDUE)
    other = stores.outbox.claim(row, now=NOON)
    stores.transactions.commit(stores.overdue_alerts.prepare_set("ref_1", [NOON], now=NOON))

    assert stores.outbox.claim(row, now=NOON) is None
    assert not stores.overdue_alerts.set_next_level(other, last_alert=None, next_at=None)
    assert len(list_due(stores.outbox, lane=TaskQueue.OVERDUE)) == 1


def test_a_claim_during_a_transaction_on_the_row_fails(stores):
    """The transaction is setting the row again, so it will no longer be as it was read."""
    write_tasks(stores, build_task())
    [row] = list_due(stores.outbox)

    with faults.inject_faults(faults.plan_always("UpdateItem", FaultMode.CONFLICT)):
        claim = stores.outbox.claim(row, now=NOON)

    assert claim is None
    assert len(list_due(stores.outbox)) == 1


def test_a_failed_overdue_alert_is_scheduled_again_by_the_next_change(stores):
    """As if for the first time."""
    stores.transactions.commit(stores.overdue_alerts.prepare_set("ref_1", [NOON], now=NOON))
    [row] = list_due(stores.outbox, lane=TaskQueue.OVERDUE)
    stores.outbox.mark_failed(stores.outbox.claim(row, now=NOON), error="KeyError", now=NOON)

    stores.transactions.commit(stores.overdue_alerts.prepare_set("ref_1", [NOON], now=NOON))

    assert list(stores.outbox.list_failed()) == []
    [again] = list_due(stores.outbox, lane=TaskQueue.OVERDUE)
    assert (again["state"], again["tries"], again.get("error")) == ("planned", 0, None)


def test_a_claimed_task_is_due_again_when_its_lease_ends(stores):
    """Until then the index itself keeps other runs away. The next claim has a higher fencing token.

    A claim moves `due_at`, but the task keeps its own due time.
    """
    write_tasks(stores, build_task())
    first = claim_one(stores.outbox)
    assert list_due(stores.outbox, by=NOON + LEASE_DURATION - MINUTE) == []

    second = claim_one(stores.outbox, now=NOON + LEASE_DURATION)

    assert second.task == first.task == build_task()
    assert second.fencing_token == first.fencing_token + 1


def test_a_run_whose_lease_ended_changes_nothing(stores):
    """Its fencing token is too low to finish, reschedule, release or fail the task of its successor."""
    write_tasks(stores, build_task())
    late_run = claim_one(stores.outbox)
    successor = claim_one(stores.outbox, now=NOON + LEASE_DURATION)
    before = list_rows("outbox")

    late = NOON + LEASE_DURATION
    assert not stores.outbox.finish(late_run, TaskState.SKIPPED, now=late)
    assert stores.outbox.reschedule(replace(late_run, attempts=MAX_ATTEMPTS), error="E", now=late) is None
    assert stores.outbox.reschedule(late_run, error="E", now=late) is None
    assert not stores.outbox.release(late_run, now=late)
    assert list_rows("outbox") == before
    assert stores.outbox.finish(successor, TaskState.DONE, now=late)
    assert list_rows("outbox")[0]["state"] == "done"


@pytest.mark.parametrize("state", [TaskState.DONE, TaskState.SKIPPED])
def test_a_finished_task_leaves_the_index_and_keeps_its_outcome(stores, state):
    """It is never due again. An unknown task has no outcome."""
    write_tasks(stores, build_task())

    stores.outbox.finish(claim_one(stores.outbox), state, now=NOON)

    assert list_due(stores.outbox, by=NOON + timedelta(days=9)) == []
    assert load_task_outcomes(stores.outbox, [build_task().outbox_id, build_task(2).outbox_id]) == {
        build_task().outbox_id: TaskOutcome(state=state)
    }


def test_a_finished_task_cannot_be_claimed_from_a_stale_read(stores):
    """The index can lag, so the claim is a conditional write on the row itself."""
    write_tasks(stores, build_task())
    (stale,) = list_due(stores.outbox)
    stores.outbox.finish(claim_one(stores.outbox), TaskState.DONE, now=NOON)

    assert stores.outbox.claim(stale, now=NOON) is None


def test_unfinished_tasks_are_listed_once_by_id_and_queue(stores):
    """More than one call can read (100). Finished tasks, other queues and unknown ids are left out."""
    events = [build_task(n, queue=TaskQueue.EVENT) for n in range(102)]
    other_queue = build_task(200)
    write_tasks(stores, *events[:60], other_queue)
    write_tasks(stores, *events[60:])
    [row] = stores.outbox.list_unfinished([events[0].outbox_id], queue=TaskQueue.EVENT)
    stores.outbox.finish(stores.outbox.claim(row, now=NOON), TaskState.DONE, now=NOON)

    ids = [task.outbox_id for task in (*events, other_queue)] * 2
    unfinished = list(stores.outbox.list_unfinished([*ids, "out_unknown"], queue=TaskQueue.EVENT))

    assert sorted(row["outbox_id"] for row in unfinished) == sorted(task.outbox_id for task in events[1:])


def test_task_states_keep_their_stored_names():
    """Rows from years ago still show their outcome, and the API shows these values."""
    assert {state.name: state.value for state in TaskState} == {
        "DONE": "done",
        "FAILED": "parked",
        "PLANNED": "planned",
        "SKIPPED": "skipped",
    }


def test_the_lease_duration_and_the_number_of_shards_stay():
    """A function runs at most this long. With another number of shards, no job would read some rows."""
    assert timedelta(minutes=5) == LEASE_DURATION
    assert SHARDS == 4


def test_existing_tasks_are_found_among_refused_writes():
    """By the names of the writes, and with their complete ids."""
    refused = {"task:out_1": {"state": "done"}, "referral": {}, "task:task:2": {"state": "planned"}}

    assert parse_existing_tasks(refused) == {"out_1": "done", "task:2": "planned"}
    assert parse_existing_tasks({"idempotency record": {}}) == {}
