"""The answer “none, because”: staff must not make up a phone or a payer to submit a referral."""

import pytest

from chalicelib.domain.referrals.packet import NONE_ALLOWED, REQUIRED_ITEMS
from tests.support.factories import build_referral_body


def test_every_required_item_but_the_patient_the_disease_the_consent_and_the_center_can_be_none():
    """Without these there is no referral."""
    assert {item.pointer for item in REQUIRED_ITEMS} - set(NONE_ALLOWED) == {
        "/patient/family_name",
        "/patient/birth_date",
        "/clinical/disease",
        "/referring_provider/name",
        "/consent_to_share/given",
        "/center_id",
    }


@pytest.mark.parametrize("pointer", NONE_ALLOWED)
def test_an_item_with_a_reason_completes_the_packet(shared_api, pointer):
    """Both sides read the reason next to the item."""
    section, name = pointer.removeprefix("/").split("/")
    empty: list[str] | None = [] if name == "prior_lines" else None
    answers = [{"item": pointer, "reason": "Not known yet."}]

    referral = shared_api.refer(**{f"{section}__{name}": empty}, none_because=answers)

    [answer] = shared_api.center.get(f"/v1/referrals/{referral['referral_id']}").json["packet"]["none_because"]
    assert (referral["stage"], referral["packet"]["missing"]) == ("submitted", [])
    assert (answer["pointer"], answer["reason"]) == (pointer, "Not known yet.")


@pytest.mark.parametrize("plan", ["uninsured", "self_pay"])
def test_a_patient_without_insurance_needs_no_payer(shared_api, plan):
    """And raises that financial help is needed, for both sides."""
    referral = shared_api.refer(insurance={"plan_type": plan})

    assert referral["stage"] == "submitted"
    for site in (shared_api.practice, shared_api.center):
        assert site.get(f"/v1/referrals/{referral['referral_id']}").json["financial_help_needed"] is True


def test_a_patient_with_insurance_raises_no_flag(shared_api):
    """The usual case."""
    assert shared_api.refer()["financial_help_needed"] is False


@pytest.mark.parametrize(
    ("answer", "pointer"),
    [
        ({"item": "/center_id", "reason": "Later."}, "/none_because/0/item"),
        ({"item": "/patient/phone", "reason": " "}, "/none_because/0/reason"),
        ({"item": "/patient/phone"}, "/none_because/0/reason"),
    ],
)
def test_an_answer_needs_an_item_that_can_be_none_and_a_reason(shared_api, answer, pointer):
    """The error names the field."""
    refused = shared_api.practice.post("/v1/referrals", build_referral_body(none_because=[answer]))

    assert (refused.status, refused.json["errors"][0]["pointer"]) == (400, pointer)
