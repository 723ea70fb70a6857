"""Small wrong changes of a module, each of which a test should notice.

One change per mutant, made in the syntax tree: a comparison by its neighbor, `and` by `or`, a part
of a condition left out, a `not` left out, a constant by another one, a statement left out, None
as the return value. Error texts, docstrings and types are left alone.
"""

import ast
import copy
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

Edit: TypeAlias = tuple[str, Callable[[Any], ast.AST]]
"""The name of a change, and the node that replaces a copy of the old one."""

_COMPARISONS: Mapping[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}

_OPERATORS: Mapping[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.FloorDiv,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.FloorDiv,
    ast.BitOr: ast.BitAnd,
    ast.BitAnd: ast.BitOr,
    ast.Pow: ast.Mult,
}

_UNTOUCHED_FIELDS = frozenset({"annotation", "returns", "decorator_list", "bases", "type_comment"})
_UNTOUCHED = (ast.Import, ast.ImportFrom, ast.JoinedStr)
_TYPES = frozenset({"Mapping", "Sequence", "Callable", "frozenset", "tuple", "dict", "list", "set"})
"""Names whose subscript is a type, as in an alias; it contains nothing to get wrong."""


@dataclass(frozen=True, slots=True)
class Mutant:
    """A module with one wrong change."""

    path: str
    line: int
    change: str
    tree: ast.Module

    def __str__(self) -> str:
        return f"{self.path}:{self.line} {self.change}"


def list_mutants(path: str, source: str) -> Sequence[Mutant]:
    """Every mutant of a module, in the order of its lines."""
    whole = ast.parse(source)
    places = list(_places(whole))
    return [
        Mutant(path, getattr(places[number], "lineno", 0), what, _changed(whole, number, edit))
        for number in range(len(places))
        for what, edit in _edits(places[number])
    ]


def _changed(whole: ast.Module, number: int, edit: Callable[[Any], ast.AST]) -> ast.Module:
    """A copy of the module whose place of this number has been edited."""
    mutated = copy.deepcopy(whole)
    old = list(_places(mutated))[number]
    new = edit(old)
    for parent in ast.walk(mutated):
        for name, value in ast.iter_fields(parent):
            if value is old:
                setattr(parent, name, new)
            elif isinstance(value, list):
                value[:] = [new if each is old else each for each in value]
    return ast.fix_missing_locations(mutated)


def _places(node: ast.AST) -> Iterator[ast.AST]:
    """The nodes that may be changed, always in the same order."""
    for name, value in ast.iter_fields(node):
        if name in _UNTOUCHED_FIELDS:
            continue
        for each in value if isinstance(value, list) else [value]:
            if isinstance(each, ast.AST) and not _is_left_alone(each):
                yield each
                yield from _places(each)


def _is_left_alone(node: ast.AST) -> bool:
    match node:
        case ast.Expr(value=ast.Constant()) | ast.Call(func=ast.Name(id="TypeVar")):
            return True
        case ast.If(test=ast.Name(id="TYPE_CHECKING")):
            return True
        case ast.Expr(value=ast.Call(func=ast.Attribute(value=ast.Name(id="log")))):
            return True
        case ast.Subscript(value=ast.Name(id=name)):
            return name in _TYPES
        case ast.BinOp(op=ast.BitOr(), right=ast.Name(id=name)):
            return name[:1].isupper() and not name.isupper()  # Either of two types.
    return isinstance(node, _UNTOUCHED)


def _edits(node: ast.AST) -> Iterator[Edit]:
    match node:
        case ast.Compare():
            yield from _of_comparison(node)
        case ast.BoolOp():
            yield from _of_condition(node)
        case ast.UnaryOp(op=ast.Not()):
            yield f"`{ast.unparse(node)}` without its not", lambda old: old.operand
        case ast.BinOp() if type(node.op) in _OPERATORS and not _is_text(node):
            wrong = _OPERATORS[type(node.op)]
            yield f"`{ast.unparse(node)}` with {wrong.__name__}", _with(op=wrong())
        case ast.Constant():
            yield from _of_constant(node)
        case ast.If() | ast.IfExp() | ast.While() if not _is_negated_elsewhere(node.test):
            yield f"if not `{ast.unparse(node.test)}`", _negated
        case ast.stmt():
            yield from _of_statement(node)


def _of_statement(node: ast.stmt) -> Iterator[Edit]:
    match node:
        case ast.Return(value=value) if not isinstance(value, ast.Constant | None):
            yield f"`{ast.unparse(node)}` by None", lambda _old: ast.Return(ast.Constant(None))
        case ast.Expr() | ast.Raise() | ast.AugAssign():
            yield f"without `{ast.unparse(node)[:60]}`", lambda _old: ast.Pass()
        case ast.Continue():
            yield "break for continue", lambda _old: ast.Break()
        case ast.Break():
            yield "continue for break", lambda _old: ast.Continue()


def _of_comparison(node: ast.Compare) -> Iterator[Edit]:
    for place, kind in enumerate(node.ops):
        wrong = _COMPARISONS[type(kind)]
        ops = [wrong() if n == place else op for n, op in enumerate(node.ops)]
        yield f"`{ast.unparse(node)}` with {wrong.__name__}", _with(ops=ops)


def _of_condition(node: ast.BoolOp) -> Iterator[Edit]:
    other = ast.Or() if isinstance(node.op, ast.And) else ast.And()
    yield f"`{ast.unparse(node)}` with {type(other).__name__}", _with(op=other)
    for place in range(len(node.values)):
        yield f"without `{ast.unparse(node.values[place])}`", _without_operand(place)


def _of_constant(node: ast.Constant) -> Iterator[Edit]:
    match node.value:
        case bool():
            yield f"{not node.value} for {node.value}", _with(value=not node.value)
        case int():
            yield f"{node.value + 1} for {node.value}", _with(value=node.value + 1)
        case str() if node.value and " " not in node.value:
            # A text with blanks in it is for people, or an expression that fails at once.
            yield f"another text for {node.value!r}", _with(value=f"{node.value}x")
        case bytes() if node.value:
            yield f"another text for {node.value!r}", _with(value=node.value + b"x")


def _is_negated_elsewhere(test: ast.expr) -> bool:
    """Whether a mutant of the condition itself turns it around."""
    match test:
        case ast.UnaryOp(op=ast.Not()):
            return True
        case ast.Compare(ops=[ast.Eq() | ast.NotEq() | ast.Is() | ast.IsNot() | ast.In()]):
            return True
    return False


def _is_text(node: ast.BinOp) -> bool:
    """Whether a binary operator may put texts together or make a type of two."""
    return any(isinstance(side, ast.JoinedStr) for side in (node.left, node.right)) or (
        isinstance(node.op, ast.BitOr) and ast.unparse(node.right) == "None"
    )


def _with(**changed: Any) -> Callable[[Any], ast.AST]:
    def edit(old: Any) -> ast.AST:
        new = copy.copy(old)
        for name, value in changed.items():
            setattr(new, name, value)
        return new

    return edit


def _without_operand(place: int) -> Callable[[Any], ast.AST]:
    def edit(old: Any) -> ast.AST:
        rest = [value for n, value in enumerate(old.values) if n != place]
        return rest[0] if len(rest) == 1 else ast.BoolOp(op=old.op, values=rest)

    return edit


def _negated(old: Any) -> ast.AST:
    new = copy.copy(old)
    new.test = ast.UnaryOp(op=ast.Not(), operand=old.test)
    return new
