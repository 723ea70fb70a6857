"""Spreads a search over both cores: parts of it run in processes that each have their own world."""

from collections.abc import Callable, Iterator, Sequence
from multiprocessing import get_context
from typing import TypeVar

PROCESSES = 2

PARTS_A_PROCESS = 8
"""What a world leaves behind grows, so a process ends after some parts. `concurrent.futures`
promises the same, but hangs when its processes reach the number at the same time."""

SECONDS_A_PART = 900
"""Longer than any part takes; a process that was killed never answers."""

_T = TypeVar("_T")
_R = TypeVar("_R")


def run_parts(search: Callable[[_T], _R], parts: Sequence[_T]) -> Iterator[_R]:
    """Yield what `search` finds in each part, as it is found. Both must be importable and picklable."""
    with get_context("spawn").Pool(PROCESSES, maxtasksperchild=PARTS_A_PROCESS) as pool:
        found = pool.imap_unordered(search, parts)
        for _ in parts:
            yield found.next(SECONDS_A_PART)
