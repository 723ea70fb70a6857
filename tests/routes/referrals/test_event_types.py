"""Every event type, by people and by webhook: accepted, returned, and refused by its pointer."""

import json
from datetime import timedelta

import pytest

from chalicelib import wiring
from chalicelib.domain.referrals.monitoring_window import to_local_day
from tests.support.api_driver import STAGES_TO_INFUSED
from tests.support.factories import CENTER, build_referral_body

DAY = timedelta(days=1)


def build_event_body(kind, data, *, sequence=None):
    """Build an event of now."""
    body = {"type": kind, "occurred_at": wiring.read_clock().isoformat(), "data": data}
    return body if sequence is None else body | {"sequence": sequence}


def report_by_person(world, referral_id, kind, data, *, side="center"):
    """Report it as a coordinator does."""
    site = world.get_client_for(world.members[side])
    return site.post(f"/v1/referrals/{referral_id}/events", build_event_body(kind, data))


def report_by_webhook(world, referral_id, kind, data, **more):
    """Report it as the center's system does."""
    body = build_event_body(kind, data, **more) | {"referral_id": referral_id}
    return world.deliver_raw(json.dumps(body).encode())


DOORS = pytest.mark.parametrize("door", [report_by_person, report_by_webhook])


def read(world, referral_id):
    return world.practice.get(f"/v1/referrals/{referral_id}").json


def timeline(world, referral_id):
    return world.practice.get(f"/v1/referrals/{referral_id}/events?limit=100").json["items"]


@pytest.fixture
def referral_id(shared_api):
    """The id of a referral that was just submitted."""
    return shared_api.refer()["referral_id"]


@pytest.fixture
def infused_referral_id(shared_api, referral_id):
    """The id of a referral whose patient was just infused."""
    shared_api.move_to(referral_id, *STAGES_TO_INFUSED)
    return referral_id


@DOORS
def test_a_hold_is_shown_until_it_ends(shared_api, referral_id, door):
    """With its reason and its date; the stage stays."""
    until = (wiring.read_clock() + 7 * DAY).date().isoformat()
    data = {"reason_code": "infection_hold", "until": until, "note": "Line infection"}

    started = door(shared_api, referral_id, "hold.started", data)
    held = read(shared_api, referral_id)
    ended = door(shared_api, referral_id, "hold.ended", {})

    assert (started.json["status"], ended.json["status"]) == ("applied", "applied")
    assert (held["hold"]["reason_code"], held["hold"]["expected_until"]) == ("infection_hold", until)
    assert (held["hold"]["by"], held["clock"]["level"]) == ("center", "on_hold")
    assert (held["stage"], read(shared_api, referral_id)["hold"]) == ("submitted", None)
    types = [(event["type"], event["status"]) for event in timeline(shared_api, referral_id)[:2]]
    assert types == [("hold.ended", "applied"), ("hold.started", "applied")]


@DOORS
def test_a_toxicity_is_shown(shared_api, infused_referral_id, door):
    """Its time in the referral; its kind and grade in the timeline."""
    answer = door(shared_api, infused_referral_id, "toxicity.noticed", {"kind": "crs", "grade": 2})

    newest = timeline(shared_api, infused_referral_id)[0]
    assert answer.json["status"] == "applied"
    assert read(shared_api, infused_referral_id)["toxicity_noticed_at"] == newest["occurred_at"]
    assert (newest["type"], newest["stage_label"]) == ("toxicity.noticed", "Toxicity reported")
    assert newest["data"] == {"kind": "crs", "grade": 2}


@DOORS
def test_an_extension_moves_the_window(shared_api, infused_referral_id, door):
    """The date of the return, and the notices planned for it."""
    ends_on = (wiring.read_clock() + 60 * DAY).date().isoformat()

    answer = door(shared_api, infused_referral_id, "window.extended", {"ends_on": ends_on, "reason_code": "crs"})

    window = shared_api.practice.get(f"/v1/referrals/{infused_referral_id}/window").json
    target = {n["due_on"] for n in window["notices"] if n["rule"] == "handback_target"}
    assert answer.json["status"] == "applied"
    assert (window["ends_on"], target) == (ends_on, {ends_on})
    assert window["extensions"][0]["reason_code"] == "crs"


@DOORS
def test_a_correction_takes_back_a_stage(shared_api, referral_id, door):
    """The wrong entry stays in the timeline, and the referral goes back."""
    shared_api.move_to(referral_id, "received")
    wrong = door(shared_api, referral_id, "stage.changed", {"stage": "accepted"}).json["event_id"]

    answer = door(shared_api, referral_id, "event.corrected", {"supersedes": wrong})

    newest = timeline(shared_api, referral_id)[0]
    assert (answer.json["status"], answer.json["stage"]) == ("applied", "received")
    assert (newest["type"], newest["data"]["supersedes"]) == ("event.corrected", wrong)
    assert wrong in {event["event_id"] for event in timeline(shared_api, referral_id)}


def test_a_corrected_infusion_is_replanned(shared_api, infused_referral_id):
    """The window counts from the day it really was."""
    wrong = timeline(shared_api, infused_referral_id)[0]
    really = wiring.read_clock()
    next_day = (to_local_day(really, CENTER.time_zone) + DAY).isoformat()
    infused = {"stage": "infused", "local_date": next_day}
    replacement = {"type": "stage.changed", "occurred_at": really.isoformat(), "data": infused}
    data = {"supersedes": wrong["event_id"], "replacement": replacement}

    answer = report_by_person(shared_api, infused_referral_id, "event.corrected", data)

    assert (answer.status, answer.json["stage"]) == (200, "infused")
    assert read(shared_api, infused_referral_id)["window"]["infused_on"] == next_day
    shown = timeline(shared_api, infused_referral_id)[0]["data"]["replacement"]
    assert (shown["type"], shown["data"]) == ("stage.changed", {**infused, "part": 1, "of": 1})


def test_a_practice_requests_withdrawal(shared_api, referral_id):
    """The center acts next, and ends the referral with a reason and a next step."""
    shared_api.move_to(referral_id, *STAGES_TO_INFUSED[:6])
    asked = report_by_person(shared_api, referral_id, "withdrawal.requested", {}, side="practice")
    waiting = read(shared_api, referral_id)

    data = {"stage": "not_proceeding", "reason_code": "patient_choice"}
    report_by_person(shared_api, referral_id, "stage.changed", data)

    ended = read(shared_api, referral_id)
    assert asked.json["status"] == "applied"
    assert (waiting["clock"]["owner"], waiting["stage"]) == ("center", "apheresis_scheduled")
    assert waiting["withdrawal_requested_at"]
    assert ended["withdrawal_requested_at"] is None
    assert ended["outcome"]["reason_code"] == "patient_choice"
    assert ended["outcome"]["label"] == "Patient's choice"
    assert ended["outcome"]["next_step"]


def test_a_center_cannot_request_withdrawal_for_the_practice(shared_api, referral_id):
    """A center's signature makes the sender the center."""
    answer = report_by_webhook(shared_api, referral_id, "withdrawal.requested", {})

    assert (answer.status, answer.json["code"]) == (409, "not_your_move")


@DOORS
def test_a_closed_referral_is_reopened(shared_api, referral_id, door):
    """By the side that closed it, and with a reason."""
    shared_api.move_to(referral_id, "received", "declined")

    silent = door(shared_api, referral_id, "referral.reopened", {})
    result = door(shared_api, referral_id, "referral.reopened", {"note": "New facts"})

    assert (silent.status, silent.json["code"]) == (409, "reason_needed")
    assert (result.json["status"], result.json["stage"]) == ("applied", "received")
    assert read(shared_api, referral_id)["outcome"] is None


def test_a_gap_in_the_sequence_is_shown_until_it_is_filled(shared_api, referral_id):
    """On the referral, in the list, and in the worklist of missing updates."""
    at = wiring.read_clock().isoformat()
    path = "/v1/referrals?worklist=update_overdue&limit=100"

    def overdue():
        return {row["referral_id"] for row in shared_api.practice.get(path).json["items"]}

    for stage, sequence in (("received", 7), ("accepted", 9)):
        shared_api.deliver(referral_id, stage, sequence=sequence)
    before, listed = read(shared_api, referral_id)["missing_updates"], overdue()
    shared_api.deliver(referral_id, "received", at=at, sequence=8)

    assert before == [8]
    assert referral_id in listed
    assert read(shared_api, referral_id)["missing_updates"] == []
    assert referral_id not in overdue()


def test_a_refused_update_is_not_missing(shared_api, referral_id):
    """It arrived; the log of deliveries says what was wrong with it."""
    shared_api.deliver(referral_id, "received", sequence=1)
    refused = shared_api.deliver(referral_id, "withdrawn", sequence=2)
    shared_api.deliver(referral_id, "accepted", sequence=3)

    assert refused.status == 409
    assert read(shared_api, referral_id)["missing_updates"] == []
    assert shared_api.get_stage(referral_id) == "accepted"


BAD = [
    ("hold.started", {"until": "soon"}, "/data/until"),
    ("hold.ended", {"reason_code": "not a code"}, "/data/reason_code"),
    ("toxicity.noticed", {"grade": 6}, "/data/grade"),
    ("toxicity.noticed", {"grade": "2"}, "/data/grade"),
    ("toxicity.noticed", {"kind": "bad"}, "/data/kind"),
    ("window.extended", {}, "/data/ends_on"),
    ("window.extended", {"ends_on": 1}, "/data/ends_on"),
    ("withdrawal.requested", {"note": 1}, "/data/note"),
    ("event.corrected", {}, "/data/supersedes"),
    ("event.corrected", {"supersedes": "evt_1", "replacement": {}}, "/data/replacement/occurred_at"),
    ("stage.changed", {"stage": "declined", "reason_code": "because"}, "/data/reason_code"),
    ("stage.changed", {"stage": "deferred", "revisit_on": "later"}, "/data/revisit_on"),
    ("stage.unchanged", {}, "/type"),
]


@DOORS
@pytest.mark.parametrize(("kind", "data", "pointer"), BAD)
def test_bad_data_is_refused_by_its_pointer(shared_api, referral_id, door, kind, data, pointer):
    """And changes nothing."""
    answer = door(shared_api, referral_id, kind, data)

    assert answer.status == 400
    assert pointer in {error["pointer"] for error in answer.json["errors"]}
    assert len(timeline(shared_api, referral_id)) == 1


def test_a_referral_continues_a_closed_one(shared_api, referral_id):
    """Both know of each other, and only one continues it."""
    shared_api.move_to(referral_id, "received", "declined")

    later = shared_api.refer(continues=referral_id)["referral_id"]
    again = shared_api.practice.post("/v1/referrals", {**build_referral_body(), "continues": referral_id})

    assert read(shared_api, later)["continues"] == referral_id
    assert read(shared_api, referral_id)["continued_by"] == later
    assert (again.status, again.json["code"]) == (409, "not_continuable")


def test_an_open_referral_is_not_continued(shared_api, referral_id):
    """Nor another practice's."""
    opened = shared_api.practice.post("/v1/referrals", {**build_referral_body(), "continues": referral_id})
    foreign = shared_api.other_practice.post("/v1/referrals", {**build_referral_body(), "continues": referral_id})

    assert (opened.status, opened.json["code"]) == (409, "not_continuable")
    assert foreign.status == 404


AFTER_INFUSION = {"adverse_event.reported", "relapse.reported"}

EXAMPLES = {
    "hold.started": {"reason_code": "infection_hold"},
    "hold.ended": {},
    "adverse_event.reported": {"kind": "crs", "grade": 1},
    "relapse.reported": {"status": "suspected"},
    "bridging.reported": {"status": "planned"},
    "plan.changed": {"plan": "return", "on": (wiring.read_clock() + 60 * DAY).date().isoformat()},
    "information.requested": {"items": ["imaging"]},
    "window.extended": {"ends_on": (wiring.read_clock() + 60 * DAY).date().isoformat()},
    "withdrawal.requested": {"reason_code": "patient_choice"},
    "referral.reopened": {"note": "It was ended by mistake."},
}


@pytest.mark.parametrize(
    ("side", "stages", "kinds"),
    [
        ("practice", (), {"hold.started", "bridging.reported"}),
        ("center", (), {"hold.started", "bridging.reported", "plan.changed", "information.requested"}),
        ("practice", ("received", "declined"), set()),
        ("center", ("received", "declined"), {"referral.reopened"}),
        ("practice", STAGES_TO_INFUSED, {"hold.started", *AFTER_INFUSION, "plan.changed", "withdrawal.requested"}),
        (
            "center",
            STAGES_TO_INFUSED,
            {"hold.started", *AFTER_INFUSION, "plan.changed", "window.extended", "information.requested"},
        ),
    ],
)
def test_every_offered_event_is_accepted(shared_api, referral_id, side, stages, kinds):
    """Each event that the response names is accepted as the next one."""
    shared_api.move_to(referral_id, *stages)
    offered = shared_api.get_client_for(shared_api.members[side]).get(f"/v1/referrals/{referral_id}").json

    answers = {
        kind: report_by_person(shared_api, referral_id, kind, EXAMPLES[kind], side=side).status
        for kind in offered["may_report"]
    }

    assert answers == dict.fromkeys(kinds, 200)
