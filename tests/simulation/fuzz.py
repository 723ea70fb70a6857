"""Searches for input that is neither refused nor read, or causes an internal error."""

import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from multiprocessing import get_context
from pathlib import Path
from random import Random

import time_machine

from tests.simulation.section_protocol import Budget, Progress, SectionResult
from tests.simulation.workers import run_parts
from tests.support.fuzzing import NOW, build_body, build_delivery, check_body, compare_verdicts, find_disagreement
from tests.support.openapi_fuzzing import FuzzReport, fuzz_routes
from tests.support.shared_clinic import open_shared_clinic

MINUTES = 4

DELIVERIES = 1_200_000
BODIES = 800_000
PART = 20_000
PROCESSES = 2
ROUTE_PARTS = 4
EXAMPLES = 25
"""Random requests to each route in each part, in addition to all boundary values in one more part."""

SLOW_S = 0.2
"""No body may cost more processor time than this."""

FuzzPart = tuple[int, int]
FuzzResult = tuple[list[str], Counter[str]]


def simulate(progress: Progress, budget: Budget) -> Iterator[SectionResult]:
    """Try two million nearly valid deliveries and bodies, and some ten thousand requests to all routes."""
    wrong, seen = _searched(_delivered, budget.scale(DELIVERIES), "deliveries", progress, budget)
    caught = [] if seen["the library stumbles"] else ["nothing that trips a naive verifier"]
    yield SectionResult(
        claim="The verifier never fails, and accepts nothing that the reference library refuses",
        tries=seen.total() - seen["the library stumbles"],
        counterexamples=wrong + caught,
        figures=_counted(seen),
    )
    wrong, seen = _searched(_read, budget.scale(BODIES), "bodies", progress, budget)
    idle = [] if seen["read"] else ["no body was ever good"]
    yield SectionResult(
        claim=f"A body is read or refused, in less than {SLOW_S * 1000:.0f} ms",
        tries=seen.total(),
        counterexamples=wrong + idle,
        figures=_counted(seen),
    )
    yield _fuzz_routes(progress, budget)


def _fuzz_routes(progress: Progress, budget: Budget) -> SectionResult:
    """Each part is a seed, which of the boundary values it sends, and how many random requests to each route."""
    every, examples = max(1, round(1 / budget.share)), budget.scale(EXAMPLES)
    parts = [(budget.seed, every, 0), *((budget.seed * 1000 + n, 0, examples) for n in range(ROUTE_PARTS))]
    statuses: Counter[int] = Counter()
    faults: dict[str, str] = {}
    for done, report in enumerate(run_parts(_fuzz_routes_part, parts), start=1):
        statuses += report.statuses
        faults |= report.faults
        progress(done, len(parts), "parts of the OpenAPI document")
    never = {200, 201, 400, 404, 409} - statuses.keys()
    return SectionResult(
        claim="Every route responds as the OpenAPI document says, and never with an internal error",
        tries=statuses.total(),
        counterexamples=[*(f"{name}: {fault}" for name, fault in faults.items()), *(f"never {each}" for each in never)],
        figures=", ".join(f"{count:,} times {status}" for status, count in sorted(statuses.items())),
    )


def _fuzz_routes_part(part: tuple[int, int, int]) -> FuzzReport:
    seed, every, examples = part
    with tempfile.TemporaryDirectory() as folder, open_shared_clinic(Path(folder)) as api:
        return fuzz_routes(api, every=every, max_examples=examples, seed=seed)


def _searched(
    search: Callable[[FuzzPart], FuzzResult], total: int, what: str, progress: Progress, budget: Budget
) -> FuzzResult:
    parts = [(budget.seed * 10**9 + start, min(PART, total - start)) for start in range(0, total, PART)]
    wrong: list[str] = []
    seen: Counter[str] = Counter()
    done = 0
    with get_context("spawn").Pool(PROCESSES) as pool:
        for (_, tries), (found, counted) in zip(parts, pool.imap(search, parts), strict=True):
            wrong += found
            seen += counted
            done += tries
            progress(done, total, what)
    return wrong, seen


def _delivered(part: FuzzPart) -> FuzzResult:
    chance, wrong = _chance(part), []
    seen: Counter[str] = Counter()
    with time_machine.travel(NOW, tick=False):
        for _ in range(part[1]):
            sent = build_delivery(chance)
            try:
                seen.update(_words(*compare_verdicts(sent)))
                found = find_disagreement(sent)
            except Exception as e:  # noqa: BLE001 any is what is searched for
                found = f"{type(e).__name__} {sent}"
            wrong += [f"seed {part[0]}: {found}"] if found else []
    return wrong, seen


def _read(part: FuzzPart) -> FuzzResult:
    chance, wrong = _chance(part), []
    seen: Counter[str] = Counter()
    for _ in range(part[1]):
        raw = build_body(chance)
        began = time.process_time()
        try:
            seen["read" if check_body(raw) else "refused"] += 1
        except Exception as e:  # noqa: BLE001 any is what is searched for
            wrong.append(f"seed {part[0]}: {type(e).__name__} {raw!r}")
        if time.process_time() - began > SLOW_S:
            wrong.append(f"seed {part[0]}: slow {raw!r}")
    return wrong, seen


def _words(ours: bool, theirs: str) -> Sequence[str]:  # noqa: FBT001 a verdict is one
    stumbles = ["the library stumbles"] if theirs == "stumbles" else []
    return ["accepted" if ours else "refused", *stumbles]


def _chance(part: FuzzPart) -> Random:
    return Random(part[0])  # noqa: S311 a seed makes the same run again


def _counted(seen: Counter[str]) -> str:
    return ", ".join(f"{count:,} {what}" for what, count in sorted(seen.items()))
