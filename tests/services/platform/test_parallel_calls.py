"""Calls of one request at the same time: all have ended when the request ends, and no failure is lost."""

import time
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Event, get_ident

import pytest

from chalicelib import budget
from chalicelib.errors import UnavailableError
from chalicelib.services.platform.parallel_calls import OneAfterAnother, ParallelCalls

A_WHILE = 60
"""Seconds after which a test gives up. No test takes them."""


@pytest.fixture
def get_threads():
    with ThreadPoolExecutor(2) as threads:
        yield lambda: threads


def fail():
    raise UnavailableError


def test_started_calls_run_at_the_same_time(get_threads):
    """Each of the three waits for the other two."""
    meeting = Barrier(3, timeout=A_WHILE)

    with ParallelCalls(get_threads) as calls:
        first, second = calls.start(meeting.wait), calls.start(meeting.wait)
        own = meeting.wait()

    assert {first.result(), second.result(), own} == {0, 1, 2}


def test_a_request_ends_after_the_calls_that_it_started(get_threads):
    """Also if it failed: a frozen function must not have work that runs."""
    began, may_end, ended = Event(), Event(), Event()

    def write():
        began.set()
        may_end.wait(A_WHILE)
        ended.set()

    def act():
        with ParallelCalls(get_threads) as calls:
            calls.start(write)
            began.wait(A_WHILE)
            calls.start(may_end.set)
            raise KeyError

    with pytest.raises(KeyError):
        act()
    assert ended.is_set()


@pytest.mark.parametrize("has_threads", [True, False])
def test_a_failure_that_no_one_asked_for_ends_the_request(get_threads, has_threads):
    """So a response cannot leave without its audit row, whatever a service forgets."""
    with (
        pytest.raises(UnavailableError),
        ParallelCalls(get_threads if has_threads else OneAfterAnother) as calls,
    ):
        calls.start(fail)


def test_a_canceled_call_does_not_end_the_request(get_threads):
    """The caller that canceled it did the work itself."""
    may_end = Event()

    with ParallelCalls(get_threads) as calls:
        for _ in range(2):
            calls.start(may_end.wait)
        queued = calls.start(fail)
        is_canceled = queued.cancel()
        may_end.set()

    assert is_canceled


def test_a_job_without_threads_fails_at_once():
    """A job has no block that would raise what it started."""
    with pytest.raises(UnavailableError):
        ParallelCalls().start(fail)


def test_a_started_call_has_the_budget_of_the_request(get_threads):
    """It starts nothing that could outlive the request."""
    with budget.limit_time(5, clock=time.monotonic), ParallelCalls(get_threads) as calls:
        left = calls.start(budget.get_remaining_s).result()

    assert left <= 5


def test_a_started_call_waits_for_no_other_thread(get_threads):
    """It makes the calls itself that it starts. Otherwise all threads could wait for a free one."""

    def start_another():
        return get_ident(), calls.start(get_ident).result()

    with ParallelCalls(get_threads) as calls:
        outer, inner = calls.start(start_another).result()

    assert outer == inner


def test_an_early_read_is_used_once_and_only_for_what_it_read():
    """Who reads again, as after a conflict, reads what is there then."""
    read = []
    store = dict.fromkeys("ab", "value")

    def read_row(key):
        read.append(key)
        return store[key]

    calls = ParallelCalls()
    calls.start_early(read_row, "a")
    calls.start_early(read_row, "a")

    found = [calls.finish_early(read_row, key) for key in ("b", "a", "a")]

    assert (found, read) == (["value"] * 3, ["a", "b", "a"])
