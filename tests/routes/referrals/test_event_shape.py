"""An event is returned in the shape in which it was sent: `type`, `occurred_at`, `sequence` and `data`."""

import json
from datetime import datetime, timedelta

import pytest

from chalicelib import wiring
from tests.support.api_driver import STAGES_TO_INFUSED

TO_COMPLETED = STAGES_TO_INFUSED[: STAGES_TO_INFUSED.index("consult_completed") + 1]

IN_60_DAYS = "in 60 days"
"""Replaced when a test runs. The id of a test must not depend on the clock."""

EVENTS = [
    ((), "stage.changed", {"stage": "received"}),
    (("received",), "stage.changed", {"stage": "info_requested", "note": "Please send the PET-CT."}),
    (("received",), "stage.changed", {"stage": "declined", "reason_code": "capacity_full", "note": "Full until May."}),
    (("received",), "stage.changed", {"stage": "redirected", "reason_code": "misrouted", "note": "Closer to home."}),
    (TO_COMPLETED, "stage.changed", {"stage": "deferred", "reason_code": "infection_hold", "revisit_on": IN_60_DAYS}),
    (STAGES_TO_INFUSED, "window.extended", {"ends_on": IN_60_DAYS, "reason_code": "crs", "note": "Two weeks more."}),
    ((), "hold.started", {"until": IN_60_DAYS, "reason_code": "infection_hold", "note": "Line infection."}),
    ((), "hold.ended", {"note": "Cured."}),
    (STAGES_TO_INFUSED, "toxicity.noticed", {"kind": "crs", "grade": 2}),
    (STAGES_TO_INFUSED, "toxicity.noticed", {"kind": "neurotoxicity", "note": "Confused at night."}),
    (("received",), "information.requested", {"items": ["imaging", "Old slides"], "text": "Before Friday."}),
    (("received", "accepted"), "information.requested", {"items": ["clinical_ecog"]}),
    (("received", "accepted"), "information.requested", {"text": "Which regimen?"}),
    (("received", "declined"), "referral.reopened", {"reason_code": "misrouted", "note": "It was another patient."}),
]


def send(world, referral_id, body):
    """Send an event as the center's system does."""
    return world.deliver_raw(json.dumps(body | {"referral_id": referral_id}).encode())


def read_newest(world, referral_id):
    """Read the newest event of the timeline."""
    return world.practice.get(f"/v1/referrals/{referral_id}/events").json["items"][0]


@pytest.mark.parametrize(("stages", "kind", "data"), EVENTS, ids=lambda value: str(value)[:40])
def test_an_event_is_returned_as_it_was_sent(shared_api, stages, kind, data):
    """`data` has exactly the members that were sent, inside `data`."""
    referral_id = shared_api.refer()["referral_id"]
    shared_api.move_to(referral_id, *stages)
    at = wiring.read_clock()
    day = (at + timedelta(days=60)).date().isoformat()
    data = {name: day if value == IN_60_DAYS else value for name, value in data.items()}

    answer = send(shared_api, referral_id, {"type": kind, "occurred_at": at.isoformat(), "sequence": 40, "data": data})

    read = read_newest(shared_api, referral_id)
    assert answer.json["status"] == "applied"
    assert (read["type"], read["sequence"], read["data"]) == (kind, 40, data)
    assert abs(datetime.fromisoformat(read["occurred_at"]) - at) < timedelta(seconds=1)


def test_an_infusion_is_returned_with_its_dose_numbers(shared_api):
    """They are shown even if the sender left them out: infusion 1 of 1."""
    referral_id = shared_api.refer()["referral_id"]
    shared_api.move_to(referral_id, *STAGES_TO_INFUSED[:-1])
    local_date = wiring.read_clock().date().isoformat()
    data = {"stage": "infused", "local_date": local_date}
    body = {"type": "stage.changed", "occurred_at": wiring.read_clock().isoformat(), "data": data}

    send(shared_api, referral_id, body)

    assert read_newest(shared_api, referral_id)["data"] == {
        "stage": "infused",
        "part": 1,
        "of": 1,
        "local_date": local_date,
    }


def test_an_event_that_was_read_can_be_sent_as_a_replacement(shared_api):
    """A client that corrects a time repeats `data` as it read it."""
    referral_id = shared_api.refer()["referral_id"]
    shared_api.move_to(referral_id, "received")
    send(
        shared_api,
        referral_id,
        {"type": "stage.changed", "occurred_at": wiring.read_clock().isoformat(), "data": {"stage": "accepted"}},
    )
    wrong = read_newest(shared_api, referral_id)
    at = (wiring.read_clock() + timedelta(seconds=1)).replace(microsecond=0)
    replacement = {"type": wrong["type"], "occurred_at": at.isoformat(), "data": wrong["data"]}
    data = {"supersedes": wrong["event_id"], "replacement": replacement, "note": "Typing error."}
    body = {"type": "event.corrected", "occurred_at": wiring.read_clock().isoformat(), "data": data}

    answer = send(shared_api, referral_id, body)

    read = read_newest(shared_api, referral_id)
    read_at = read["data"]["replacement"].pop("occurred_at")
    assert answer.json["status"] == "applied"
    assert datetime.fromisoformat(read_at) == at
    assert read["data"] == {**data, "replacement": {"type": "stage.changed", "data": {"stage": "accepted"}}}
