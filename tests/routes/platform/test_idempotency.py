"""A repeated POST has one effect, and one response."""

from datetime import timedelta

import pytest
import time_machine

from chalicelib import wiring
from tests.support import factories
from tests.support.faults import inject_faults, plan_interruption
from tests.support.stores import list_rows

REFERRALS = "/v1/referrals"


@pytest.fixture
def draft_body():
    """The body of a draft."""
    return factories.build_referral_body(submit=False)


@pytest.fixture
def referral_id(shared_api):
    """The id of a referral that was just submitted."""
    return shared_api.refer()["referral_id"]


def event_of(stage, **data):
    return {"type": "stage.changed", "occurred_at": wiring.read_clock().isoformat(), "data": {"stage": stage, **data}}


def total(site):
    return site.get("/v1/referrals/counts").json["total"]


def stages(site, referral_id):
    items = site.get(f"{REFERRALS}/{referral_id}/events").json["items"]
    return [event["stage"] for event in reversed(items)]


def is_replay_of(first, again):
    """Whether `again` equals `first` word for word, except for the replay header."""
    result = ("content-type", "location", "etag")
    return (
        (first.status, first.text) == (again.status, again.text)
        and [first.headers.get(h) for h in result] == [again.headers.get(h) for h in result]
        and "idempotent-replayed" not in first.headers
        and again.headers.get("idempotent-replayed") == "true"
    )


@pytest.mark.parametrize("path", [REFERRALS, "/v1/referrals/ref_x/events", "/v1/notices/ntc_x/read", "/v1/members"])
@pytest.mark.parametrize("key", [None, "x" * 256, "\u00e9clair", "tab\there", "\x7f"])
def test_a_post_without_a_valid_key_is_refused(shared_api, path, key):
    """Every POST by a person needs an Idempotency-Key."""
    answer = shared_api.practice.post(path, {}, key=key)

    assert (answer.status, answer.json["code"]) == (400, "idempotency_key_missing")


@pytest.mark.parametrize("key", ["x", "x" * 255, "a b", '{"odd": 1}', "../..", "-"])
def test_any_printable_key_is_accepted(shared_api, draft_body, key):
    """The caller chooses the format of keys."""
    first = shared_api.practice.post(REFERRALS, draft_body, key=key)
    again = shared_api.practice.post(REFERRALS, draft_body, key=key)

    assert first.status == 201
    assert is_replay_of(first, again)


def test_a_repeat_gets_the_stored_response_and_has_no_effect(shared_api, draft_body):
    """Status, body, Location and ETag are those of the first time; there is one referral."""
    before = total(shared_api.practice)

    first = shared_api.practice.post(REFERRALS, draft_body, key="repeat")
    repeats = [shared_api.practice.post(REFERRALS, draft_body, key="repeat") for _ in range(3)]

    assert first.status == 201
    assert all(is_replay_of(first, again) for again in repeats)
    assert total(shared_api.practice) == before + 1


def test_a_repeated_event_is_recorded_once(shared_api, referral_id):
    """The timeline has it once."""
    event, path = event_of("received"), f"{REFERRALS}/{referral_id}/events"

    first = shared_api.center.post(path, event, key="k")
    again = shared_api.center.post(path, event, key="k")

    assert is_replay_of(first, again)
    assert stages(shared_api.practice, referral_id) == ["submitted", "received"]


def test_a_repeat_after_later_changes_still_gets_the_stored_response(shared_api, referral_id):
    """Whatever has happened since."""
    event, path = event_of("received"), f"{REFERRALS}/{referral_id}/events"
    first = shared_api.center.post(path, event, key="k")
    shared_api.move_to(referral_id, "accepted", "consult_scheduled", "consult_completed")

    again = shared_api.center.post(path, event, key="k")

    assert is_replay_of(first, again)
    assert first.json["stage"] == "received"
    assert shared_api.get_stage(referral_id) == "consult_completed"


def test_a_repeated_creation_returns_the_referral_as_created(shared_api):
    """A repeat returns the lost response, not the current state."""
    body = factories.build_referral_body()
    first = shared_api.practice.post(REFERRALS, body, key="moved")
    shared_api.move_to(first.json["referral_id"], "received", "declined")

    again = shared_api.practice.post(REFERRALS, body, key="moved")

    assert is_replay_of(first, again)
    assert again.json["stage"] == "submitted"


def test_a_key_with_another_body_is_refused(shared_api, draft_body):
    """A key names one request; a second one under it is a mistake that must be reported."""
    shared_api.practice.post(REFERRALS, draft_body, key="taken")
    before = total(shared_api.practice)

    answer = shared_api.practice.post(REFERRALS, draft_body | {"urgency": "urgent"}, key="taken")

    assert (answer.status, answer.json["code"]) == (422, "idempotency_key_reused")
    assert total(shared_api.practice) == before


def test_an_event_key_with_another_body_is_refused(shared_api, referral_id):
    """Also where the second request would not be legal by itself."""
    path = f"{REFERRALS}/{referral_id}/events"
    shared_api.center.post(path, event_of("received"), key="k")

    for other in (event_of("accepted"), event_of("infused")):
        answer = shared_api.center.post(path, other, key="k")

        assert (answer.status, answer.json["code"]) == (422, "idempotency_key_reused")
    assert stages(shared_api.practice, referral_id) == ["submitted", "received"]


def test_a_key_belongs_to_its_caller(shared_api, draft_body):
    """Another person's request under the is_replay_of key is another request, in one tenant or in two."""
    colleague = shared_api.get_client_for(shared_api.members["provider"])

    answers = [
        site.post(REFERRALS, draft_body, key="shared")
        for site in (shared_api.practice, colleague, shared_api.other_practice)
    ]

    assert [answer.status for answer in answers] == [201] * 3
    assert len({answer.json["referral_id"] for answer in answers}) == 3
    assert not [answer for answer in answers if "idempotent-replayed" in answer.headers]


def test_a_key_belongs_to_one_address(shared_api, referral_id):
    """The is_replay_of key on two referrals is two requests."""
    other = shared_api.refer()["referral_id"]
    event = event_of("received")

    answers = [
        shared_api.center.post(f"{REFERRALS}/{referral_id}/events", event, key="k")
        for referral_id in (referral_id, other)
    ]

    assert [answer.json["status"] for answer in answers] == ["applied", "applied"]
    assert answers[0].json["event_id"] != answers[1].json["event_id"]


def test_two_identical_requests_at_once_have_one_effect(shared_api, draft_body):
    """The faster one is written; the other, already under way, gets the is_replay_of response."""
    before, quicker = total(shared_api.practice), []

    def overtake():
        quicker.append(shared_api.practice.post(REFERRALS, draft_body, key="race"))

    with inject_faults(plan_interruption("TransactWriteItems", overtake)):
        slower = shared_api.practice.post(REFERRALS, draft_body, key="race")

    assert is_replay_of(quicker[0], slower)
    assert total(shared_api.practice) == before + 1


def test_two_identical_events_at_once_have_one_effect(shared_api, referral_id):
    """One event in the timeline, and the is_replay_of response for both callers."""
    event, path, quicker = event_of("received"), f"{REFERRALS}/{referral_id}/events", []

    def overtake():
        quicker.append(shared_api.center.post(path, event, key="race"))

    with inject_faults(plan_interruption("TransactWriteItems", overtake)):
        slower = shared_api.center.post(path, event, key="race")

    assert is_replay_of(quicker[0], slower)
    assert stages(shared_api.practice, referral_id) == ["submitted", "received"]


def test_two_different_events_at_once_are_decided_one_after_the_other(shared_api, referral_id):
    """A decision uses the state when it is written, not when it was read."""
    path, quicker = f"{REFERRALS}/{referral_id}/events", []
    withdrawn, accepted = event_of("withdrawn"), event_of("accepted")

    def overtake():
        quicker.append(shared_api.practice.post(path, withdrawn))

    with inject_faults(plan_interruption("TransactWriteItems", overtake)):
        slower = shared_api.center.post(path, accepted)

    assert quicker[0].json["status"] == "applied"
    assert (slower.status, slower.json["code"]) == (409, "referral_closed")
    assert shared_api.get_stage(referral_id) == "withdrawn"


def test_a_refusal_does_not_use_up_the_key(shared_api):
    """Nothing was done, so the corrected request can use the is_replay_of key."""
    incomplete = factories.build_referral_body(patient__zip=None)

    refused = shared_api.practice.post(REFERRALS, incomplete, key="again")
    corrected = shared_api.practice.post(REFERRALS, factories.build_referral_body(), key="again")

    assert (refused.status, corrected.status) == (409, 201)
    assert "idempotent-replayed" not in corrected.headers


def test_a_key_is_kept_for_29_days(shared_api, draft_body):
    """29 days later it is still the same request. Long after that its record is gone, but its referral is found."""
    first = shared_api.practice.post(REFERRALS, draft_body, key="old")

    with time_machine.travel(wiring.read_clock() + timedelta(days=29)):
        after_weeks = shared_api.practice.post(REFERRALS, draft_body, key="old")
    with time_machine.travel(wiring.read_clock() + timedelta(days=90)):
        after_months = shared_api.practice.post(REFERRALS, draft_body, key="old")

    assert is_replay_of(first, after_weeks)
    assert after_months.status == 201
    assert after_months.json["referral_id"] == first.json["referral_id"]


def test_the_stored_response_of_a_submission_is_small(shared_api):
    """One write unit instead of four. If this fails, the template no longer fits the response."""
    body = factories.build_referral_body(patient__family_name="Lonely")
    answer = shared_api.practice.post(REFERRALS, body, key="small")

    [row] = [row for row in list_rows("idempotency") if row.get("referral_id") == answer.json["referral_id"]]
    assert (
        sum(len(name) + len(str(value)) for name, value in row.items() if name != "answer") + len(row["answer"]) < 1024
    )
