"""Work on several things at once in one run. A run mostly waits for AWS, so threads are enough.

The threads share only what is safe to share: botocore's clients, and caches of the stores, which only replace a value
by an equal one. One thread processes everything with the same key (`group_by_key`), in order.
"""

from collections.abc import Callable, Iterable, Sequence
from contextvars import copy_context
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from concurrent.futures import ThreadPoolExecutor

_Result = TypeVar("_Result")
_Row = TypeVar("_Row")

MAX_THREADS = 16
"""The most threads of a run: as many as a client keeps connections open (`chalicelib.aws_responses`)."""


def run_at_once(work: Sequence[Callable[[], _Result]], *, threads: int) -> Sequence[_Result]:
    """Do all the work, `threads` things at once. Return the results in the order of `work`.

    With one thread, the caller's own thread does everything.

    Raises:
        BaseException: what the first failed piece of work raised. The others are done.
    """
    if threads == 1 or len(work) < 2:
        return [do() for do in work]
    with open_pool(threads) as pool:
        # Each with a context of its own, because a time budget belongs to the piece of work that sets it.
        started = [pool.submit(copy_context().run, do) for do in work]
    return [each.result() for each in started]


def open_pool(threads: int) -> "ThreadPoolExecutor":
    """Open a pool of threads."""
    from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415 the requests of a cold function need none

    return ThreadPoolExecutor(threads)


def group_by_key(rows: Iterable[_Row], get_key: Callable[[_Row], str]) -> Sequence[Sequence[_Row]]:
    """Group rows by a key. Groups and rows keep the order in which they came."""
    groups: dict[str, list[_Row]] = {}
    for row in rows:
        groups.setdefault(get_key(row), []).append(row)
    return list(groups.values())
