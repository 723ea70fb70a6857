"""The outbox: what is due, whose it is, and who may no longer say that it is done."""

from dataclasses import replace
from datetime import timedelta

import pytest

from chalicelib.domain.notices.tasks import TaskQueue
from chalicelib.domain.referrals.stages import Stage
from chalicelib.store.notices.leases import LEASE_DURATION, MAX_ATTEMPTS, TaskState
from chalicelib.store.notices.outbox import SHARDS
from chalicelib.store.notices.planned_tasks import TaskOutcome, load_task_outcomes
from chalicelib.store.platform.transactions import ConditionFailedError
from tests.support import faults
from tests.support import stores as shelves
from tests.support.factories import NOON
from tests.support.faults import FaultMode
from tests.support.tasks import MINUTE, build_task, claim_one, list_due, write_tasks


@pytest.fixture
def outbox(stores):
    """The outbox, with a way to plan by itself."""
    return stores.outbox


FULL = build_task(stage=Stage.INFUSED, event_id="evt_1")
BARE = build_task(2, due_on=None, side=None, queue=TaskQueue.EVENT)


@pytest.mark.parametrize("task", [FULL, BARE])
def test_a_task_comes_back_as_it_was_planned(stores, task):
    """Every field, and those that it does not have."""
    write_tasks(stores, task)
    (row,) = list_due(stores.outbox, lane=task.queue)

    claim = stores.outbox.claim(row, now=NOON)

    assert claim.task == task


def test_a_task_is_planned_once(stores):
    """A second plan of the same is refused, so that a finished one does not come back."""
    write_tasks(stores, build_task())
    stores.outbox.finish(claim_one(stores.outbox), TaskState.DONE, now=NOON)

    with pytest.raises(ConditionFailedError):
        write_tasks(stores, build_task())

    assert list_due(stores.outbox) == []


@pytest.mark.parametrize(("by", "found"), [(NOON - MINUTE, 0), (NOON, 1), (NOON + timedelta(days=400), 1)])
def test_only_what_is_due_is_read(stores, by, found):
    """From its minute on, however late the run is."""
    write_tasks(stores, build_task())

    assert len(list_due(stores.outbox, by=by)) == found


def test_the_lanes_are_apart(stores):
    """The relay does not read what is planned, nor the notices what was committed."""
    write_tasks(stores, build_task(1), build_task(2, queue=TaskQueue.EVENT))

    assert [row["outbox_id"] for row in list_due(stores.outbox)] == [build_task(1).outbox_id]
    assert [row["outbox_id"] for row in list_due(stores.outbox, lane=TaskQueue.EVENT)] == [build_task(2).outbox_id]


def test_what_is_due_is_found_by_the_index_however_much_is_not(stores):
    """One query a shard, no scan, and nothing of later is read."""
    for n in range(40):
        write_tasks(stores, build_task(n, due_at=NOON + timedelta(days=n)))

    with faults.inject_faults(faults.plan_never) as calls:
        found = list_due(stores.outbox)

    assert [row["outbox_id"] for row in found] == [build_task(0).outbox_id]
    assert calls.operations == ["Query"] * SHARDS


def test_tasks_are_spread_over_the_shards(stores):
    """One partition must not carry all."""
    write_tasks(stores, *(build_task(n) for n in range(60)))

    shards = {row["lane"] for row in shelves.list_rows("outbox")}

    assert shards == {f"plan#{shard}" for shard in range(SHARDS)}


def test_each_shard_is_read_oldest_first(stores):
    """What has waited longest comes first."""
    write_tasks(stores, *(build_task(n, due_at=NOON - n * MINUTE) for n in range(30)))
    by_shard: dict[str, list[str]] = {}
    for row in list_due(stores.outbox, limit=100):
        by_shard.setdefault(row["lane"], []).append(row["due_at"])

    assert sum(map(len, by_shard.values())) == 30
    assert all(times == sorted(times) for times in by_shard.values())


def test_a_claim_keeps_a_second_claimer_out(stores):
    """Both have read the row; the quicker one has it."""
    write_tasks(stores, build_task())
    (row,) = list_due(stores.outbox)

    first = stores.outbox.claim(row, now=NOON)
    later = [stores.outbox.claim(row, now=NOON + n * MINUTE) for n in (0, 1, 30)]

    assert first is not None
    assert later == [None, None, None]


def test_a_row_that_was_set_anew_since_it_was_read_is_not_claimed(stores):
    """Though it is due at the same time again: another run had claimed it in between."""
    stores.transactions.commit(stores.overdue_alerts.prepare_set("ref_1", [NOON], now=NOON))
    [row] = list_due(stores.outbox, lane=TaskQueue.CLOCK)
    other = stores.outbox.claim(row, now=NOON)
    stores.transactions.commit(stores.overdue_alerts.prepare_set("ref_1", [NOON], now=NOON))

    assert stores.outbox.claim(row, now=NOON) is None
    assert not stores.overdue_alerts.set_next_level(other, last_alert=None, next_at=None)
    assert len(list_due(stores.outbox, lane=TaskQueue.CLOCK)) == 1


def test_a_claim_that_meets_a_transaction_is_refused(stores):
    """Somebody is just setting the row anew: what was read of it holds no more."""
    write_tasks(stores, build_task())
    [row] = list_due(stores.outbox)

    with faults.inject_faults(faults.plan_always("UpdateItem", FaultMode.CONFLICT)):
        claim = stores.outbox.claim(row, now=NOON)

    assert claim is None
    assert len(list_due(stores.outbox)) == 1


def test_a_parked_clock_is_wound_by_the_next_change(stores):
    """As if for the first time."""
    stores.transactions.commit(stores.overdue_alerts.prepare_set("ref_1", [NOON], now=NOON))
    [row] = list_due(stores.outbox, lane=TaskQueue.CLOCK)
    stores.outbox.mark_failed(stores.outbox.claim(row, now=NOON), error="KeyError", now=NOON)

    stores.transactions.commit(stores.overdue_alerts.prepare_set("ref_1", [NOON], now=NOON))

    assert list(stores.outbox.list_failed()) == []
    [again] = list_due(stores.outbox, lane=TaskQueue.CLOCK)
    assert (again["state"], again["tries"], again.get("error")) == ("planned", 0, None)


def test_a_claimed_task_is_not_due_while_the_lease_lasts(stores):
    """The index itself keeps other runs away."""
    write_tasks(stores, build_task())
    claim_one(stores.outbox)

    assert list_due(stores.outbox, by=NOON + LEASE_DURATION - MINUTE) == []


def test_a_lease_that_ran_out_hands_the_task_on(stores):
    """Whoever had it has died; the next run gets it, with a higher fence."""
    write_tasks(stores, build_task())
    first = claim_one(stores.outbox)

    second = claim_one(stores.outbox, now=NOON + LEASE_DURATION)

    assert second.task == first.task
    assert second.fencing_token == first.fencing_token + 1


def test_a_zombies_finish_is_refused(stores):
    """Frozen past its lease, it wakes when another has the task: the fence is not its own."""
    write_tasks(stores, build_task())
    zombie = claim_one(stores.outbox)
    successor = claim_one(stores.outbox, now=NOON + LEASE_DURATION)

    late = stores.outbox.finish(zombie, TaskState.SKIPPED, now=NOON + LEASE_DURATION)
    in_time = stores.outbox.finish(successor, TaskState.DONE, now=NOON + LEASE_DURATION)

    assert (late, in_time) == (False, True)
    assert shelves.list_rows("outbox")[0]["state"] == "done"


def test_a_zombie_does_not_put_off_its_successors_task(stores):
    """Nor does it park it."""
    write_tasks(stores, build_task())
    zombie = claim_one(stores.outbox)
    claim_one(stores.outbox, now=NOON + LEASE_DURATION)
    before = shelves.list_rows("outbox")

    late = NOON + LEASE_DURATION
    assert stores.outbox.reschedule(replace(zombie, attempts=MAX_ATTEMPTS), error="E", now=late) is None
    assert stores.outbox.reschedule(zombie, error="E", now=late) is None
    assert not stores.outbox.release(zombie, now=late)
    assert shelves.list_rows("outbox") == before


@pytest.mark.parametrize("state", [TaskState.DONE, TaskState.SKIPPED])
def test_a_finished_task_leaves_the_index_and_stays_on_record(stores, state):
    """It is never due again, and it can be told what became of it."""
    write_tasks(stores, build_task())

    stores.outbox.finish(claim_one(stores.outbox), state, now=NOON)

    assert list_due(stores.outbox, by=NOON + timedelta(days=9)) == []
    assert load_task_outcomes(stores.outbox, [build_task().outbox_id]) == {
        build_task().outbox_id: TaskOutcome(state=state)
    }


def test_a_finished_task_cannot_be_claimed_by_what_was_read_before(stores):
    """The index may lag: a row that it still shows is looked at again before it counts."""
    write_tasks(stores, build_task())
    (stale,) = list_due(stores.outbox)
    stores.outbox.finish(claim_one(stores.outbox), TaskState.DONE, now=NOON)

    assert stores.outbox.claim(stale, now=NOON) is None


def test_rows_are_found_by_their_ids_once_and_in_their_lane_only(stores):
    """However often they are named; what is done, planned for a day or unknown is left out."""
    events = [build_task(n, queue=TaskQueue.EVENT) for n in range(3)]
    write_tasks(stores, *events, build_task(9))
    [row, *_] = stores.outbox.list_unfinished([events[0].outbox_id], queue=TaskQueue.EVENT)
    stores.outbox.finish(stores.outbox.claim(row, now=NOON), TaskState.DONE, now=NOON)

    ids = [task.outbox_id for task in (*events, build_task(9))] * 40
    found = list(stores.outbox.list_unfinished([*ids, "out_unknown"], queue=TaskQueue.EVENT))

    assert sorted(row["outbox_id"] for row in found) == sorted(t.outbox_id for t in events[1:])


def test_more_rows_than_one_call_reads_are_found(stores):
    """A hundred at a time."""
    tasks = [build_task(n, queue=TaskQueue.EVENT) for n in range(101)]
    write_tasks(stores, *tasks[:60])
    write_tasks(stores, *tasks[60:])

    found = stores.outbox.list_unfinished([task.outbox_id for task in tasks], queue=TaskQueue.EVENT)

    assert len(list(found)) == 101


def test_what_a_task_is_about_survives_its_claims(stores):
    """A claim moves `due_at`; the day that a notice is for stays."""
    write_tasks(stores, build_task())
    claim_one(stores.outbox)

    again = claim_one(stores.outbox, now=NOON + timedelta(days=2))

    assert again.task == build_task()


def test_the_fates_of_unknown_tasks_are_left_out(stores):
    """Whoever asks knows what that means."""
    assert load_task_outcomes(stores.outbox, [build_task().outbox_id]) == {}
