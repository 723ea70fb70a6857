"""What all functions know about a payer: its circuit breaker, also after a wrong clock."""

from datetime import timedelta

import pytest

from chalicelib.store.coverage.payer_states import FAILURES_TO_OPEN, PROBE_EVERY
from tests.support.factories import NOON

PAYER = "example-health"


@pytest.fixture
def states(stores):
    return stores.payer_states


def open_breaker(states, *, at):
    for _ in range(FAILURES_TO_OPEN):
        states.record_failure(PAYER, now=at)


def test_one_probe_is_allowed_when_it_is_due(states):
    """Everyone else waits for the next one."""
    open_breaker(states, at=NOON)
    due = NOON + PROBE_EVERY

    assert states.find_pause(PAYER, now=NOON) == due
    assert states.find_pause(PAYER, now=due) is None
    assert states.find_pause(PAYER, now=due) == due + PROBE_EVERY


def test_a_clock_that_was_a_day_ahead_does_not_close_the_payer_for_a_day(states):
    """The next function with the right time probes."""
    open_breaker(states, at=NOON + timedelta(days=1))

    assert states.find_pause(PAYER, now=NOON) is None
    assert states.find_pause(PAYER, now=NOON) == NOON + PROBE_EVERY
