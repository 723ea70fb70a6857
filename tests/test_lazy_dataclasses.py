"""Dataclasses whose methods are compiled when they are first called behave like those of the standard library."""

import dataclasses
import importlib
import importlib.util
import pickle
import sys
from concurrent.futures import ThreadPoolExecutor
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from chalicelib.domain.platform.rate_limit import RateLimit
from chalicelib.lazy_dataclasses import compile_methods_lazily

BUILDS_METHODS_ALONE = sys.version_info < (3, 13)
"""Whether this Python builds each method by itself. A later one builds all methods of a class at once."""


def load_copy(name: str) -> Any:
    """Load the standard library's module again, as it is on disk."""
    spec = importlib.util.spec_from_file_location(name, dataclasses.__file__)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    # The decorator looks up the modules of its classes.
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module", params=["lazy", "plain"])
def library(request):
    """A copy of `dataclasses` that is lazy, and one that is not."""
    module = load_copy(f"dataclasses_{request.param}")
    if request.param == "lazy":
        assert compile_methods_lazily(module) is BUILDS_METHODS_ALONE
    return module


@pytest.fixture
def kinds(library: ModuleType) -> SimpleNamespace:
    """Classes of all kinds that the product has."""
    dataclass: Any = library.dataclass

    @dataclass(frozen=True, slots=True, kw_only=True)
    class Point:
        x: int
        y: int = 2
        tags: list[str] = library.field(default_factory=list, compare=False)

    @dataclass(frozen=True, slots=True)
    class Base:
        name: str

    @dataclass(frozen=True, slots=True)
    class Derived(Base):
        age: int = 0

        def __post_init__(self) -> None:
            if self.age < 0:
                raise ValueError("age")

    @dataclass(order=True)
    class Mutable:
        self: int
        other: str = "b"

    return SimpleNamespace(Point=Point, Base=Base, Derived=Derived, Mutable=Mutable)


def test_values_are_equal_and_hash_alike(kinds):
    """By their fields, but not those that are left out."""
    assert kinds.Point(x=1, tags=["a"]) == kinds.Point(x=1, y=2)
    assert kinds.Point(x=1) != kinds.Point(x=2)
    assert kinds.Base("a") != kinds.Derived("a")
    assert len({kinds.Base("a"), kinds.Base("a"), kinds.Base("b")}) == 2


def test_values_describe_themselves(kinds):
    """Each time, also after the first."""
    value = kinds.Derived("a", 3)

    assert [repr(value).rpartition(".")[2] for _ in range(2)] == ["Derived(name='a', age=3)"] * 2


def test_a_frozen_value_does_not_change(kinds, library):
    """Neither by a new value nor by deleting one."""
    value = kinds.Derived("a", 3)

    for _ in range(2):
        with pytest.raises(library.FrozenInstanceError):
            value.name = "b"
        with pytest.raises(library.FrozenInstanceError):
            del value.age
    assert value.name == "a"


def test_a_wrong_call_names_the_class_and_what_is_missing(kinds):
    """As the first call, and as a later one."""
    for _ in range(2):
        with pytest.raises(TypeError, match=r"Point\.__init__\(\) missing 1 required keyword-only argument: 'x'"):
            kinds.Point()


def test_checks_after_the_start_run(kinds):
    """`__post_init__` of a class that extends another one."""
    with pytest.raises(ValueError, match="age"):
        kinds.Derived("a", -1)


def test_each_value_has_its_own_default(kinds):
    """A list that one value has is not that of another one."""
    one, other = kinds.Point(x=1), kinds.Point(x=1)
    one.tags.append("a")

    assert other.tags == []


def test_a_field_can_be_named_self(kinds):
    """Passed by its name."""
    value = kinds.Mutable(self=1)

    assert (value.self, min([kinds.Mutable(2), value])) == (1, value)


def test_a_value_can_be_replaced_and_listed(kinds, library):
    """With the functions of the standard library."""
    value = library.replace(kinds.Point(x=1), y=5)

    assert library.asdict(value) == {"x": 1, "y": 5, "tags": []}
    assert [field.name for field in library.fields(kinds.Derived)] == ["name", "age"]


def test_first_calls_at_the_same_time_are_alike(kinds):
    """Each thread may compile the method."""
    with ThreadPoolExecutor(8) as threads:
        made = list(threads.map(lambda n: kinds.Point(x=n % 2), range(200)))

    assert made == [kinds.Point(x=n % 2) for n in range(200)]


@pytest.mark.skipif(not BUILDS_METHODS_ALONE, reason="this Python builds methods in another way")
def test_a_method_is_compiled_with_its_first_call(kinds, library):
    """Then the class has the method itself, so that later calls cost nothing more."""
    if library.__name__ == "dataclasses_plain":
        return
    before = kinds.Point.__init__
    kinds.Point(x=1)

    assert before.__code__.co_filename.endswith("lazy_dataclasses.py")
    assert kinds.Point.__init__.__code__.co_filename == "<string>"


def test_the_product_is_lazy():
    """A function has it from its first import on."""
    importlib.import_module("app")
    builder = vars(dataclasses).get("_create_fn")

    assert (getattr(builder, "__module__", "") == "chalicelib.lazy_dataclasses") is BUILDS_METHODS_ALONE


def test_an_unknown_version_stays_as_it_is():
    """Nothing of the module changes."""
    module = ModuleType("dataclasses_of_tomorrow")
    module._create_fn = lambda cls, fields: (cls, fields)  # type: ignore[attr-defined]
    before = dict(vars(module))

    assert compile_methods_lazily(module) is False
    assert vars(module) == before


def test_a_value_of_the_product_can_be_pickled():
    """Between the processes of a benchmark."""
    limit = RateLimit.parse("120/10")

    assert pickle.loads(pickle.dumps(limit)) == limit  # noqa: S301 our own bytes
