"""How long one request may take, whatever it depends on.

A request has ten seconds, or what is left of its function's time. Nothing is begun that could
not end within them: no call, no repeat of one, and so no reading anew of what has moved
meanwhile. The caller hears 503, and since a change is one transaction, nothing is half done.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from math import inf

from chalicelib.errors import UnavailableError

MAX_BUDGET_S = 10.0
"""What a request may take. Senders of webhooks wait 10 to 30 seconds, API Gateway 29."""

MARGIN_S = 1.0
"""What is left of the function's own time for the answer itself."""


@dataclass(frozen=True, slots=True)
class _Budget:
    ends_at: float
    clock: Callable[[], float]


_running: ContextVar[_Budget | None] = ContextVar("budget", default=None)


@contextmanager
def limit_time(seconds: float, *, clock: Callable[[], float]) -> Iterator[None]:
    """Give what happens inside so many seconds, of a clock that only measures.

    Inside another budget it is the shorter one that counts.
    """
    token = _running.set(_Budget(clock() + min(seconds, get_remaining_s()), clock))
    try:
        yield
    finally:
        _running.reset(token)


def get_remaining_s() -> float:
    """How many seconds are left; without a budget, as many as one likes."""
    running = _running.get()
    return inf if running is None else running.ends_at - running.clock()


def require_time(seconds: float) -> None:
    """Begin nothing that may take longer than there is time.

    Raises:
        UnavailableError: too little is left.
    """
    if get_remaining_s() < seconds:
        raise UnavailableError
