"""What a section of the simulation gets and returns."""

import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

LOCAL_CLOUD = "local-cloud"
DYNAMODB_LOCAL = "dynamodb-local"
ENGINES = (LOCAL_CLOUD, DYNAMODB_LOCAL)
"""What can stand in for DynamoDB."""

TIME_LIMIT_FACTOR = 6
"""How many times its planned minutes a section may take before it counts as failed."""

PROGRESS_INTERVAL_S = 10.0


class OutOfTimeError(Exception):
    """A section took far longer than planned, so its results prove nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SectionResult:
    """The result of a search for counterexamples.

    Attributes:
        claim: The promise, as one sentence.
        tries: In how many cases it was tested.
        counterexamples: Each case in which it did not hold, with what repeats it.
        figures: Other useful figures, such as how often a known wrong variant was caught.
    """

    claim: str
    tries: int
    counterexamples: Sequence[str] = ()
    figures: str = ""

    @property
    def holds(self) -> bool:
        """Whether it was tried, and always held."""
        return self.tries > 0 and not self.counterexamples


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """How much a section should do.

    Attributes:
        share: The part of the full search that is wanted; 1 is all of it.
        seed: Everything random follows from it.
        engine: What replaces DynamoDB in sections about storage.
    """

    share: float = 1.0
    seed: int = 1
    engine: str = LOCAL_CLOUD

    def scale(self, full: int, *, least: int = 1) -> int:
        """Return how many tries are wanted, where a full search makes `full`."""
        return min(full, max(least, round(full * self.share)))


@dataclass(slots=True)
class Progress:
    """Shows how far a section is, every ten seconds or so."""

    section: str
    seconds: float = float("inf")
    _began: float = field(default_factory=time.monotonic)
    _reported: float = field(default_factory=time.monotonic)

    def __call__(self, done: int, total: int, what: str) -> None:
        """Report that `done` of `total` cases have been tried. Call it often.

        Raises:
            OutOfTimeError: the section has taken far longer than planned.
        """
        now = time.monotonic()
        if now - self._began > self.seconds:
            raise OutOfTimeError(f"{what}: {done:,} of {total:,} when the time was up")
        if now - self._reported >= PROGRESS_INTERVAL_S or done == total:
            self._reported = now
            minutes, seconds = divmod(int(now - self._began), 60)
            line = f"{minutes:3}:{seconds:02}  {self.section:10} {what}: {done:,} of {total:,}"
            print(line, file=sys.stderr, flush=True)


class Section(Protocol):
    """A module of this package that searches; `--only` selects it by the module's name."""

    MINUTES: float

    def simulate(self, progress: Progress, budget: Budget) -> Iterator[SectionResult]:
        """Search, and yield a result for each promise."""
