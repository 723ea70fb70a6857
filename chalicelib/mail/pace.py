"""The pace at which a run sends email. Its threads share it, and all runs together keep the rate of the account."""

from collections import deque
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from threading import Lock
from typing import Any, Protocol

_SECOND = 1_000_000
"""Microseconds. At a few hundred emails a second, a turn takes a few milliseconds."""

_MAX_TAKEN = 16
"""How many turns are taken at once at most."""


class Turns(Protocol):
    """Gives out turns to send an email, among all runs (`chalicelib.store.notices.mail_turns`)."""

    def take(self, count: int, *, each: int, now: int) -> int:
        """Take some turns in a row, and return the time of the first one. Times are in microseconds."""


class MailPace(Protocol):
    """Lets each thread wait for its turn to send an email."""

    def wait_for_turn(self) -> None:
        """Wait until one more email may be sent.

        Raises:
            UnavailableError: the table does not respond.
        """

    def give_back_turn(self) -> None:
        """Let the next email of this run be sent at once, because this one was not sent."""


class NoLimit:
    """The pace of a deployment without a limit, such as a laptop: no one waits."""

    def wait_for_turn(self) -> None:
        """Wait for nothing."""

    def give_back_turn(self) -> None:
        """Give nothing back."""


@dataclass
class SharedPace:
    """The pace of one run among several.

    Turns are taken from the table a few at a time: first one, then twice as many each time, up to those of a
    quarter of a second. So a run with one email takes one turn, and a long run rarely writes.

    Attributes:
        turns: The turns of all runs.
        per_second: How many emails all runs together may send each second.
        read_clock: The time.
        pause: Waits for some seconds.
        one_taker: Lets one thread take turns from the table, while the others wait for what it takes.
    """

    turns: Turns
    per_second: float
    read_clock: Callable[[], datetime]
    pause: Callable[[float], None]
    one_taker: AbstractContextManager[Any] = field(default_factory=Lock)
    _own: deque[int] = field(default_factory=deque)
    _next_count: int = 1

    def wait_for_turn(self) -> None:
        """Wait until one more email may be sent. Threads wait at the same time, each for its own turn."""
        at = self._pop_turn()
        if at is None:
            with self.one_taker:
                at = self._pop_turn() or self._take_turns()
        wait = at - self._read_now()
        if wait > 0:
            self.pause(wait / _SECOND)

    def give_back_turn(self) -> None:
        """Let the next email of this run be sent at once, because this one was not sent."""
        self._own.appendleft(self._read_now())

    def _pop_turn(self) -> int | None:
        """Return the next turn of this run. Turns of more than a second ago are lost, or they would be a burst."""
        oldest = self._read_now() - _SECOND
        while self._own:
            try:
                at = self._own.popleft()
            except IndexError:
                return None  # Another thread was faster.
            if at > oldest:
                return at
        return None

    def _take_turns(self) -> int:
        count, each = self._next_count, round(_SECOND / self.per_second)
        first = self.turns.take(count, each=each, now=self._read_now())
        self._next_count = max(1, min(2 * count, _MAX_TAKEN, int(self.per_second / 4)))
        self._own.extend(first + number * each for number in range(1, count))
        return first

    def _read_now(self) -> int:
        return int(self.read_clock().timestamp() * _SECOND)
