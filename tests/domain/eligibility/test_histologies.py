"""The histologies of each disease: one list for labels, forms and the API."""

import pytest

from chalicelib.catalog import DISEASES, load_products
from chalicelib.domain.eligibility.histologies import (
    HISTOLOGIES,
    HISTOLOGY_NAMES,
    NOT_THE_DISEASE_ITSELF,
    OTHER,
    UNKNOWN,
    format_histology,
)
from chalicelib.domain.eligibility.input_checks import find_input_faults
from tests.support.screen_inputs import TODAY, build_line, build_patient, screen_with_catalog


@pytest.mark.parametrize("disease", DISEASES)
def test_every_disease_has_a_list_that_ends_with_other_and_unknown(disease):
    assert tuple(HISTOLOGIES[disease])[-2:] == (OTHER, UNKNOWN)


def test_a_code_has_one_name_whatever_the_disease():
    pairs = {(code, name) for names in HISTOLOGIES.values() for code, name in names.items()}

    assert len(pairs) == len(HISTOLOGY_NAMES)


def test_what_a_label_names_is_in_the_list_of_its_disease():
    for product in load_products().values():
        for indication in product.facts["indications"]:
            assert set(indication["histologies"]) <= HISTOLOGIES[indication["disease"]].keys() - {OTHER, UNKNOWN}


def test_an_entity_apart_is_in_the_list_of_its_disease():
    assert all(code in HISTOLOGIES[disease] for disease, code in NOT_THE_DISEASE_ITSELF)


@pytest.mark.parametrize(
    ("disease", "histology", "is_refused"),
    [
        ("FL", "NONSENSE", True),
        ("FL", "DLBCL_NOS", True),
        ("LBCL", "RICHTER", False),
        ("LBCL", UNKNOWN, False),
        ("MM", OTHER, False),
        ("MM", None, False),
    ],
)
def test_a_check_refuses_a_code_that_is_not_in_the_list(disease, histology, is_refused):
    faults = find_input_faults(build_patient(disease, histology=histology), today=TODAY)

    assert [(fault.pointer, fault.code) for fault in faults] == [("/clinical/histology", "not_listed")] * is_refused


@pytest.mark.parametrize("histology", [None, UNKNOWN])
def test_an_unknown_histology_is_listed_as_not_checked(histology):
    """Good news needs an answer."""
    outcome = screen_with_catalog(build_patient("LBCL", build_line(1), histology=histology))

    assert "/clinical/histology" in {missing.pointer for missing in outcome.unanswered}


def test_free_text_of_an_earlier_release_reads_as_words():
    assert format_histology("germinal_center_type") == "germinal center type"
