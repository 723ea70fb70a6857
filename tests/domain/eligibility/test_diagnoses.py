"""The ICD-10-CM codes of the blood cancers, and which of them may be billed."""

import json

import pytest

from chalicelib.catalog import DISEASES
from chalicelib.catalog.diagnoses import SUBCATEGORIES_BY_DISEASE, list_diseases_for_code, load_code_set
from infra import build_icd10
from infra.world.patients import TREATMENT_COURSES

CODES = load_code_set()


@pytest.mark.parametrize("code", ["C83", "C83.3", "C83.39", "C88.4", "C90.0", "C91"])
def test_a_code_with_finer_ones_is_not_billable(code):
    """C83.39 and C88.4 were, until October 2024."""
    assert code in CODES.codes
    assert code not in CODES.billable


@pytest.mark.parametrize("code", ["C83.30", "C83.390", "C83.398", "C83.3A", "C88.40", "C90.02", "C91.02", "C82.4A"])
def test_a_code_without_finer_ones_is_billable(code):
    """With the remission codes that the release of 2025 brought."""
    assert code in CODES.billable


def test_the_finer_codes_of_a_code_are_named():
    """The whole of C83.39, and nothing beside it."""
    assert CODES.list_billable_below("C83.39") == ["C83.390", "C83.398"]
    assert CODES.list_billable_below("C90.0") == ["C90.00", "C90.01", "C90.02"]
    assert CODES.list_billable_below("C83.398") == ["C83.398"]


@pytest.mark.parametrize("code", ["C", "C8", "C83.Q", "C83.3999", "Z94.84", ""])
def test_what_is_no_code_has_no_finer_ones(code):
    """The beginning of a code is not a code."""
    assert CODES.list_billable_below(code) == []


def test_billable_are_exactly_the_ends_of_the_tree():
    """Counted the other way round: every code is an end, or the beginning of another."""
    inner = {c for c in CODES.codes if any(d != c and d.startswith(c) for d in CODES.codes)}

    assert frozenset(CODES.codes) - inner == CODES.billable


def test_every_disease_of_the_catalogue_has_codes_to_choose_from():
    """All billable, each once."""
    assert SUBCATEGORIES_BY_DISEASE.keys() == set(DISEASES)
    for disease in DISEASES:
        offered = [diagnosis.code for diagnosis in CODES.list_for_disease(disease)]
        assert offered
        assert set(offered) <= CODES.billable
        assert len(offered) == len(set(offered))


def test_every_subcategory_that_is_offered_is_in_the_release():
    """A release that drops one must be noticed."""
    assert {stem for stems in SUBCATEGORIES_BY_DISEASE.values() for stem in stems} <= CODES.codes.keys()


def test_small_lymphocytic_and_marginal_zone_share_a_subcategory():
    """So a code of C83.0 does not tell which of the two it is."""
    assert list_diseases_for_code("C83.08") == ("CLL_SLL", "MZL")
    assert list_diseases_for_code("C88.40") == ("MZL",)
    assert list_diseases_for_code("C81.00") == ()


@pytest.mark.parametrize("disease", TREATMENT_COURSES)
def test_the_fictional_patients_have_codes_that_are_offered(disease):
    """The world that everyone tries first shows codes as they should be."""
    assert disease in list_diseases_for_code(TREATMENT_COURSES[disease].icd10)
    assert TREATMENT_COURSES[disease].icd10 in CODES.billable


def test_the_file_says_of_which_release_it_is():
    """And which package it was written from."""
    assert CODES.release == build_icd10.RELEASE
    assert "2026" in CODES.release["name"]


def test_the_generator_takes_the_block_and_nothing_else():
    """Finer codes with their parents, in order."""
    tabular = b"""<t><section id="C81-C96"><diag><name>C90</name><desc>b</desc>
      <diag><name>C90.0</name><desc>c</desc></diag></diag>
      <diag><name>C83</name><desc>a</desc></diag></section>
      <section id="D00-D09"><diag><name>D00</name><desc>x</desc></diag></section></t>"""

    told = json.loads(build_icd10.build_document(tabular))

    assert list(told["codes"].items()) == [("C83", "a"), ("C90", "b"), ("C90.0", "c")]
    assert told["release"] == dict(build_icd10.RELEASE)
