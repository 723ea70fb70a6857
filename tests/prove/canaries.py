"""Health data gets nowhere that it does not belong, whatever goes wrong."""

import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from random import Random

from chalicelib.store.stores import TABLES
from tests.prove.claims import Budget, Progress, Result
from tests.support.canaries import CANARIES, found_in
from tests.support.faults import Mode, Plan
from tests.support.leaks import Watched, dumped, watch
from tests.support.world import open_world

MINUTES = 2

LIVES = 24
"""Each with its own faults, and each looked at by every door."""

_MODES = (Mode.THROTTLE, Mode.LOST_REPLY, Mode.SERVER_ERROR, Mode.REFUSED)


def prove(progress: Progress, budget: Budget) -> Iterator[Result]:
    """Live and fail, with a canary in each field, and search all that was said and kept."""
    total = budget.of(LIVES)
    found: list[str] = []
    looked: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as folder, open_world(Path(folder)) as clinic:
        for number in range(total):
            seed = budget.seed * LIVES + number
            seen = watch(clinic, _faults(seed))
            for door, said in _doors(seen).items():
                allowed = frozenset({"alias"} if door == "mails" else ())
                looked[door] += len(said)
                found += [
                    f"seed {seed}: {name} in {door}" for name in sorted(found_in(said, but=allowed))
                ]
            progress(number + 1, total, "lives")
        if found_in(str(CANARIES).encode()) != set(CANARIES):
            found.append("a canary is not found where it is")
    figures = ", ".join(f"{size // 1024:,} KB {door}" for door, size in looked.items())
    yield Result(
        claim="No health data in logs, mails, addresses, refusals or, unsealed, in any table",
        tries=total * len(CANARIES),
        counterexamples=found,
        figures=figures,
    )


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
