"""J12: what may not fit is shown before and after submission, and blocks nothing."""

import pytest

from chalicelib.domain.identity.members import Tenant, TenantKind
from tests.support.api_driver import STAGES_TO_INFUSED
from tests.support.factories import CENTER_FACTS

CHILD = {"patient__birth_date": "2019-05-05"}
KYMRIAH_ALL = {
    "product_id": "kymriah",
    "clinical__disease": "B_ALL",
    "clinical__histology": "B_ALL_PH_NEGATIVE",
    "clinical__icd10": "C91.02",
}


def list_kinds(referral):
    return [hint["kind"] for hint in referral["routing_hints"]]


def read_row(client, referral_id):
    items = client.get("/v1/referrals?limit=100").json["items"]
    return next(item for item in items if item["referral_id"] == referral_id)


def test_a_referral_that_fits_has_no_hint(shared_api):
    made = shared_api.refer()

    assert made["routing_hints"] == []
    assert read_row(shared_api.practice, made["referral_id"])["routing_hints"] == []


def test_a_child_for_kymriah_at_an_adult_center_without_it_is_submitted_with_two_hints(shared_api):
    made = shared_api.refer(**CHILD | KYMRIAH_ALL)

    assert made["stage"] == "submitted"
    assert list_kinds(made) == ["center_does_not_offer_product", "center_treats_adults_only"]
    assert [hint["pointer"] for hint in made["routing_hints"]] == ["/center_id", "/center_id"]


def test_the_center_sees_the_hints_on_the_referral_and_in_its_worklist(shared_api):
    made = shared_api.refer(**CHILD | KYMRIAH_ALL)

    read = shared_api.center.get(f"/v1/referrals/{made['referral_id']}").json
    assert list_kinds(read) == ["center_does_not_offer_product", "center_treats_adults_only"]
    assert read_row(shared_api.center, made["referral_id"])["routing_hints"] == list_kinds(read)


def test_abecma_for_a_lymphoma_is_not_on_its_label(shared_api):
    made = shared_api.refer(product_id="abecma")

    assert "product_not_labeled_for_disease" in list_kinds(made)
    assert "The label of Abecma does not name Large B-cell lymphoma" in made["routing_hints"][-1]["message"]


def test_a_myeloma_code_does_not_match_a_lymphoma(shared_api):
    made = shared_api.refer(clinical__icd10="C90.02")

    assert list_kinds(made) == ["code_does_not_match_disease"]
    assert read_row(shared_api.center, made["referral_id"])["routing_hints"] == ["code_does_not_match_disease"]


@pytest.mark.parametrize("code", ["C83.398", "C85.90"])
def test_a_code_of_the_disease_or_without_detail_gives_no_hint(shared_api, code):
    assert shared_api.refer(clinical__icd10=code)["routing_hints"] == []


def test_a_teenager_is_outside_a_label_for_adults(shared_api):
    made = shared_api.refer(patient__birth_date="2012-01-31")

    assert list_kinds(made) == ["center_treats_adults_only", "patient_age_outside_label"]
    assert "is for patients aged 18 or older" in made["routing_hints"][1]["message"]


def test_a_year_of_birth_that_allows_both_ages_gives_no_hint(shared_api):
    """In November 2026 a patient who was born in 2008 is 17 or 18."""
    assert shared_api.refer(patient__birth_date="2008")["routing_hints"] == []


def test_a_disease_that_the_center_does_not_list_is_a_hint(shared_api):
    made = shared_api.refer(clinical__disease="MCL", clinical__icd10="C83.18")

    assert list_kinds(made) == ["center_does_not_list_disease"]


def test_a_draft_has_its_hints_before_it_is_submitted(shared_api):
    """The review step of the form shows them."""
    draft = shared_api.refer(product_id="abecma", submit=False)

    assert list_kinds(draft) == ["center_does_not_offer_product", "product_not_labeled_for_disease"]


def test_a_draft_without_center_and_product_has_no_hint(shared_api):
    draft = shared_api.refer(product_id=None, center_id=None, submit=False)

    assert draft["routing_hints"] == []


def test_a_corrected_code_removes_its_hint(shared_api):
    draft = shared_api.refer(clinical__icd10="C90.02", submit=False)
    path = f"/v1/referrals/{draft['referral_id']}"

    clinical = draft["clinical"] | {"icd10": "C83.398"}
    changed = shared_api.practice.patch(path, {"clinical": clinical}, version=draft["version"])

    assert changed.status == 200, changed.text
    assert changed.json["routing_hints"] == []
    assert read_row(shared_api.practice, draft["referral_id"])["routing_hints"] == []


def test_a_product_that_the_center_names_later_changes_the_hints(shared_api):
    made = shared_api.refer()
    shared_api.move_to(made["referral_id"], "received", "accepted", "consult_scheduled", "consult_completed")
    shared_api.deliver(made["referral_id"], "center_proceed", product_id="abecma")

    read = shared_api.practice.get(f"/v1/referrals/{made['referral_id']}").json
    kinds = ["center_does_not_offer_product", "product_not_labeled_for_disease"]
    assert (read["product"]["current"], list_kinds(read)) == ("abecma", kinds)
    assert read_row(shared_api.center, made["referral_id"])["routing_hints"] == kinds


def test_hints_end_when_treatment_begins(shared_api):
    made = shared_api.refer(clinical__icd10="C90.02")
    shared_api.move_to(made["referral_id"], *STAGES_TO_INFUSED)

    assert shared_api.center.get(f"/v1/referrals/{made['referral_id']}").json["routing_hints"] == []


def test_a_center_with_an_unknown_offer_gives_no_hint(shared_api):
    """The directory lists neither products nor ages."""
    center = Tenant(tenant_id="ctr_plain", kind=TenantKind.CENTER, name="Plain Center", time_zone="America/Denver")
    shared_api.stores.tenants.add(center, {name: fact for name, fact in CENTER_FACTS.items() if name != "products"})

    made = shared_api.refer(**CHILD | KYMRIAH_ALL, center_id=center.tenant_id)

    assert made["routing_hints"] == []


def test_an_adult_at_a_center_for_children_is_a_hint(shared_api):
    center = Tenant(tenant_id="ctr_young", kind=TenantKind.CENTER, name="Young Center", time_zone="America/Denver")
    shared_api.stores.tenants.add(center, CENTER_FACTS | {"age_group": "pediatric"})

    made = shared_api.refer(center_id=center.tenant_id)

    assert list_kinds(made) == ["center_treats_children_only"]


def test_a_closed_referral_has_no_hint(shared_api):
    made = shared_api.refer(product_id="abecma")
    path = f"/v1/referrals/{made['referral_id']}"
    shared_api.practice.post(
        f"{path}/events", {"type": "stage.changed", "occurred_at": made["updated_at"], "data": {"stage": "withdrawn"}}
    )

    closed = shared_api.practice.get(path).json
    assert (closed["stage"], closed["routing_hints"]) == ("withdrawn", [])


def test_no_hint_says_who_is_eligible(shared_api):
    made = shared_api.refer(**CHILD, product_id="abecma", clinical__icd10="C90.02")

    assert len(made["routing_hints"]) == 4
    assert not any("eligib" in hint["message"] or "_" in hint["message"] for hint in made["routing_hints"])
