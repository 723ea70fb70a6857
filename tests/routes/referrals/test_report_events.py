"""Events that people report: accepted, decided and returned."""

from datetime import timedelta

import pytest

from chalicelib import wiring
from tests.support.api_driver import STAGES_TO_INFUSED


def report(site, referral_id, stage, *, ago=timedelta(), **data):
    """Report a stage of now, or of some time ago."""
    event = {
        "type": "stage.changed",
        "occurred_at": (wiring.read_clock() - ago).isoformat(),
        "data": {"stage": stage, **data},
    }
    return site.post(f"/v1/referrals/{referral_id}/events", event)


def timeline(site, referral_id):
    return site.get(f"/v1/referrals/{referral_id}/events?limit=100").json["items"]


@pytest.fixture
def referral_id(shared_api):
    """The id of a referral that was just submitted."""
    return shared_api.refer()["referral_id"]


def test_a_legal_event_is_applied(shared_api, referral_id):
    """The response says so, and the referral has the new stage."""
    answer = report(shared_api.center, referral_id, "accepted")

    result = answer.json
    assert answer.status == 200
    assert set(result) == {"status", "referral_id", "event_id", "stage"}
    assert (result["status"], result["referral_id"], result["stage"]) == ("applied", referral_id, "accepted")
    assert shared_api.get_stage(referral_id) == "accepted"


def test_the_timeline_shows_who_reported_what(shared_api, referral_id):
    """Newest first, with the person, the side, when it was true and when we learned it."""
    event_id = report(shared_api.center, referral_id, "received").json["event_id"]

    newest, oldest = timeline(shared_api.practice, referral_id)
    assert newest["event_id"] == event_id
    assert (newest["stage"], newest["stage_label"]) == ("received", "Received by the center")
    assert (newest["source"], newest["actor_name"]) == ("center", shared_api.members["center"].name)
    assert newest["status"] == "applied"
    assert newest["occurred_at"] <= newest["recorded_at"]
    assert (oldest["stage"], oldest["source"]) == ("submitted", "practice")
    assert timeline(shared_api.center, referral_id) == timeline(shared_api.practice, referral_id)


@pytest.mark.parametrize("stage", ["received", "accepted", "declined", "infused"])
def test_a_practice_cannot_report_a_centers_stage(shared_api, referral_id, stage):
    """Acceptance, and all that follows, is the center's to report."""
    answer = report(shared_api.practice, referral_id, stage)

    assert (answer.status, answer.json["code"]) == (409, "not_your_move")
    assert shared_api.get_stage(referral_id) == "submitted"


def test_a_center_cannot_report_a_practices_stage(shared_api, referral_id):
    """Withdrawing is the practice's decision."""
    answer = report(shared_api.center, referral_id, "withdrawn")

    assert (answer.status, answer.json["code"]) == (409, "not_your_move")


@pytest.mark.parametrize("stage", ["consult_scheduled", "apheresis_completed", "infused"])
def test_a_required_stage_cannot_be_skipped(shared_api, referral_id, stage):
    """A person learns at once what a delivery would be parked for."""
    answer = report(shared_api.center, referral_id, stage)

    assert (answer.status, answer.json["code"]) == (409, "not_legal_yet")
    assert shared_api.get_stage(referral_id) == "submitted"


def test_an_unreachable_stage_is_refused(shared_api, referral_id):
    """A referral never becomes a draft again after submission."""
    answer = report(shared_api.practice, referral_id, "draft")

    assert answer.status == 409
    assert shared_api.get_stage(referral_id) == "submitted"


def test_nothing_moves_a_closed_referral(shared_api, referral_id):
    """An ending is final, for either side, except a death; tests/routes/referrals/test_endings.py has it."""
    report(shared_api.practice, referral_id, "withdrawn")

    refused = [
        report(shared_api.center, referral_id, "accepted"),
        report(shared_api.center, referral_id, "infused"),
        report(shared_api.center, referral_id, "declined"),
    ]

    assert {(answer.status, answer.json["code"]) for answer in refused} == {(409, "referral_closed")}
    assert shared_api.get_stage(referral_id) == "withdrawn"


def test_an_event_of_the_future_is_refused(shared_api, referral_id):
    """Ten minutes allow for a fast clock; more would be the latest event forever."""
    too_far = report(shared_api.center, referral_id, "received", ago=-timedelta(minutes=11))
    near = report(shared_api.center, referral_id, "received", ago=-timedelta(minutes=9))

    assert (too_far.status, too_far.json["code"]) == (400, "occurred_in_future")
    assert near.status == 200


def test_a_late_event_is_recorded_and_moves_nothing(shared_api, referral_id):
    """What was true before the latest event is history."""
    report(shared_api.center, referral_id, "accepted")

    late = report(shared_api.center, referral_id, "received", ago=timedelta(hours=1))

    assert (late.status, late.json["status"], late.json["stage"]) == (200, "recorded", "accepted")
    assert shared_api.get_stage(referral_id) == "accepted"
    result = {event["stage"]: event["status"] for event in timeline(shared_api.practice, referral_id)}
    assert result == {"submitted": "applied", "accepted": "applied", "received": "recorded"}


def test_a_note_is_shown_only_in_the_timeline(shared_api, referral_id):
    """What someone wrote about an event is read where the event is read."""
    note = "Spoke with Dr. Example,\nwill call back."

    report(shared_api.center, referral_id, "info_requested", note=note, reason_code="rescheduled")

    newest = timeline(shared_api.practice, referral_id)[0]
    read = shared_api.practice.get(f"/v1/referrals/{referral_id}").text
    listed = shared_api.practice.get("/v1/referrals?limit=100").text
    assert (newest["note"], newest["reason_code"]) == (note, "rescheduled")
    assert "call back" not in read + listed


def test_an_event_makes_a_new_version(shared_api, referral_id):
    """An event is a write like any other: a form that was open before it is stale."""
    before = shared_api.practice.get(f"/v1/referrals/{referral_id}").headers["etag"]

    report(shared_api.center, referral_id, "received")

    assert shared_api.practice.get(f"/v1/referrals/{referral_id}").headers["etag"] != before


@pytest.fixture
def lymphodepleted_referral_id(shared_api):
    """The id of a referral whose patient is about to be infused."""
    referral_id = shared_api.refer()["referral_id"]
    shared_api.move_to(referral_id, *STAGES_TO_INFUSED[:-1])
    return referral_id


def test_an_infusion_carries_the_centers_own_day(shared_api, lymphodepleted_referral_id):
    """`local_date` opens the window, if it can be the day of `occurred_at` at all."""
    today = wiring.read_clock().date()
    wrong = report(
        shared_api.center, lymphodepleted_referral_id, "infused", local_date=(today - timedelta(days=9)).isoformat()
    )
    right = report(shared_api.center, lymphodepleted_referral_id, "infused", local_date=today.isoformat())

    assert (wrong.status, wrong.json["code"]) == (409, "local_date_wrong")
    assert right.status == 200
    window = shared_api.practice.get(f"/v1/referrals/{lymphodepleted_referral_id}/window").json
    assert window["infused_on"] == today.isoformat()


def test_the_infusions_of_a_split_dose_come_in_order(shared_api, lymphodepleted_referral_id):
    """The second cannot come before the first; the last one opens the window."""
    early = report(shared_api.center, lymphodepleted_referral_id, "infused", part=2, of=2)
    first = report(shared_api.center, lymphodepleted_referral_id, "infused", part=1, of=2)
    between = shared_api.practice.get(f"/v1/referrals/{lymphodepleted_referral_id}").json["window"]
    second = report(shared_api.center, lymphodepleted_referral_id, "infused", part=2, of=2)

    assert (early.status, early.json["code"]) == (409, "not_legal_yet")
    assert (first.json["status"], second.json["status"]) == ("applied", "applied")
    assert between is None
    assert shared_api.practice.get(f"/v1/referrals/{lymphodepleted_referral_id}").json["window"] is not None


def test_a_refused_event_is_not_in_the_timeline(shared_api, referral_id):
    """History is what happened, not what someone tried."""
    report(shared_api.practice, referral_id, "accepted")
    report(shared_api.center, referral_id, "infused")

    assert [event["stage"] for event in timeline(shared_api.practice, referral_id)] == ["submitted"]
