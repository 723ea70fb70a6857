"""Runs each section in its own process, so that none meets what another one left behind."""

import importlib
import resource
import time
from collections.abc import Iterator
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection

from tests.simulation.section_protocol import TIME_LIMIT_FACTOR, Budget, Progress, SectionResult
from tests.support.log_capture import discard_logs


@dataclass(frozen=True, slots=True)
class TimedResult:
    """A result, its section, and how long it took.

    Attributes:
        seconds: From one result to the next. They depend on what else the machine does.
        cpu_seconds: The processor time of all its processes.
    """

    section: str
    result: SectionResult
    seconds: float
    cpu_seconds: float


def run_section_in_process(section: str, budget: Budget) -> Iterator[TimedResult]:
    """Yield the results of a section in a new process, as it finds them."""
    context = get_context("spawn")
    mine, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_simulate, args=(section, budget, theirs))
    process.start()
    theirs.close()
    began = time.monotonic()
    with mine:
        while (received := _received(mine)) is not None:
            now = time.monotonic()
            result, cpu_seconds = received
            yield TimedResult(section, result, now - began, cpu_seconds)
            began = now
    process.join()
    if process.exitcode:
        died = SectionResult(claim=f"`{section}` runs to its end", tries=1, counterexamples=["it did not"])
        yield TimedResult(section, died, time.monotonic() - began, 0.0)


def _received(mine: Connection) -> tuple[SectionResult, float] | None:
    try:
        received: tuple[SectionResult, float] = mine.recv()
    except EOFError:
        return None
    return received


def _simulate(section: str, budget: Budget, theirs: Connection) -> None:
    discard_logs()
    module = importlib.import_module(f"tests.simulation.{section}")
    progress = Progress(section, seconds=60 * TIME_LIMIT_FACTOR * module.MINUTES)
    spent = 0.0
    with theirs:
        for result in module.simulate(progress, budget):
            before, spent = spent, _cpu_seconds()
            theirs.send((result, spent - before))


def _cpu_seconds() -> float:
    """Return the processor time of this process, and of ended processes that it started."""
    used = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(each.ru_utime + each.ru_stime for each in used)
