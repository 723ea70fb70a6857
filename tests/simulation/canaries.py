"""Searches for health data in places where it does not belong, whatever fails."""

import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

from chalicelib.store.all_stores import TABLE_NAMES
from tests.simulation.section_protocol import Budget, Progress, SectionResult
from tests.simulation.workers import run_parts
from tests.support.canaries import CANARIES, find_canaries
from tests.support.faults import FaultMode, FaultPlan
from tests.support.leak_probe import CapturedOutput, capture_outputs, dump_table
from tests.support.log_capture import discard_logs
from tests.support.shared_clinic import open_shared_clinic

MINUTES = 2

SCENARIOS = 24
"""Parts, each with its own faults, and each searched on every channel."""

SCENARIOS_PER_PART = 6

_MODES = (FaultMode.THROTTLE, FaultMode.LOST_REPLY, FaultMode.SERVER_ERROR, FaultMode.REFUSED)


@dataclass(frozen=True, slots=True)
class CanaryPartResult:
    """The result of a part: what was found, and how much was searched, by channel."""

    wrong: Sequence[str]
    looked: Counter[str]


def simulate(progress: Progress, budget: Budget) -> Iterator[SectionResult]:
    """Run flows and failures with a canary in each field, and search all output and all tables."""
    total = budget.scale(SCENARIOS)
    first = budget.seed * SCENARIOS
    parts = [range(first + n, first + min(n + SCENARIOS_PER_PART, total)) for n in range(0, total, SCENARIOS_PER_PART)]
    found: list[CanaryPartResult] = []
    for part in run_parts(search, parts):
        found.append(part)
        progress(len(found), len(parts), "parts of the lives")
    wrong = [each for part in found for each in part.wrong]
    if find_canaries(str(CANARIES).encode()) != set(CANARIES):
        wrong.append("a canary is not found where it is")
    looked = sum((part.looked for part in found), Counter())
    figures = ", ".join(f"{size // 1024:,} KB {door}" for door, size in looked.items())
    yield SectionResult(
        claim="No health data in logs, metrics, emails, addresses, refusals or, unencrypted, in any table",
        tries=total * len(CANARIES),
        counterexamples=wrong,
        figures=figures,
    )


def search(seeds: Sequence[int]) -> CanaryPartResult:
    """Run in one world, once for each of the seeds."""
    discard_logs()
    wrong: list[str] = []
    looked: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as folder, open_shared_clinic(Path(folder)) as clinic:
        for seed in seeds:
            for door, text in _doors(capture_outputs(clinic, _faults(seed))).items():
                allowed = frozenset({"alias"} if door == "mails" else ())
                looked[door] += len(text)
                leaked = sorted(find_canaries(text, allowed=allowed))
                wrong += [f"seed {seed}: {name} in {door}" for name in leaked]
    return CanaryPartResult(wrong, looked)


def _doors(seen: CapturedOutput) -> dict[str, bytes]:
    tables = b"\n".join(dump_table(table) for table in TABLE_NAMES)
    return {
        "logs": seen.logs,
        "metrics": seen.metrics,
        "mails": seen.mails,
        "refusals": seen.refusals,
        "addresses": seen.addresses,
        "tables": tables,
    }


def _faults(seed: int) -> FaultPlan:
    """Plan faults that come in bursts, some longer than a client retries."""
    chance = Random(seed)  # noqa: S311 a seed makes the same run again
    rest = [0]
    mode = [FaultMode.THROTTLE]

    def plan(_number: int, _operation: str) -> FaultMode | None:
        if rest[0] == 0 and chance.random() < 0.15:
            rest[0], mode[0] = chance.choice((1, 2, 3, 6)), chance.choice(_MODES)
        rest[0] = max(0, rest[0] - 1)
        return mode[0] if rest[0] else None

    return plan
