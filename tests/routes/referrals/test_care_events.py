"""Adverse events, relapse and bridging therapy: reported by either side, read by both, and notified to the other."""

import json
from datetime import timedelta

import pytest

from chalicelib import wiring
from chalicelib.domain.notices.tasks import TaskQueue
from chalicelib.domain.referrals.adverse_events import AdverseEventKind
from chalicelib.services.notices.outbox_worker import run_job
from tests.support import aws_fakes
from tests.support.api_driver import STAGES_TO_INFUSED
from tests.support.leak_probe import dump_table
from tests.support.new_worlds import save_world

DAY = timedelta(days=1)
SIDES = ("practice", "center")


def build_body(kind, data, *, at=None):
    """Build an event of now, or of another time."""
    return {"type": kind, "occurred_at": (at or wiring.read_clock()).isoformat(), "data": data}


def report(world, referral_id, kind, data, *, side="center", at=None):
    """Report an event as a coordinator of one side does."""
    site = world.get_client_for(world.members[side])
    return site.post(f"/v1/referrals/{referral_id}/events", build_body(kind, data, at=at))


def deliver(world, referral_id, kind, data, *, at=None, webhook_id=None):
    """Report an event as the center's system does."""
    body = build_body(kind, data, at=at) | {"referral_id": referral_id}
    return world.deliver_raw(json.dumps(body).encode(), webhook_id=webhook_id)


def read(world, referral_id, *, side="practice"):
    """Read the referral as one side sees it."""
    return world.get_client_for(world.members[side]).get(f"/v1/referrals/{referral_id}").json


def list_notices(world, referral_id, *, side):
    """List one side's notices about care."""
    run_job(TaskQueue.EVENT, context=wiring.build_job_context())
    items = world.get_client_for(world.members[side]).get("/v1/notices?limit=100").json["items"]
    return [item for item in items if item["referral_id"] == referral_id and item["detail"]]


@pytest.fixture
def referral_id(shared_api):
    """The id of a referral that was just submitted."""
    return shared_api.refer()["referral_id"]


@pytest.fixture(scope="module")
def infused_world(shared_api):
    """A referral whose patient was just infused, after everyone was notified: its id, and the world."""
    referral_id = shared_api.refer()["referral_id"]
    shared_api.move_to(referral_id, *STAGES_TO_INFUSED)
    run_job(TaskQueue.EVENT, context=wiring.build_job_context())
    return referral_id, save_world(shared_api)


@pytest.fixture
def infused_referral_id(shared_api, infused_world):
    """The id of the infused referral, in a world in which nothing has happened since."""
    referral_id, saved = infused_world
    shared_api.stores = saved.reopen().stores
    return referral_id


@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("kind", AdverseEventKind)
def test_either_side_reports_every_kind_and_both_read_it(shared_api, infused_referral_id, side, kind):
    """With its grade on a published scale if the kind is graded; the status does not change."""
    graded = kind not in {AdverseEventKind.PML, AdverseEventKind.SECOND_MALIGNANCY, AdverseEventKind.READMISSION}
    data = {"kind": kind.value} | ({"grade": 2} if graded else {})

    answer = report(shared_api, infused_referral_id, "adverse_event.reported", data, side=side)

    assert (answer.status, answer.json["status"], answer.json["stage"]) == (200, "applied", "infused")
    for reader in SIDES:
        [event] = read(shared_api, infused_referral_id, side=reader)["adverse_events"]
        assert (event["kind"], event["grade"], event["status"]) == (kind, data.get("grade"), "ongoing")
        assert (event["reported_by"], event["since"]) == (side, event["reported_at"])
        assert bool(event["grading"]) == graded
    newest = shared_api.practice.get(f"/v1/referrals/{infused_referral_id}/events").json["items"][0]
    assert (newest["type"], newest["data"]) == ("adverse_event.reported", data)


@pytest.mark.parametrize(
    ("written", "kind"), [("CRS", "crs"), ("IEC-HS", "iec_hs"), ("PML", "pml"), ("ICANS", "icans")]
)
def test_a_kind_is_read_as_clinicians_write_it(shared_api, infused_referral_id, written, kind):
    """The API's own names are in lower case."""
    answer = deliver(shared_api, infused_referral_id, "adverse_event.reported", {"kind": written})

    assert answer.status == 200
    assert read(shared_api, infused_referral_id)["adverse_events"][0]["kind"] == kind


def test_the_older_form_is_read_as_an_adverse_event(shared_api, infused_referral_id):
    """Systems that send `toxicity.noticed` need no change."""
    answer = deliver(shared_api, infused_referral_id, "toxicity.noticed", {"kind": "neurotoxicity", "grade": 3})

    [event] = read(shared_api, infused_referral_id)["adverse_events"]
    assert answer.json["status"] == "applied"
    assert (event["kind"], event["grade"], event["label"]) == ("icans", 3, "Neurotoxicity (ICANS), grade 3")


def test_an_update_and_a_resolution_follow_the_first_report(shared_api, infused_referral_id):
    """The center reports grade 1, then grade 3; the practice reports that it has resolved."""
    started = wiring.read_clock() - 2 * DAY
    report(shared_api, infused_referral_id, "adverse_event.reported", {"kind": "crs", "grade": 1}, at=started)
    report(shared_api, infused_referral_id, "adverse_event.reported", {"kind": "crs", "grade": 3}, at=started + DAY)
    [worse] = read(shared_api, infused_referral_id)["adverse_events"]
    window = shared_api.practice.get(f"/v1/referrals/{infused_referral_id}/window").json

    resolved_on = wiring.read_clock().date().isoformat()
    data = {"kind": "crs", "status": "resolved", "resolved_on": resolved_on}
    report(shared_api, infused_referral_id, "adverse_event.reported", data, side="practice")

    [over] = read(shared_api, infused_referral_id)["adverse_events"]
    assert (worse["grade"], worse["since"][:19]) == (3, started.isoformat()[:19])
    assert [event["label"] for event in window["open_adverse_events"]] == ["Cytokine release syndrome (CRS), grade 3"]
    assert (over["status"], over["resolved_on"], over["reported_by"]) == ("resolved", resolved_on, "practice")
    after = shared_api.practice.get(f"/v1/referrals/{infused_referral_id}/window").json
    assert after["open_adverse_events"] == []


def test_the_wallet_card_shows_what_is_open(shared_api, infused_referral_id):
    """First on the card, with kind, grade and since when; a resolved one is not on it."""
    path = f"/v1/referrals/{infused_referral_id}/follow-up"
    for data in (
        {"kind": "icans", "grade": 2},
        {"kind": "infection", "grade": 3},
        {"kind": "infection", "status": "resolved"},
    ):
        report(shared_api, infused_referral_id, "adverse_event.reported", data)

    lines = shared_api.practice.get(path).json["card"]["lines"]

    assert lines[0]["label"] == "Open adverse event"
    assert lines[0]["text"].startswith("Neurotoxicity (ICANS), grade 2, since ")
    assert lines[0]["source"].startswith("Reported by the center, ")
    assert "Infection" not in json.dumps(lines)


def test_a_repeat_of_the_same_delivery_is_a_duplicate(shared_api, infused_referral_id):
    """Same id and same bytes: one report."""
    body = build_body("adverse_event.reported", {"kind": "crs"}) | {"referral_id": infused_referral_id}
    raw = json.dumps(body).encode()

    answers = [shared_api.deliver_raw(raw, webhook_id=f"msg_{infused_referral_id}") for _ in range(2)]

    assert [answer.json["status"] for answer in answers] == ["applied", "duplicate"]
    items = shared_api.practice.get(f"/v1/referrals/{infused_referral_id}/events").json["items"]
    assert [item["type"] for item in items].count("adverse_event.reported") == 1


@pytest.mark.parametrize("kind", ["adverse_event.reported", "relapse.reported"])
def test_a_report_before_the_infusion_is_parked_and_applies_by_itself(shared_api, referral_id, kind):
    """A person is asked to record the infusion first."""
    data = {"kind": "crs", "grade": 2} if kind == "adverse_event.reported" else {}
    shared_api.move_to(referral_id, *STAGES_TO_INFUSED[:-1])

    early = deliver(shared_api, referral_id, kind, data)
    refused = report(shared_api, referral_id, kind, data, side="practice")
    shared_api.move_to(referral_id, "infused")

    referral = read(shared_api, referral_id)
    assert (early.status, early.json["status"]) == (202, "parked")
    assert (refused.status, refused.json["code"]) == (409, "not_legal_yet")
    assert len(referral["adverse_events"]) + (referral["relapse"] is not None) == 1


def test_a_late_effect_is_reported_on_a_closed_referral(shared_api, infused_referral_id):
    """It stays closed, and the other side is notified with what to do."""
    shared_api.move_to(infused_referral_id, "monitoring", "window_complete", "handback_ready")
    report(shared_api, infused_referral_id, "stage.changed", {"stage": "handed_back"}, side="practice")
    data = {"stage": "lost_to_follow_up", "reason_code": "unreachable"}
    report(shared_api, infused_referral_id, "stage.changed", data, side="practice")

    offers = read(shared_api, infused_referral_id)["may_report"]
    answer = report(
        shared_api, infused_referral_id, "adverse_event.reported", {"kind": "second_malignancy"}, side="practice"
    )

    [notice] = list_notices(shared_api, infused_referral_id, side="center")
    assert "adverse_event.reported" in offers
    assert (answer.status, answer.json["stage"]) == (200, "lost_to_follow_up")
    assert notice["category"] == "critical"
    assert "Contact the manufacturer" in notice["detail"]
    assert "Source: FDA: T-cell malignancies after CAR T therapy (roundup, January 2024)" in notice["detail"]


URGENCY = [
    ({"kind": "infection", "grade": 2}, "An adverse event was reported", "journey"),
    ({"kind": "infection", "grade": 3}, "An adverse event was reported: read it now", "critical"),
    ({"kind": "cytopenia"}, "An adverse event was reported: read it now", "critical"),
    ({"kind": "icans", "grade": 1}, "An adverse event was reported: read it now", "critical"),
    ({"kind": "readmission"}, "The patient was readmitted", "critical"),
    ({"kind": "crs", "grade": 4, "status": "resolved"}, "An adverse event has resolved", "journey"),
]


@pytest.mark.parametrize(("data", "title", "category"), URGENCY, ids=lambda value: str(value)[:60])
@pytest.mark.parametrize("side", SIDES)
def test_the_other_side_is_notified_by_urgency(shared_api, infused_referral_id, side, data, title, category):
    """A severe, ungraded or fast-worsening event is critical; the reporter's side is not notified."""
    other = "center" if side == "practice" else "practice"

    report(shared_api, infused_referral_id, "adverse_event.reported", data, side=side)

    [notice] = list_notices(shared_api, infused_referral_id, side=other)
    assert (notice["title"], notice["category"]) == (title, category)
    assert f"Reported by {shared_api.members[side].name}." in notice["detail"]
    assert list_notices(shared_api, infused_referral_id, side=side) == []


def test_a_notice_names_the_kind_and_no_email_or_table_does(shared_api, infused_referral_id):
    """Email has the alias only; the kind and the grade are stored encrypted."""
    note = "Zebrawordqx confused"
    data = {"kind": "enterocolitis", "grade": 4, "note": note}
    sent = len(aws_fakes.list_sent_mail())

    report(shared_api, infused_referral_id, "adverse_event.reported", data)

    [notice] = list_notices(shared_api, infused_referral_id, side="practice")
    assert notice["detail"].startswith("Enterocolitis (IEC-EC), grade 4, ")
    assert len(aws_fakes.list_sent_mail()) > sent
    mails = json.dumps([mail.__dict__ for mail in aws_fakes.list_sent_mail()], default=str).lower()
    assert "enterocolitis" not in mails
    for table in ("referrals", "notices", "outbox", "audit", "deliveries", "idempotency"):
        dumped = dump_table(table).lower()
        assert b"enterocolitis" not in dumped, table
        assert b"zebrawordqx" not in dumped, table


@pytest.mark.parametrize("side", SIDES)
def test_either_side_reports_a_relapse(shared_api, infused_referral_id, side):
    """Suspected first, then confirmed; the other side is notified."""
    other = "center" if side == "practice" else "practice"

    report(shared_api, infused_referral_id, "relapse.reported", {"status": "suspected"}, side=side)
    suspected = read(shared_api, infused_referral_id)["relapse"]
    answer = report(shared_api, infused_referral_id, "relapse.reported", {"note": "Biopsy."}, side=side)

    relapse = read(shared_api, infused_referral_id, side=other)["relapse"]
    assert answer.json["status"] == "applied"
    assert (suspected["status"], relapse["status"], relapse["reported_by"]) == ("suspected", "confirmed", side)
    details = [notice["detail"] for notice in list_notices(shared_api, infused_referral_id, side=other)]
    assert sorted(detail.partition(",")[0] for detail in details) == ["Relapse confirmed", "Relapse suspected"]


@pytest.mark.parametrize("side", SIDES)
def test_either_side_reports_bridging_therapy(shared_api, referral_id, side):
    """From the submission on: planned with a regimen, then completed with a response."""
    plan = {"status": "planned", "by": "practice", "regimen": "Pola-BR"}
    shared_api.move_to(referral_id, "received")

    planned = report(shared_api, referral_id, "bridging.reported", plan, side=side)
    done = {"status": "completed", "response": "partial_response"}
    report(shared_api, referral_id, "bridging.reported", done, side=side)

    bridging = read(shared_api, referral_id)["bridging"]
    assert planned.json["status"] == "applied"
    assert {name: bridging[name] for name in ("status", "by", "regimen", "response", "reported_by")} == {
        **plan,
        **done,
        "reported_by": side,
    }
    other = "center" if side == "practice" else "practice"
    assert len(list_notices(shared_api, referral_id, side=other)) == 2


def test_bridging_therapy_reported_after_the_infusion_is_history(shared_api, infused_referral_id):
    """It can still be added, and it is no longer offered."""
    answer = report(shared_api, infused_referral_id, "bridging.reported", {"status": "completed"}, side="practice")

    referral = read(shared_api, infused_referral_id)
    assert answer.json["status"] == "recorded"
    assert referral["bridging"]["status"] == "completed"
    assert "bridging.reported" not in referral["may_report"]


def test_after_a_death_nothing_is_open_and_no_one_is_notified(shared_api, infused_referral_id):
    """A later report is kept in the history; the card and the window show no adverse event."""
    report(shared_api, infused_referral_id, "adverse_event.reported", {"kind": "crs", "grade": 4})
    list_notices(shared_api, infused_referral_id, side="practice")
    death = {"stage": "deceased", "reason_code": "death_after_treatment"}
    report(shared_api, infused_referral_id, "stage.changed", death)

    answer = report(shared_api, infused_referral_id, "adverse_event.reported", {"kind": "crs", "grade": 5})

    referral = read(shared_api, infused_referral_id)
    card = shared_api.practice.get(f"/v1/referrals/{infused_referral_id}/follow-up").json["card"]
    assert answer.json["status"] == "recorded"
    assert [(event["grade"], event["open"]) for event in referral["adverse_events"]] == [(5, False)]
    assert referral["window"]["open_adverse_events"] == []
    assert "Open adverse event" not in json.dumps(card)
    assert len(list_notices(shared_api, infused_referral_id, side="practice")) == 1


def test_a_report_about_another_patient_is_taken_back(shared_api, infused_referral_id):
    """By the side that reported it; it leaves the card and stays in the timeline."""
    wrong = report(shared_api, infused_referral_id, "adverse_event.reported", {"kind": "pml"}).json["event_id"]

    refused = report(shared_api, infused_referral_id, "event.corrected", {"supersedes": wrong}, side="practice")
    answer = report(shared_api, infused_referral_id, "event.corrected", {"supersedes": wrong})

    assert (refused.status, refused.json["code"]) == (409, "not_your_move")
    assert answer.json["status"] == "applied"
    assert read(shared_api, infused_referral_id)["adverse_events"] == []
    assert read(shared_api, infused_referral_id)["stage"] == "infused"
    items = shared_api.practice.get(f"/v1/referrals/{infused_referral_id}/events").json["items"]
    assert wrong in {item["event_id"] for item in items}


def test_a_person_cannot_grade_a_kind_that_has_no_grades(shared_api, infused_referral_id):
    """A center's system can: its report must not be lost for that."""
    data = {"kind": "second_malignancy", "grade": 3}

    refused = report(shared_api, infused_referral_id, "adverse_event.reported", data)
    kept = deliver(shared_api, infused_referral_id, "adverse_event.reported", data)

    assert (refused.status, [error["pointer"] for error in refused.json["errors"]]) == (400, ["/data/grade"])
    assert (kept.status, kept.json["status"]) == (200, "applied")


def test_an_adverse_event_without_any_infusion_of_another_center_never_applies(shared_api, infused_referral_id):
    """No stranger reports, and none learns whether the referral exists."""
    body = build_body("adverse_event.reported", {"kind": "crs"})

    answers = [
        site.post(f"/v1/referrals/{infused_referral_id}/events", body)
        for site in (shared_api.other_practice, shared_api.other_center)
    ]

    assert [answer.status for answer in answers] == [404, 404]
    assert read(shared_api, infused_referral_id)["adverse_events"] == []


TOMORROW_AND_MORE = "2099-01-01"

BAD = [
    ("adverse_event.reported", {}, "/data/kind"),
    ("adverse_event.reported", {"kind": "fever"}, "/data/kind"),
    ("adverse_event.reported", {"kind": "crs", "grade": 0}, "/data/grade"),
    ("adverse_event.reported", {"kind": "crs", "grade": 6}, "/data/grade"),
    ("adverse_event.reported", {"kind": "crs", "grade": "2"}, "/data/grade"),
    ("adverse_event.reported", {"kind": "crs", "grade": True}, "/data/grade"),
    ("adverse_event.reported", {"kind": "crs", "status": "gone"}, "/data/status"),
    ("adverse_event.reported", {"kind": "crs", "resolved_on": TOMORROW_AND_MORE}, "/data/resolved_on"),
    (
        "adverse_event.reported",
        {"kind": "crs", "status": "ongoing", "resolved_on": "2026-11-01"},
        "/data/resolved_on",
    ),
    ("relapse.reported", {"status": "maybe"}, "/data/status"),
    ("bridging.reported", {}, "/data/status"),
    ("bridging.reported", {"status": "planned", "by": "payer"}, "/data/by"),
    ("bridging.reported", {"status": "completed", "response": "good"}, "/data/response"),
    ("bridging.reported", {"status": "planned", "regimen": "x" * 201}, "/data/regimen"),
]


@pytest.mark.parametrize("door", [report, deliver])
@pytest.mark.parametrize(("kind", "data", "pointer"), BAD, ids=lambda value: str(value)[:50])
def test_bad_data_is_refused_by_its_pointer(shared_api, referral_id, door, kind, data, pointer):
    """Nothing is recorded."""
    answer = door(shared_api, referral_id, kind, data)

    assert (answer.status, [error["pointer"] for error in answer.json["errors"]]) == (400, [pointer])
