"""The outbox: what is due, whose it is, and who may no longer say that it is done."""

from dataclasses import replace
from datetime import timedelta

import pytest

from chalicelib.domain.notices.notice_rules import Lane
from chalicelib.domain.referrals.stages import Stage
from chalicelib.store.notices.leases import LEASE, TRIES, TaskState
from chalicelib.store.notices.outbox import SHARDS
from chalicelib.store.notices.planned_tasks import Fate, fates
from chalicelib.store.platform.transactions import ConditionFailed
from tests.support import faults, shelves
from tests.support.factories import NOON
from tests.support.faults import Mode
from tests.support.tasks import MINUTE, a_task, claimed, due, plan


@pytest.fixture
def outbox(stores):
    """The outbox, with a way to plan by itself."""
    return stores.outbox


FULL = a_task(stage=Stage.INFUSED, event_id="evt_1")
BARE = a_task(2, due_on=None, side=None, lane=Lane.EVENT)


@pytest.mark.parametrize("task", [FULL, BARE])
def test_a_task_comes_back_as_it_was_planned(stores, task):
    """Every field, and those that it does not have."""
    plan(stores, task)
    (row,) = due(stores.outbox, lane=task.lane)

    claim = stores.outbox.claim(row, now=NOON)

    assert claim.task == task


def test_a_task_is_planned_once(stores):
    """A second plan of the same is refused, so that a finished one does not come back."""
    plan(stores, a_task())
    stores.outbox.finish(claimed(stores.outbox), TaskState.DONE, now=NOON)

    with pytest.raises(ConditionFailed):
        plan(stores, a_task())

    assert due(stores.outbox) == []


@pytest.mark.parametrize(
    ("by", "found"), [(NOON - MINUTE, 0), (NOON, 1), (NOON + timedelta(days=400), 1)]
)
def test_only_what_is_due_is_read(stores, by, found):
    """From its minute on, however late the run is."""
    plan(stores, a_task())

    assert len(due(stores.outbox, by=by)) == found


def test_the_lanes_are_apart(stores):
    """The relay does not read what is planned, nor the notices what was committed."""
    plan(stores, a_task(1), a_task(2, lane=Lane.EVENT))

    assert [row["outbox_id"] for row in due(stores.outbox)] == [a_task(1).outbox_id]
    assert [row["outbox_id"] for row in due(stores.outbox, lane=Lane.EVENT)] == [
        a_task(2).outbox_id
    ]


def test_what_is_due_is_found_by_the_index_however_much_is_not(stores):
    """One query a shard, no scan, and nothing of later is read."""
    for n in range(40):
        plan(stores, a_task(n, due_at=NOON + timedelta(days=n)))

    with faults.injected(faults.never) as calls:
        found = due(stores.outbox)

    assert [row["outbox_id"] for row in found] == [a_task(0).outbox_id]
    assert calls.operations == ["Query"] * SHARDS


def test_tasks_are_spread_over_the_shards(stores):
    """One partition must not carry all."""
    plan(stores, *(a_task(n) for n in range(60)))

    shards = {row["lane"] for row in shelves.rows("outbox")}

    assert shards == {f"plan#{shard}" for shard in range(SHARDS)}


def test_each_shard_is_read_oldest_first(stores):
    """What has waited longest comes first."""
    plan(stores, *(a_task(n, due_at=NOON - n * MINUTE) for n in range(30)))
    by_shard: dict[str, list[str]] = {}
    for row in due(stores.outbox, limit=100):
        by_shard.setdefault(row["lane"], []).append(row["due_at"])

    assert sum(map(len, by_shard.values())) == 30
    assert all(times == sorted(times) for times in by_shard.values())


def test_a_claim_keeps_a_second_claimer_out(stores):
    """Both have read the row; the quicker one has it."""
    plan(stores, a_task())
    (row,) = due(stores.outbox)

    first = stores.outbox.claim(row, now=NOON)
    later = [stores.outbox.claim(row, now=NOON + n * MINUTE) for n in (0, 1, 30)]

    assert first is not None
    assert later == [None, None, None]


def test_a_row_that_was_set_anew_since_it_was_read_is_not_claimed(stores):
    """Though it is due at the same time again: another run had claimed it in between."""
    stores.ledger.commit(stores.alarms.setting("ref_1", [NOON], now=NOON))
    [row] = due(stores.outbox, lane=Lane.CLOCK)
    other = stores.outbox.claim(row, now=NOON)
    stores.ledger.commit(stores.alarms.setting("ref_1", [NOON], now=NOON))

    assert stores.outbox.claim(row, now=NOON) is None
    assert not stores.alarms.move_on(other, told=None, next_at=None)
    assert len(due(stores.outbox, lane=Lane.CLOCK)) == 1


def test_a_claim_that_meets_a_transaction_is_refused(stores):
    """Somebody is just setting the row anew: what was read of it holds no more."""
    plan(stores, a_task())
    [row] = due(stores.outbox)

    with faults.injected(faults.always("UpdateItem", Mode.CONFLICT)):
        claim = stores.outbox.claim(row, now=NOON)

    assert claim is None
    assert len(due(stores.outbox)) == 1


def test_a_parked_clock_is_wound_by_the_next_change(stores):
    """As if for the first time."""
    stores.ledger.commit(stores.alarms.setting("ref_1", [NOON], now=NOON))
    [row] = due(stores.outbox, lane=Lane.CLOCK)
    stores.outbox.park(stores.outbox.claim(row, now=NOON), error="KeyError", now=NOON)

    stores.ledger.commit(stores.alarms.setting("ref_1", [NOON], now=NOON))

    assert list(stores.outbox.parked()) == []
    [again] = due(stores.outbox, lane=Lane.CLOCK)
    assert (again["state"], again["tries"], again.get("error")) == ("planned", 0, None)


def test_a_claimed_task_is_not_due_while_the_lease_lasts(stores):
    """The index itself keeps other runs away."""
    plan(stores, a_task())
    claimed(stores.outbox)

    assert due(stores.outbox, by=NOON + LEASE - MINUTE) == []


def test_a_lease_that_ran_out_hands_the_task_on(stores):
    """Whoever had it has died; the next run gets it, with a higher fence."""
    plan(stores, a_task())
    first = claimed(stores.outbox)

    second = claimed(stores.outbox, now=NOON + LEASE)

    assert second.task == first.task
    assert second.fence == first.fence + 1


def test_a_zombies_finish_is_refused(stores):
    """Frozen past its lease, it wakes when another has the task: the fence is not its own."""
    plan(stores, a_task())
    zombie = claimed(stores.outbox)
    successor = claimed(stores.outbox, now=NOON + LEASE)

    late = stores.outbox.finish(zombie, TaskState.SKIPPED, now=NOON + LEASE)
    in_time = stores.outbox.finish(successor, TaskState.DONE, now=NOON + LEASE)

    assert (late, in_time) == (False, True)
    assert shelves.rows("outbox")[0]["state"] == "done"


def test_a_zombie_does_not_put_off_its_successors_task(stores):
    """Nor does it park it."""
    plan(stores, a_task())
    zombie = claimed(stores.outbox)
    claimed(stores.outbox, now=NOON + LEASE)
    before = shelves.rows("outbox")

    late = NOON + LEASE
    assert stores.outbox.postpone(replace(zombie, tries=TRIES), error="E", now=late) is None
    assert stores.outbox.postpone(zombie, error="E", now=late) is None
    assert not stores.outbox.wait(zombie, now=late)
    assert shelves.rows("outbox") == before


@pytest.mark.parametrize("state", [TaskState.DONE, TaskState.SKIPPED])
def test_a_finished_task_leaves_the_index_and_stays_on_record(stores, state):
    """It is never due again, and it can be told what became of it."""
    plan(stores, a_task())

    stores.outbox.finish(claimed(stores.outbox), state, now=NOON)

    assert due(stores.outbox, by=NOON + timedelta(days=9)) == []
    assert fates(stores.outbox, [a_task().outbox_id]) == {a_task().outbox_id: Fate(state=state)}


def test_a_finished_task_cannot_be_claimed_by_what_was_read_before(stores):
    """The index may lag: a row that it still shows is looked at again before it counts."""
    plan(stores, a_task())
    (stale,) = due(stores.outbox)
    stores.outbox.finish(claimed(stores.outbox), TaskState.DONE, now=NOON)

    assert stores.outbox.claim(stale, now=NOON) is None


def test_rows_are_found_by_their_ids_once_and_in_their_lane_only(stores):
    """However often they are named; what is done, planned for a day or unknown is left out."""
    events = [a_task(n, lane=Lane.EVENT) for n in range(3)]
    plan(stores, *events, a_task(9))
    [row, *_] = stores.outbox.named([events[0].outbox_id], lane=Lane.EVENT)
    stores.outbox.finish(stores.outbox.claim(row, now=NOON), TaskState.DONE, now=NOON)

    ids = [task.outbox_id for task in (*events, a_task(9))] * 40
    found = list(stores.outbox.named([*ids, "out_unknown"], lane=Lane.EVENT))

    assert sorted(row["outbox_id"] for row in found) == sorted(t.outbox_id for t in events[1:])


def test_more_rows_than_one_call_reads_are_found(stores):
    """A hundred at a time."""
    tasks = [a_task(n, lane=Lane.EVENT) for n in range(101)]
    plan(stores, *tasks[:60])
    plan(stores, *tasks[60:])

    found = stores.outbox.named([task.outbox_id for task in tasks], lane=Lane.EVENT)

    assert len(list(found)) == 101


def test_what_a_task_is_about_survives_its_claims(stores):
    """A claim moves `due_at`; the day that a notice is for stays."""
    plan(stores, a_task())
    claimed(stores.outbox)

    again = claimed(stores.outbox, now=NOON + timedelta(days=2))

    assert again.task == a_task()


def test_the_fates_of_unknown_tasks_are_left_out(stores):
    """Whoever asks knows what that means."""
    assert fates(stores.outbox, [a_task().outbox_id]) == {}
