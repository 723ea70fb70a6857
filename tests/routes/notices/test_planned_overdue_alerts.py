"""What a referral's clock will tell if nobody moves it stands among its planned notices."""

import pytest

from chalicelib import wiring
from chalicelib.domain.notices.tasks import TaskQueue
from chalicelib.services.notices.outbox_worker import run_job
from chalicelib.store.platform.timestamps import from_timestamp

LEVELS = ["clock_escalated", "clock_red", "clock_amber"]


@pytest.fixture
def referral_id(shared_api):
    """A referral that the center has to look at."""
    return shared_api.refer()["referral_id"]


def lines(site, referral_id, query="limit=100"):
    items = site.get(f"/v1/referrals/{referral_id}/notices?{query}").json["items"]
    return [line for line in items if line["rule"].startswith("clock_")]


def states(site, referral_id):
    return [(line["rule"], line["state"]) for line in lines(site, referral_id)]


def ring(world, referral_id):
    """Let the clock come to its next level."""
    row = world.stores.overdue_alerts.get(referral_id)
    run_job(TaskQueue.OVERDUE, context=wiring.build_job_context(from_timestamp(row["due_at"])))


def test_each_level_ahead_is_planned_with_its_day_and_whom_it_is_for(shared_api, referral_id):
    """Amber is for who owes the move, red for both, the last for those who lead there."""
    clock = shared_api.practice.get(f"/v1/referrals/{referral_id}").json["clock"]

    last, red, amber = lines(shared_api.practice, referral_id)

    assert [line["rule"] for line in (last, red, amber)] == LEVELS
    assert {line["state"] for line in (last, red, amber)} == {"planned"}
    assert [line["sides"] for line in (last, red, amber)] == [["center"], ["practice", "center"], ["center"]]
    assert clock["amber_on"] < amber["due_on"] < red["due_on"] < last["due_on"]
    assert red["title"].startswith("Long overdue since ")
    assert red["title"].endswith(": Submitted")


def test_what_was_told_stands_as_told_and_the_rest_is_still_ahead(shared_api, referral_id):
    """Also for the side that was not told: it is told of what is to come for both."""
    ring(shared_api, referral_id)

    assert states(shared_api.center, referral_id) == [
        ("clock_escalated", "planned"),
        ("clock_red", "planned"),
        ("clock_amber", "told"),
    ]
    assert states(shared_api.practice, referral_id) == [("clock_escalated", "planned"), ("clock_red", "planned")]


def test_a_stage_that_was_left_has_nothing_ahead_any_more(shared_api, referral_id):
    """What is planned is about the stage that the referral is in now."""
    shared_api.move_to(referral_id, "received", "accepted")

    titles = {line["title"] for line in lines(shared_api.practice, referral_id)}

    assert len(titles) == len(LEVELS)
    assert not [title for title in titles if "Submitted" in title]


def test_a_hold_leaves_nothing_ahead(shared_api, referral_id):
    """The clock stands still, and nobody knows until when."""
    hold = {"type": "hold.started", "occurred_at": wiring.read_clock().isoformat(), "data": {}}
    shared_api.center.post(f"/v1/referrals/{referral_id}/events", hold)

    assert lines(shared_api.practice, referral_id) == []
