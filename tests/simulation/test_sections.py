"""The sections of the simulation."""

import importlib
import inspect

import pytest

from tests.simulation.section_protocol import Section
from tests.simulation.sections import SECTIONS


@pytest.mark.parametrize("name", SECTIONS)
def test_every_section_can_run(name):
    """Its module has the time it takes, and the search with the parameters of the protocol."""
    section = importlib.import_module(f"tests.simulation.{name}")

    assert section.MINUTES > 0
    assert list(inspect.signature(section.simulate).parameters) == ["progress", "budget"]
    assert list(inspect.signature(Section.simulate).parameters) == ["self", "progress", "budget"]
