"""What a referral's clock will tell if nobody moves it stands among its planned notices."""

import pytest

from chalicelib import wiring
from chalicelib.domain.notices.notice_rules import Lane
from chalicelib.services.notices.outbox_worker import run_job
from chalicelib.store.platform.timestamps import parsed

LEVELS = ["clock_escalated", "clock_red", "clock_amber"]


@pytest.fixture
def submitted(world):
    """A referral that the center has to look at."""
    return world.refer()["referral_id"]


def lines(site, referral_id, query="limit=100"):
    items = site.get(f"/v1/referrals/{referral_id}/notices?{query}").json["items"]
    return [line for line in items if line["rule"].startswith("clock_")]


def states(site, referral_id):
    return [(line["rule"], line["state"]) for line in lines(site, referral_id)]


def ring(world, referral_id):
    """Let the clock come to its next level."""
    row = world.stores.alarms.get(referral_id)
    run_job(Lane.CLOCK, **wiring.job(parsed(row["due_at"])))


def test_each_level_ahead_is_planned_with_its_day_and_whom_it_is_for(world, submitted):
    """Amber is for who owes the move, red for both, the last for those who lead there."""
    clock = world.practice.get(f"/v1/referrals/{submitted}").json["clock"]

    last, red, amber = lines(world.practice, submitted)

    assert [line["rule"] for line in (last, red, amber)] == LEVELS
    assert {line["state"] for line in (last, red, amber)} == {"planned"}
    assert [line["sides"] for line in (last, red, amber)] == [
        ["center"],
        ["practice", "center"],
        ["center"],
    ]
    assert clock["amber_on"] < amber["due_on"] < red["due_on"] < last["due_on"]
    assert red["title"].startswith("Long overdue, since ")
    assert red["title"].endswith(": Submitted")


def test_what_was_told_stands_as_told_and_the_rest_is_still_ahead(world, submitted):
    """Also for the side that was not told: it is told of what is to come for both."""
    ring(world, submitted)

    assert states(world.center, submitted) == [
        ("clock_escalated", "planned"),
        ("clock_red", "planned"),
        ("clock_amber", "told"),
    ]
    assert states(world.practice, submitted) == [
        ("clock_escalated", "planned"),
        ("clock_red", "planned"),
    ]


def test_a_stage_that_was_left_has_nothing_ahead_any_more(world, submitted):
    """What is planned is about the stage that the referral is in now."""
    world.move_to(submitted, "received", "accepted")

    titles = {line["title"] for line in lines(world.practice, submitted)}

    assert len(titles) == len(LEVELS)
    assert not [title for title in titles if "Submitted" in title]


def test_a_hold_leaves_nothing_ahead(world, submitted):
    """The clock stands still, and nobody knows until when."""
    hold = {"type": "hold.started", "occurred_at": wiring.now().isoformat(), "data": {}}
    world.center.post(f"/v1/referrals/{submitted}/events", hold)

    assert lines(world.practice, submitted) == []
