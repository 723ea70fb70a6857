"""The command line: what each command prints, and its exit code when it fails."""

import json
import os
import subprocess
import sys
from datetime import date, timedelta
from functools import cache

import pytest
from typer.testing import CliRunner

from chalicelib import wiring
from chalicelib.domain.notices.mail_timing import Preferences
from chalicelib.errors import UnauthenticatedError
from chalicelib.services.identity.sign_in import SignedInSession, SignInChallenge
from chalicelib.services.notices.weekly_digest import save_preferences
from chalicelib.services.platform.run_context import RunContext
from infra import world
from infra.cli import doctor
from infra.cli.commands import app
from infra.cli.site import enter_site
from infra.local import environment
from infra.world.people import MEMBERS
from tests.support.api_driver import STAGES_TO_INFUSED
from tests.support.bookings import PATTERNS, build_pattern_body


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Run a command with a separate data folder."""
    monkeypatch.setenv("DATA_DIR", str(tmp_path))
    monkeypatch.setenv("COLUMNS", "200")

    def run_command(*arguments):
        return CliRunner().invoke(app, [str(argument) for argument in arguments])

    return run_command


@pytest.fixture
def no_site(monkeypatch):
    """Remove the settings, so that only the site file of `make run` can lead to a site."""
    for name in ("TABLE_PREFIX", "IDENTITY_POOL_ID", "DEPLOYMENT"):
        monkeypatch.delenv(name, raising=False)


def test_every_command_has_a_help_text(run):
    output = run("--help").stdout

    for name in ("members", "token", "seed", "send-event", "run-job", "doctor", "openapi"):
        assert name in output
        assert run(name, "--help").exit_code == 0


def test_members_json_has_everything_that_sign_in_needs(run):
    rows = json.loads(run("members", "--json").stdout)

    assert len(rows) == len(MEMBERS)
    for row in rows:
        assert {"member", "email", "kind", "tenant_id", "roles", "password"} <= set(row)
        assert row["kind"] in {"practice", "center", "operator"}
    assert "willow-coordinator" in run("members").stdout


class FakeIdentityService:
    """An identity service with a fixed sign-in result."""

    def __init__(self, result):
        self.result = result

    def sign_in(self, _email, _password):
        if isinstance(self.result, Exception):
            raise self.result
        return self.result


@pytest.mark.parametrize("name", ["willow-coordinator", "coordinator@willow.example"])
def test_token_prints_the_token_and_nothing_else(run, settings_env, monkeypatch, name):
    session = SignedInSession(access_token="a.b.c", refresh_token=None, expires_in=3600)
    monkeypatch.setattr(wiring, "get_identity_service", cache(lambda: FakeIdentityService(session)))

    assert run("token", name).stdout == "a.b.c\n"


@pytest.mark.parametrize(
    ("sign_in_result", "message"),
    [
        (UnauthenticatedError("sign_in_refused"), "This account does not exist yet. Run `referrals seed`."),
        (SignInChallenge(challenge="SOFTWARE_TOKEN_MFA", session="s"), "Sign in through the dashboard."),
    ],
    ids=["unknown-account", "second-factor-required"],
)
def test_token_reports_why_sign_in_failed(run, settings_env, monkeypatch, sign_in_result, message):
    monkeypatch.setattr(wiring, "get_identity_service", cache(lambda: FakeIdentityService(sign_in_result)))

    result = run("token", "willow-coordinator")

    assert (result.exit_code, result.stdout) == (1, "")
    assert message in result.stderr


def test_token_for_an_unknown_member_is_a_usage_error(run):
    result = run("token", "unknown-member")

    assert (result.exit_code, result.stdout) == (2, "")
    assert "referrals members" in result.stderr


@pytest.mark.parametrize(
    "command",
    [
        ("token", "willow-coordinator"),
        ("seed",),
        ("doctor",),
        ("run-job", "notices"),
        ("send-event", "--center", "bayou", "--referral", "ref_x", "--stage", "accepted"),
    ],
    ids=lambda command: command[0],
)
def test_without_a_site_a_command_prints_one_line_and_exits_with_code_3(run, no_site, command):
    result = run(*command)

    assert (result.exit_code, result.stdout) == (3, "")
    assert "make run" in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_the_site_file_of_a_killed_run_is_ignored(run, no_site, tmp_path):
    pid = 2**22 + 1  # Higher than any process ID that Linux assigns.
    (tmp_path / "run.json").write_text(json.dumps({"url": "http://127.0.0.1:1", "pid": pid, "env": {}}))

    assert run("token", "willow-coordinator").exit_code == 3


def test_the_settings_of_the_running_site_are_applied(tmp_path, no_site, monkeypatch):
    """The command applies them before it imports a product module that reads them."""
    applied: dict[str, str] = {}
    monkeypatch.setenv("DATA_DIR", str(tmp_path))
    monkeypatch.setattr(environment, "apply_environment", applied.update)
    site_file = {"url": "http://127.0.0.1:8000", "pid": os.getpid(), "env": {"TABLE_PREFIX": "cart-"}}
    (tmp_path / "run.json").write_text(json.dumps(site_file))

    site = enter_site()

    assert site.url == "http://127.0.0.1:8000"
    assert applied == {"TABLE_PREFIX": "cart-"}


@pytest.mark.parametrize(
    ("was_created", "message"),
    [(True, "Sample data created.\n"), (False, "Sample data already exists. Nothing changed.\n")],
    ids=["created", "already-exists"],
)
def test_seed_prints_its_result_to_stdout_and_progress_to_stderr(run, settings_env, monkeypatch, was_created, message):
    def seed_once(progress):
        progress("1 of 60 referrals")
        return was_created

    monkeypatch.setattr(world, "seed_once", seed_once)

    result = run("seed")

    assert (result.stdout, result.stderr) == (message, "1 of 60 referrals\n")


def test_seed_refuses_a_production_deployment(run, settings_env, monkeypatch):
    monkeypatch.setenv("DEPLOYMENT", "production")

    result = run("seed")

    assert (result.exit_code, result.stdout) == (2, "")
    assert "local" in result.stderr


def test_members_does_not_import_aws_libraries():
    """These imports take long, and people use a command that responds at once."""
    check = (
        "import sys; sys.argv = ['referrals', 'members', '--json'];"
        "from infra.cli import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "print(*sorted({'botocore', 'chalice', 'moto'} & set(sys.modules)), file=sys.stderr)"
    )

    completed = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True)

    assert len(json.loads(completed.stdout)) == len(MEMBERS)
    assert completed.stderr == "\n"


def test_run_job_sends_the_notices_due_by_the_end_of_the_day_once(run, api):
    referral_id = api.refer()["referral_id"]
    api.move_to(referral_id, *STAGES_TO_INFUSED)
    infused_on = api.practice.get(f"/v1/referrals/{referral_id}/window").json["infused_on"]
    day_seven = (date.fromisoformat(infused_on) + timedelta(days=7)).isoformat()

    first = json.loads(run("run-job", "notices", "--at", day_seven, "--json").stdout)
    again = run("run-job", "notices", "--at", day_seven)

    assert first["mails"] == 2
    assert "0 done" in again.stdout
    assert "0 mails" in again.stdout


def test_run_job_clocks_sends_the_alerts_that_are_overdue_by_a_later_date(run, api):
    api.refer()
    next_week = (wiring.read_clock() + timedelta(days=9)).date().isoformat()

    result = run("run-job", "clocks", "--at", next_week, "--json")

    assert json.loads(result.stdout)["done"] == 1


def test_run_job_digest_sends_a_weekly_summary_once(run, api):
    api.refer()
    save_preferences(
        api.members["center"],
        Preferences(digest_hour=9),
        version=0,
        context=RunContext(api.stores, wiring.read_clock()),
    )
    next_week = (wiring.read_clock() + timedelta(days=8)).date().isoformat()

    runs = [json.loads(run("run-job", "digest", "--at", next_week, "--json").stdout) for _ in range(2)]

    assert [counts["done"] for counts in runs] == [1, 0]


def test_run_job_slots_makes_the_times_of_weekly_patterns_once(run, api):
    later = (wiring.read_clock() + timedelta(days=21)).date().isoformat()
    body = build_pattern_body(weekdays=["monday"], starts=["09:00"])
    assert api.center.post(PATTERNS, body).status == 201

    runs = [json.loads(run("run-job", "slots", "--at", later, "--json").stdout) for _ in range(2)]

    assert runs[0]["written"] >= 3
    assert runs[1] == {"patterns": 1, "written": 0}


def test_run_job_fails_when_a_task_fails(run, api, monkeypatch):
    class FailingMailer:
        def send(self, _message, *, tag):
            raise ConnectionError(tag)

    monkeypatch.setattr(wiring, "get_mailer", cache(FailingMailer))
    api.refer()

    result = run("run-job", "relay")

    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.endswith("tasks failed. The failed tasks will be retried on the next run.\n")


def test_run_job_rejects_an_invalid_time(run):
    result = run("run-job", "notices", "--at", "2026-13-01")

    assert (result.exit_code, result.stdout) == (2, "")
    assert "--at" in result.stderr


def test_openapi_needs_no_site(run, no_site):
    document = json.loads(run("openapi").stdout)

    assert document["openapi"].startswith("3.1")
    assert "/v1/webhooks/centers/{center_id}" in document["paths"]


def test_a_traceback_does_not_show_local_variables():
    """They could contain patient data and secrets."""
    assert app.pretty_exceptions_show_locals is False


@pytest.mark.parametrize(("passed", "exit_code", "mark"), [(True, 0, "ok"), (False, 1, "FAIL")])
def test_doctor_prints_each_result_and_fails_if_a_check_fails(run, settings_env, monkeypatch, passed, exit_code, mark):
    result = doctor.CheckResult(check="key", passed=passed, detail="enabled")
    monkeypatch.setattr(doctor, "run_checks", lambda *_, **__: iter([result]))

    as_json, as_text = run("doctor", "--json"), run("doctor")

    assert as_json.exit_code == as_text.exit_code == exit_code
    assert json.loads(as_json.stdout) == [{"check": "key", "ok": passed, "detail": "enabled"}]
    assert as_text.stdout.split() == [mark, "key", "enabled"]
