"""The practice takes a patient back, and says when it sees them first."""

import pytest

from chalicelib import wiring
from tests.support.api_driver import REQUIRED_STAGES_TO_INFUSED


@pytest.fixture
def handback_ready_path(shared_api):
    """A referral that the center hands back; its address."""
    referral_id = shared_api.refer()["referral_id"]
    to_ready = ("monitoring", "window_complete", "handback_ready")
    shared_api.move_to(referral_id, *REQUIRED_STAGES_TO_INFUSED, *to_ready)
    return f"/v1/referrals/{referral_id}"


def acknowledge(world, path, **data):
    event = {
        "type": "stage.changed",
        "occurred_at": wiring.read_clock().isoformat(),
        "data": {"stage": "handed_back", **data},
    }
    return world.practice.post(f"{path}/events", event)


def test_the_first_visit_is_told_with_the_acknowledgement(shared_api, handback_ready_path):
    """To both sides, with the referral and with the package."""
    offered = shared_api.practice.get(handback_ready_path).json["actions"]
    asked = {action["stage"]: action["needs"] for action in offered}
    answer = acknowledge(shared_api, handback_ready_path, first_visit_on="2026-12-08")

    assert asked["handed_back"] == ["first_visit_on"]
    assert answer.status == 200
    assert shared_api.center.get(handback_ready_path).json["first_visit_on"] == "2026-12-08"
    assert shared_api.center.get(f"{handback_ready_path}/handback").json["first_visit_on"] == "2026-12-08"


def test_a_hand_back_is_acknowledged_without_a_visit_and_without_a_package(shared_api, handback_ready_path):
    """Nothing holds up that somebody looks after the patient."""
    assert acknowledge(shared_api, handback_ready_path).json["status"] == "applied"
    assert shared_api.practice.get(handback_ready_path).json["first_visit_on"] is None


def test_later_moves_leave_the_first_visit(shared_api, handback_ready_path):
    """It is the hand-back's."""
    acknowledge(shared_api, handback_ready_path, first_visit_on="2026-12-08")
    event = {"type": "stage.changed", "occurred_at": wiring.read_clock().isoformat(), "data": {"stage": "follow_up"}}
    shared_api.practice.post(f"{handback_ready_path}/events", event)

    assert shared_api.practice.get(handback_ready_path).json["stage"] == "follow_up"
    assert shared_api.practice.get(handback_ready_path).json["first_visit_on"] == "2026-12-08"


def test_another_day_of_the_first_visit_is_a_correction(shared_api, handback_ready_path):
    """Of the acknowledgement, like any other."""
    event_id = acknowledge(shared_api, handback_ready_path, first_visit_on="2026-12-08").json["event_id"]
    at = wiring.read_clock().isoformat()
    replacement = {"occurred_at": at, "data": {"stage": "handed_back", "first_visit_on": "2026-12-15"}}
    data = {"supersedes": event_id, "replacement": replacement}
    correction = {"type": "event.corrected", "occurred_at": at, "data": data}

    assert shared_api.practice.post(f"{handback_ready_path}/events", correction).status == 200
    assert shared_api.practice.get(handback_ready_path).json["first_visit_on"] == "2026-12-15"
