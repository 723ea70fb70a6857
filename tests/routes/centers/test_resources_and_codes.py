"""National resources and diagnosis codes, as every signed-in person can look them up."""

from dataclasses import replace
from datetime import timedelta

import pytest

from chalicelib import wiring, zip_codes
from chalicelib.catalog import diagnoses, resources
from tests.support import factories

DAYS = [timedelta(days=-2), timedelta(days=2)]
"""Days of a review, seen from now: one has passed, whatever the time zone, and the other has not."""


def test_resources_come_with_labels_for_their_filters(shared_api):
    """So that a page needs no list of its own."""
    result = shared_api.center.get("/v1/resources").json

    assert len(result["items"]) >= 15
    assert result["topics"]["peer_support"] == "Peer support"
    assert result["languages"] == {"en": "English", "es": "Spanish"}
    assert result["reviewed_on"] == "2026-11-22"


def test_resources_are_filtered_by_topic_language_and_words(shared_api):
    """All three at once."""
    found = shared_api.practice.get("/v1/resources?topic=lodging&language=es&q=rides").json["items"]

    assert [row["resource_id"] for row in found] == ["acs_helpline"]


def test_nothing_found_is_an_empty_list(shared_api):
    """Not an error."""
    assert shared_api.practice.get("/v1/resources?q=zzz").json["items"] == []


def test_codes_of_a_disease_are_offered_with_their_release(shared_api):
    """All of them billable."""
    result = shared_api.practice.get("/v1/diagnosis-codes?disease=MM").json

    assert [item["code"] for item in result["items"]] == ["C90.00", "C90.01", "C90.02"]
    assert result["items"][2]["description"] == "Multiple myeloma in relapse"
    assert result["release"]["effective_on"] == "2026-04-01"


def test_a_code_of_two_diseases_is_listed_once(shared_api):
    """In the list of all codes, with both."""
    items = shared_api.practice.get("/v1/diagnosis-codes").json["items"]
    codes = [item["code"] for item in items]

    assert len(codes) == len(set(codes))
    assert {"CLL_SLL", "MZL"} == set(next(i for i in items if i["code"] == "C83.00")["diseases"])


def refused(world, icd10):
    body = factories.build_referral_body(clinical__icd10=icd10)
    answer = world.practice.post("/v1/referrals", body)
    (fault,) = answer.json["errors"]
    return answer.status, fault


def test_a_code_that_is_not_billable_is_refused_with_those_that_are(shared_api):
    """C83.39 was billable until October 2024, and is still in many charts."""
    status, fault = refused(shared_api, "C83.39")

    assert status == 400
    assert fault == {
        "pointer": "/clinical/icd10",
        "code": "icd10_not_billable",
        "message": (
            "This code is not billable in ICD-10-CM 2026, update of April 1, 2026. "
            "Use a more specific code: C83.390, C83.398."
        ),
    }


def test_a_code_with_many_finer_ones_names_some_and_counts_the_rest(shared_api):
    """A person has to read the refusal."""
    _, fault = refused(shared_api, "C83")

    assert fault["message"].endswith("C83.0A, C83.10 and 66 more.")


@pytest.mark.parametrize("code", ["C83.Q7", "Z94.84", "C50.911"])
def test_a_code_outside_the_blood_cancers_is_refused_with_the_name_of_the_release(shared_api, code):
    """And is not repeated."""
    status, fault = refused(shared_api, code)

    assert status == 400
    assert fault["code"] == "icd10_unknown"
    assert code not in fault["message"]
    assert "April 1, 2026" in fault["message"]


@pytest.fixture
def set_release_end(monkeypatch):
    """Let the release end on a day, seen from now."""

    def set_end(days):
        next_on = (wiring.read_clock().date() + timedelta(days=days)).isoformat()
        codes = diagnoses.load_code_set()
        ending = replace(codes, release={**codes.release, "next_on": next_on})
        monkeypatch.setattr(diagnoses, "load_code_set", lambda: ending)

    return set_end


NEWER_CODE = "C83.39A"


def test_an_unknown_code_is_refused_while_the_release_is_in_effect(shared_api, set_release_end):
    set_release_end(days=2)

    status, fault = refused(shared_api, NEWER_CODE)

    assert (status, fault["code"]) == (400, "icd10_unknown")
    assert shared_api.practice.get("/v1/diagnosis-codes").json["may_be_out_of_date"] is False


def test_an_unknown_code_gives_a_hint_once_the_release_has_ended(shared_api, set_release_end):
    """A newer release can have it. The patient is not turned away because a list is old."""
    set_release_end(days=-2)

    made = shared_api.refer(clinical__icd10=NEWER_CODE)

    assert made["stage"] == "submitted"
    (hint,) = made["routing_hints"]
    assert (hint["kind"], hint["pointer"]) == ("code_not_in_known_release", "/clinical/icd10")
    assert diagnoses.load_code_set().release["name"] in hint["message"]
    assert shared_api.practice.get("/v1/diagnosis-codes").json["may_be_out_of_date"] is True


def test_a_code_outside_the_blood_cancers_is_refused_also_when_the_release_has_ended(shared_api, set_release_end):
    set_release_end(days=-2)

    assert refused(shared_api, "C50.911")[0] == 400


def test_a_resource_may_be_out_of_date_after_its_review(shared_api, monkeypatch):
    today = wiring.read_clock().date()
    due, current = ({**resources.list_resources()[0], "review_by": (today + d).isoformat()} for d in DAYS)
    monkeypatch.setattr(resources, "list_resources", lambda **_: [due, current])

    items = shared_api.practice.get("/v1/resources").json["items"]

    assert [item["may_be_out_of_date"] for item in items] == [True, False]


def test_a_search_by_distance_says_whether_its_locations_may_be_out_of_date(shared_api, monkeypatch):
    found = []
    for days in DAYS:
        monkeypatch.setattr(zip_codes, "REVIEW_BY", (wiring.read_clock().date() + days).isoformat())
        found.append(shared_api.practice.get("/v1/centers?near=77030").json["locations_may_be_out_of_date"])

    assert found == [True, False]
