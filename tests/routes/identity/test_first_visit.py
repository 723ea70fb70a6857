"""The practice acknowledges the return, with the day of the first visit."""

import pytest

from chalicelib import wiring
from tests.support.api_driver import REQUIRED_STAGES_TO_INFUSED


@pytest.fixture
def handback_ready_path(shared_api):
    """The path of a referral that the center returns."""
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


def test_the_first_visit_is_shown_with_the_acknowledgment(shared_api, handback_ready_path):
    """To both sides, with the referral and with the summary."""
    offered = shared_api.practice.get(handback_ready_path).json["actions"]
    asked = {action["stage"]: action["needs"] for action in offered}
    answer = acknowledge(shared_api, handback_ready_path, first_visit_on="2026-12-08")

    assert asked["handed_back"] == ["first_visit_on"]
    assert answer.status == 200
    assert shared_api.center.get(handback_ready_path).json["first_visit_on"] == "2026-12-08"
    assert shared_api.center.get(f"{handback_ready_path}/handback").json["first_visit_on"] == "2026-12-08"


def test_a_return_can_be_acknowledged_without_a_visit_and_without_a_summary(shared_api, handback_ready_path):
    """Nothing delays the care of the patient."""
    assert acknowledge(shared_api, handback_ready_path).json["status"] == "applied"
    assert shared_api.practice.get(handback_ready_path).json["first_visit_on"] is None


def test_later_stage_changes_keep_the_first_visit(shared_api, handback_ready_path):
    """It belongs to the return."""
    acknowledge(shared_api, handback_ready_path, first_visit_on="2026-12-08")
    event = {"type": "stage.changed", "occurred_at": wiring.read_clock().isoformat(), "data": {"stage": "follow_up"}}
    shared_api.practice.post(f"{handback_ready_path}/events", event)

    assert shared_api.practice.get(handback_ready_path).json["stage"] == "follow_up"
    assert shared_api.practice.get(handback_ready_path).json["first_visit_on"] == "2026-12-08"


def test_another_day_of_the_first_visit_is_a_correction(shared_api, handback_ready_path):
    """Of the acknowledgment, like any other."""
    event_id = acknowledge(shared_api, handback_ready_path, first_visit_on="2026-12-08").json["event_id"]
    at = wiring.read_clock().isoformat()
    replacement = {"occurred_at": at, "data": {"stage": "handed_back", "first_visit_on": "2026-12-15"}}
    data = {"supersedes": event_id, "replacement": replacement}
    correction = {"type": "event.corrected", "occurred_at": at, "data": data}

    assert shared_api.practice.post(f"{handback_ready_path}/events", correction).status == 200
    assert shared_api.practice.get(handback_ready_path).json["first_visit_on"] == "2026-12-15"
