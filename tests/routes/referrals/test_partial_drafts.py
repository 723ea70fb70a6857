"""A draft can be saved from the first field. A submission and a correction need the rest."""

import pytest

from tests.routes.referrals.test_amend import path_of

CORE = ["/patient/family_name", "/patient/birth_date", "/clinical/disease", "/referring_provider/name"]


@pytest.fixture
def empty(shared_api):
    """A draft without any field."""
    return shared_api.practice.post("/v1/referrals", {}).json


def test_a_draft_can_be_saved_without_any_field(empty):
    """It has an alias and an empty packet."""
    assert empty["stage"] == "draft"
    assert empty["alias"]
    assert set(CORE) <= {item["pointer"] for item in empty["packet"]["missing"]}


def test_a_draft_can_be_saved_with_one_field_and_read_again(shared_api):
    """From the first field of any step."""
    saved = shared_api.practice.post("/v1/referrals", {"insurance": {"payer": "Example Health"}}).json

    read = shared_api.practice.get(path_of(saved)).json

    assert read["insurance"]["payer"] == "Example Health"
    assert read["patient"]["family_name"] is None


def test_a_draft_without_a_name_is_in_the_list(shared_api, empty):
    """With its alias."""
    listed = shared_api.practice.get("/v1/referrals?stage=draft&limit=100").json["items"]

    assert empty["referral_id"] in {item["referral_id"] for item in listed}


def test_an_empty_draft_can_be_filled_in(shared_api, empty):
    """Section by section."""
    changes = {"patient": {"family_name": "Example"}, "clinical": {}, "referring_provider": {"name": "R. Provider"}}

    changed = shared_api.practice.patch(path_of(empty), changes, version=1).json

    assert changed["patient"]["family_name"] == "Example"
    assert "/clinical/disease" in {item["pointer"] for item in changed["packet"]["missing"]}


def test_a_value_of_a_draft_is_still_checked(shared_api, empty):
    """The errors name the fields."""
    changes = {"patient": {"birth_date": "2031-01-01", "zip": "1234", "phone": "12"}}

    answer = shared_api.practice.patch(path_of(empty), changes, version=1)

    assert answer.status == 400
    assert {error["pointer"] for error in answer.json["errors"]} == {
        "/patient/birth_date",
        "/patient/zip",
        "/patient/phone",
    }


def test_an_empty_draft_cannot_be_submitted(shared_api):
    """The answer names every missing item at once."""
    answer = shared_api.practice.post("/v1/referrals", {"submit": True})

    assert (answer.status, answer.json["code"]) == (409, "packet_incomplete")
    assert set(CORE) <= {error["pointer"] for error in answer.json["errors"]}


@pytest.mark.parametrize("pointer", CORE)
def test_a_correction_cannot_remove_what_a_submitted_referral_needs(shared_api, pointer):
    """The name, date of birth, disease and provider can be changed, but not removed."""
    referral = shared_api.refer()
    section, name = pointer.strip("/").split("/")
    values = {key: value for key, value in referral[section].items() if key != name}

    answer = shared_api.practice.patch(path_of(referral), {section: values}, version=referral["version"])

    assert answer.status == 400
    assert [error["pointer"] for error in answer.json["errors"]] == [pointer]
