"""Runs mutmut in the current folder with our own choice of mutations.

mutmut's own operators never remove a check. With every test of a rejection deleted, the remaining
tests of the signature still killed 89% of its mutants. The operators below are those of mutmut that
change a decision, plus the removal of a check, of a part of a condition, and of a statement. All
else is mutmut's work: it writes the mutants, finds the tests that reach each one, and runs them.
Numbers: docs/decisions/0035-libraries-in-the-test-tooling.md.

    python -m tests.simulation.run_mutmut SHARE SEED
"""

import sys
from collections.abc import Callable, Iterable
from random import Random
from typing import Any, TypeAlias

import libcst as cst
import libcst.matchers as m
from mutmut.mutation import file_mutation, mutators

Operator: TypeAlias = Callable[[Any], Iterable[cst.CSTNode]]


def _remove(_: cst.Raise) -> Iterable[cst.CSTNode]:
    yield cst.Pass()


def _remove_call(node: cst.Expr) -> Iterable[cst.CSTNode]:
    """Remove a call whose result is not used, unless it only writes a log line."""
    if isinstance(node.value, cst.Call) and not m.matches(node.value.func, m.Attribute(value=m.Name("log"))):
        yield cst.Pass()


def _keep_one_operand(node: cst.BooleanOperation) -> Iterable[cst.CSTNode]:
    for operand in (node.left, node.right):
        yield operand.with_changes(lpar=[cst.LeftParen(), *operand.lpar], rpar=[*operand.rpar, cst.RightParen()])


def _skip_branch(node: cst.If) -> Iterable[cst.CSTNode]:
    yield node.with_changes(test=cst.Name("False"))


def _return_none(node: cst.Return) -> Iterable[cst.CSTNode]:
    """Return nothing instead of a value that was computed."""
    if node.value is not None and not m.matches(node.value, m.Name() | m.BaseNumber() | m.SimpleString()):
        yield node.with_changes(value=cst.Name("None"))


def _change_word(node: cst.SimpleString) -> Iterable[cst.CSTNode]:
    """Change a text without spaces. One with spaces is for people, or an expression that fails at once."""
    if node.raw_value and " " not in node.raw_value:
        yield node.with_changes(value=f"{node.value[:-1]}x{node.value[-1]}")


OPERATORS: list[tuple[Any, Operator]] = [
    (cst.BaseNumber, mutators.operator_number),
    (cst.Name, mutators.operator_name),
    (cst.AugAssign, mutators.operator_augmented_assignment),
    (cst.UnaryOperation, mutators.operator_remove_unary_ops),
    (cst.CSTNode, mutators.operator_keywords),
    (cst.CSTNode, mutators.operator_swap_op),
    (cst.Match, mutators.operator_match),
    (cst.IfExp, mutators.operator_if_exp),
    (cst.Raise, _remove),
    (cst.Expr, _remove_call),
    (cst.BooleanOperation, _keep_one_operand),
    (cst.If, _skip_branch),
    (cst.Return, _return_none),
    (cst.SimpleString, _change_word),
]


def use_our_operators(share: float, seed: int) -> None:
    """Make mutmut create a random part of the mutants of our operators, the same part for each seed."""
    create_all = file_mutation.create_mutations

    def create_some(filename: str, *args: Any) -> Any:
        tree, mutations, *rest = create_all(filename, *args)
        chance = Random(f"{seed} {filename}")  # noqa: S311 a seed makes the same sample again
        return tree, [each for each in mutations if chance.random() < share], *rest

    module: Any = file_mutation  # mutmut does not export these names.
    module.mutation_operators = OPERATORS
    module.create_mutations = create_some


if __name__ == "__main__":
    from mutmut.__main__ import cli

    use_our_operators(float(sys.argv[1]), int(sys.argv[2]))
    cli(["run", "--max-children", "2"])
