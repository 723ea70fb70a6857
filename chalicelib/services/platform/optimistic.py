"""Optimistic writes: read, decide, commit, and start over if another writer was faster.

    read ── decide ── commit ──▶ done
      ▲                 │
      └── conflict ─────┘   what was read has changed; nothing was written

Nothing is locked. Each write carries the condition that what was read still holds, so the loser of
a race only decides again with the new state.
"""

from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

from chalicelib.errors import UnavailableError
from chalicelib.store.platform.transactions import ConditionFailedError

_Result = TypeVar("_Result")

MAX_ATTEMPTS = 8
"""How often a decision is made before the caller is asked to try later.

In a race of several writers at least one succeeds in each round, so this many writers of one
referral, mail or member can arrive at the same instant and all get through. A clinic has fewer;
more conflicts in a row mean that something is wrong, and the request should not hold a function."""


class TooManyConflictsError(UnavailableError):
    """Other writers were faster every time; nothing was written, and a repeat is safe."""

    def __init__(self) -> None:
        """Use the code that callers know."""
        super().__init__("busy")


def commit_with_retry(attempt: Callable[[], _Result]) -> _Result:
    """Run `attempt`, which reads, decides and commits, until its commit meets no conflict.

    An attempt handles a `ConditionFailedError` that ends it, such as an idempotency record of an earlier
    request. It raises the others again, and they start the next attempt.

    Raises:
        TooManyConflictsError: every attempt met a conflict.
    """
    for _ in range(MAX_ATTEMPTS):
        with suppress(ConditionFailedError):
            return attempt()
    raise TooManyConflictsError
