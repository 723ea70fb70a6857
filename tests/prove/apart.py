"""Each section in a process of its own, so that none meets what another one left behind."""

import importlib
import time
from collections.abc import Iterator
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection

from tests.prove.claims import PATIENCE, Budget, Progress, Result
from tests.support.quiet import silence_log


@dataclass(frozen=True, slots=True)
class Proved:
    """A result, whose it is, and how long it took."""

    section: str
    result: Result
    seconds: float


def proved_apart(section: str, budget: Budget) -> Iterator[Proved]:
    """What a section finds, in a new process, as it finds it."""
    context = get_context("spawn")
    mine, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_prove, args=(section, budget, theirs))
    process.start()
    theirs.close()
    began = time.monotonic()
    with mine:
        while (result := _received(mine)) is not None:
            now = time.monotonic()
            yield Proved(section, result, now - began)
            began = now
    process.join()
    if process.exitcode:
        died = Result(claim=f"`{section}` runs to its end", tries=1, counterexamples=["it did not"])
        yield Proved(section, died, time.monotonic() - began)


def _received(mine: Connection) -> Result | None:
    try:
        received: Result = mine.recv()
    except EOFError:
        return None
    return received


def _prove(section: str, budget: Budget, theirs: Connection) -> None:
    silence_log()
    module = importlib.import_module(f"tests.prove.{section}")
    progress = Progress(section, seconds=60 * PATIENCE * module.MINUTES)
    with theirs:
        for result in module.prove(progress, budget):
            theirs.send(result)
