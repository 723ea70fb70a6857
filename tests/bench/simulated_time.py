"""A clock that moves only when everyone waits, and threads whose waiting costs no real time.

The threads are greenlets: one runs at a time, and the next one is the one whose wait ends first. So a run with 32
threads and 5 ms for each call takes as long here as it would if processors cost nothing.
"""

import heapq
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Any, Self
from unittest.mock import patch

from greenlet import getcurrent, greenlet

from chalicelib.services.platform import threads


@dataclass
class SimulatedTime:
    """Seconds since the start, and who waits until when."""

    now: float = 0.0
    _waiting: list[tuple[float, int, greenlet]] = field(default_factory=list)
    _number: Iterator[int] = field(default_factory=count)

    def sleep(self, seconds: float) -> None:
        """Let the greenlet that calls this wait."""
        self._wake(getcurrent(), self.now + seconds)
        self.switch_away()

    def start(self, work: Callable[[], object], *, at: float | None = None) -> "Task":
        """Start a piece of work in a greenlet of its own."""
        task = Task(self, work)
        self._wake(greenlet(task.run, self._hub), self.now if at is None else at)
        return task

    def run(self) -> None:
        """Let time pass until no one waits."""
        self._hub = getcurrent()
        while self._waiting:
            self.now, _, sleeper = heapq.heappop(self._waiting)
            sleeper.switch()

    def switch_away(self) -> None:
        """Let others run until someone wakes the greenlet that calls this."""
        self._hub.switch()

    def wake(self, sleeper: greenlet) -> None:
        """Let a greenlet go on, now."""
        self._wake(sleeper, self.now)

    def _wake(self, sleeper: greenlet, at: float) -> None:
        heapq.heappush(self._waiting, (at, next(self._number), sleeper))

    def __post_init__(self) -> None:
        self._hub = getcurrent()


@dataclass
class Task:
    """A piece of work, with what it returned or raised."""

    time: SimulatedTime
    work: Callable[[], object]
    returned: Any = None
    raised: BaseException | None = None
    is_done: bool = False
    waiting: list[greenlet] = field(default_factory=list)

    def run(self) -> None:
        """Do the work, and wake those who wait for it."""
        try:
            self.returned = self.work()
        except Exception as e:  # noqa: BLE001 it is raised to those who wait
            self.raised = e
        self.is_done = True
        for sleeper in self.waiting:
            self.time.wake(sleeper)

    def result(self) -> Any:
        """Wait for the end of the work."""
        while not self.is_done:
            self.waiting.append(getcurrent())
            self.time.switch_away()
        if self.raised:
            raise self.raised
        return self.returned


@dataclass
class SimulatedPool:
    """A `ThreadPoolExecutor` in simulated time: so many greenlets, each with the next piece of work."""

    time: SimulatedTime
    threads: int
    _queue: deque[tuple[Task, Callable[[], object]]] = field(default_factory=deque)

    def submit(self, call: Callable[..., object], *arguments: Any) -> Task:
        """Put a piece of work into the queue."""
        task = Task(self.time, lambda: call(*arguments))
        self._queue.append((task, task.run))
        return task

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        workers = [self.time.start(self._work) for _ in range(min(self.threads, len(self._queue)))]
        for worker in workers:
            worker.result()

    def _work(self) -> None:
        while self._queue:
            _, run = self._queue.popleft()
            run()


@dataclass
class SimulatedLock:
    """A lock between greenlets. A real one would stop all of them."""

    time: SimulatedTime
    is_held: bool = False
    _waiting: deque[greenlet] = field(default_factory=deque)

    def __enter__(self) -> None:
        while self.is_held:
            self._waiting.append(getcurrent())
            self.time.switch_away()
        self.is_held = True

    def __exit__(self, *_: object) -> None:
        self.is_held = False
        if self._waiting:
            self.time.wake(self._waiting.popleft())


@contextmanager
def use_simulated_threads(time: SimulatedTime) -> Iterator[None]:
    """Let the runs of the product use greenlets as their threads."""
    with patch.object(threads, "open_pool", lambda number: SimulatedPool(time, number)):
        yield
