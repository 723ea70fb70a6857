"""The mutants that the simulation looks for exist, and so do the tests that must fail."""

import ast
import json
import subprocess
import sysconfig
from pathlib import Path

import libcst as cst
import pytest

from tests.simulation.known_mutant import KnownMutant
from tests.simulation.known_mutants import KNOWN
from tests.simulation.mutants import TARGETS, WITHOUT_REJECTIONS
from tests.simulation.mutation_processes import ROOT
from tests.simulation.run_mutmut import OPERATORS


@pytest.mark.parametrize("known", KNOWN, ids=lambda known: known.mistake)
def test_a_known_mistake_can_still_be_made_and_its_test_exists(known):
    """A rewritten module or a renamed test is found here, and not after minutes of simulation."""
    source = (ROOT / known.path).read_text(encoding="utf-8")
    file, _, name = known.test.partition("::")

    assert ast.dump(ast.parse(known.apply(source))) != ast.dump(ast.parse(source))
    assert f"def {name}(" in (ROOT / file).read_text(encoding="utf-8")


def find_undefined_names(mutants, folder):
    """What ruff finds wrong with the code that each mutant makes: syntax errors, and names that do not exist."""
    for number, known in enumerate(mutants):
        source = (ROOT / known.path).read_text(encoding="utf-8")
        (folder / f"{number}.py").write_text(known.apply(source), encoding="utf-8")
    ruff = Path(sysconfig.get_path("scripts")) / "ruff"
    rules = ["--isolated", "--ignore-noqa", "--target-version=py311", "--select=E9,F821,F822,F823,F811"]
    result = subprocess.run(
        [ruff, "check", "--no-cache", "--output-format=json", *rules, folder],
        capture_output=True,
        text=True,
        check=False,
    )
    return {
        f"{mutants[int(Path(row['filename']).stem)].mistake}: {row['message']}" for row in json.loads(result.stdout)
    }


def test_the_code_of_each_known_mistake_uses_only_names_that_exist(tmp_path):
    """Otherwise its test fails because of a `NameError`, and proves nothing about the mistake."""
    assert find_undefined_names(KNOWN, tmp_path) == set()


def test_a_known_mistake_with_an_undefined_name_is_found(tmp_path):
    """The check above notices it."""
    wrong = KnownMutant(
        "a name", "chalicelib/domain/webhooks/signature.py", 'version != "v1"', "verison", "no_test.py::f"
    )

    assert find_undefined_names([wrong], tmp_path) == {"a name: Undefined name `verison`"}


@pytest.mark.parametrize("target", [*TARGETS.values(), WITHOUT_REJECTIONS], ids=[*TARGETS, "without rejections"])
def test_the_modules_and_tests_of_a_target_exist(target):
    """A moved or renamed file or test is found here, and not after minutes of simulation."""
    for each in [*target.tests, *(test for tests in target.tests.values() for test in tests)]:
        file, _, name = each.partition("::")
        assert f"def {name}" in (ROOT / file).read_text(encoding="utf-8")


class Lister(cst.CSTVisitor):
    """Applies every operator to every node."""

    def __init__(self):
        super().__init__()
        self.changes = []

    def on_visit(self, node):
        for kind, operator in OPERATORS:
            if isinstance(node, kind):
                self.changes += [f"{first_line(node)} -> {first_line(changed)}" for changed in operator(node)]
        return True


def first_line(node):
    return cst.Module([]).code_for_node(node).strip().split("\n")[0]


def test_each_operator_makes_its_mutants():
    """One small function with a place for each operator."""
    source = '''
def f(a, b):
    """Says nothing."""
    if a < 1 and not b:
        raise ValueError("A text for people")
    while a is b:
        a += 1
        continue
    log.info(a)
    g(a)
    return a - 1 if b else "word"
'''
    lister = Lister()

    cst.parse_module(source).visit(lister)

    assert lister.changes == [
        "if a < 1 and not b: -> if False:",
        "a < 1 and not b -> a < 1 or not b",
        "a < 1 and not b -> (a < 1)",
        "a < 1 and not b -> (not b)",
        "< 1 -> <= 1",
        "1 -> 2",
        "not b -> b",
        'raise ValueError("A text for people") -> pass',
        "is -> is not",
        "a += 1 -> a = 1",
        "a += 1 -> a -= 1",
        "1 -> 2",
        "continue -> break",
        "g(a) -> pass",
        'return a - 1 if b else "word" -> return None',
        'a - 1 if b else "word" -> a - 1 if (b) and False else "word"',
        'a - 1 if b else "word" -> a - 1 if (b) or True else "word"',
        "a - 1 -> a + 1",
        "1 -> 2",
        '"word" -> "wordx"',
    ]
