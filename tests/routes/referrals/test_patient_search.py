"""A patient is found by what staff have at hand, without a readable copy of it in any index."""

from urllib.parse import quote

import pytest

PATIENT = {"family_name": "De La Cruz", "mrn": "ZQ-77889", "birth_date": "1949-12-30", "phone": "+15055550187"}


@pytest.fixture(scope="module")
def referral_id(shared_api):
    """The id of the patient's referral, among others."""
    shared_api.refer()
    return shared_api.refer(**{f"patient__{name}": value for name, value in PATIENT.items()})["referral_id"]


@pytest.mark.parametrize("side", ["practice", "center"])
@pytest.mark.parametrize("typed", ["ZQ-77889", "zq77889", "1949-12-30", "12/30/1949", "(505) 555-0187", "dela cruz"])
def test_a_patient_is_found_by_record_number_date_of_birth_phone_and_spelling(shared_api, referral_id, side, typed):
    """W9: for both sides, in every usual form."""
    client = shared_api.get_client_for(shared_api.members[side])

    found = client.get(f"/v1/referrals?q={quote(typed)}").json["items"]

    assert [row["referral_id"] for row in found] == [referral_id]
