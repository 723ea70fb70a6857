"""The practice takes a patient back, and says when it sees them first."""

import pytest

from chalicelib import wiring
from tests.support.clinic import SPARSELY_TO_INFUSED


@pytest.fixture
def ready(world):
    """A referral that the center hands back; its address."""
    referral_id = world.refer()["referral_id"]
    to_ready = ("monitoring", "window_complete", "handback_ready")
    world.move_to(referral_id, *SPARSELY_TO_INFUSED, *to_ready)
    return f"/v1/referrals/{referral_id}"


def acknowledge(world, path, **data):
    event = {
        "type": "stage.changed",
        "occurred_at": wiring.now().isoformat(),
        "data": {"stage": "handed_back", **data},
    }
    return world.practice.post(f"{path}/events", event)


def test_the_first_visit_is_told_with_the_acknowledgement(world, ready):
    """To both sides, with the referral and with the package."""
    offered = world.practice.get(ready).json["actions"]
    asked = {action["stage"]: action["needs"] for action in offered}
    answer = acknowledge(world, ready, first_visit_on="2026-12-08")

    assert asked["handed_back"] == ["first_visit_on"]
    assert answer.status == 200
    assert world.center.get(ready).json["first_visit_on"] == "2026-12-08"
    assert world.center.get(f"{ready}/handback").json["first_visit_on"] == "2026-12-08"


def test_a_hand_back_is_acknowledged_without_a_visit_and_without_a_package(world, ready):
    """Nothing holds up that somebody looks after the patient."""
    assert acknowledge(world, ready).json["status"] == "applied"
    assert world.practice.get(ready).json["first_visit_on"] is None


def test_later_moves_leave_the_first_visit(world, ready):
    """It is the hand-back's."""
    acknowledge(world, ready, first_visit_on="2026-12-08")
    event = {
        "type": "stage.changed",
        "occurred_at": wiring.now().isoformat(),
        "data": {"stage": "follow_up"},
    }
    world.practice.post(f"{ready}/events", event)

    assert world.practice.get(ready).json["stage"] == "follow_up"
    assert world.practice.get(ready).json["first_visit_on"] == "2026-12-08"


def test_another_day_of_the_first_visit_is_a_correction(world, ready):
    """Of the acknowledgement, like any other."""
    event_id = acknowledge(world, ready, first_visit_on="2026-12-08").json["event_id"]
    at = wiring.now().isoformat()
    replacement = {
        "occurred_at": at,
        "data": {"stage": "handed_back", "first_visit_on": "2026-12-15"},
    }
    data = {"supersedes": event_id, "replacement": replacement}
    correction = {"type": "event.corrected", "occurred_at": at, "data": data}

    assert world.practice.post(f"{ready}/events", correction).status == 200
    assert world.practice.get(ready).json["first_visit_on"] == "2026-12-15"
