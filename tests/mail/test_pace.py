"""The pace of email: all runs together keep the rate, and one email waits for nothing."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest

from chalicelib.mail.pace import SharedPace
from tests.support.factories import NOON


@dataclass
class Clock:
    """A clock that only a pause moves."""

    now: datetime = NOON
    pauses: list[float] = field(default_factory=list)

    def read(self) -> datetime:
        """Return the time."""
        return self.now

    def pause(self, seconds: float) -> None:
        """Let time pass."""
        self.pauses.append(seconds)
        self.now += timedelta(seconds=seconds)


@pytest.fixture
def open_pace(stores) -> Callable[..., SharedPace]:
    """Opens the pace of a run, on the table that all runs share."""
    return lambda clock, per_second=10: SharedPace(
        stores.mail_turns, per_second, read_clock=clock.read, pause=clock.pause
    )


def test_one_email_does_not_wait(open_pace):
    clock = Clock()

    open_pace(clock).wait_for_turn()

    assert clock.pauses == []


def test_a_run_keeps_the_rate(open_pace):
    """100 emails at 10 a second: the last one is sent after 9.9 seconds."""
    clock = Clock()
    pace = open_pace(clock)

    for _ in range(100):
        pace.wait_for_turn()

    assert (clock.now - NOON).total_seconds() == pytest.approx(9.9)


def test_runs_at_once_keep_the_rate_together(open_pace):
    """Four runs send 25 emails each. Each has its own clock, which shows the same time at the start."""
    clocks = [Clock() for _ in range(4)]
    paces = [open_pace(clock) for clock in clocks]

    sent = []
    for _ in range(25):
        for clock, pace in zip(clocks, paces, strict=True):
            pace.wait_for_turn()
            sent.append(clock.now)

    first, *_, last = sorted(sent)
    assert (last - first).total_seconds() >= 9.9
    assert max(count_within_a_second(sent, start) for start in sent) <= 10


def count_within_a_second(times, start):
    """How many of the times are in the second that begins with `start`."""
    return sum(start <= at < start + timedelta(seconds=1) for at in times)


def test_a_turn_that_no_email_needed_is_used_by_the_next_one(open_pace):
    clock = Clock()
    pace = open_pace(clock)
    pace.wait_for_turn()
    pace.give_back_turn()

    pace.wait_for_turn()

    assert clock.pauses == []


def test_turns_that_were_not_used_for_a_second_make_no_burst(open_pace):
    """A run that waited long for something else starts with one email, not with all that it could have sent."""
    clock = Clock()
    pace = open_pace(clock)
    pace.wait_for_turn()
    for _ in range(5):
        pace.give_back_turn()
    clock.now += timedelta(seconds=2)
    began = clock.now

    for _ in range(3):
        pace.wait_for_turn()

    assert (clock.now - began).total_seconds() == pytest.approx(0.2)


def test_a_clock_that_was_wrong_stops_no_email(open_pace):
    """A function whose clock is an hour ahead took the turns of that time."""
    wrong, right = Clock(NOON + timedelta(hours=1)), Clock()
    open_pace(wrong).wait_for_turn()

    open_pace(right).wait_for_turn()

    assert right.pauses == []
