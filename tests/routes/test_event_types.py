"""Every kind of event, by hand and by webhook: taken, told again, and refused by its pointer."""

import json
from datetime import timedelta

import pytest

from chalicelib import wiring
from chalicelib.domain.referrals.monitoring_window import local_day
from tests.support.clinic import TO_INFUSED
from tests.support.factories import CENTER, a_referral_body

DAY = timedelta(days=1)


def body_of(kind, data, *, sequence=None):
    """A report as of now."""
    body = {"type": kind, "occurred_at": wiring.now().isoformat(), "data": data}
    return body if sequence is None else body | {"sequence": sequence}


def by_hand(world, referral_id, kind, data, *, side="center"):
    """Report it as a coordinator does."""
    site = world.site_of(world.members[side])
    return site.post(f"/v1/referrals/{referral_id}/events", body_of(kind, data))


def by_webhook(world, referral_id, kind, data, **more):
    """Report it as the center's system does."""
    body = body_of(kind, data, **more) | {"referral_id": referral_id}
    return world.deliver_raw(json.dumps(body).encode())


DOORS = pytest.mark.parametrize("door", [by_hand, by_webhook])


def read(world, referral_id):
    return world.practice.get(f"/v1/referrals/{referral_id}").json


def timeline(world, referral_id):
    return world.practice.get(f"/v1/referrals/{referral_id}/events?limit=100").json["items"]


@pytest.fixture
def submitted(world):
    """The id of a referral that was just submitted."""
    return world.refer()["referral_id"]


@pytest.fixture
def infused(world, submitted):
    """The id of a referral whose patient was just infused."""
    world.move_to(submitted, *TO_INFUSED)
    return submitted


@DOORS
def test_a_hold_is_told_until_it_ends(world, submitted, door):
    """With its reason and its day; the stage stays."""
    until = (wiring.now() + 7 * DAY).date().isoformat()
    data = {"reason_code": "infection_hold", "until": until, "note": "Line infection"}

    started = door(world, submitted, "hold.started", data)
    held = read(world, submitted)
    ended = door(world, submitted, "hold.ended", {})

    assert (started.json["status"], ended.json["status"]) == ("applied", "applied")
    assert (held["hold"]["reason_code"], held["hold"]["expected_until"]) == (
        "infection_hold",
        until,
    )
    assert (held["hold"]["by"], held["clock"]["level"]) == ("center", "on_hold")
    assert (held["stage"], read(world, submitted)["hold"]) == ("submitted", None)
    types = [(event["type"], event["status"]) for event in timeline(world, submitted)[:2]]
    assert types == [("hold.ended", "applied"), ("hold.started", "applied")]


@DOORS
def test_a_toxicity_is_told(world, infused, door):
    """When, in the referral; which and how bad, in the timeline."""
    answer = door(world, infused, "toxicity.noticed", {"kind": "crs", "grade": 2})

    newest = timeline(world, infused)[0]
    assert answer.json["status"] == "applied"
    assert read(world, infused)["toxicity_noticed_at"] == newest["occurred_at"]
    assert (newest["type"], newest["stage_label"]) == ("toxicity.noticed", "Toxicity noticed")
    assert newest["data"] == {"kind": "crs", "grade": 2}


@DOORS
def test_an_extension_moves_the_window(world, infused, door):
    """The day of hand-back, and the notices planned for it."""
    ends_on = (wiring.now() + 60 * DAY).date().isoformat()

    answer = door(world, infused, "window.extended", {"ends_on": ends_on, "reason_code": "crs"})

    window = world.practice.get(f"/v1/referrals/{infused}/window").json
    target = {n["due_on"] for n in window["notices"] if n["rule"] == "handback_target"}
    assert answer.json["status"] == "applied"
    assert (window["ends_on"], target) == (ends_on, {ends_on})
    assert window["extensions"][0]["reason_code"] == "crs"


@DOORS
def test_a_correction_takes_back_a_stage(world, submitted, door):
    """The wrong report stays in the timeline, and the referral goes back."""
    world.move_to(submitted, "received")
    wrong = door(world, submitted, "stage.changed", {"stage": "accepted"}).json["event_id"]

    answer = door(world, submitted, "event.corrected", {"supersedes": wrong})

    newest = timeline(world, submitted)[0]
    assert (answer.json["status"], answer.json["stage"]) == ("applied", "received")
    assert (newest["type"], newest["data"]["supersedes"]) == ("event.corrected", wrong)
    assert wrong in {event["event_id"] for event in timeline(world, submitted)}


def test_a_corrected_infusion_is_planned_anew(world, infused):
    """The window counts from the day it really was."""
    wrong = timeline(world, infused)[0]
    really = wiring.now()
    next_day = (local_day(really, CENTER.time_zone) + DAY).isoformat()
    replacement = {
        "type": "stage.changed",
        "occurred_at": really.isoformat(),
        "data": {"stage": "infused", "local_date": next_day},
    }
    data = {"supersedes": wrong["event_id"], "replacement": replacement}

    answer = by_hand(world, infused, "event.corrected", data)

    assert (answer.status, answer.json["stage"]) == (200, "infused")
    assert read(world, infused)["window"]["infused_on"] == next_day
    assert timeline(world, infused)[0]["data"]["replacement"]["stage"] == "infused"


def test_a_practice_asks_to_withdraw(world, submitted):
    """The next move is the center's, which ends it with a reason and a next step."""
    world.move_to(submitted, *TO_INFUSED[:6])
    asked = by_hand(world, submitted, "withdrawal.requested", {}, side="practice")
    waiting = read(world, submitted)

    data = {"stage": "not_proceeding", "reason_code": "patient_choice"}
    by_hand(world, submitted, "stage.changed", data)

    ended = read(world, submitted)
    assert asked.json["status"] == "applied"
    assert (waiting["clock"]["owner"], waiting["stage"]) == ("center", "apheresis_scheduled")
    assert waiting["withdrawal_requested_at"]
    assert ended["withdrawal_requested_at"] is None
    assert ended["outcome"]["reason_code"] == "patient_choice"
    assert ended["outcome"]["label"] == "The patient decided otherwise"
    assert ended["outcome"]["next_step"]


def test_a_feed_does_not_ask_in_the_practices_name(world, submitted):
    """Whoever signs for the center is the center."""
    answer = by_webhook(world, submitted, "withdrawal.requested", {})

    assert (answer.status, answer.json["code"]) == (409, "not_your_move")


@DOORS
def test_an_ended_referral_is_opened_again(world, submitted, door):
    """By who ended it, and with a reason."""
    world.move_to(submitted, "received", "declined")

    silent = door(world, submitted, "referral.reopened", {})
    told = door(world, submitted, "referral.reopened", {"note": "New facts"})

    assert (silent.status, silent.json["code"]) == (409, "reason_needed")
    assert (told.json["status"], told.json["stage"]) == ("applied", "received")
    assert read(world, submitted)["outcome"] is None


def test_a_gap_in_the_feeds_numbers_is_told_until_it_is_filled(world, submitted):
    """On the referral, in the list, and on the worklist of overdue updates."""
    at = wiring.now().isoformat()
    path = "/v1/referrals?worklist=update_overdue&limit=100"

    def overdue():
        return {row["referral_id"] for row in world.practice.get(path).json["items"]}

    for stage, sequence in (("received", 7), ("accepted", 9)):
        world.deliver(submitted, stage, sequence=sequence)
    before, listed = read(world, submitted)["missing_updates"], overdue()
    world.deliver(submitted, "received", at=at, sequence=8)

    assert before == [8]
    assert submitted in listed
    assert read(world, submitted)["missing_updates"] == []
    assert submitted not in overdue()


def test_an_update_that_is_refused_is_not_missing(world, submitted):
    """It arrived; what was wrong with it stands in the log of deliveries."""
    world.deliver(submitted, "received", sequence=1)
    refused = world.deliver(submitted, "withdrawn", sequence=2)
    world.deliver(submitted, "accepted", sequence=3)

    assert refused.status == 409
    assert read(world, submitted)["missing_updates"] == []
    assert world.stage_of(submitted) == "accepted"


BAD = [
    ("hold.started", {"until": "soon"}, "/data/until"),
    ("hold.started", {"since": "2026-11-20"}, "/data/since"),
    ("hold.ended", {"reason_code": "not a code"}, "/data/reason_code"),
    ("toxicity.noticed", {"grade": 6}, "/data/grade"),
    ("toxicity.noticed", {"grade": "2"}, "/data/grade"),
    ("toxicity.noticed", {"kind": "bad"}, "/data/kind"),
    ("window.extended", {}, "/data/ends_on"),
    ("window.extended", {"ends_on": 1}, "/data/ends_on"),
    ("withdrawal.requested", {"note": 1}, "/data/note"),
    ("referral.reopened", {"stage": "received"}, "/data/stage"),
    ("event.corrected", {}, "/data/supersedes"),
    (
        "event.corrected",
        {"supersedes": "evt_1", "replacement": {}},
        "/data/replacement/occurred_at",
    ),
    ("stage.changed", {"stage": "declined", "reason_code": "because"}, "/data/reason_code"),
    ("stage.changed", {"stage": "deferred", "revisit_on": "later"}, "/data/revisit_on"),
    ("stage.unchanged", {}, "/type"),
]


@DOORS
@pytest.mark.parametrize(("kind", "data", "pointer"), BAD)
def test_bad_data_is_refused_by_its_pointer(world, submitted, door, kind, data, pointer):
    """And changes nothing."""
    answer = door(world, submitted, kind, data)

    assert answer.status == 400
    assert pointer in {error["pointer"] for error in answer.json["errors"]}
    assert len(timeline(world, submitted)) == 1


def test_a_referral_goes_on_from_an_ended_one(world, submitted):
    """Both know of each other, and only one goes on from it."""
    world.move_to(submitted, "received", "declined")

    later = world.refer(continues=submitted)["referral_id"]
    again = world.practice.post("/v1/referrals", {**a_referral_body(), "continues": submitted})

    assert read(world, later)["continues"] == submitted
    assert read(world, submitted)["continued_by"] == later
    assert (again.status, again.json["code"]) == (409, "not_continuable")


def test_an_open_referral_is_not_continued(world, submitted):
    """Nor another practice's."""
    opened = world.practice.post("/v1/referrals", {**a_referral_body(), "continues": submitted})
    foreign = world.other_practice.post(
        "/v1/referrals", {**a_referral_body(), "continues": submitted}
    )

    assert (opened.status, opened.json["code"]) == (409, "not_continuable")
    assert foreign.status == 404


EXAMPLES = {
    "hold.started": {"reason_code": "infection_hold"},
    "hold.ended": {},
    "toxicity.noticed": {"kind": "crs", "grade": 1},
    "window.extended": {"ends_on": (wiring.now() + 60 * DAY).date().isoformat()},
    "withdrawal.requested": {"reason_code": "patient_choice"},
    "referral.reopened": {"note": "It was ended by mistake."},
}


@pytest.mark.parametrize(
    ("side", "stages", "kinds"),
    [
        ("practice", (), {"hold.started"}),
        ("center", (), {"hold.started"}),
        ("practice", ("received", "declined"), set()),
        ("center", ("received", "declined"), {"referral.reopened"}),
        ("practice", TO_INFUSED, {"hold.started", "withdrawal.requested"}),
        ("center", TO_INFUSED, {"hold.started", "toxicity.noticed", "window.extended"}),
    ],
)
def test_what_is_offered_is_taken(world, submitted, side, stages, kinds):
    """Each kind of report that the answer names is accepted as the next thing that happens."""
    world.move_to(submitted, *stages)
    offered = world.site_of(world.members[side]).get(f"/v1/referrals/{submitted}").json

    answers = {
        kind: by_hand(world, submitted, kind, EXAMPLES[kind], side=side).status
        for kind in offered["may_report"]
    }

    assert answers == dict.fromkeys(kinds, 200)
