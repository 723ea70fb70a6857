"""Lets dataclasses compile a method when it is first called, instead of when the class is defined.

A function imports hundreds of value classes and calls few of their methods. `dataclasses` writes the source of six
methods for each of them and compiles it, which was a third of a cold start. Nothing else changes: the methods are those
of the standard library. docs/decisions/0085-dataclasses-that-compile-later.md has the reasons and the alternatives.
"""

import dataclasses
import inspect
from collections.abc import Callable
from types import ModuleType, SimpleNamespace
from typing import Any

_BUILDER = "_create_fn"
_PARAMETERS = ("name", "args", "body", "globals", "locals", "return_type")


def compile_methods_lazily(module: ModuleType = dataclasses) -> bool:
    """Change how dataclasses are defined from now on, in this process.

    Args:
        module: The module that defines them; a test has its own copy.

    Returns:
        False if this version of Python builds them in another way. Then nothing changes. Python 3.13 and later do.
    """
    build = getattr(module, _BUILDER, None)
    if build is None or build.__code__.co_varnames[: len(_PARAMETERS)] != _PARAMETERS:
        return False
    vars(module)[_BUILDER] = _delay(build)
    # A class without a docstring, as every class in a bundle, would be described by the signature of its `__init__`.
    vars(module)["inspect"] = SimpleNamespace(**vars(inspect) | {"signature": _describe_nothing})
    return True


def _delay(build: Callable[..., Any]) -> Callable[..., Any]:
    """Return a builder of methods that call `build` when they are first called."""

    def build_later(name: str, *arguments: Any, **options: Any) -> Callable[..., Any]:
        built: Callable[..., Any] | None = None

        def method(self: Any, /, *values: Any, **named: Any) -> Any:
            nonlocal built
            if built is None:
                built = build(name, *arguments, **options)
                built.__qualname__ = method.__qualname__
                _put_in_place(method, built, type(self))
            return built(self, *values, **named)

        method.__name__ = name
        return method

    return build_later


def _put_in_place(method: Callable[..., Any], built: Callable[..., Any], kind: type) -> None:
    """Replace a method in the class that defines it. One that is wrapped, such as `__repr__`, stays and calls it."""
    for owner in kind.__mro__:
        if owner.__dict__.get(method.__name__) is method:
            setattr(owner, method.__name__, built)


def _describe_nothing(_: Any) -> str:
    raise ValueError
