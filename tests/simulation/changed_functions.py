"""Finds the function of a module that a mutant changes, with its code before and after."""

import ast
import inspect
from types import CodeType

from tests.simulation.mutation_processes import ROOT, MutationTrial


def find_changed_function(trial: MutationTrial) -> tuple[CodeType, CodeType] | None:
    """Return the code of the one function that a mutant changes, before and after; None if there is none."""
    if trial.tree is None:
        return None
    old = compile_module(trial.path, ast.parse((ROOT / trial.path).read_text("utf-8")))
    new = compile_module(trial.path, trial.tree)
    if _without_functions(old) != _without_functions(new):
        return None
    pairs = zip(list_outermost_functions(old), list_outermost_functions(new), strict=True)
    (pair,) = [(before, after) for before, after in pairs if before != after]
    return pair


def compile_module(path: str, tree: ast.Module) -> CodeType:
    """Compile the code of a module."""
    code: CodeType = compile(tree, str(ROOT / path), "exec")
    return code


def list_outermost_functions(code: CodeType) -> list[CodeType]:
    """Return the functions of a module, in it or in its classes.

    Not its comprehensions and lambdas: they have run when the module is loaded.
    """
    inner = [each for each in code.co_consts if isinstance(each, CodeType)]
    return [
        function
        for each in inner
        for function in ([each] if _is_function(each) else list_outermost_functions(each))
        if not each.co_name.startswith("<")
    ]


def _without_functions(code: CodeType) -> CodeType:
    """Return everything else in a module."""
    rest = [
        None
        if _is_function(each) and not each.co_name.startswith("<")
        else _without_functions(each)
        if isinstance(each, CodeType)
        else each
        for each in code.co_consts
    ]
    return code.replace(co_consts=tuple(rest))


def _is_function(part: object) -> bool:
    return isinstance(part, CodeType) and bool(part.co_flags & inspect.CO_OPTIMIZED)
