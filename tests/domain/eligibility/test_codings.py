"""The reviewed codes of electronic health records: each with a source, and with the catalog's own names."""

from datetime import date
from typing import get_args
from urllib.parse import urlsplit

import pytest

from chalicelib.catalog.codings import load_codings, load_file
from chalicelib.catalog.diagnoses import load_code_set
from chalicelib.domain.eligibility.screen_input import AgentName, FlagName
from chalicelib.routes.referrals.request_bodies import DrugClass

ROWS = [
    (kind, row) for kind in ("medications", "procedures", "conditions", "observations") for row in load_file()[kind]
]


@pytest.mark.parametrize(("kind", "row"), ROWS, ids=lambda value: str(value)[:40])
def test_a_row_has_a_dated_source(kind, row):
    """And every listed source is used."""
    source = load_file()["sources"][row["source"]]

    assert source["title"]
    assert urlsplit(source["url"]).scheme == "https"
    assert date.fromisoformat(source["as_of"]) <= date.fromisoformat(load_file()["reviewed_on"])
    assert set(load_file()["sources"]) == {each_row["source"] for _, each_row in ROWS}, kind


def test_no_code_means_two_drugs():
    """Otherwise the order of the file would decide."""
    codes = [code for row in load_file()["medications"] for code in row["rxnorm"]]

    assert len(codes) == len(set(codes)) == len(load_codings().medications)
    assert all(code.isascii() and code.isdigit() for code in codes)


def test_drugs_have_known_classes_and_agents():
    """With the API's own spelling."""
    for drug in load_codings().medications.values():
        assert drug.classes
        assert drug.classes <= set(get_args(DrugClass))
        assert drug.agent is None or drug.agent in get_args(AgentName)


def test_conditions_raise_known_flags():
    """No condition is a disease of the catalog."""
    assert set(load_codings().conditions) <= set(get_args(FlagName))
    stems = [stem for stems in load_codings().conditions.values() for stem in stems]
    assert not any(code.startswith(tuple(stems)) for code in load_code_set().codes)


def test_every_drug_class_that_a_label_names_has_a_drug():
    """The classes are listed here a second time, from the labels."""
    classes = {name for drug in load_codings().medications.values() for name in drug.classes}

    assert {"anti_cd20", "anthracycline", "btk_inhibitor", "imid", "proteasome_inhibitor",
            "anti_cd38", "anti_cd19"} <= classes  # fmt: skip
