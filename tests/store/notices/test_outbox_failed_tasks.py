"""What becomes of a task that cannot be done: it waits, is parked, is put back."""

from datetime import timedelta

import pytest

from chalicelib.domain.notices.tasks import TaskQueue
from chalicelib.store.notices.leases import LEASE_DURATION, MAX_ATTEMPTS, TaskState
from chalicelib.store.notices.planned_tasks import TaskOutcome, load_task_outcomes
from chalicelib.store.notices.task_items import FailedTask
from chalicelib.store.platform.timestamps import from_timestamp
from tests.support import stores as shelves
from tests.support.factories import NOON
from tests.support.tasks import MINUTE, build_task, claim_one, list_due, write_tasks


def pauses(outbox, give_back, count):
    """How many minutes later each try comes, of a task that is given back again and again."""
    now, found = NOON, []
    for _ in range(count):
        give_back(claim_one(outbox, now=now), now)
        again = from_timestamp(shelves.list_rows("outbox")[0]["due_at"])
        found.append((again - now) // MINUTE)
        now = again
    return found


def test_a_failed_task_waits_longer_each_time_and_is_parked_in_the_end(stores):
    """Two minutes, four, and so on to an hour; a person has to look after seven hours."""
    write_tasks(stores, build_task())

    waited = pauses(stores.outbox, lambda c, now: stores.outbox.reschedule(c, error="E", now=now), MAX_ATTEMPTS - 1)
    at_last = NOON + sum(waited) * MINUTE
    became = stores.outbox.reschedule(claim_one(stores.outbox, now=at_last), error="KeyError", now=at_last)

    assert waited == [2, 4, 8, 16, 32, *[60] * 6]
    assert at_last > NOON + timedelta(hours=6)
    assert became is TaskState.FAILED
    assert list_due(stores.outbox, by=NOON + timedelta(days=99)) == []


def test_a_task_that_has_to_wait_is_never_parked(stores):
    """However long it takes: what does not answer is to blame, and it is asked each 15 minutes."""
    write_tasks(stores, build_task())

    waited = pauses(stores.outbox, lambda c, now: stores.outbox.release(c, now=now), 3 * MAX_ATTEMPTS)

    assert waited == [2, 4, 8, *[15] * (3 * MAX_ATTEMPTS - 3)]
    assert shelves.list_rows("outbox")[0]["tries"] == 0


def test_a_try_that_nobody_came_back_from_is_a_try(stores):
    """A task that takes its function down would never be parked otherwise."""
    write_tasks(stores, build_task())
    claims = [claim_one(stores.outbox, now=NOON + n * LEASE_DURATION) for n in range(MAX_ATTEMPTS + 1)]

    assert [n for n, claim in enumerate(claims, 1) if claim.is_last_attempt] == [MAX_ATTEMPTS, MAX_ATTEMPTS + 1]
    assert [n for n, claim in enumerate(claims, 1) if claim.is_exhausted] == [MAX_ATTEMPTS + 1]


def test_what_is_parked_tells_what_it_was_and_no_more(stores):
    """Ids, a rule, and the kind of the error."""
    write_tasks(stores, build_task())
    stores.outbox.mark_failed(claim_one(stores.outbox), error="KeyError", now=NOON)

    [parked] = stores.outbox.list_failed()

    assert parked == FailedTask(
        outbox_id=build_task().outbox_id,
        referral_id="ref_1",
        rule="handback_near",
        error="KeyError",
        attempts=1,
        failed_at=NOON,
    )
    known = load_task_outcomes(stores.outbox, [parked.outbox_id])
    assert known == {parked.outbox_id: TaskOutcome(state=TaskState.FAILED)}


@pytest.mark.parametrize("lane", list(TaskQueue))
def test_what_is_parked_and_put_back_is_due_in_its_lane_with_all_its_tries(stores, lane):
    """As it was planned."""
    write_tasks(stores, build_task(queue=lane))
    [row] = list_due(stores.outbox, lane=lane)
    stores.outbox.mark_failed(stores.outbox.claim(row, now=NOON), error="KeyError", now=NOON)
    later = NOON + timedelta(days=3)

    assert stores.outbox.retry_failed(build_task().outbox_id, now=later)

    [row] = list_due(stores.outbox, by=later, lane=lane)
    claim = stores.outbox.claim(row, now=later)
    assert (claim.task, claim.attempts) == (build_task(queue=lane), 1)
    assert (row["state"], row.get("error")) == (TaskState.PLANNED, None)
    assert list(stores.outbox.list_failed()) == []


def test_only_what_is_parked_is_put_back(stores):
    """Not what is unknown, waits for its time, or is done."""
    write_tasks(stores, build_task(1), build_task(2, due_at=NOON + MINUTE))
    stores.outbox.finish(claim_one(stores.outbox), TaskState.DONE, now=NOON)
    before = shelves.list_rows("outbox")

    ids = ["out_unknown", build_task(1).outbox_id, build_task(2).outbox_id]
    assert [stores.outbox.retry_failed(each, now=NOON) for each in ids] == [False] * 3
    assert shelves.list_rows("outbox") == before


def test_a_row_that_was_read_before_it_was_parked_cannot_be_claimed(stores):
    """Though it became due at the very instant at which it was parked."""
    write_tasks(stores, build_task())
    (stale,) = list_due(stores.outbox)
    stores.outbox.mark_failed(claim_one(stores.outbox), error="KeyError", now=NOON)

    assert stores.outbox.claim(stale, now=NOON) is None
