"""Creating a referral: as a draft, or submitted at once."""

from typing import Any

import pytest

from chalicelib.domain.eligibility.disclaimers import DISCLAIMERS, EMERGENCY_NOTE
from tests.support import factories

LEAST: dict[str, Any] = {
    "patient": {"family_name": "Example", "birth_date": "1961-04-02"},
    "clinical": {"disease": "LBCL"},
    "referring_provider": {"name": "R. Provider"},
}
"""The fields that a draft cannot do without."""

NEEDED = {
    "/patient/given_name",
    "/patient/sex",
    "/patient/zip",
    "/patient/phone",
    "/clinical/histology",
    "/clinical/ecog",
    "/clinical/prior_lines",
    "/referring_provider/npi",
    "/referring_provider/phone",
    "/insurance/payer",
    "/insurance/member_id",
    "/consent_to_share/given",
    "/center_id",
}
"""What else a center needs on day 1, from the design and not from the code."""


def pointers(answer):
    return {error["pointer"] for error in answer.json["errors"]}


def total(site):
    return site.get("/v1/referrals/counts").json["total"]


def test_a_draft_needs_four_fields(shared_api):
    """A name, a birth date, a disease and the referring provider."""
    answer = shared_api.practice.post("/v1/referrals", LEAST)

    result = answer.json
    assert answer.status == 201
    assert (result["stage"], result["phase"], result["version"]) == ("draft", "eligibility", 1)
    assert result["clock"]["owner"] == "practice"
    assert result["submitted_at"] is None
    assert result["center"] is None


@pytest.mark.parametrize(
    ("section", "field"),
    [("patient", "family_name"), ("patient", "birth_date"), ("clinical", "disease"), ("referring_provider", "name")],
)
def test_a_draft_without_one_of_them_is_saved_but_not_submitted(shared_api, section, field):
    """A draft can be partial. Its submission names the missing field by its pointer."""
    without = {**LEAST, section: {k: v for k, v in LEAST[section].items() if k != field}}

    saved = shared_api.practice.post("/v1/referrals", without)
    submitted = shared_api.practice.post("/v1/referrals", {**without, "submit": True})

    assert (saved.status, submitted.status) == (201, 409)
    assert f"/{section}/{field}" in pointers(submitted)


def test_a_new_referral_is_at_its_location(shared_api):
    """`Location` and `ETag` belong to the referral in the body."""
    made = shared_api.practice.post("/v1/referrals", LEAST)
    read = shared_api.practice.get(made.headers["location"])

    assert made.headers["location"] == f"/v1/referrals/{made.json['referral_id']}"
    assert made.headers["etag"] == read.headers["etag"] == '"1"'
    assert read.json == {name: value for name, value in made.json.items() if name != "possible_duplicates"}


def test_ids_cannot_be_guessed(shared_api):
    """128 random bits, and all different."""
    ids = {shared_api.refer(submit=False)["referral_id"] for _ in range(5)}

    assert len(ids) == 5
    assert all(len(i) == len("ref_") + 26 for i in ids)


def test_what_was_sent_is_returned(shared_api):
    """Every section comes back as it was sent, with omitted fields as null."""
    body = factories.build_referral_body(note="Please call first.", patient__alias="Plain Petrel")

    result = shared_api.practice.post("/v1/referrals", body).json

    patient, clinical = result["patient"], result["clinical"]
    caregiver = body["patient"]["caregiver"] | {"relation": None}
    assert patient == body["patient"] | {"caregiver": caregiver, "interpreter_needed": None}
    unasked = dict.fromkeys(
        ("hepatitis_or_hiv", "prior_car_t", "seizure_disorder", "pregnancy", "caregiver_available", "can_stay_nearby")
    )
    unscreened = dict.fromkeys(
        ("no_transplant_because", "lenalidomide_refractory", "transplant", "labs", "last_doses",
         "last_imaging_on", "screened")
    )  # fmt: skip
    assert clinical == body["clinical"] | unscreened | {"flags": body["clinical"]["flags"] | unasked}
    unsaid = {"basis": None, "scope": None, "expires_on": None}
    assert result["consent_to_share"] == unsaid | body["consent_to_share"]
    assert result["insurance"] == body["insurance"] | {"funding": None, "subscriber": None}
    for name in ("referring_provider", "note", "urgency"):
        assert result[name] == body[name]


def test_after_submission_the_center_acts_next(shared_api):
    """`"submit": true` submits at once: the center sees it, and acts next."""
    sent = shared_api.refer()

    seen = shared_api.center.get(f"/v1/referrals/{sent['referral_id']}").json
    assert (seen["stage"], seen["phase"]) == ("submitted", "referral")
    assert seen["clock"]["owner"] == "center"
    assert seen["submitted_at"] == seen["clock"]["since"] == seen["stage_since"]
    assert seen["center"] == {
        "center_id": "ctr_harbor",
        "name": "Harbor Cell Therapy",
        "time_zone": "America/New_York",
        "intake_phone": "+14105550100",
        "after_hours_phone": "+14105550199",
    }
    assert seen["practice"] == {"tenant_id": "prc_cedar", "name": "Cedar Oncology"}


def test_both_sides_read_the_same_data(shared_api):
    """The actions and own facts differ by side, and so do unread changes and the calendar."""
    path = f"/v1/referrals/{shared_api.refer()['referral_id']}"

    practice, center = shared_api.practice.get(path).json, shared_api.center.get(path).json

    assert practice.pop("actions") != center.pop("actions")
    assert practice.pop("can_change") != center.pop("can_change")
    assert (practice.pop("changed_since_seen"), center.pop("changed_since_seen")) == (False, True)
    for result in (practice, center):
        for day in ("expected_by", "amber_on", "red_on"):
            result["clock"].pop(day)  # by each reader's own calendar
    assert practice.pop("may_report") != center.pop("may_report")
    assert practice == center


def test_the_statements_come_with_every_referral(shared_api):
    """Every reader sees who decides, and whom to call in an emergency."""
    path = f"/v1/referrals/{shared_api.refer()['referral_id']}"

    for site in (shared_api.practice, shared_api.center):
        result = site.get(path).json
        assert result["disclaimers"] == list(DISCLAIMERS)
        assert result["emergency_note"] == EMERGENCY_NOTE


def test_all_missing_items_of_a_packet_are_named_at_once(shared_api):
    """Each with its pointer and a word for a person."""
    before = total(shared_api.practice)

    answer = shared_api.practice.post("/v1/referrals", LEAST | {"submit": True})

    assert (answer.status, answer.json["code"]) == (409, "packet_incomplete")
    assert pointers(answer) == NEEDED
    assert {error["code"] for error in answer.json["errors"]} == {"missing"}
    assert all(error["message"].startswith(("Add: ", "Record ")) for error in answer.json["errors"])
    assert total(shared_api.practice) == before


@pytest.mark.parametrize("pointer", sorted(NEEDED - {"/insurance/payer"}))
def test_a_single_missing_item_of_a_packet_is_named(shared_api, pointer):
    """Each item alone holds a submission back; refused consent counts as missing."""
    name = pointer.removeprefix("/").replace("/", "__")
    empty = {"/clinical/prior_lines": [], "/consent_to_share/given": False}

    answer = shared_api.practice.post("/v1/referrals", factories.build_referral_body(**{name: empty.get(pointer)}))

    assert (answer.status, pointers(answer)) == (409, {pointer})


def test_a_missing_section_lacks_each_of_its_items(shared_api):
    """No insurance at all is two missing items, not one."""
    answer = shared_api.practice.post("/v1/referrals", factories.build_referral_body(insurance=None))

    assert (answer.status, pointers(answer)) == (409, {"/insurance/payer", "/insurance/member_id"})


def test_no_and_zero_are_answers(shared_api):
    """ECOG 0 and "not eligible for transplant" are entered, not missing."""
    body = factories.build_referral_body(clinical__ecog=0, clinical__hsct_eligible=False)

    answer = shared_api.practice.post("/v1/referrals", body)

    assert answer.status == 201
    assert answer.json["packet"] == {"complete": True, "present": 17, "needed": 17, "missing": [], "none_because": []}


def test_a_draft_shows_how_complete_it_is(shared_api):
    """The packet counts what is entered and names what is missing, before anyone tries to submit."""
    packet = shared_api.practice.post("/v1/referrals", LEAST).json["packet"]

    assert {item["pointer"] for item in packet["missing"]} == NEEDED
    assert packet["complete"] is False
    assert (packet["present"], packet["needed"]) == (4, 17)


def test_a_product_and_a_center_have_to_be_known(shared_api):
    """What is not in the catalog or the directory is refused by its pointer, both at once."""
    body = factories.build_referral_body(product_id="notacell", center_id="ctr_nowhere")

    answer = shared_api.practice.post("/v1/referrals", body)

    assert (answer.status, answer.json["code"]) == (400, "unknown_reference")
    assert pointers(answer) == {"/product_id", "/center_id"}


def test_a_practice_is_not_a_center(shared_api):
    """A tenant of the other kind is not in the directory."""
    answer = shared_api.practice.post(
        "/v1/referrals", factories.build_referral_body(center_id="prc_maple", submit=False)
    )

    assert pointers(answer) == {"/center_id"}


def test_a_given_alias_is_kept(shared_api):
    """With the patient and on the referral."""
    result = shared_api.refer(patient__alias=" Umber Heron ")

    assert result["alias"] == result["patient"]["alias"] == "Umber Heron"


@pytest.mark.parametrize("given", [None, "", "   ", ...])
def test_an_alias_is_proposed_where_none_is_given(shared_api, given):
    """Two words that reveal nothing about the patient, the same on every read."""
    result = shared_api.refer(patient__alias=given)

    again = shared_api.practice.get(f"/v1/referrals/{result['referral_id']}").json
    words = result["alias"].split()
    assert len(words) == 2
    assert all(word.istitle() for word in words)
    assert result["alias"] == result["patient"]["alias"] == again["alias"]
    assert not set(words) & {"Ana", "Example"}
