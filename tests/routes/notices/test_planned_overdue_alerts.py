"""A referral's overdue alerts are listed among its planned notices."""

import pytest

from chalicelib import wiring
from chalicelib.domain.notices.tasks import TaskQueue
from chalicelib.services.notices.outbox_worker import run_job
from chalicelib.store.platform.timestamps import from_timestamp

LEVELS = ["clock_escalated", "clock_red", "clock_amber"]


@pytest.fixture
def referral_id(shared_api):
    """A referral that the center has to act on."""
    return shared_api.refer()["referral_id"]


def lines(site, referral_id, query="limit=100"):
    items = site.get(f"/v1/referrals/{referral_id}/notices?{query}").json["items"]
    return [line for line in items if line["rule"].startswith("clock_")]


def states(site, referral_id):
    return [(line["rule"], line["state"]) for line in lines(site, referral_id)]


def reach_next_level(world, referral_id):
    """Let the stage reach its next overdue level."""
    row = world.stores.overdue_alerts.get(referral_id)
    run_job(TaskQueue.OVERDUE, context=wiring.build_job_context(from_timestamp(row["due_at"])))


def test_each_upcoming_level_is_listed_with_its_day_and_recipients(shared_api, referral_id):
    """Amber is for the side that acts next, red for both, the last for the leads of the side that acts next."""
    clock = shared_api.practice.get(f"/v1/referrals/{referral_id}").json["clock"]

    last, red, amber = lines(shared_api.practice, referral_id)

    assert [line["rule"] for line in (last, red, amber)] == LEVELS
    assert {line["state"] for line in (last, red, amber)} == {"planned"}
    assert [line["sides"] for line in (last, red, amber)] == [["center"], ["practice", "center"], ["center"]]
    assert clock["amber_on"] < amber["due_on"] < red["due_on"] < last["due_on"]
    assert red["title"].startswith("Long overdue since ")
    assert red["title"].endswith(": Submitted")


def test_a_sent_level_is_listed_as_sent_and_the_rest_as_upcoming(shared_api, referral_id):
    """Also for the side that was not notified: it sees what is to come for both."""
    reach_next_level(shared_api, referral_id)

    assert states(shared_api.center, referral_id) == [
        ("clock_escalated", "planned"),
        ("clock_red", "planned"),
        ("clock_amber", "told"),
    ]
    assert states(shared_api.practice, referral_id) == [("clock_escalated", "planned"), ("clock_red", "planned")]


def test_a_stage_that_was_left_has_no_upcoming_alerts(shared_api, referral_id):
    """Alerts are about the stage that the referral is in now."""
    shared_api.move_to(referral_id, "received", "accepted")

    titles = {line["title"] for line in lines(shared_api.practice, referral_id)}

    assert len(titles) == len(LEVELS)
    assert not [title for title in titles if "Submitted" in title]


def test_a_hold_has_no_upcoming_alerts(shared_api, referral_id):
    """Nothing is overdue in a hold, and no one knows how long it lasts."""
    hold = {"type": "hold.started", "occurred_at": wiring.read_clock().isoformat(), "data": {}}
    shared_api.center.post(f"/v1/referrals/{referral_id}/events", hold)

    assert lines(shared_api.practice, referral_id) == []
