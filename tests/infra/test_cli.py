"""The command line: what each command prints, and how it ends when it cannot."""

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
from chalicelib.services.notices import weekly_digest as digests
from chalicelib.services.platform.run_context import RunContext
from infra import world
from infra.cli import doctor
from infra.cli import site as cli_site
from infra.cli.commands import app
from infra.local import environment
from infra.world.people import MEMBERS
from tests.support.api_driver import STAGES_TO_INFUSED


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Runs a command with a data folder of its own."""
    monkeypatch.setenv("DATA_DIR", str(tmp_path))
    monkeypatch.setenv("COLUMNS", "200")

    def running(*arguments):
        return CliRunner().invoke(app, [str(argument) for argument in arguments])

    return running


@pytest.fixture
def no_site(monkeypatch):
    """No settings, and so no site but one that `make run` would have left word of."""
    for name in ("TABLE_PREFIX", "IDENTITY_POOL_ID", "DEPLOYMENT"):
        monkeypatch.delenv(name, raising=False)


def test_every_command_explains_itself(run):
    shown = run("--help").stdout

    for name in ("members", "token", "seed", "send-event", "run-job", "doctor", "openapi"):
        assert name in shown
        assert run(name, "--help").exit_code == 0


def test_members_tells_programs_all_they_need_to_sign_in(run):
    rows = json.loads(run("members", "--json").stdout)

    assert len(rows) == len(MEMBERS)
    for row in rows:
        wanted = {"member", "email", "kind", "tenant_id", "roles", "password"}
        assert wanted <= set(row)
        assert row["kind"] in {"practice", "center", "operator"}
    assert "willow-coordinator" in run("members").stdout


class Gate:
    """An identity service that answers as told."""

    def __init__(self, answer):
        self.answer = answer

    def sign_in(self, _email, _password):
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


@pytest.mark.parametrize("name", ["willow-coordinator", "coordinator@willow.example"])
def test_token_prints_the_token_and_nothing_else(run, settings_env, monkeypatch, name):
    session = SignedInSession(access_token="a.b.c", refresh_token=None, expires_in=3600)
    monkeypatch.setattr(wiring, "get_identity_service", cache(lambda: Gate(session)))

    assert run("token", name).stdout == "a.b.c\n"


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (UnauthenticatedError("sign_in_refused"), "referrals seed"),
        (SignInChallenge(challenge="SOFTWARE_TOKEN_MFA", session="s"), "sign in on the page"),
    ],
)
def test_token_says_why_there_is_none(run, settings_env, monkeypatch, answer, says):
    monkeypatch.setattr(wiring, "get_identity_service", cache(lambda: Gate(answer)))

    result = run("token", "willow-coordinator")

    assert (result.exit_code, result.stdout) == (1, "")
    assert says in result.stderr


def test_token_of_somebody_unknown_is_a_slip(run):
    result = run("token", "nobody")

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
def test_without_a_site_one_sentence_says_so(run, no_site, command):
    result = run(*command)

    assert (result.exit_code, result.stdout) == (3, "")
    assert "make run" in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_a_site_that_was_killed_is_no_site(run, no_site, tmp_path):
    """It leaves its word behind; its process is gone."""
    gone = 2**22 + 1  # Above what Linux gives as a process id.
    told = {"url": "http://127.0.0.1:1", "pid": gone, "env": {}}
    (tmp_path / "run.json").write_text(json.dumps(told))

    assert run("token", "willow-coordinator").exit_code == 3


def test_the_settings_of_a_running_site_are_taken_over(tmp_path, no_site, monkeypatch):
    """Before anything of the product is imported that reads them."""
    taken: dict[str, str] = {}
    monkeypatch.setenv("DATA_DIR", str(tmp_path))
    monkeypatch.setattr(environment, "apply_environment", taken.update)
    told = {"url": "http://127.0.0.1:8000", "pid": os.getpid(), "env": {"TABLE_PREFIX": "cart-"}}
    (tmp_path / "run.json").write_text(json.dumps(told))

    found = cli_site.enter_site()

    assert found.url == "http://127.0.0.1:8000"
    assert taken == {"TABLE_PREFIX": "cart-"}


@pytest.mark.parametrize(("made", "says"), [(True, "is ready"), (False, "already")])
def test_seed_says_whether_there_was_anything_to_do(run, settings_env, monkeypatch, made, says):
    def seed_once(progress):
        progress("1 of 60 referrals")
        return made

    monkeypatch.setattr(world, "seed_once", seed_once)

    result = run("seed")

    assert says in result.stdout
    assert result.stderr == "1 of 60 referrals\n", "progress is not part of the answer"


def test_seed_is_refused_where_patients_are(run, settings_env, monkeypatch):
    monkeypatch.setenv("DEPLOYMENT", "production")

    result = run("seed")

    assert (result.exit_code, result.stdout) == (2, "")
    assert "local" in result.stderr


def test_listing_commands_imports_nothing_that_talks_to_a_cloud():
    """A command that answers at once is one that people use."""
    check = (
        "import sys; sys.argv = ['referrals', 'members', '--json'];"
        "from infra.cli import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "print(*sorted({'botocore', 'chalice', 'moto'} & set(sys.modules)), file=sys.stderr)"
    )

    ran = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True)

    assert len(json.loads(ran.stdout)) == len(MEMBERS)
    assert ran.stderr == "\n"


def test_run_job_does_what_is_due_by_the_end_of_the_day_and_only_once(run, api):
    referral_id = api.refer()["referral_id"]
    api.move_to(referral_id, *STAGES_TO_INFUSED)
    infused_on = api.practice.get(f"/v1/referrals/{referral_id}/window").json["infused_on"]
    day_seven = (date.fromisoformat(infused_on) + timedelta(days=7)).isoformat()

    first = json.loads(run("run-job", "notices", "--at", day_seven, "--json").stdout)
    again = run("run-job", "notices", "--at", day_seven)

    assert first["mails"] == 2
    assert "0 done" in again.stdout
    assert "0 mails" in again.stdout


def test_run_job_tells_what_will_be_overdue(run, api):
    api.refer()
    next_week = (wiring.read_clock() + timedelta(days=9)).date().isoformat()

    told = run("run-job", "clocks", "--at", next_week, "--json")

    assert json.loads(told.stdout)["done"] == 1


def test_run_job_tells_the_week_of_whoever_chose_an_hour(run, api):
    api.refer()
    digests.save_preferences(
        api.members["center"],
        Preferences(digest_hour=9),
        version=0,
        context=RunContext(api.stores, wiring.read_clock()),
    )
    next_week = (wiring.read_clock() + timedelta(days=8)).date().isoformat()

    told = [json.loads(run("run-job", "digest", "--at", next_week, "--json").stdout) for _ in "12"]

    assert [counts["done"] for counts in told] == [1, 0]


def test_run_job_fails_when_a_task_did(run, api, monkeypatch):
    class NoMail:
        def send(self, _message, *, tag):
            raise ConnectionError(tag)

    monkeypatch.setattr(wiring, "get_mailer", cache(NoMail))
    api.refer()

    result = run("run-job", "relay")

    assert (result.exit_code, result.stdout) == (1, "")
    assert "tried again" in result.stderr


def test_run_job_does_not_guess_a_time(run):
    result = run("run-job", "notices", "--at", "2026-13-01")

    assert (result.exit_code, result.stdout) == (2, "")
    assert "--at" in result.stderr


def test_openapi_needs_no_site(run, no_site):
    document = json.loads(run("openapi").stdout)

    assert document["openapi"].startswith("3.1")
    assert "/v1/webhooks/centers/{center_id}" in document["paths"]


def test_nothing_that_a_command_prints_names_local_variables():
    """A traceback with them would show patients and secrets."""
    assert app.pretty_exceptions_show_locals is False


@pytest.mark.parametrize(("fine", "status"), [(True, 0), (False, 1)])
def test_doctor_tells_each_finding_and_fails_if_one_is_off(run, settings_env, monkeypatch, fine, status):
    finding = doctor.CheckResult(check="key", passed=fine, detail="as it is")
    monkeypatch.setattr(doctor, "run_checks", lambda *_, **__: iter([finding]))

    told = run("doctor", "--json")

    assert told.exit_code == run("doctor").exit_code == status
    assert json.loads(told.stdout) == [{"check": "key", "ok": fine, "detail": "as it is"}]
    assert "as it is" in run("doctor").stdout
