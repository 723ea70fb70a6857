"""J11: the same patient twice is a hint to the sender and to the center, and never a refusal."""

import pytest

from tests.support.factories import build_referral_body

PATIENT = {"patient__family_name": "Hint", "patient__given_name": "Ida", "patient__birth_date": "1955-05-05"}


@pytest.fixture(scope="module")
def first_id(shared_api):
    """The id of the patient's first referral."""
    return shared_api.refer(**PATIENT)["referral_id"]


def list_duplicates(client, referral_id):
    items = client.get(f"/v1/referrals/{referral_id}/possible-duplicates").json["items"]
    return [item["referral_id"] for item in items]


def test_a_second_referral_of_the_same_patient_is_accepted_with_a_hint(shared_api, first_id):
    """From the same practice: the response names the first referral."""
    second = shared_api.refer(**PATIENT)

    assert [item["referral_id"] for item in second["possible_duplicates"]] == [first_id]
    assert list_duplicates(shared_api.practice, first_id) == [second["referral_id"]]
    shared_api.practice.post(
        f"/v1/referrals/{second['referral_id']}/events",
        {"type": "stage.changed", "occurred_at": second["updated_at"], "data": {"stage": "withdrawn"}},
    )


def test_a_center_sees_the_pair_of_two_practices(shared_api, first_id):
    """Neither practice learns of the other one."""
    body = build_referral_body(**PATIENT)
    other = shared_api.other_practice.post("/v1/referrals", body)

    assert other.status == 201, other.text
    assert "possible_duplicates" not in other.json
    assert list_duplicates(shared_api.center, first_id) == [other.json["referral_id"]]
    assert list_duplicates(shared_api.practice, first_id) == []


def test_a_twin_is_not_a_duplicate(shared_api, first_id):
    """Another given name, and the same family name and date of birth."""
    twin = shared_api.refer(**PATIENT | {"patient__given_name": "Ada"})

    assert "possible_duplicates" not in twin
    assert twin["referral_id"] not in list_duplicates(shared_api.practice, first_id)
