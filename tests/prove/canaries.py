"""Health data gets nowhere that it does not belong, whatever goes wrong."""

import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

from chalicelib.store.all_stores import TABLES
from tests.prove.claims import Budget, Progress, Result
from tests.prove.spread import spread
from tests.support.canaries import CANARIES, found_in
from tests.support.faults import Mode, Plan
from tests.support.leaks import Watched, dumped, watch
from tests.support.quiet import silence_log
from tests.support.world import open_world

MINUTES = 1

LIVES = 24
"""Each with its own faults, and each looked at by every door."""

A_PART = 6

_MODES = (Mode.THROTTLE, Mode.LOST_REPLY, Mode.SERVER_ERROR, Mode.REFUSED)


@dataclass(frozen=True, slots=True)
class Found:
    """What a part came to: what was found, and how much was looked through, by doors."""

    wrong: Sequence[str]
    looked: Counter[str]


def prove(progress: Progress, budget: Budget) -> Iterator[Result]:
    """Live and fail, with a canary in each field, and search all that was said and kept."""
    total = budget.of(LIVES)
    first = budget.seed * LIVES
    parts = [range(first + n, first + min(n + A_PART, total)) for n in range(0, total, A_PART)]
    found: list[Found] = []
    for part in spread(search, parts):
        found.append(part)
        progress(len(found), len(parts), "parts of the lives")
    wrong = [each for part in found for each in part.wrong]
    if found_in(str(CANARIES).encode()) != set(CANARIES):
        wrong.append("a canary is not found where it is")
    looked = sum((part.looked for part in found), Counter())
    figures = ", ".join(f"{size // 1024:,} KB {door}" for door, size in looked.items())
    yield Result(
        claim="No health data in logs, mails, addresses, refusals or, unsealed, in any table",
        tries=total * len(CANARIES),
        counterexamples=wrong,
        figures=figures,
    )


def search(seeds: Sequence[int]) -> Found:
    """Live in one world, once by each of the seeds."""
    silence_log()
    wrong: list[str] = []
    looked: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as folder, open_world(Path(folder)) as clinic:
        for seed in seeds:
            for door, said in _doors(watch(clinic, _faults(seed))).items():
                allowed = frozenset({"alias"} if door == "mails" else ())
                looked[door] += len(said)
                leaked = sorted(found_in(said, but=allowed))
                wrong += [f"seed {seed}: {name} in {door}" for name in leaked]
    return Found(wrong, looked)


def _doors(seen: Watched) -> dict[str, bytes]:
    tables = b"\n".join(dumped(table) for table in TABLES)
    return {
        "logs": seen.logs,
        "mails": seen.mails,
        "refusals": seen.refusals,
        "addresses": seen.addresses,
        "tables": tables,
    }


def _faults(seed: int) -> Plan:
    """Trouble that comes in bursts, some longer than a client tries again."""
    chance = Random(seed)  # noqa: S311 a seed makes the same run again
    rest = [0]
    mode = [Mode.THROTTLE]

    def plan(_number: int, _operation: str) -> Mode | None:
        if rest[0] == 0 and chance.random() < 0.15:
            rest[0], mode[0] = chance.choice((1, 2, 3, 6)), chance.choice(_MODES)
        rest[0] = max(0, rest[0] - 1)
        return mode[0] if rest[0] else None

    return plan
