"""Changing a referral: whole sections, in the version that was read."""

import pytest

from tests.support import factories
from tests.support.faults import inject_faults, plan_interruption


@pytest.fixture
def draft(shared_api):
    """A draft that could be submitted as it is."""
    return shared_api.refer(submit=False)


def path_of(referral):
    return f"/v1/referrals/{referral['referral_id']}"


def report(site, referral, stage, **data):
    event = {"type": "stage.changed", "occurred_at": referral["updated_at"], "data": {"stage": stage, **data}}
    return site.post(f"{path_of(referral)}/events", event)


@pytest.fixture
def info_requested_referral(shared_api):
    """A referral about which the center requests information."""
    referral = shared_api.refer()
    shared_api.move_to(referral["referral_id"], "received", "info_requested")
    return shared_api.practice.get(path_of(referral)).json


def test_a_change_needs_the_version_that_it_changes(shared_api, draft):
    """Without If-Match nothing is changed: two people may have the form open."""
    answer = shared_api.practice.patch(path_of(draft), {"urgency": "urgent"}, version=None)

    assert (answer.status, answer.json["code"]) == (428, "if_match_missing")
    assert shared_api.practice.get(path_of(draft)).json["urgency"] == "routine"


@pytest.mark.parametrize("tag", ['"2"', '"0"', '"-1"', "*", "1, 2", '"abc"', '"9999999999999"', '""'])
def test_a_tag_of_another_version_is_stale(shared_api, draft, tag):
    """A tag that is not this version's, or that we never gave, changes nothing."""
    answer = shared_api.practice.send("PATCH", path_of(draft), {"urgency": "urgent"}, headers={"If-Match": tag})

    assert (answer.status, answer.json["code"]) == (412, "stale")
    assert shared_api.practice.get(path_of(draft)).json["version"] == 1


def test_a_change_makes_a_new_version(shared_api, draft):
    """The response is the changed referral with its new tag, as the next reader sees it."""
    answer = shared_api.practice.patch(path_of(draft), {"urgency": "urgent", "note": "Call."}, version=1)

    read = shared_api.practice.get(path_of(draft))
    assert answer.status == 200
    assert (answer.json["urgency"], answer.json["note"]) == ("urgent", "Call.")
    assert answer.headers["etag"] == read.headers["etag"] == '"2"'
    assert answer.json == read.json


def test_of_two_changes_of_one_version_one_wins(shared_api, draft):
    """The second writer is refused, also if the first wrote between its read and its write."""

    def quicker():
        shared_api.practice.patch(path_of(draft), {"note": "quicker"}, version=1)

    with inject_faults(plan_interruption("TransactWriteItems", quicker)):
        slower = shared_api.practice.patch(path_of(draft), {"note": "slower"}, version=1)

    read = shared_api.practice.get(path_of(draft)).json
    assert (slower.status, slower.json["code"]) == (412, "stale")
    assert (read["note"], read["version"]) == ("quicker", 2)


def test_a_section_that_is_not_sent_stays(shared_api, draft):
    """A change replaces whole sections by name, and nothing else."""
    clinical = {"disease": "MM", "prior_lines": []}

    changed = shared_api.practice.patch(path_of(draft), {"clinical": clinical}, version=1).json

    assert changed["clinical"]["disease"] == "MM"
    assert changed["clinical"]["prior_lines"] == []
    assert changed["clinical"].get("ecog") is None
    untouched = ("patient", "insurance", "referring_provider", "consent_to_share", "center")
    assert {n: changed[n] for n in untouched} == {n: draft[n] for n in untouched}


def test_a_section_that_is_sent_empty_is_emptied(shared_api, draft):
    """Optional sections of a draft can be removed."""
    nothing = {"insurance": None, "consent_to_share": None, "note": None, "center_id": None}

    changed = shared_api.practice.patch(path_of(draft), nothing, version=1).json

    assert changed["insurance"] is changed["consent_to_share"] is changed["center"] is None
    assert changed["packet"]["complete"] is False


@pytest.mark.parametrize("section", ["patient", "clinical", "referring_provider", "urgency"])
def test_a_required_section_cannot_be_emptied(shared_api, draft, section):
    """It is refused."""
    answer = shared_api.practice.patch(path_of(draft), {section: None}, version=1)

    assert (answer.status, answer.json["code"]) == (400, "section_needed")


def test_an_alias_can_be_changed_and_is_not_lost(shared_api, draft):
    """A patient section with a new alias renames; one without leaves the old one."""
    patient = {"family_name": "Example", "birth_date": "1961-04-02"}

    renamed = shared_api.practice.patch(path_of(draft), {"patient": patient | {"alias": "Calm Owl"}}, version=1).json
    kept = shared_api.practice.patch(path_of(draft), {"patient": patient}, version=2).json

    assert renamed["alias"] == renamed["patient"]["alias"] == "Calm Owl"
    assert kept["alias"] == kept["patient"]["alias"] == "Calm Owl"


def test_an_unknown_product_or_center_is_refused_in_a_change(shared_api, draft):
    """As in a new referral."""
    unknown = {"product_id": "notacell", "center_id": "ctr_nowhere"}

    answer = shared_api.practice.patch(path_of(draft), unknown, version=1)

    assert (answer.status, answer.json["code"]) == (400, "unknown_reference")
    assert [error["pointer"] for error in answer.json["errors"]] == ["/product_id", "/center_id"]


@pytest.mark.parametrize("stage", ["submitted", "received", "accepted"])
def test_a_submitted_packet_can_be_changed(shared_api, stage):
    """At every open stage, because phones and insurance change during months of treatment."""
    referral = shared_api.refer()
    if stage != "submitted":
        shared_api.move_to(referral["referral_id"], stage)
    version = shared_api.practice.get(path_of(referral)).json["version"]

    answer = shared_api.practice.patch(path_of(referral), {"urgency": "urgent"}, version=version)

    assert (answer.status, answer.json["urgency"], answer.json["stage"]) == (200, "urgent", stage)


def test_an_information_request_allows_changes_again(shared_api, info_requested_referral):
    """The practice adds the information, and submits again."""
    asked = shared_api.practice.patch(
        path_of(info_requested_referral), {"note": "Biopsy attached."}, version=info_requested_referral["version"]
    )
    again = report(shared_api.practice, asked.json, "submitted")

    assert asked.status == 200
    assert again.json["status"] == "applied"
    assert shared_api.center.get(path_of(info_requested_referral)).json["note"] == "Biopsy attached."


def test_a_submitted_referral_stays_with_its_center(shared_api, info_requested_referral):
    """It cannot be moved to another center."""
    answer = shared_api.practice.patch(
        path_of(info_requested_referral), {"center_id": "ctr_mesa"}, version=info_requested_referral["version"]
    )

    assert (answer.status, answer.json["code"]) == (409, "center_fixed")


def test_a_center_cannot_change_the_packet(shared_api, info_requested_referral):
    """It reads the packet."""
    answer = shared_api.center.patch(
        path_of(info_requested_referral), {"urgency": "urgent"}, version=info_requested_referral["version"]
    )

    assert (answer.status, answer.json["code"]) == (403, "practice_only")


def test_a_draft_is_submitted_by_an_event(shared_api, draft):
    """The event moves a complete draft to the center, which sees it from then on."""
    before = shared_api.center.get(path_of(draft)).status

    answer = report(shared_api.practice, draft, "submitted")

    assert (answer.status, answer.json["status"], answer.json["stage"]) == (200, "applied", "submitted")
    assert (before, shared_api.center.get(path_of(draft)).status) == (404, 200)


def test_an_incomplete_draft_is_not_submitted_by_an_event_either(shared_api):
    """The packet rules apply on both routes, and name what is missing."""
    draft = shared_api.refer(submit=False, center_id=None, patient__zip=None)

    answer = report(shared_api.practice, draft, "submitted")

    assert (answer.status, answer.json["code"]) == (409, "packet_incomplete")
    assert {e["pointer"] for e in answer.json["errors"]} == {"/center_id", "/patient/zip"}
    assert shared_api.get_stage(draft["referral_id"]) == "draft"


def test_a_packet_that_was_emptied_is_not_submitted_again(shared_api, info_requested_referral):
    """A packet has to be complete at every submission."""
    emptied = shared_api.practice.patch(
        path_of(info_requested_referral), {"consent_to_share": None}, version=info_requested_referral["version"]
    ).json

    answer = report(shared_api.practice, emptied, "submitted")

    assert (answer.status, answer.json["code"]) == (409, "packet_incomplete")


def test_a_draft_can_change_its_center_until_submission(shared_api, draft):
    """The final center sees it; the other one never does."""
    changed = shared_api.practice.patch(path_of(draft), {"center_id": "ctr_mesa"}, version=1).json

    report(shared_api.practice, changed, "submitted")

    assert shared_api.other_center.get(path_of(draft)).status == 200
    assert shared_api.center.get(path_of(draft)).status == 404


def test_a_change_takes_the_same_fields_as_a_new_referral(shared_api, draft):
    """Everything except `submit`, which is an event."""
    body = factories.build_referral_body()
    del body["submit"]

    assert shared_api.practice.patch(path_of(draft), body, version=1).status == 200
    assert shared_api.practice.patch(path_of(draft), {"submit": True}, version=2).status == 400
