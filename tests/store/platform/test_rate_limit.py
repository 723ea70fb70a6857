"""What is left of a caller's limit: one bucket, however many function instances draw from it."""

from datetime import timedelta

import pytest

from chalicelib.domain.platform.rate_limit import RateLimit
from chalicelib.errors import UnavailableError
from chalicelib.store.platform import rate_limit as module
from tests.support import faults
from tests.support import stores as shelves
from tests.support.factories import NOON

SMALL = RateLimit(burst=10, per_second=2)
BACKLOG = RateLimit(burst=60, per_second=20)


@pytest.fixture
def rate_limits(stores):
    return stores.rate_limits


def instances(stores, count):
    """The same table, as several functions see it that have taken nothing yet."""
    return [shelves.restart_stores(stores).rate_limits for _ in range(count)]


def seconds(count):
    return NOON + timedelta(seconds=count)


def granted(allowances, calls, *, at=NOON, subject="feed#a", limit=SMALL):
    """How many of so many calls are let through."""
    return sum(allowances.take_token(subject, limit, now=at) == 0 for _ in range(calls))


def test_a_burst_gets_through_and_no_more(rate_limits):
    assert granted(rate_limits, 30) == 10


def test_what_was_taken_comes_back_with_time(rate_limits):
    """Two a second; after the pause that was asked for there is something."""
    granted(rate_limits, 30)

    assert granted(rate_limits, 30, at=seconds(3)) == 6


def test_a_bucket_never_holds_more_than_its_burst(rate_limits):
    """An hour of silence is worth ten calls, and not seven thousand."""
    granted(rate_limits, 30)

    assert granted(rate_limits, 30, at=seconds(3600)) == 10


def test_one_bucket_is_shared_by_all_instances(stores):
    """What is let through by five functions is what one would have let through."""
    five = instances(stores, 5)

    assert sum(granted(each, 30) for each in five) == 10


def test_callers_do_not_share_one(rate_limits):
    """A center that used up its own leaves another's as it was."""
    granted(rate_limits, 30)

    assert granted(rate_limits, 30, subject="feed#b") == 10


def test_who_comes_back_when_told_is_let_through(rate_limits):
    """The pause is long enough for a tenth of the burst."""
    granted(rate_limits, 30)
    pause = rate_limits.take_token("feed#a", SMALL, now=NOON)

    assert 1 <= pause <= 2
    assert rate_limits.take_token("feed#a", SMALL, now=seconds(pause)) == 0


def test_a_refused_caller_costs_nothing_until_its_pause_is_over(rate_limits):
    """A flood is refused from memory."""
    granted(rate_limits, 30)

    with faults.inject_faults(faults.plan_never) as calls:
        assert granted(rate_limits, 500) == 0

    assert calls.operations == []


def test_a_lone_call_is_one_write(rate_limits):
    """The first, and the next one after a while."""
    with faults.inject_faults(faults.plan_never) as calls:
        granted(rate_limits, 1)
        granted(rate_limits, 1, at=seconds(60))

    assert calls.operations == ["UpdateItem", "UpdateItem"]


def test_a_busy_instance_draws_more_at_once(rate_limits):
    """500 calls in one go are a few dozen writes."""
    wide = RateLimit(burst=1000, per_second=20)

    with faults.inject_faults(faults.plan_never) as calls:
        assert granted(rate_limits, 500, limit=wide) == 500

    assert len(calls.operations) <= 500 / module.MAX_TOKENS_PER_DRAW + 5
    assert set(calls.operations) == {"UpdateItem"}


def test_what_an_idle_instance_held_is_not_kept_for_it(rate_limits):
    """Tokens that it drew and did not spend are worth nothing later: the row counts."""
    granted(rate_limits, 2, limit=SMALL)
    late = NOON + timedelta(milliseconds=module.TOKENS_VALID_MS)

    with faults.inject_faults(faults.plan_never) as calls:
        granted(rate_limits, 1, at=late)

    assert calls.operations == ["UpdateItem"]


def test_a_row_that_outlived_its_end_is_a_full_bucket(rate_limits):
    """The table may take days to remove it; only the times in it count."""
    granted(rate_limits, 30)
    (row,) = shelves.list_rows("allowances")

    assert row["expires_at"] > NOON.timestamp()
    assert granted(rate_limits, 30, at=NOON + timedelta(days=9)) == 10


def test_a_backlog_gets_through_when_its_sender_obeys(stores):
    """400 deliveries by four functions: all taken, none more than a few times refused."""
    functions = instances(stores, 4)
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

    # 60 at once, the rest at 20 a second, and what idle instances let lapse.
    assert not waiting
    assert 17 <= second <= 40
    assert max(refusals.values()) <= 40


def test_a_row_that_never_holds_still_is_told_as_busy(rate_limits, stores):
    """A bounded number of tries, and 503: nobody is let through by accident."""
    other = shelves.restart_stores(stores).rate_limits

    def restless(_n, operation):
        if operation == "UpdateItem" and not running:
            running.append(True)
            # The row flips between full and half empty, so that no form of the draw fits.
            full = other.table.get({"subject": "feed#a"}) or {}
            until = int(NOON.timestamp() * 1000) + 1500
            now_full = full.get("promised_until", 0) > int(NOON.timestamp() * 1000)
            other.table.put({"subject": "feed#a", "promised_until": 0 if now_full else until})
            running.clear()

    running: list[bool] = []
    with faults.inject_faults(restless), pytest.raises(UnavailableError):
        rate_limits.take_token("feed#a", SMALL, now=NOON)


def test_two_draws_at_once_add_up(rate_limits, stores):
    """Two threads of one process: what the first drew is not lost by the second's draw."""
    drawing = faults.plan_interruption("UpdateItem", lambda: granted(rate_limits, 1))

    with faults.inject_faults(drawing):
        first = granted(rate_limits, 1)

    assert first + granted(rate_limits, 30) == 10 - 1
