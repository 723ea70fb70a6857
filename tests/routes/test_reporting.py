"""Events that people report: what happened is taken, weighed and told again."""

from datetime import timedelta

import pytest

from chalicelib import wiring
from tests.support.clinic import TO_INFUSED


def report(site, referral_id, stage, *, ago=timedelta(), **data):
    """Report a stage as of now, or of some time ago."""
    event = {
        "type": "stage.changed",
        "occurred_at": (wiring.now() - ago).isoformat(),
        "data": {"stage": stage, **data},
    }
    return site.post(f"/v1/referrals/{referral_id}/events", event)


def timeline(site, referral_id):
    return site.get(f"/v1/referrals/{referral_id}/events?limit=100").json["items"]


@pytest.fixture
def submitted(world):
    """The id of a referral that was just submitted."""
    return world.refer()["referral_id"]


def test_a_legal_move_is_applied(world, submitted):
    """The answer tells what became of it, and the referral stands there."""
    answer = report(world.center, submitted, "accepted")

    told = answer.json
    assert answer.status == 200
    assert set(told) == {"status", "referral_id", "event_id", "stage"}
    assert (told["status"], told["referral_id"], told["stage"]) == (
        "applied",
        submitted,
        "accepted",
    )
    assert world.stage_of(submitted) == "accepted"


def test_the_timeline_tells_who_reported_what(world, submitted):
    """Newest first, with the person, the side, and when it was true and when we learned it."""
    event_id = report(world.center, submitted, "received").json["event_id"]

    newest, oldest = timeline(world.practice, submitted)
    assert newest["event_id"] == event_id
    assert (newest["stage"], newest["stage_label"]) == ("received", "Received by the center")
    assert (newest["source"], newest["actor_name"]) == (
        "center",
        world.members["center"].name,
    )
    assert newest["status"] == "applied"
    assert newest["occurred_at"] <= newest["recorded_at"]
    assert (oldest["stage"], oldest["source"]) == ("submitted", "practice")
    assert timeline(world.center, submitted) == timeline(world.practice, submitted)


@pytest.mark.parametrize("stage", ["received", "accepted", "declined", "infused"])
def test_a_practice_cannot_make_a_centers_move(world, submitted, stage):
    """Acceptance, and all that follows, is the center's alone to report."""
    answer = report(world.practice, submitted, stage)

    assert (answer.status, answer.json["code"]) == (409, "not_your_move")
    assert world.stage_of(submitted) == "submitted"


def test_a_center_cannot_make_a_practices_move(world, submitted):
    """Withdrawing is the practice's decision."""
    answer = report(world.center, submitted, "withdrawn")

    assert (answer.status, answer.json["code"]) == (409, "not_your_move")


@pytest.mark.parametrize("stage", ["consult_scheduled", "apheresis_completed", "infused"])
def test_a_step_that_must_come_before_cannot_be_left_out(world, submitted, stage):
    """A person is told at once what a feed's delivery would wait for."""
    answer = report(world.center, submitted, stage)

    assert (answer.status, answer.json["code"]) == (409, "not_legal_yet")
    assert world.stage_of(submitted) == "submitted"


def test_a_move_that_no_way_leads_to_is_refused(world, submitted):
    """A draft is not returned to once it was sent."""
    answer = report(world.practice, submitted, "draft")

    assert answer.status == 409
    assert world.stage_of(submitted) == "submitted"


def test_nothing_moves_a_referral_that_has_ended(world, submitted):
    """An ending is final, for either side."""
    report(world.practice, submitted, "withdrawn")

    refused = [
        report(world.center, submitted, "accepted"),
        report(world.center, submitted, "deceased"),
        report(world.practice, submitted, "deceased"),
    ]

    assert {(answer.status, answer.json["code"]) for answer in refused} == {
        (409, "referral_closed")
    }
    assert world.stage_of(submitted) == "withdrawn"


def test_an_event_of_the_future_is_refused(world, submitted):
    """Ten minutes are a clock that runs ahead; more would be the latest event for ever."""
    too_far = report(world.center, submitted, "received", ago=-timedelta(minutes=11))
    near = report(world.center, submitted, "received", ago=-timedelta(minutes=9))

    assert (too_far.status, too_far.json["code"]) == (400, "occurred_in_future")
    assert near.status == 200


def test_a_late_event_is_recorded_and_moves_nothing(world, submitted):
    """What was true before the latest move is history."""
    report(world.center, submitted, "accepted")

    late = report(world.center, submitted, "received", ago=timedelta(hours=1))

    assert (late.status, late.json["status"], late.json["stage"]) == (200, "recorded", "accepted")
    assert world.stage_of(submitted) == "accepted"
    told = {event["stage"]: event["status"] for event in timeline(world.practice, submitted)}
    assert told == {"submitted": "applied", "accepted": "applied", "received": "recorded"}


def test_a_note_is_told_in_the_timeline_alone(world, submitted):
    """What somebody wrote about an event is read where the event is read."""
    note = "Spoke with Dr. Example,\nwill call back."

    report(world.center, submitted, "info_requested", note=note, reason_code="rescheduled")

    newest = timeline(world.practice, submitted)[0]
    read = world.practice.get(f"/v1/referrals/{submitted}").text
    listed = world.practice.get("/v1/referrals?limit=100").text
    assert (newest["note"], newest["reason_code"]) == (note, "rescheduled")
    assert "call back" not in read + listed


def test_a_referral_is_told_with_the_new_version_after_a_move(world, submitted):
    """An event is a write like any other: a form that was open before it is stale."""
    before = world.practice.get(f"/v1/referrals/{submitted}").headers["etag"]

    report(world.center, submitted, "received")

    assert world.practice.get(f"/v1/referrals/{submitted}").headers["etag"] != before


@pytest.fixture
def prepared(world):
    """The id of a referral whose patient is about to be infused."""
    referral_id = world.refer()["referral_id"]
    world.move_to(referral_id, *TO_INFUSED[:-1])
    return referral_id


def test_an_infusion_carries_the_centers_own_day(world, prepared):
    """`local_date` opens the window, if it can be the day of `occurred_at` at all."""
    today = wiring.now().date()
    wrong = report(
        world.center, prepared, "infused", local_date=(today - timedelta(days=9)).isoformat()
    )
    right = report(world.center, prepared, "infused", local_date=today.isoformat())

    assert (wrong.status, wrong.json["code"]) == (409, "local_date_wrong")
    assert right.status == 200
    window = world.practice.get(f"/v1/referrals/{prepared}/window").json
    assert window["infused_on"] == today.isoformat()


def test_the_parts_of_a_split_dose_come_in_order(world, prepared):
    """The second infusion cannot come before the first; the last one opens the window."""
    early = report(world.center, prepared, "infused", part=2, of=2)
    first = report(world.center, prepared, "infused", part=1, of=2)
    between = world.practice.get(f"/v1/referrals/{prepared}").json["window"]
    second = report(world.center, prepared, "infused", part=2, of=2)

    assert (early.status, early.json["code"]) == (409, "not_legal_yet")
    assert (first.json["status"], second.json["status"]) == ("applied", "applied")
    assert between is None
    assert world.practice.get(f"/v1/referrals/{prepared}").json["window"] is not None


def test_a_refused_report_is_not_in_the_timeline(world, submitted):
    """History is what happened, not what somebody tried."""
    report(world.practice, submitted, "accepted")
    report(world.center, submitted, "infused")

    assert [event["stage"] for event in timeline(world.practice, submitted)] == ["submitted"]
