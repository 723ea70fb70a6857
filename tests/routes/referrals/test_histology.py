"""The histology of a referral: the list of its disease, and what an earlier release stored."""

import pytest

from chalicelib.domain.eligibility.histologies import HISTOLOGIES
from chalicelib.services.referrals import create
from tests.support import factories

REFUSED = [("/clinical/histology", "not_listed")]


def list_errors(answer):
    assert (answer.status, answer.json["code"]) == (400, "histology_not_listed")
    return [(error["pointer"], error["code"]) for error in answer.json["errors"]]


def path_of(referral):
    return f"/v1/referrals/{referral['referral_id']}"


@pytest.fixture
def old_referral(shared_api, monkeypatch):
    """A referral whose histology an earlier release accepted as free text."""
    with monkeypatch.context() as earlier:
        earlier.setattr(create, "require_listed_histology", lambda _details, _before: None)
        return shared_api.refer(clinical__histology="GCB_subtype")


@pytest.mark.parametrize("submit", [True, False])
@pytest.mark.parametrize("histology", ["NONSENSE", "SPLENIC_MZL", "dlbcl_nos"])
def test_a_histology_outside_the_list_of_the_disease_is_refused(shared_api, submit, histology):
    """In a draft too: nothing is stored that the form could not show."""
    body = factories.build_referral_body(clinical__histology=histology, submit=submit)

    assert list_errors(shared_api.practice.post("/v1/referrals", body)) == REFUSED


@pytest.mark.parametrize("histology", ["OTHER", "UNKNOWN", "RICHTER"])
def test_a_listed_histology_is_accepted(shared_api, histology):
    assert shared_api.refer(clinical__histology=histology)["clinical"]["histology"] == histology


def test_a_draft_without_a_disease_takes_any_listed_histology(shared_api):
    body = factories.build_referral_body(clinical={"histology": "SPLENIC_MZL"}, submit=False)

    draft = shared_api.practice.post("/v1/referrals", body).json

    changed = {"clinical": {"disease": "FL", "histology": "SPLENIC_MZL"}}
    assert list_errors(shared_api.practice.patch(path_of(draft), changed, version=1)) == REFUSED


def test_free_text_of_an_earlier_release_stays_when_something_else_is_corrected(shared_api, old_referral):
    """Otherwise no one could correct an old referral's ECOG status."""
    clinical = old_referral["clinical"] | {"ecog": 2}

    changed = shared_api.practice.patch(path_of(old_referral), {"clinical": clinical}, version=1)

    assert changed.status == 200
    assert (changed.json["clinical"]["ecog"], changed.json["clinical"]["histology"]) == (2, "GCB_subtype")


def test_free_text_of_an_earlier_release_can_only_be_replaced_by_a_listed_code(shared_api, old_referral):
    clinical = old_referral["clinical"]

    refused = shared_api.practice.patch(
        path_of(old_referral), {"clinical": clinical | {"histology": "ABC_subtype"}}, version=1
    )
    accepted = shared_api.practice.patch(
        path_of(old_referral), {"clinical": clinical | {"histology": "DLBCL_NOS"}}, version=1
    )

    assert list_errors(refused) == REFUSED
    assert accepted.status == 200


def test_another_disease_needs_a_histology_of_its_own_list(shared_api):
    """A code that is listed for the old disease does not move along."""
    made = shared_api.refer()
    clinical = made["clinical"] | {"disease": "MM", "icd10": None}

    answer = shared_api.practice.patch(path_of(made), {"clinical": clinical}, version=1)

    assert list_errors(answer) == REFUSED


@pytest.mark.parametrize("disease", [None, *HISTOLOGIES])
def test_the_api_lists_the_histologies_of_a_disease(shared_api, disease):
    """With their names, in the order of the forms."""
    query = f"?disease={disease}" if disease else ""

    listed = shared_api.practice.get(f"/v1/diagnosis-codes{query}").json["histologies"]

    diseases = [disease] if disease else list(HISTOLOGIES)
    assert [(row["disease"], row["code"], row["name"]) for row in listed] == [
        (each, code, name) for each in diseases for code, name in HISTOLOGIES[each].items()
    ]
