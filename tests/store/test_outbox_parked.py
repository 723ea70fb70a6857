"""What becomes of a task that cannot be done: it waits, is parked, is put back."""

from datetime import timedelta

import pytest

from chalicelib.domain.notices.notice_rules import Lane
from chalicelib.store.notices.leases import LEASE, TRIES, TaskState
from chalicelib.store.notices.planned_tasks import Fate, fates
from chalicelib.store.notices.task_items import Parked
from chalicelib.store.platform.timestamps import parsed
from tests.support import shelves
from tests.support.factories import NOON
from tests.support.tasks import MINUTE, a_task, claimed, due, plan


def pauses(outbox, give_back, count):
    """How many minutes later each try comes, of a task that is given back again and again."""
    now, found = NOON, []
    for _ in range(count):
        give_back(claimed(outbox, now=now), now)
        again = parsed(shelves.rows("outbox")[0]["due_at"])
        found.append((again - now) // MINUTE)
        now = again
    return found


def test_a_failed_task_waits_longer_each_time_and_is_parked_in_the_end(stores):
    """Two minutes, four, and so on to an hour; a person has to look after seven hours."""
    plan(stores, a_task())

    waited = pauses(
        stores.outbox, lambda c, now: stores.outbox.postpone(c, error="E", now=now), TRIES - 1
    )
    at_last = NOON + sum(waited) * MINUTE
    became = stores.outbox.postpone(
        claimed(stores.outbox, now=at_last), error="KeyError", now=at_last
    )

    assert waited == [2, 4, 8, 16, 32, *[60] * 6]
    assert at_last > NOON + timedelta(hours=6)
    assert became is TaskState.PARKED
    assert due(stores.outbox, by=NOON + timedelta(days=99)) == []


def test_a_task_that_has_to_wait_is_never_parked(stores):
    """However long it takes: what does not answer is to blame, and it is asked each 15 minutes."""
    plan(stores, a_task())

    waited = pauses(stores.outbox, lambda c, now: stores.outbox.wait(c, now=now), 3 * TRIES)

    assert waited == [2, 4, 8, *[15] * (3 * TRIES - 3)]
    assert shelves.rows("outbox")[0]["tries"] == 0


def test_a_try_that_nobody_came_back_from_is_a_try(stores):
    """A task that takes its function down would never be parked otherwise."""
    plan(stores, a_task())
    claims = [claimed(stores.outbox, now=NOON + n * LEASE) for n in range(TRIES + 1)]

    assert [n for n, claim in enumerate(claims, 1) if claim.is_last_try] == [TRIES, TRIES + 1]
    assert [n for n, claim in enumerate(claims, 1) if claim.is_spent] == [TRIES + 1]


def test_what_is_parked_tells_what_it_was_and_no_more(stores):
    """Ids, a rule, and the kind of the error."""
    plan(stores, a_task())
    stores.outbox.park(claimed(stores.outbox), error="KeyError", now=NOON)

    [parked] = stores.outbox.parked()

    assert parked == Parked(
        outbox_id=a_task().outbox_id,
        referral_id="ref_1",
        rule="handback_near",
        error="KeyError",
        tries=1,
        parked_at=NOON,
    )
    known = fates(stores.outbox, [parked.outbox_id])
    assert known == {parked.outbox_id: Fate(state=TaskState.PARKED)}


@pytest.mark.parametrize("lane", list(Lane))
def test_what_is_parked_and_put_back_is_due_in_its_lane_with_all_its_tries(stores, lane):
    """As it was planned."""
    plan(stores, a_task(lane=lane))
    [row] = due(stores.outbox, lane=lane)
    stores.outbox.park(stores.outbox.claim(row, now=NOON), error="KeyError", now=NOON)
    later = NOON + timedelta(days=3)

    assert stores.outbox.retry(a_task().outbox_id, now=later)

    [row] = due(stores.outbox, by=later, lane=lane)
    claim = stores.outbox.claim(row, now=later)
    assert (claim.task, claim.tries) == (a_task(lane=lane), 1)
    assert (row["state"], row.get("error")) == (TaskState.PLANNED, None)
    assert list(stores.outbox.parked()) == []


def test_only_what_is_parked_is_put_back(stores):
    """Not what is unknown, waits for its time, or is done."""
    plan(stores, a_task(1), a_task(2, due_at=NOON + MINUTE))
    stores.outbox.finish(claimed(stores.outbox), TaskState.DONE, now=NOON)
    before = shelves.rows("outbox")

    ids = ["out_unknown", a_task(1).outbox_id, a_task(2).outbox_id]
    assert [stores.outbox.retry(each, now=NOON) for each in ids] == [False] * 3
    assert shelves.rows("outbox") == before


def test_a_row_that_was_read_before_it_was_parked_cannot_be_claimed(stores):
    """Though it became due at the very instant at which it was parked."""
    plan(stores, a_task())
    (stale,) = due(stores.outbox)
    stores.outbox.park(claimed(stores.outbox), error="KeyError", now=NOON)

    assert stores.outbox.claim(stale, now=NOON) is None
