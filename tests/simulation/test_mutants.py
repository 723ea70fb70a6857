"""The known mutants can still be made, and the tests that notice them exist."""

import ast

import pytest

from tests.simulation.known_mutants import KNOWN
from tests.simulation.mutants import TARGETS
from tests.simulation.mutation_operators import list_mutants
from tests.simulation.mutation_processes import ROOT


@pytest.mark.parametrize("known", KNOWN, ids=lambda known: known.mistake)
def test_a_known_mistake_can_still_be_made_and_its_test_is_there(known):
    """A module that was rewritten takes its mistakes along, and a test its name."""
    source = (ROOT / known.path).read_text(encoding="utf-8")
    file, _, name = known.test.partition("::")

    assert ast.dump(ast.parse(known.apply(source))) != ast.dump(ast.parse(source))
    assert f"def {name}(" in (ROOT / file).read_text(encoding="utf-8")


@pytest.mark.parametrize("name", TARGETS)
def test_a_target_has_modules_and_tests(name):
    """A moved or renamed file is noticed here, and not after seven minutes."""
    for path, tests in TARGETS[name].tests.items():
        assert list_mutants(path, (ROOT / path).read_text(encoding="utf-8"))
        assert [test for test in tests if not (ROOT / test).is_file()] == []


def test_each_kind_of_mistake_is_made():
    """One small module with something for every operator."""
    source = """
def f(a, b):
    "Says nothing."
    if a < 1 and not b:
        raise ValueError("Some words for people")
    while a is b:
        a += 1
        continue
    g(a)
    return a + 1 if b else "word"
"""

    made = {ast.unparse(mutant.tree) for mutant in list_mutants("x.py", source)}
    changes = [mutant.change for mutant in list_mutants("x.py", source)]

    assert len(made) == len(changes)
    assert [change.replace("`", "") for change in changes] == [
        "if not a < 1 and (not b)",
        "a < 1 and (not b) with Or",
        "without a < 1",
        "without not b",
        "a < 1 with LtE",
        "2 for 1",
        "not b without its not",
        "without raise ValueError('Some words for people')",
        "a is b with IsNot",
        "without a += 1",
        "2 for 1",
        "break for continue",
        "without g(a)",
        "return a + 1 if b else 'word' by None",
        "if not b",
        "a + 1 with Sub",
        "2 for 1",
        "another text for 'word'",
    ]
