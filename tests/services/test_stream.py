"""What the outbox's stream drives: at once, in any order, however often, and never in the way."""

from datetime import timedelta
from itertools import permutations

import pytest

from chalicelib.domain.notices.notice_rules import Lane
from chalicelib.domain.platform.jobs import PERIODS, Job
from chalicelib.errors import UnavailableError
from chalicelib.services.notices import outbox_worker as duties
from chalicelib.services.notices.outbox_worker import SKEW
from chalicelib.store.notices.leases import LEASE
from tests.support import faults, shelves
from tests.support.desk import LINK, MINUTE, TO_CONDITIONED, Refusing
from tests.support.factories import CENTER, a_member
from tests.support.faults import Mode

SWEEP = PERIODS[Job.RELAY]


@pytest.fixture
def desk(desk):
    """The desk, with a mail service that can be told to fail."""
    desk.postbox = Refusing()
    return desk


def committed(*, lane="event", referral_id=None):
    """The ids of rows as their stream tells them, in the order in which they are stored."""
    return [
        row["outbox_id"]
        for row in shelves.tasks()
        if row.get("lane", "").startswith(lane) and referral_id in {None, row["referral_id"]}
    ]


def states():
    """The state of each task."""
    return [row["state"] for row in shelves.tasks()]


def test_what_was_committed_is_told_at_once(desk):
    """Without any sweep."""
    desk.refer()

    counts = desk.follow(*committed())

    assert desk.postbox.addressees == [a_member(CENTER).email]
    assert (counts["done"], counts["mails"], states()) == (1, 1, ["done"])


def test_a_record_that_was_lost_costs_time_and_not_the_notice(desk):
    """The stream says nothing; the next sweep is there within a quarter of an hour."""
    desk.refer()

    counts = desk.work_off(Lane.EVENT, now=desk.now + SWEEP)

    assert (counts["done"], counts["mails"]) == (1, 1)


@pytest.mark.parametrize("times", [2, 5])
def test_a_record_that_is_delivered_again_tells_nothing_again(desk, times):
    """In one batch, in another, and long after."""
    desk.refer()
    ids = committed()
    desk.follow(*ids * times)

    for later in (timedelta(0), MINUTE, LEASE, timedelta(hours=20)):
        desk.anew().follow(*ids * times, now=desk.now + later)

    assert len(desk.postbox.taken) == 1


@pytest.mark.parametrize("mode", [Mode.CRASH_BEFORE, Mode.CRASH_AFTER])
def test_a_batch_that_is_run_again_after_a_death_loses_nothing(desk, mode):
    """Lambda repeats it at once, while the lease of the dead still holds; the sweep ends it."""
    for n in range(3):
        desk.refer(f"ref_{n}", key=f"key-{n}")
    ids = committed()
    dies = faults.nth("UpdateItem", 4, mode)
    with faults.injected(dies), pytest.raises(faults.Crash):
        desk.anew().follow(*ids)

    desk.anew().follow(*ids)
    desk.anew().work_off(Lane.EVENT, now=desk.now + LEASE)

    assert states() == ["done"] * 3
    assert len(desk.postbox.taken) == 3


def test_a_poison_record_in_the_middle_holds_up_nobody(desk):
    """Those before and after it are done, and nothing is raised that would block the stream."""
    desk.refer("ref_1", key="key-1", center_id="ctr_mesa")
    desk.refer("ref_2", key="key-2")
    desk.refer("ref_3", key="key-3", center_id="ctr_mesa")
    desk.postbox.refused = "harbor"
    ids = [each for n in (1, 2, 3) for each in committed(referral_id=f"ref_{n}")]

    counts = desk.follow(*ids)

    assert (counts["mails"], counts["failed"]) == (2, 1)


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_the_records_of_transactions_may_come_apart_and_interleaved(desk, order):
    """Each by itself, in any order, those of a plan in between: nothing waits for another."""
    desk.refer()
    desk.follow(*committed())
    desk.move_to(*TO_CONDITIONED[:2])
    desk.move_to("consult_completed")
    desk.postbox.taken.clear()
    ids = committed()
    assert len(ids) == len(order)

    for n in order:
        desk.anew().follow(ids[n])

    assert set(states()) == {"done"}
    # Two of the three are for somebody; the second waits until the hour of the first is over.
    assert len(shelves.rows("notices")) == 1 + 2
    assert len(desk.postbox.taken) == 1


def test_what_is_planned_for_a_day_is_left_to_its_job(desk):
    """The stream tells of those rows too, weeks ahead."""
    desk.refer()
    desk.move_to(*TO_CONDITIONED, "infused")
    desk.follow(*committed())
    before = len(desk.postbox.taken)

    counts = desk.follow(*committed(lane="plan"), now=desk.now + timedelta(days=90))

    assert set(counts.values()) == {0}
    assert len(desk.postbox.taken) == before


@pytest.mark.parametrize("operation", ["UpdateItem", "PutItem"])
def test_stream_and_sweep_at_the_same_moment_send_one_mail(desk, operation):
    """The sweep comes as the stream is about to claim, or to write the notice."""
    desk.refer()
    sweeping, theirs = desk.anew(), []
    between = faults.meanwhile(operation, lambda: theirs.append(sweeping.work_off(Lane.EVENT)))

    with faults.injected(between):
        mine = desk.follow(*committed())

    assert mine["done"] + theirs[0]["done"] == 1
    assert len(desk.postbox.taken) == 1


def test_a_clock_that_is_behind_makes_nothing_wait(desk):
    """The function that committed it was some seconds ahead of ours."""
    desk.refer()

    assert desk.follow(*committed(), now=desk.now - SKEW)["done"] == 1


def test_a_clock_that_is_behind_takes_nothing_from_who_has_it(desk):
    """A lease counts to its end."""
    desk.refer()
    [row] = shelves.tasks()
    desk.stores.outbox.claim(row, now=desk.now)

    assert desk.follow(*committed(), now=desk.now + LEASE - SKEW) == desk.follow()


def test_a_failed_task_is_not_tried_again_by_a_repeated_record(desk):
    """Its pause counts."""
    desk.refer()
    desk.postbox.refused = "harbor"
    ids = committed()

    tries = [desk.follow(*ids)["failed"] for _ in range(3)]

    assert tries == [1, 0, 0]


def test_what_there_is_no_time_for_is_still_due(desk):
    """A function begins nothing that it might not end; what it leaves is nobody's."""
    for n in range(4):
        desk.refer(f"ref_{n}", key=f"key-{n}")
    left = iter([True, True, *[False] * 9])
    with_what = {"stores": desk.stores, "mailer": desk.postbox, "link": LINK, "now": desk.now}

    by_stream = duties.follow(committed(), **with_what, has_time=lambda: next(left))
    left = iter([True, *[False] * 9])
    by_sweep = duties.work_off(Lane.EVENT, **with_what, has_time=lambda: next(left))
    rest = desk.work_off(Lane.EVENT)

    assert (by_stream["done"], by_sweep["done"], rest["done"]) == (2, 1, 1)


def test_tables_that_do_not_answer_fail_the_batch(desk):
    """Nobody can say what is in it, so Lambda is to try again; the sweep will find it anyway."""
    desk.refer()
    ids = committed()

    with (
        faults.injected(faults.always("BatchGetItem", Mode.THROTTLE)),
        pytest.raises(UnavailableError),
    ):
        desk.follow(*ids)
    assert desk.work_off(Lane.EVENT)["mails"] == 1
