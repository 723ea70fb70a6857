"""Runs tests against a changed function, where they have been collected already.

A process imports the product and collects the tests once. They are rehearsed without a change, to
learn which test comes through which function. Then each trial is a fork in which a function gets
the code of its mutant, and only the tests that come through it are run.

That is many times quicker than to import everything anew, and says less: what a module made of
the function when it was imported stays as it was. So only a failure counts; all else is no answer.
"""

import ast
import gc
import os
import pickle
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from types import CodeType, FunctionType
from typing import TYPE_CHECKING, TypeAlias

from tests.simulation.changed_functions import compile_module, find_changed_function, list_outermost_functions
from tests.simulation.mutation_processes import (
    PROCESSES,
    ROOT,
    MutationTrial,
    TrialOutcome,
    forked,
    prepare_process,
    pytest_run,
)

if TYPE_CHECKING:
    import pytest

_REHEARSAL_S = 900

_Place: TypeAlias = tuple[str, int]

_SLACK = 20
"""How many times what it took in the rehearsal a trial may take, and so many seconds beside."""


class BaselineFailedError(Exception):
    """Tests that fail without a change would notice everything."""


@dataclass(frozen=True, slots=True)
class _Baseline:
    """What the tests came to without a change.

    Attributes:
        failed: The first test that failed.
        seconds: What each test took, in the order in which they were collected.
        through: By test, the path and first line of each function that it comes through.
    """

    failed: str | None
    seconds: Sequence[float]
    through: Sequence[frozenset[_Place]]


def run_quick(trials: Sequence[MutationTrial]) -> Iterator[tuple[int, TrialOutcome | None]]:
    """The outcome of each trial by its number, as they come; None where there is no answer.

    Raises:
        NotRehearsedError: a test fails without a change, or cannot be run.
    """
    context = get_context("spawn")
    mine, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_serve, args=(trials, theirs))
    process.start()
    theirs.close()
    with mine:
        for _ in trials:
            try:
                number, outcome = mine.recv()
            except EOFError:
                raise BaselineFailedError("The tests cannot be collected, or do not end") from None
            if isinstance(outcome, str):
                raise BaselineFailedError(f"{outcome} fails without a mutant")
            yield number, outcome
    process.join()


def _serve(trials: Sequence[MutationTrial], result: Connection) -> None:
    prepare_process()
    tests = sorted({test for trial in trials for test in trial.tests})
    pytest_run(tests, plugins=[_MutationPlugin(trials, result)])


class _MutationPlugin:
    """A plugin of pytest that runs the trials in place of the tests."""

    def __init__(self, trials: Sequence[MutationTrial], result: Connection) -> None:
        self.trials = trials
        self.told = result

    def pytest_runtestloop(self, session: "pytest.Session") -> bool:
        paths = {trial.path for trial in self.trials}
        functions = {path: _functions(path) for path in paths}
        rehearsal = _rehearsed(session, functions)
        if rehearsal.failed:
            self.told.send((-1, rehearsal.failed))
            return True
        stage = _CollectedTests(session, rehearsal, functions)
        # What is there now is no garbage; a fork that looks for some would copy all of it.
        gc.collect()
        gc.freeze()
        for child in [self._lane(lane, stage) for lane in range(PROCESSES)]:
            os.waitpid(child, 0)
        return True

    def _lane(self, first: int, stage: "_CollectedTests") -> int:
        """A fork that works off its share of the trials."""
        child = os.fork()
        if child:
            return child
        try:
            for number in range(first, len(self.trials), PROCESSES):
                # So little that a pipe keeps what several lanes say apart.
                self.told.send((number, stage.outcome(self.trials[number])))
        finally:
            os._exit(0)


@dataclass(frozen=True, slots=True)
class _CollectedTests:
    """The collected tests, and the functions of the product by the file they stand in."""

    session: "pytest.Session"
    rehearsal: _Baseline
    functions: Mapping[str, Sequence[FunctionType]]

    def outcome(self, trial: MutationTrial) -> TrialOutcome | None:
        """Failed; None if it is not of a function, or no test of that function fails."""
        changed = find_changed_function(trial)
        if changed is None:
            return None
        old, new = changed
        functions = [each for each in self.functions[trial.path] if each.__code__ == old]
        numbers = self._tests(trial, old)
        if not functions or not numbers:
            return None

        def run() -> int:
            for function in functions:
                function.__code__ = new
            return _run(self.session, numbers)

        took = sum(self.rehearsal.seconds[number] for number in numbers)
        outcome = forked(run, _SLACK * (1 + took))
        return outcome if outcome is TrialOutcome.FAILED else None

    def _tests(self, trial: MutationTrial, function: CodeType) -> Sequence[int]:
        """The tests of a trial that come through its function: the quickest file of them first."""
        names = [item.nodeid for item in self.session.items]
        numbers = [
            number
            for number, places in enumerate(self.rehearsal.through)
            if (trial.path, function.co_firstlineno) in places
            and any(_is_of(names[number], test) for test in trial.tests)
        ]
        of_file: defaultdict[str, float] = defaultdict(float)
        for number in numbers:
            of_file[names[number].partition("::")[0]] += self.rehearsal.seconds[number]
        return sorted(numbers, key=lambda number: of_file[names[number].partition("::")[0]])


def _is_of(name: str, test: str) -> bool:
    """Whether a test is the wanted one, one of its parameters, or one of the wanted file."""
    return name == test or name.startswith((f"{test}::", f"{test}["))


def _functions(path: str) -> Sequence[FunctionType]:
    file = str(ROOT / path)
    functions = [each for each in gc.get_objects() if isinstance(each, FunctionType)]
    return [each for each in functions if each.__code__.co_filename == file]


def _rehearsed(session: "pytest.Session", functions: Mapping[str, Sequence[FunctionType]]) -> _Baseline:
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder, "rehearsal")

        def rehearse() -> int:
            script.write_bytes(pickle.dumps(_watched(session, functions)))
            return 0

        if forked(rehearse, _REHEARSAL_S) is not TrialOutcome.PASSED:
            return _Baseline("The rehearsal", (), ())
        rehearsal: _Baseline = pickle.loads(script.read_bytes())  # noqa: S301 our own words
        return rehearsal


def _watched(session: "pytest.Session", functions: Mapping[str, Sequence[FunctionType]]) -> _Baseline:
    """Every test, with a look at the functions that it comes through."""
    seen: set[_Place] = set()
    for path in functions:
        _let_tell(path, functions[path], seen)
    seconds, through = [], []
    for item, following in _with_next(session.items):
        seen.clear()
        began = time.monotonic()
        item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
        if session.testsfailed:
            return _Baseline(item.nodeid, (), ())
        seconds.append(time.monotonic() - began)
        through.append(frozenset(seen))
    return _Baseline(None, seconds, through)


_TELL = "_comes_through_here"


def _let_tell(path: str, functions: Sequence[FunctionType], seen: set[_Place]) -> None:
    """Let each function add its place to `seen` before it does what it does.

    A tracer would tell as much, and slow down everything else that runs several times.
    """
    source = (ROOT / path).read_text("utf-8")
    tree = _CallRecorder(path).visit(ast.parse(source))
    plain, telling = compile_module(path, ast.parse(source)), compile_module(path, tree)
    codes = dict(zip(list_outermost_functions(plain), list_outermost_functions(telling), strict=True))
    for function in functions:
        if function.__code__ in codes:
            function.__globals__[_TELL] = seen.add
            function.__code__ = codes[function.__code__]


class _CallRecorder(ast.NodeTransformer):
    """Puts a call before the body of each function that stands in no other one."""

    def __init__(self, path: str) -> None:
        self.path = path

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.FunctionDef:
        first = min([node.lineno, *(each.lineno for each in node.decorator_list)])
        call = ast.parse(f"{_TELL}(({self.path!r}, {first}))").body[0]
        node.body.insert(0, ast.copy_location(call, node.body[0]))
        ast.fix_missing_locations(node)
        return node


def _run(session: "pytest.Session", numbers: Sequence[int]) -> int:
    """Run tests up to the first that fails; whether one did, as an exit code."""
    for item, following in _with_next([session.items[number] for number in numbers]):
        item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
        if session.testsfailed:
            return 1
    return 0


def _with_next(items: "Sequence[pytest.Item]") -> "Iterator[tuple[pytest.Item, pytest.Item | None]]":
    """Each test with the one after it, which tells what they share and what is torn down."""
    return zip(items, [*items[1:], None], strict=True)
