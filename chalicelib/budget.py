"""The time budget of one request, however slow its dependencies are.

A request has ten seconds, or the rest of its function's time if that is less. Nothing starts that
might not end in time: no AWS call, no retry, and so no optimistic retry that reads again what
another writer changed. The caller gets 503. Because a change is one transaction, nothing is half
done.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from math import inf

from chalicelib.errors import UnavailableError

MAX_BUDGET_S = 10.0
"""The time limit of a request. Senders of webhooks wait 10 to 30 seconds, API Gateway 29."""

MARGIN_S = 1.0
"""The part of the function's own time that is reserved for the response."""


@dataclass(frozen=True, slots=True)
class _Budget:
    ends_at: float
    clock: Callable[[], float]


_current: ContextVar[_Budget | None] = ContextVar("budget", default=None)


@contextmanager
def limit_time(seconds: float, *, clock: Callable[[], float]) -> Iterator[None]:
    """Limit the time of a `with` block, measured by a monotonic clock.

    If budgets are nested, the shorter one counts.
    """
    token = _current.set(_Budget(clock() + min(seconds, get_remaining_s()), clock))
    try:
        yield
    finally:
        _current.reset(token)


def get_remaining_s() -> float:
    """Return how many seconds are left; infinity without a budget."""
    current = _current.get()
    return inf if current is None else current.ends_at - current.clock()


def require_time(seconds: float) -> None:
    """Refuse to start something that may take longer than the time that is left.

    Raises:
        UnavailableError: too little time is left.
    """
    if get_remaining_s() < seconds:
        raise UnavailableError
