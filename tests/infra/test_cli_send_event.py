"""`referrals send-event`, against the test API on a real port."""

import json
from datetime import timedelta

import pytest
from typer.testing import CliRunner

from chalicelib import wiring
from infra.cli.commands import app
from tests.support.api_driver import STAGES_TO_INFUSED
from tests.support.factories import CENTER


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Run a command with a separate data folder."""
    monkeypatch.setenv("DATA_DIR", str(tmp_path))
    monkeypatch.setenv("COLUMNS", "200")

    def run_command(*arguments):
        return CliRunner().invoke(app, [str(argument) for argument in arguments])

    return run_command


def send(run, referral_id, stage, *options):
    """Run `send-event` and return its JSON output."""
    arguments = ("--center", CENTER.tenant_id, "--referral", referral_id, "--stage", stage)
    result = run("send-event", *arguments, *options, "--json")
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout)


def test_send_event_changes_the_stage_of_a_referral(run, local_server):
    referral_id = local_server.refer()["referral_id"]

    sent = send(run, referral_id, "accepted")

    assert (sent["status"], sent["answer"]["status"]) == (200, "applied")
    assert local_server.get_stage(referral_id) == "accepted"


def test_a_replay_has_the_same_id_and_bytes_and_a_new_signature(run, local_server):
    referral_id = local_server.refer()["referral_id"]
    first = send(run, referral_id, "accepted")
    send(run, referral_id, "consult_scheduled")

    latest = json.loads(run("send-event", "--replay", "--json").stdout)
    matching = send(run, referral_id, "accepted", "--replay")

    assert (latest["answer"]["status"], latest["answer"]["stage"]) == ("duplicate", "consult_scheduled")
    assert matching["webhook_id"] == first["webhook_id"]
    assert matching["answer"] == first["answer"] | {"status": "duplicate"}


def test_a_delivery_with_a_bad_signature_is_rejected_and_cannot_be_replayed(run, local_server):
    referral_id = local_server.refer()["referral_id"]

    sent = send(run, referral_id, "accepted", "--bad-signature")

    assert (sent["status"], sent["answer"]["code"]) == (401, "unauthenticated")
    assert run("send-event", "--replay").exit_code == 2


def test_the_options_set_the_fields_of_the_event(run, local_server):
    referral_id = local_server.refer(product_id="aucatzyl")["referral_id"]
    local_server.move_to(referral_id, *STAGES_TO_INFUSED[:-1])
    today = wiring.read_clock().date().isoformat()

    options = ("--part", 1, "--of", 2, "--local-date", today, "--sequence", 7, "--note", "Well.")
    send(run, referral_id, "infused", *options)

    events = local_server.practice.get(f"/v1/referrals/{referral_id}/events").json["items"]
    data = {name: events[0]["data"][name] for name in ("part", "of", "local_date")}
    assert data == {"part": 1, "of": 2, "local_date": today}
    assert (events[0]["sequence"], events[0]["note"]) == (7, "Well.")


def test_other_events_are_sent_by_their_type(run, local_server):
    """With the fields that the type has; a replay finds them by the type."""
    referral_id = local_server.refer()["referral_id"]
    local_server.move_to(referral_id, *STAGES_TO_INFUSED)
    base = ("send-event", "--center", CENTER.tenant_id, "--referral", referral_id, "--json")

    sent = run(*base, "--type", "adverse_event.reported", "--kind", "crs", "--grade", 3, "--note", "Fever.")
    again = run(*base, "--type", "adverse_event.reported", "--replay")

    newest = local_server.practice.get(f"/v1/referrals/{referral_id}/events").json["items"][0]
    assert json.loads(sent.stdout)["answer"]["status"] == "applied"
    assert json.loads(again.stdout)["answer"]["status"] == "duplicate"
    assert (newest["type"], newest["data"]) == (
        "adverse_event.reported",
        {"kind": "crs", "grade": 3, "note": "Fever."},
    )


def test_bridging_therapy_and_a_relapse_are_sent(run, local_server):
    referral_id = local_server.refer()["referral_id"]
    local_server.move_to(referral_id, "received")
    base = ("send-event", "--center", CENTER.tenant_id, "--referral", referral_id)

    options = ("--status", "completed", "--by", "center", "--regimen", "Pola-BR", "--response", "stable_disease")
    run(*base, "--type", "bridging.reported", *options)
    parked = run(*base, "--type", "relapse.reported", "--status", "suspected", "--json")

    bridging = local_server.practice.get(f"/v1/referrals/{referral_id}").json["bridging"]
    assert (bridging["by"], bridging["regimen"], bridging["response"]) == ("center", "Pola-BR", "stable_disease")
    assert json.loads(parked.stdout)["answer"]["status"] == "parked"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--center", "nope", "--referral", "ref_x", "--stage", "accepted"), "No center with ID nope."),
        (("--center", CENTER.tenant_id, "--stage", "accepted"), "--center, --referral, and --stage are required."),
        (
            ("--center", CENTER.tenant_id, "--referral", "ref_x", "--stage", "accepted", "--at", "soon"),
            "--at is not valid",
        ),
        (("--replay",), "No matching delivery to resend."),
    ],
    ids=["unknown-center", "missing-referral", "invalid-time", "nothing-to-replay"],
)
def test_send_event_reports_a_usage_error(run, api, arguments, message):
    result = run("send-event", *arguments)

    assert (result.exit_code, result.stdout) == (2, "")
    assert message in result.stderr


def test_a_site_that_does_not_respond_is_reported(run, api, monkeypatch):
    monkeypatch.setenv("PUBLIC_URL", "http://127.0.0.1:1")

    result = run("send-event", "--center", CENTER.tenant_id, "--referral", "ref_x", "--stage", "accepted")

    assert (result.exit_code, result.stdout) == (3, "")
    assert "No response from http://127.0.0.1:1" in result.stderr


def plan(run, referral_id, *options):
    """Send a planned date and return the JSON output."""
    arguments = ("--center", CENTER.tenant_id, "--referral", referral_id, "--type", "plan.changed")
    result = run("send-event", *arguments, "--plan", "consultation", *options, "--json")
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout)


def test_send_event_plans_moves_and_cancels_a_date(run, local_server):
    referral_id = local_server.refer()["referral_id"]
    day = (wiring.read_clock() + timedelta(days=20)).date()

    planned = plan(run, referral_id, "--on", day)
    moved = plan(run, referral_id, "--starts-at", f"{day}T15:30:00Z")
    canceled = plan(run, referral_id, "--canceled")

    assert [sent["answer"]["status"] for sent in (planned, moved, canceled)] == ["applied"] * 3
    [result] = local_server.practice.get(f"/v1/referrals/{referral_id}").json["plans"]
    assert (result["plan"], result["starts_at"], result["canceled"]) == ("consultation", f"{day}T15:30:00Z", True)


@pytest.mark.parametrize(
    ("option", "value"), [("--on", "2028-02-30"), ("--on", "2001-03-03"), ("--starts-at", "10:30")]
)
def test_the_response_names_an_impossible_planned_date(run, local_server, option, value):
    referral_id = local_server.refer()["referral_id"]

    sent = plan(run, referral_id, option, value)

    assert sent["status"] in {400, 409}
    assert [error["pointer"] for error in sent["answer"]["errors"]] == [f"/data/{option[2:].replace('-', '_')}"]
