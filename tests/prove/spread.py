"""A search spread over both cores: parts of it in processes that each have a world of their own."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from typing import TypeVar

PROCESSES = 2

_T = TypeVar("_T")
_R = TypeVar("_R")


def spread(search: Callable[[_T], _R], parts: Sequence[_T]) -> Iterator[_R]:
    """What `search` finds in each part, as it is found. Both must be importable and picklable."""
    context = get_context("spawn")
    with ProcessPoolExecutor(PROCESSES, mp_context=context, max_tasks_per_child=8) as processes:
        try:
            for found in as_completed([processes.submit(search, part) for part in parts]):
                yield found.result()
        finally:
            processes.shutdown(cancel_futures=True)
