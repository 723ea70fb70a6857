"""`referrals send-event`, against a site in this process that is really listened to."""

import json

import pytest
from typer.testing import CliRunner

from chalicelib import wiring
from infra.cli.commands import app
from tests.support.api_driver import STAGES_TO_INFUSED
from tests.support.factories import CENTER


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Runs a command with a data folder of its own."""
    monkeypatch.setenv("DATA_DIR", str(tmp_path))
    monkeypatch.setenv("COLUMNS", "200")

    def running(*arguments):
        return CliRunner().invoke(app, [str(argument) for argument in arguments])

    return running


def sends(run, referral_id, stage, *more):
    """What `send-event` prints for programs."""
    arguments = ("--center", CENTER.tenant_id, "--referral", referral_id, "--stage", stage)
    result = run("send-event", *arguments, *more, "--json")
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout)


def test_send_event_moves_a_referral_as_the_center_would(run, local_server):
    referral_id = local_server.refer()["referral_id"]

    sent = sends(run, referral_id, "accepted")

    assert (sent["status"], sent["answer"]["status"]) == (200, "applied")
    assert local_server.get_stage(referral_id) == "accepted"


def test_a_replay_has_the_same_id_and_bytes_and_a_fresh_signature(run, local_server):
    referral_id = local_server.refer()["referral_id"]
    first = sends(run, referral_id, "accepted")
    sends(run, referral_id, "consult_scheduled")

    latest = json.loads(run("send-event", "--replay", "--json").stdout)
    named = sends(run, referral_id, "accepted", "--replay")

    assert (latest["answer"]["status"], latest["answer"]["stage"]) == ("duplicate", "consult_scheduled")
    assert named["webhook_id"] == first["webhook_id"]
    assert named["answer"] == first["answer"] | {"status": "duplicate"}


def test_a_bad_signature_is_refused_and_not_remembered(run, local_server):
    referral_id = local_server.refer()["referral_id"]

    sent = sends(run, referral_id, "accepted", "--bad-signature")

    assert (sent["status"], sent["answer"]["code"]) == (401, "unauthenticated")
    assert run("send-event", "--replay").exit_code == 2


def test_the_fields_of_an_event_are_what_the_options_say(run, local_server):
    referral_id = local_server.refer(product_id="aucatzyl")["referral_id"]
    local_server.move_to(referral_id, *STAGES_TO_INFUSED[:-1])
    today = wiring.read_clock().date().isoformat()

    options = ("--part", 1, "--of", 2, "--local-date", today, "--sequence", 7, "--note", "Well.")
    sends(run, referral_id, "infused", *options)

    events = local_server.practice.get(f"/v1/referrals/{referral_id}/events").json["items"]
    told = {name: events[0]["data"][name] for name in ("part", "of", "local_date")}
    assert told == {"part": 1, "of": 2, "local_date": today}
    assert (events[0]["sequence"], events[0]["note"]) == (7, "Well.")


def test_send_event_says_what_it_does_not_understand(run, api):
    known = ("--center", CENTER.tenant_id)
    slips = {
        ("--center", "nope", "--referral", "ref_x", "--stage", "accepted"): "no center nope",
        (*known, "--stage", "accepted"): "--referral",
        (*known, "--referral", "ref_x", "--stage", "accepted", "--at", "soon"): "--at",
        ("--replay",): "Nothing was sent",
    }

    for arguments, says in slips.items():
        result = run("send-event", *arguments)
        assert (result.exit_code, result.stdout) == (2, "")
        assert says in result.stderr


def test_a_site_that_does_not_answer_is_no_site(run, api, monkeypatch):
    monkeypatch.setenv("PUBLIC_URL", "http://127.0.0.1:1")
    wanted = ("--center", CENTER.tenant_id, "--referral", "ref_x", "--stage", "accepted")

    result = run("send-event", *wanted)

    assert (result.exit_code, result.stdout) == (3, "")
    assert "Nobody answers" in result.stderr
