"""Each section in a process of its own, so that none meets what another one left behind."""

import importlib
import resource
import time
from collections.abc import Iterator
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection

from tests.prove.claims import PATIENCE, Budget, Progress, Result
from tests.support.quiet import silence_log


@dataclass(frozen=True, slots=True)
class Proved:
    """A result, whose it is, and how long it took.

    Attributes:
        seconds: From one result to the next. They depend on whatever else the machine does.
        cpu_seconds: What processors spent on it, of all its processes.
    """

    section: str
    result: Result
    seconds: float
    cpu_seconds: float


def proved_apart(section: str, budget: Budget) -> Iterator[Proved]:
    """What a section finds, in a new process, as it finds it."""
    context = get_context("spawn")
    mine, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_prove, args=(section, budget, theirs))
    process.start()
    theirs.close()
    began = time.monotonic()
    with mine:
        while (received := _received(mine)) is not None:
            now = time.monotonic()
            result, cpu_seconds = received
            yield Proved(section, result, now - began, cpu_seconds)
            began = now
    process.join()
    if process.exitcode:
        died = Result(claim=f"`{section}` runs to its end", tries=1, counterexamples=["it did not"])
        yield Proved(section, died, time.monotonic() - began, 0.0)


def _received(mine: Connection) -> tuple[Result, float] | None:
    try:
        received: tuple[Result, float] = mine.recv()
    except EOFError:
        return None
    return received


def _prove(section: str, budget: Budget, theirs: Connection) -> None:
    silence_log()
    module = importlib.import_module(f"tests.prove.{section}")
    progress = Progress(section, seconds=60 * PATIENCE * module.MINUTES)
    spent = 0.0
    with theirs:
        for result in module.prove(progress, budget):
            before, spent = spent, _cpu_seconds()
            theirs.send((result, spent - before))


def _cpu_seconds() -> float:
    """Those of this process, and of the ones that it has started and that have ended."""
    used = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(each.ru_utime + each.ru_stime for each in used)
