"""`referrals conformance`: a file of deliveries, a played journey, and the checklist on a real port."""

import json
import os
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from base64 import b64encode
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from chalicelib.domain.platform.ids import derive_id
from chalicelib.domain.webhooks.signature import sign_delivery
from infra.cli.commands import app
from infra.conformance.checklist import SCENARIOS
from tests.support.factories import CENTER

ROOT = Path(__file__).parents[2]
SECRET = b"0123456789abcdef0123456789abcdef"
REFERRAL = derive_id("ref", "1")
HEADERS = "webhook-id, webhook-timestamp, webhook-signature"
UNKNOWN_SIGNATURE = (
    "The signature fits neither the secret nor a known mistake. Check that both sides have the same secret, "
    "and that nothing on the way, such as a proxy, changes the body or the headers."
)


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Run a command with a separate data folder."""
    monkeypatch.setenv("DATA_DIR", str(tmp_path))
    monkeypatch.setenv("COLUMNS", "200")

    def run_command(*arguments):
        return CliRunner().invoke(app, ["conformance", *(str(argument) for argument in arguments)])

    return run_command


@pytest.fixture
def secret_file(tmp_path):
    path = tmp_path / "secret"
    path.write_text(f"whsec_{b64encode(SECRET).decode()}\n")
    return path


def build_line(stage, n, *, secret=SECRET, webhook_id=None, received_at=True, **members):
    """Build a line of a recorded feed: a delivery on the n-th day of November."""
    at = datetime(2026, 11, n, 15, 0, tzinfo=UTC)
    body = json.dumps(
        {"type": "stage.changed", "referral_id": REFERRAL, "occurred_at": at.isoformat(), "data": {"stage": stage}}
        | members
    )
    webhook_id, timestamp = webhook_id or f"msg_{n}", str(int(at.timestamp()))
    signature = sign_delivery(secret, webhook_id=webhook_id, timestamp=timestamp, body=body.encode())
    headers = {"Webhook-Id": webhook_id, "Webhook-Timestamp": timestamp, "Webhook-Signature": signature}
    line = {"headers": headers, "body": body} | ({"received_at": at.isoformat()} if received_at else {})
    return json.dumps(line)


@pytest.fixture
def feed(tmp_path):
    """Write the lines of a file, and return its path."""
    path = tmp_path / "feed.jsonl"

    def write(*lines):
        path.write_text("\n".join(lines) + "\n")
        return path

    return write


def check(run, path, *options):
    result = run("check", path, *options, "--json")
    return result.exit_code, json.loads(result.stdout)


def test_a_right_feed_has_no_problems(run, feed, secret_file):
    path = feed(build_line("accepted", 1), build_line("consult_scheduled", 2), build_line("consult_scheduled", 2))

    result = run("check", path, "--secret-file", secret_file)

    assert result.exit_code == 0
    assert result.stdout == "3 deliveries: 2 applied, 1 duplicate. Lines with something wrong: 0.\n"


def test_each_wrong_line_is_named_with_its_number(run, feed, secret_file):
    path = feed(
        build_line("accepted", 1),
        "",
        build_line("consult_scheduled", 2, secret=b"another secret"),
        build_line("nonsense", 3),
        '{"headers": {}, "body": {}}',
        "not JSON",
        '{"headers": {}, "body": "{}"}',
        build_line("center_proceed", 8),
    )

    exit_code, report = check(run, path, "--secret-file", secret_file)

    problems = {line["number"]: line["problems"] for line in report["lines"] if line["problems"]}
    assert exit_code == 1
    assert problems == {
        3: [UNKNOWN_SIGNATURE],
        4: ["/data/stage: Choose a value from the list."],
        5: ["body must be text: the exact body that was sent, not a JSON object."],
        6: ["The line is not JSON in UTF-8."],
        7: [f"Header missing or empty: {HEADERS}. Each delivery needs {HEADERS}."],
        8: ["The event never applied. Waits for: Consultation scheduled; Consultation completed."],
    }


def test_without_a_secret_signatures_are_not_checked_and_the_summary_says_so(run, feed):
    result = run("check", feed(build_line("accepted", 1, secret=b"another secret")))

    assert result.exit_code == 0
    assert "Signatures were not checked." in result.stdout


def test_a_missing_sequence_number_is_named(run, feed):
    lines = [build_line(stage, n, sequence=n) for stage, n in (("accepted", 1), ("consult_scheduled", 3))]

    exit_code, report = check(run, feed(*lines))

    assert (exit_code, report["missing_updates"]) == (1, {REFERRAL: [2]})


def test_an_old_timestamp_needs_the_time_of_arrival(run, feed):
    """Without it, the age of a recorded delivery is not known."""
    late = json.loads(build_line("accepted", 1)) | {"received_at": "2026-11-01T15:10:00Z"}

    with_arrival, _ = check(run, feed(json.dumps(late)))
    without_arrival, _ = check(run, feed(build_line("accepted", 1, received_at=False)))

    assert (with_arrival, without_arrival) == (1, 0)


@pytest.mark.parametrize("value", ["yesterday", 5, "2026-11-01T15:00:00"])
def test_a_wrong_time_of_arrival_is_named(run, feed, value):
    line = json.dumps(json.loads(build_line("accepted", 1)) | {"received_at": value})

    _, report = check(run, feed(line))

    assert report["lines"][0]["problems"][0].startswith("received_at must be a time with an offset")


def test_headers_can_be_a_list_so_that_one_can_come_twice(run, feed):
    line = json.loads(build_line("accepted", 1))
    pairs = [*line["headers"].items(), ("webhook-id", "msg_other")]

    _, report = check(run, feed(json.dumps(line | {"headers": pairs})))

    assert report["lines"][0]["problems"] == ["A header appears more than once."]


def test_no_value_of_a_body_is_printed(run, feed):
    line = build_line(
        "info_requested", 1, data={"stage": "info_requested", "note": "Ana Example"}, patient="Ana Example"
    )

    result = run("check", feed(line))

    assert "Ana" not in result.output


@pytest.mark.parametrize(
    ("content", "message"), [(None, "Cannot read"), ("", "has no deliveries.")], ids=["no-file", "empty"]
)
def test_a_file_without_deliveries_is_an_error(run, tmp_path, content, message):
    path = tmp_path / "feed.jsonl"
    if content is not None:
        path.write_text(content)

    result = run("check", path)

    assert (result.exit_code, message in result.stderr) == (2, True)


@pytest.mark.parametrize("content", ["", "whsec_", "whsec_***", b64encode(SECRET).decode()])
def test_a_file_without_a_secret_is_an_error_that_does_not_repeat_it(run, feed, tmp_path, content):
    path = tmp_path / "wrong-secret"
    path.write_text(content)

    result = run("check", feed(build_line("accepted", 1)), "--secret-file", path)

    assert result.exit_code == 2
    assert not content or content not in result.stderr.replace("It must have one line: whsec_ and base64.", "")


def test_an_unknown_time_zone_is_an_error(run, feed):
    result = run("check", feed(build_line("accepted", 1)), "--time-zone", "Houston")

    assert (result.exit_code, "--time-zone is not known." in result.stderr) == (2, True)


@pytest.fixture
def receiving(tmp_path):
    """The receiver in a process of its own, and its address."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    command = [sys.executable, "-c", "from infra.cli import main; main()", "conformance", "receive", "--json"]
    with subprocess.Popen(
        [*command, "--port", str(port)],
        env=os.environ | {"DATA_DIR": str(tmp_path), "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr is not None
        assert process.stderr.readline().startswith("Address")
        yield process, f"http://127.0.0.1:{port}/v1/webhooks/centers/ctr_conformance"
        process.kill()


def test_a_played_journey_shows_every_scenario_to_the_receiver(run, receiving, tmp_path):
    """Both modes at once: the player is a correct sender, and the receiver sees everything, then ends."""
    process, url = receiving

    played = run("play", url, "--json")

    assert [step for step in json.loads(played.stdout) if step["problem"]] == []
    output, progress = process.communicate(timeout=60)
    received = json.loads(output)
    assert [scenario["scenario"] for scenario in received["scenarios"] if scenario["seen"]] == [
        scenario.key for scenario in SCENARIOS
    ]
    assert [wrong["problems"] for wrong in received["wrong_deliveries"]] == [
        ["This webhook-id was already used with another body. Each event needs its own ID."]
    ]
    secret = (tmp_path / "conformance-secret").read_text().strip()
    assert (tmp_path / "conformance-secret").stat().st_mode & 0o777 == 0o600
    assert all(secret not in text for text in (played.output, output, progress))


def test_the_receiver_ends_with_ctrl_c_and_names_what_it_has_not_seen(receiving):
    process, _ = receiving

    process.send_signal(signal.SIGINT)

    output, _ = process.communicate(timeout=60)
    assert process.returncode == 1
    assert {scenario["seen"] for scenario in json.loads(output)["scenarios"]} == {False}


@pytest.mark.parametrize(
    ("path", "method", "status"), [("/", "POST", 404), ("", "GET", 405)], ids=["another-address", "another-method"]
)
def test_a_request_that_is_no_delivery_is_refused(receiving, path, method, status):
    _, url = receiving
    request = urllib.request.Request(url + path, data=b"{}" if method == "POST" else None, method=method)

    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(request)

    refused.value.close()
    assert refused.value.code == status


def test_a_played_journey_passes_on_the_product_itself(run, local_server, tmp_path, monkeypatch):
    """What the kit expects of a receiver is what the product does."""
    from infra.cli import site

    referral_id = local_server.refer()["referral_id"]
    path = tmp_path / "center-secret"
    path.write_text(f"whsec_{b64encode(local_server.secrets[CENTER.tenant_id]).decode()}")
    url = f"{site.enter_site().url}/v1/webhooks/centers/{CENTER.tenant_id}"

    result = run("play", url, "--referral", referral_id, "--secret-file", path, "--json")

    assert [step for step in json.loads(result.stdout) if step["problem"]] == []
    assert local_server.get_stage(referral_id) == "deceased"


@pytest.mark.parametrize(
    ("url", "options"),
    [
        ("http://receiver.example/hook", ()),
        ("http://receiver.example/hook", ("--remote",)),
        ("ftp://127.0.0.1/hook", ()),
        ("receiver", ()),
    ],
)
def test_nothing_is_sent_to_another_machine_unless_asked_for(run, url, options):
    result = run("play", url, *options)

    assert result.exit_code == 2


def test_a_receiver_that_accepts_everything_is_found_wrong(run, local_server, monkeypatch):
    """It has the address of another center, so the product refuses what is right."""
    from infra.cli import site

    result = run("play", f"{site.enter_site().url}/v1/webhooks/centers/ctr_unknown", "--json")

    problems = {step["step"]: step["problem"] for step in json.loads(result.stdout)}
    assert result.exit_code == 1
    assert problems["consult_scheduled"].startswith("A correct signature was refused.")
    assert problems["a wrong signature"] == ""
