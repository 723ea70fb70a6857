"""A search spread over both cores: parts of it in processes that each have a world of their own."""

from collections.abc import Callable, Iterator, Sequence
from multiprocessing import get_context
from typing import TypeVar

PROCESSES = 2

PARTS_A_PROCESS = 8
"""What a world leaves behind grows, so a process ends after some parts. `concurrent.futures`
promises the same and stops for ever when its processes reach the number at one time."""

SECONDS_A_PART = 900
"""Longer than any part takes; a process that was killed never answers."""

_T = TypeVar("_T")
_R = TypeVar("_R")


def run_parts(search: Callable[[_T], _R], parts: Sequence[_T]) -> Iterator[_R]:
    """What `search` finds in each part, as it is found. Both must be importable and picklable."""
    with get_context("spawn").Pool(PROCESSES, maxtasksperchild=PARTS_A_PROCESS) as pool:
        found = pool.imap_unordered(search, parts)
        for _ in parts:
            yield found.next(SECONDS_A_PART)
