"""Runs tests with a mistake in a module, each in its own process and with a time limit.

A process that has loaded all libraries and nothing of the product is forked for each trial. The
wrong module replaces the right one when it is imported; no file changes.
"""

import ast
import importlib
import os
import select
import signal
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
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
"""Libraries that take longer to load than most trials run."""


class TrialOutcome(Enum):
    """The result of the tests of a trial."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_RUN = "not run"


_OUTCOMES = {0: TrialOutcome.PASSED, 3: TrialOutcome.NOT_RUN, 4: TrialOutcome.NOT_RUN, 5: TrialOutcome.NOT_RUN}
"""By pytest's exit code. Any other code, and a signal, means that a test failed."""


@dataclass(frozen=True, slots=True)
class MutationTrial:
    """Tests to run with a wrong module, or with the right one if there is no `tree`."""

    tests: Sequence[str]
    seconds: int
    path: str = ""
    tree: ast.Module | None = None


class _WrongModuleFinder(MetaPathFinder):
    """Finds the wrong module under the name of the right one."""

    def __init__(self, path: str, tree: ast.Module) -> None:
        self.name = path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
        self.file = str(ROOT / path)
        self.tree = tree

    def find_spec(self, fullname: str, *_: Any) -> ModuleSpec | None:
        if fullname != self.name:
            return None
        folders = [str(Path(self.file).parent)] if self.file.endswith("/__init__.py") else None
        return spec_from_file_location(
            fullname, self.file, loader=_WrongModuleLoader(self), submodule_search_locations=folders
        )


class _WrongModuleLoader(SourceFileLoader):
    def __init__(self, finder: _WrongModuleFinder) -> None:
        super().__init__(finder.name, finder.file)
        self.tree = finder.tree

    def get_code(self, _fullname: str) -> Any:
        return compile(self.tree, self.path, "exec")


def run_trials(trials: Iterable[MutationTrial]) -> Iterator[TrialOutcome]:
    """Run several trials at once and yield the outcome of each, in order."""
    with get_context("spawn").Pool(PROCESSES, initializer=_load_libraries) as pool:
        yield from pool.imap(_run_trial, trials)


def _load_libraries() -> None:
    """Prepare a process for its trials."""
    # Hypothesis must not remember the failures of one trial in the next.
    os.environ["HYPOTHESIS_STORAGE_DIRECTORY"] = tempfile.mkdtemp()
    os.chdir(ROOT)
    for name in _LIBRARIES:
        importlib.import_module(name)


def _run_trial(trial: MutationTrial) -> TrialOutcome:
    """Run the tests in a fork. A trial that takes too long counts as failed: a test would hang."""
    ends, begins = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(ends)
        code = 3
        try:
            if trial.tree is not None:
                sys.meta_path.insert(0, _WrongModuleFinder(trial.path, trial.tree))
            code = _run_pytest(trial.tests)
        finally:
            # Nothing of the parent continues in its fork, whatever was raised.
            os._exit(code)
    os.close(begins)
    # The pipe closes when the child ends, so waiting for it can have a limit.
    done, _, _ = select.select([ends], [], [], trial.seconds)
    os.close(ends)
    if not done:
        os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    return _OUTCOMES.get(os.waitstatus_to_exitcode(status), TrialOutcome.FAILED)


def _run_pytest(tests: Sequence[str]) -> int:
    """Run pytest without output and return its exit code; 4 and 5 mean that it did not find the tests."""
    import pytest

    silent = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silent, 1)
    os.dup2(silent, 2)
    without = ("no:randomly", "no:xdist", "no:cacheprovider", "no:cov")
    options = [word for plugin in without for word in ("-p", plugin)]
    # The plugins were loaded with the libraries, before pytest could rewrite their assertions.
    options += ["-W", "ignore::pytest.PytestAssertRewriteWarning"]
    return int(pytest.main(["-x", "-q", "--hypothesis-seed=1", "--tb=no", *options, *tests]))
