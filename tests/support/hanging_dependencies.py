"""Dependencies that hang, with a clock that moves only when something waits."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from unittest.mock import patch

from chalicelib import wiring
from chalicelib.aws_responses import ATTEMPT_S
from chalicelib.store.all_stores import Stores
from chalicelib.store.platform.transactions import Transactions
from tests.support import faults
from tests.support.call_attempts import replace_pauses
from tests.support.faults import CallLog, FaultMode


@dataclass
class SimulatedClock:
    """Seconds that pass when something waits, and not otherwise."""

    now: float = 1000.0

    def __call__(self) -> float:
        """Return what a monotonic clock shows."""
        return self.now

    def wait(self, seconds: float) -> None:
        """Let time pass."""
        self.now += seconds


@contextmanager
def hang_calls(
    is_dead: Callable[[str], bool], *, mode: FaultMode | None = FaultMode.REFUSED, takes: float | None = None
) -> Iterator[tuple[SimulatedClock, CallLog]]:
    """Let every attempt of an operation that `is_dead` take as long as it may, and end as `mode`.

    A mode of None answers in the end. Pauses between attempts pass on the clock too.
    """
    clock = SimulatedClock()

    def plan(_n: int, operation: str) -> FaultMode | None:
        if not is_dead(operation):
            return None
        clock.wait(ATTEMPT_S if takes is None else takes)
        return mode

    with (
        patch.object(wiring, "read_monotonic", clock),
        faults.inject_faults(plan) as calls,
        replace_pauses(clock.wait),
    ):
        yield clock, calls


def with_simulated_pauses(stores: Stores, clock: SimulatedClock) -> Stores:
    """Return the stores, whose pauses pass on the clock."""
    return stores.replace(transactions=Transactions(stores.transactions.client, pause=clock.wait))
