"""Rate limits: one token bucket per caller, shared by all function instances."""

import random
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from chalicelib.domain.platform.rate_limit import RateLimit
from chalicelib.errors import UnavailableError
from chalicelib.store.platform.rate_limit import MAX_CALLS_PER_WRITE, PERMITTED_MS
from tests.support import faults
from tests.support.factories import NOON
from tests.support.stores import list_rows, restart_stores

SMALL = RateLimit(burst=10, per_second=2)
BACKLOG = RateLimit(burst=60, per_second=20)


@pytest.fixture
def rate_limits(stores):
    return stores.rate_limits


def create_instances(stores, count):
    """The rate limits of several function instances that have drawn no tokens yet."""
    return [restart_stores(stores).rate_limits for _ in range(count)]


def seconds(count):
    return NOON + timedelta(seconds=count)


def count_allowed(rate_limits, calls, *, at=NOON, subject="feed#a", limit=SMALL):
    """How many of `calls` are allowed."""
    return sum(rate_limits.take_token(subject, limit, now=at) == 0 for _ in range(calls))


DAY_S = 86_400


@pytest.mark.parametrize(("later_s", "allowed"), [(3, 6), (3600, 10), (9 * DAY_S, 10)])
def test_a_burst_is_allowed_and_tokens_come_back_with_time(rate_limits, later_s, allowed):
    """Two a second, up to the burst. An expired row that DynamoDB has not removed yet is a full bucket."""
    assert count_allowed(rate_limits, 30) == 10
    (row,) = list_rows("allowances")
    assert row["expires_at"] > NOON.timestamp()

    assert count_allowed(rate_limits, 30, at=seconds(later_s)) == allowed


def test_one_bucket_is_shared_by_all_instances(stores):
    """Five instances together allow as many calls as one."""
    instances = create_instances(stores, 5)

    assert sum(count_allowed(instance, 30) for instance in instances) == 10


def test_each_caller_has_its_own_bucket(rate_limits):
    """A center that used up its own tokens leaves those of another center."""
    count_allowed(rate_limits, 30)

    assert count_allowed(rate_limits, 30, subject="feed#b") == 10


def test_a_caller_that_waits_for_the_pause_is_allowed(rate_limits):
    """In the pause, a tenth of the burst comes back."""
    count_allowed(rate_limits, 30)
    pause = rate_limits.take_token("feed#a", SMALL, now=NOON)

    assert 1 <= pause <= 2
    assert rate_limits.take_token("feed#a", SMALL, now=seconds(pause)) == 0


def test_a_refused_caller_costs_nothing_until_its_pause_is_over(rate_limits):
    """A flood of calls is refused from memory."""
    count_allowed(rate_limits, 30)

    with faults.inject_faults(faults.plan_never) as calls:
        assert count_allowed(rate_limits, 500) == 0

    assert calls.operations == []


def test_a_single_call_costs_one_write(rate_limits):
    """The first call, and another one after a while."""
    with faults.inject_faults(faults.plan_never) as calls:
        count_allowed(rate_limits, 1)
        count_allowed(rate_limits, 1, at=seconds(60))

    assert calls.operations == ["UpdateItem", "UpdateItem"]


def test_a_busy_instance_draws_several_tokens_at_once(rate_limits):
    """500 calls at once cost a few dozen writes."""
    wide = RateLimit(burst=1000, per_second=20)

    with faults.inject_faults(faults.plan_never) as calls:
        assert count_allowed(rate_limits, 500, limit=wide) == 500

    assert len(calls.operations) <= 500 / MAX_CALLS_PER_WRITE + 5
    assert set(calls.operations) == {"UpdateItem"}


def test_unspent_tokens_of_an_idle_instance_expire(rate_limits):
    """After that it must draw from the row again."""
    count_allowed(rate_limits, 2, limit=SMALL)
    late = NOON + timedelta(milliseconds=PERMITTED_MS)

    with faults.inject_faults(faults.plan_never) as calls:
        count_allowed(rate_limits, 1, at=late)

    assert calls.operations == ["UpdateItem"]


def test_a_backlog_is_accepted_when_its_sender_waits_for_the_pauses(stores):
    """400 deliveries through four functions: all are accepted, and none is refused too often."""
    functions = create_instances(stores, 4)
    waiting = dict.fromkeys(range(400), 0)
    refusals = dict.fromkeys(waiting, 0)
    for second in range(60):
        for n in [n for n, due in waiting.items() if due <= second]:
            pause = functions[n % 4].take_token("feed#a", BACKLOG, now=seconds(second))
            if pause:
                waiting[n], refusals[n] = second + pause, refusals[n] + 1
            else:
                del waiting[n]
        if not waiting:
            break

    # 60 at once, the rest at 20 a second, plus the tokens that expired in idle instances.
    assert not waiting
    assert 17 <= second <= 40
    assert max(refusals.values()) <= 40


def test_a_row_that_changes_before_every_draw_ends_in_busy(rate_limits, stores):
    """After a limited number of attempts the caller gets 503. No call is allowed by accident."""
    other = restart_stores(stores).rate_limits

    def change_before_each_update(_n, operation):
        if operation == "UpdateItem" and not running:
            running.append(True)
            # The row switches between full and half empty, so neither form of the conditional write fits.
            row = other.table.get({"subject": "feed#a"}) or {}
            until = int(NOON.timestamp() * 1000) + 1500
            has_promise = row.get("promised_until", 0) > int(NOON.timestamp() * 1000)
            other.table.put({"subject": "feed#a", "promised_until": 0 if has_promise else until})
            running.clear()

    running: list[bool] = []
    with faults.inject_faults(change_before_each_update), pytest.raises(UnavailableError):
        rate_limits.take_token("feed#a", SMALL, now=NOON)


def test_parallel_calls_below_the_limit_are_never_refused(rate_limits):
    """Eight threads of one process, as on a laptop: exactly the burst is allowed, and no call is refused below it."""
    wide = RateLimit(burst=160, per_second=1)

    with ThreadPoolExecutor(8) as threads:
        calls = [threads.submit(rate_limits.take_token, "feed#a", wide, now=NOON) for _ in range(160 + 8)]
        pauses = [call.result() for call in calls]

    assert pauses.count(0) == 160


def test_instances_that_draw_at_the_same_moment_do_not_refuse_each_other(stores):
    """Each one reads the row, and then all the others write it first."""
    instances = create_instances(stores, 8)
    wide = RateLimit(burst=160, per_second=1)
    pauses = []

    def draw(number):
        before = faults.plan_interruption("UpdateItem", lambda: draw(number + 1)) if number < 7 else faults.plan_never
        with faults.inject_faults(before):
            pauses.append(instances[number].take_token("feed#a", wide, now=NOON))

    for _ in range(10):
        draw(0)

    assert set(pauses) == {0}


@pytest.mark.parametrize("seed", range(4))
def test_a_caller_below_the_limit_is_never_refused(stores, seed):
    """However its calls are spread over instances and time. It exceeds the limit only by what was permitted ahead."""
    drawn = random.Random(seed)  # noqa: S311 to be repeated
    limit, instances = RateLimit(burst=40, per_second=10), create_instances(stores, 4)
    at, used, pauses = 0.0, 0.0, []
    for _ in range(300):
        passed = drawn.choice([0] * 150 + [0.1, 0.3] * 4 + [6])
        at, used = at + passed, max(0, used - passed * limit.per_second)
        pauses.append(drawn.choice(instances).take_token("feed#a", limit, now=seconds(at)))
        if pauses[-1]:
            assert used + 1 > limit.burst - limit.per_second
        else:
            used += 1
            assert used <= limit.burst + len(instances) * (MAX_CALLS_PER_WRITE - 1)

    assert max(pauses) > 0
