"""Tasks that fail: retries, failed tasks (dead letters), and a manual retry."""

from datetime import timedelta

import pytest

from chalicelib.domain.notices.tasks import TaskQueue
from chalicelib.store.notices.leases import LEASE_DURATION, MAX_ATTEMPTS, TaskState
from chalicelib.store.notices.planned_tasks import TaskOutcome, load_task_outcomes
from chalicelib.store.notices.task_items import FailedTask
from chalicelib.store.platform.timestamps import from_timestamp
from tests.support.factories import NOON
from tests.support.stores import list_rows
from tests.support.tasks import MINUTE, build_task, claim_one, list_due, write_tasks


def measure_pauses(outbox, give_back, count):
    """The minutes before each next attempt of a task that is given back again and again."""
    now, pauses = NOON, []
    for _ in range(count):
        give_back(claim_one(outbox, now=now), now)
        next_attempt = from_timestamp(list_rows("outbox")[0]["due_at"])
        pauses.append((next_attempt - now) // MINUTE)
        now = next_attempt
    return pauses


def test_a_task_is_retried_with_growing_pauses_and_then_fails(stores):
    """2 minutes, 4, and so on up to 60. After seven hours it waits for a person."""
    outbox = stores.outbox
    write_tasks(stores, build_task())

    pauses = measure_pauses(outbox, lambda c, now: outbox.reschedule(c, error="E", now=now), MAX_ATTEMPTS - 1)
    last_attempt = NOON + sum(pauses) * MINUTE
    state = outbox.reschedule(claim_one(outbox, now=last_attempt), error="KeyError", now=last_attempt)

    assert pauses == [2, 4, 8, 16, 32, *[60] * 6]
    assert last_attempt > NOON + timedelta(hours=6)
    assert state is TaskState.FAILED
    assert list_due(stores.outbox, by=NOON + timedelta(days=99)) == []


def test_a_task_that_waits_for_a_dependency_never_fails(stores):
    """However long the outage lasts. It is tried every 15 minutes, and no attempt counts."""
    write_tasks(stores, build_task())

    pauses = measure_pauses(stores.outbox, lambda c, now: stores.outbox.release(c, now=now), 3 * MAX_ATTEMPTS)

    assert pauses == [2, 4, 8, *[15] * (3 * MAX_ATTEMPTS - 3)]
    assert list_rows("outbox")[0]["tries"] == 0


def test_an_attempt_that_crashed_counts(stores):
    """Otherwise a task that crashes its function would never fail."""
    write_tasks(stores, build_task())
    claims = [claim_one(stores.outbox, now=NOON + n * LEASE_DURATION) for n in range(MAX_ATTEMPTS + 1)]

    assert [n for n, claim in enumerate(claims, 1) if claim.is_last_attempt] == [MAX_ATTEMPTS, MAX_ATTEMPTS + 1]
    assert [n for n, claim in enumerate(claims, 1) if claim.is_exhausted] == [MAX_ATTEMPTS + 1]


def test_a_failed_task_has_only_ids_its_rule_and_the_kind_of_its_error(stores):
    """No text of the error."""
    write_tasks(stores, build_task())
    stores.outbox.mark_failed(claim_one(stores.outbox), error="KeyError", now=NOON)

    [failed] = stores.outbox.list_failed()

    assert failed == FailedTask(
        outbox_id=build_task().outbox_id,
        queue=build_task().queue,
        referral_id="ref_1",
        rule="handback_near",
        error="KeyError",
        attempts=1,
        failed_at=NOON,
    )
    outcomes = load_task_outcomes(stores.outbox, [failed.outbox_id])
    assert outcomes == {failed.outbox_id: TaskOutcome(state=TaskState.FAILED)}


@pytest.mark.parametrize("queue", list(TaskQueue))
def test_a_retried_task_is_due_in_its_own_queue_with_all_its_attempts(stores, queue):
    """As it was planned."""
    write_tasks(stores, build_task(queue=queue))
    [row] = list_due(stores.outbox, lane=queue)
    stores.outbox.mark_failed(stores.outbox.claim(row, now=NOON), error="KeyError", now=NOON)
    later = NOON + timedelta(days=3)

    assert stores.outbox.retry_failed(build_task().outbox_id, now=later)

    [row] = list_due(stores.outbox, by=later, lane=queue)
    claim = stores.outbox.claim(row, now=later)
    assert (claim.task, claim.attempts) == (build_task(queue=queue), 1)
    assert (row["state"], row.get("error")) == (TaskState.PLANNED, None)
    assert list(stores.outbox.list_failed()) == []


def test_only_a_failed_task_can_be_retried(stores):
    """Not an unknown task, a planned one, or a finished one."""
    write_tasks(stores, build_task(1), build_task(2, due_at=NOON + MINUTE))
    stores.outbox.finish(claim_one(stores.outbox), TaskState.DONE, now=NOON)
    before = list_rows("outbox")

    ids = ["out_unknown", build_task(1).outbox_id, build_task(2).outbox_id]
    assert [stores.outbox.retry_failed(outbox_id, now=NOON) for outbox_id in ids] == [False] * 3
    assert list_rows("outbox") == before


def test_a_failed_task_cannot_be_claimed_from_a_stale_read(stores):
    """Even if it failed at the moment at which it became due."""
    write_tasks(stores, build_task())
    (stale,) = list_due(stores.outbox)
    stores.outbox.mark_failed(claim_one(stores.outbox), error="KeyError", now=NOON)

    assert stores.outbox.claim(stale, now=NOON) is None
