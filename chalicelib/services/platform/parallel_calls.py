"""Calls that one request makes at the same time, because none of them needs the response of another one.

    audit_row = context.calls.start(…)   ──▶ │  in a thread of the function
    rows = context.stores.…              ──▶ │  in the thread of the request
    audit_row.result()                       ▼  raises what the call raised

`ParallelCalls` is used as a `with` block around a request. The block ends when every started call has ended: a
Lambda function can be frozen as soon as it has responded, and must not be frozen with work that runs. A failure that
no one asked for with `result()` is raised at the end of the block. So no response can leave while its audit row is
missing, also if a service forgot to ask.
"""

from collections.abc import Callable
from concurrent.futures import Executor, Future, wait
from contextvars import ContextVar, copy_context
from dataclasses import dataclass, field
from functools import partial
from types import TracebackType
from typing import Any, Self, TypeVar

_T = TypeVar("_T")

_is_started_call: ContextVar[bool] = ContextVar("is_started_call", default=False)


@dataclass(frozen=True, slots=True)
class ParallelCalls:
    """The calls that one request started.

    Attributes:
        get_threads: What makes the calls, created when it is first needed. None, as in jobs: a call is made at once,
            and raises at once.
    """

    get_threads: Callable[[], Executor] | None = None
    _started: list[Future[Any]] = field(default_factory=list)
    _early: dict[Any, Future[Any]] = field(default_factory=dict)
    _all: list[Future[Any]] = field(default_factory=list)

    def start(self, call: Callable[[], _T]) -> Future[_T]:
        """Start a call. It has the time budget of the request. `result()` waits for it.

        A started call that starts calls makes them itself: if it waited for a free thread, all threads could wait.
        """
        future = self._submit(call)
        self._started.append(future)
        return future

    def _submit(self, call: Callable[[], _T]) -> Future[_T]:
        if self.get_threads is None or _is_started_call.get():
            made: Future[_T] = Future()
            made.set_result(call())
            return made
        future = self.get_threads().submit(copy_context().run, _make_started_call, call)
        self._all.append(future)
        return future

    def start_early(self, read: Callable[..., object], *arguments: str) -> None:
        """Start a read before it is known whether its result can be used. It is used only by `finish_early`.

        The failure of a read that is not used is ignored.
        """
        if (read, arguments) not in self._early:
            self._early[read, arguments] = self._submit(partial(read, *arguments))

    def finish_early(self, read: Callable[..., _T], *arguments: str) -> _T:
        """Return the result of exactly this read if it was started early, and otherwise read now.

        An early result is returned once. Who reads again, as after a conflict, reads what is there then.
        """
        future = self._early.pop((read, arguments), None)
        return read(*arguments) if future is None else future.result()

    def __enter__(self) -> Self:
        """Begin a request."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Wait for every started call. Raise the first failure, unless the request itself has failed."""
        wait(self._all)
        if error is None:
            for future in self._started:
                if not future.cancelled():
                    future.result()


def _make_started_call(call: Callable[[], _T]) -> _T:
    _is_started_call.set(True)
    return call()


class OneAfterAnother(Executor):
    """Makes each call in the thread of the request, when it is started, so that calls always have the same order."""

    def submit(self, call: Callable[..., _T], /, *arguments: Any, **options: Any) -> Future[_T]:
        """Make a call now. As with threads, it raises only when its result is asked for."""
        made: Future[_T] = Future()
        try:
            made.set_result(call(*arguments, **options))
        except Exception as e:  # noqa: BLE001 it is raised by `result()`
            made.set_exception(e)
        return made
