"""What an alias must not reveal: it is the only name of a patient that email carries."""

import pytest

from chalicelib import catalog
from chalicelib.domain.referrals.alias import propose_alias
from chalicelib.domain.referrals.alias_checks import ALIAS_MESSAGES, AliasFault, find_alias_fault, normalize_alias

FACTS = {
    "patient": {
        "given_name": "Ana",
        "family_name": "Sample-Ruiz",
        "birth_date": "1961-04-02",
        "mrn": "A-1009",
        "phone": "+17135550142",
        "caregiver": {"name": "Luis Ortega"},
    },
    "insurance": {"member_id": "XEX-77B"},
}
DISEASES = [*catalog.DISEASES, "DLBCL", "lymphoma", "B-ALL", "DLBCL_NOS"]
PRODUCTS = ["breyanzi", "Breyanzi", "lisocabtagene"]


def find_fault(alias):
    """Find what an alias reveals about the test's patient."""
    return find_alias_fault(alias, FACTS, diseases=DISEASES, products=PRODUCTS)


@pytest.mark.parametrize(
    ("alias", "fault"),
    [
        ("Ana Example", AliasFault.NAME),
        ("ANA", AliasFault.NAME),
        ("Blue samplé", AliasFault.NAME),
        ("Sampleruiz Heron", AliasFault.NAME),
        ("Ortega's friend", AliasFault.NAME),
        ("04/02/1961 MM", AliasFault.DATE),
        ("Heron 1961", AliasFault.DATE),
        ("2-4-61", AliasFault.DATE),
        ("Heron Apr 2", AliasFault.DATE),
        ("2 April Heron", AliasFault.DATE),
        ("Heron 65F", AliasFault.DATE),
        ("patient a1009", AliasFault.NUMBER),
        ("A 1009", AliasFault.NUMBER),
        ("xex77b", AliasFault.NUMBER),
        ("DLBCL pt", AliasFault.DISEASE),
        ("DLBCL pt 65F", AliasFault.DATE),
        ("MM Heron", AliasFault.DISEASE),
        ("b all heron", AliasFault.DISEASE),
        ("Lymphomapatient", AliasFault.DISEASE),
        ("Breyanzi one", AliasFault.PRODUCT),
        ("lisocabtagene", AliasFault.PRODUCT),
    ],
)
def test_an_alias_that_reveals_something_is_found(alias, fault):
    """Names, dates, numbers, diseases and products, however they are written."""
    assert find_fault(alias) is fault


@pytest.mark.parametrize(
    "alias",
    [
        "Blue Heron",
        "Blue Heron 12",
        "Banana Owl",
        "Marigold 2",
        "Mayfly 3",
        "Football",
        "Hammer",
        "Ämber Ibis",
        "J. R.",
    ],
)
def test_an_alias_that_reveals_nothing_is_free(alias):
    """Short names and abbreviations inside other words mean nothing."""
    assert find_fault(alias) is None


def test_every_fault_has_a_sentence():
    """It says what to do, and never repeats the alias."""
    assert set(ALIAS_MESSAGES) == set(AliasFault)
    assert all(message.endswith("Choose other words.") for message in ALIAS_MESSAGES.values())


def test_every_proposed_alias_is_harmless():
    """For a patient whose name is none of its words."""
    proposals = {propose_alias(f"ref_{n}", attempt) for n in range(500) for attempt in (0, 1, 9)}

    assert {alias for alias in proposals if find_fault(alias)} == set()
    assert len(proposals) > 600


def test_further_proposals_differ():
    """So that a practice with many referrals still gets one that is free."""
    assert len({propose_alias("ref_1", attempt) for attempt in range(64)}) > 55


@pytest.mark.parametrize("other", ["blue heron", "BLUE-HERON", "Blue  Heron", "Blué Heron", "blueheron"])
def test_spellings_of_one_alias_are_equal(other):
    """People read them as one name."""
    assert normalize_alias(other) == normalize_alias("Blue Heron")
