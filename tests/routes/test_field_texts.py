"""The text of a field is below it in its class."""

import json

import pytest

from chalicelib.routes.field_texts import BUNDLED, read_field_texts, write_field_texts

SOURCE = '''
class Base(TypedDict):
    """A base."""

    on: str
    """The day
    of the visit."""
    kept: int


class Visit(Base):
    by: Annotated[str, Field(alias="reportedBy")]
    """Who reported it."""


class Moved(Visit):
    on: str
    """The new day."""
'''


@pytest.fixture
def folder(tmp_path):
    """A folder with one module of routes."""
    (tmp_path / "visits.py").write_text(SOURCE)
    return tmp_path


def test_a_field_has_the_text_below_it(folder):
    """On one line, and under its published name."""
    assert read_field_texts(folder)["Visit"] == {"on": "The day of the visit.", "reportedBy": "Who reported it."}


def test_a_field_of_a_base_keeps_its_text_unless_it_is_declared_again(folder):
    """As the field itself."""
    texts = read_field_texts(folder)

    assert texts["Base"] == {"on": "The day of the visit."}
    assert texts["Moved"]["on"] == "The new day."


def test_the_file_of_the_bundle_has_the_same_texts(folder):
    """The bundle has no source to read them from."""
    write_field_texts(folder)

    assert json.loads((folder / BUNDLED).read_text()) == read_field_texts(folder)
