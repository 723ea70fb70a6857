"""Runs tests against a changed module: in a process of its own, with a time limit.

A process that has loaded all libraries, and nothing of the product, is forked for each trial. The
changed module takes the place of the real one when it is imported; no file is touched.
"""

import ast
import importlib
import os
import select
import signal
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, SourceFileLoader
from importlib.util import spec_from_file_location
from multiprocessing import get_context
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
PROCESSES = 2

_LIBRARIES = (
    "_pytest.assertion.rewrite",
    "boto3",
    "botocore.session",
    "chalice",
    "cryptography.hazmat.primitives.ciphers.aead",
    "hypothesis.strategies",
    "joserfc.jwt",
    "jsonschema",
    "moto.dynamodb.models",
    "moto.kms.models",
    "moto.ses.models",
    "pydantic",
    "pytest",
    "standardwebhooks",
)
"""What costs more to load than most trials take."""


class TrialOutcome(Enum):
    """What the tests said."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_RUN = "not run"


_OUTCOMES = {0: TrialOutcome.PASSED, 3: TrialOutcome.NOT_RUN, 4: TrialOutcome.NOT_RUN, 5: TrialOutcome.NOT_RUN}
"""By pytest's exit code; any other one, and a signal, says that something failed."""


@dataclass(frozen=True, slots=True)
class MutationTrial:
    """Tests to be run against a changed module; without a change, against the real one."""

    tests: Sequence[str]
    seconds: int
    path: str = ""
    tree: ast.Module | None = None


class _Changed(MetaPathFinder):
    """Hands out the changed module under its own name."""

    def __init__(self, path: str, tree: ast.Module) -> None:
        self.name = path.removesuffix(".py").replace("/", ".")
        self.file = str(ROOT / path)
        self.tree = tree

    def find_spec(self, fullname: str, *_: Any) -> ModuleSpec | None:
        if fullname != self.name:
            return None
        return spec_from_file_location(fullname, self.file, loader=_Loader(self))


class _Loader(SourceFileLoader):
    def __init__(self, changed: _Changed) -> None:
        super().__init__(changed.name, changed.file)
        self.tree = changed.tree

    def get_code(self, _fullname: str) -> Any:
        return compile(self.tree, self.path, "exec")


def run_thorough(trials: Iterable[MutationTrial]) -> Iterator[TrialOutcome]:
    """The outcome of each trial, in order, several at once, each from the first import on."""
    with get_context("spawn").Pool(PROCESSES, initializer=prepare_process) as pool:
        yield from pool.imap(_outcome, trials)


def prepare_process() -> None:
    """Make this process one that trials can be forked from."""
    # Whatever a failing property is remembered by belongs to the trial alone.
    os.environ["HYPOTHESIS_STORAGE_DIRECTORY"] = tempfile.mkdtemp()
    os.chdir(ROOT)
    for name in _LIBRARIES:
        importlib.import_module(name)


def _outcome(trial: MutationTrial) -> TrialOutcome:
    def run() -> int:
        if trial.tree is not None:
            sys.meta_path.insert(0, _Changed(trial.path, trial.tree))
        return pytest_run(trial.tests)

    return forked(run, trial.seconds)


def forked(run: Callable[[], int], seconds: float) -> TrialOutcome:
    """Run tests in a fork. One that takes too long counts as failed: it was noticed.

    Args:
        run: Runs them, and hands out the exit code of pytest.
        seconds: How long they may take.
    """
    ends, begins = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(ends)
        code = 3
        try:
            code = run()
        finally:
            # Nothing of the parent's goes on in a fork of it, whatever was raised.
            os._exit(code)
    os.close(begins)
    # The pipe ends with the child, so that waiting for it can have a limit.
    done, _, _ = select.select([ends], [], [], seconds)
    os.close(ends)
    if not done:
        os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    code = os.waitstatus_to_exitcode(status)
    return _OUTCOMES.get(code, TrialOutcome.FAILED)


def pytest_run(tests: Sequence[str], plugins: Sequence[object] = ()) -> int:
    """The exit code of pytest, which is silent; 4 and 5 say that it did not find the tests."""
    import pytest

    silent = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silent, 1)
    os.dup2(silent, 2)
    plain = ("no:randomly", "no:xdist", "no:cacheprovider", "no:cov")
    options = [word for plugin in plain for word in ("-p", plugin)]
    # Plugins were loaded with the libraries, before pytest could have a look at them.
    options += ["-W", "ignore::pytest.PytestAssertRewriteWarning"]
    plain_words = ["-x", "-q", "--hypothesis-seed=1", "--tb=no"]
    return int(pytest.main([*plain_words, *options, *tests], plugins=plugins))
