"""Medians of runs that took turns."""

import random
import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class MeasurePlan:
    """How much to measure. A quick run shows that every row prints; its figures mean nothing.

    Attributes:
        rounds: Figures of each case.
        calls: Requests per figure.
        listed: Referrals on a page of a list.
        counted: Referrals of a long list that is counted.
        due: Tasks that a sweep processes.
        stored: Notices in the outbox of each sweep, fewest first.
        morning: Notices that are due at once, and sent in simulated time; a multiple of 12.
    """

    rounds: int
    calls: int
    listed: int
    counted: int
    due: int
    stored: Sequence[int]
    morning: int
    quick: bool


FULL = MeasurePlan(
    rounds=15,
    calls=100,
    listed=50,
    counted=10_000,
    due=50,
    stored=(100, 10_000, 1_000_000),
    morning=3_000,
    quick=False,
)
QUICK = MeasurePlan(rounds=2, calls=5, listed=5, counted=200, due=5, stored=(10, 50), morning=24, quick=True)


@dataclass(frozen=True, slots=True)
class PairedRounds:
    """One figure of each round."""

    figures: Sequence[float]

    @classmethod
    def ratios(cls, ours: Iterable[float], theirs: Iterable[float]) -> "PairedRounds":
        """Return ours over theirs, round by round."""
        return cls([mine / other for mine, other in zip(ours, theirs, strict=True)])

    @property
    def median(self) -> float:
        """Return the figure that half of the rounds stayed below."""
        return statistics.median(self.figures)

    def spread(self, digits: int = 2) -> str:
        """Return where four fifths of the rounds are."""
        low, *_, high = statistics.quantiles(self.figures, n=10, method="inclusive")
        return f"{low:.{digits}f} to {high:.{digits}f}"


def measure_in_turns(cases: Mapping[str, Callable[[], _T]], *, rounds: int) -> Mapping[str, Sequence[_T]]:
    """Return each case's figure in each round; the order within a round is random."""
    found: dict[str, list[_T]] = {name: [] for name in cases}
    for _ in range(rounds):
        for name in random.sample(sorted(cases), len(cases)):
            found[name].append(cases[name]())
    return found
