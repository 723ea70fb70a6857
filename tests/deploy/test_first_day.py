"""The first day of a deployment, as `docs/first-day.md` describes it: from empty tables to a submitted referral.

The commands are the ones in the document. They run with the operator role of the deployed stack, whose policy the
local cloud enforces.
"""

import csv
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from chalicelib import wiring
from chalicelib.settings import Settings
from tests.deploy.deployed import PASSWORD
from tests.support import factories

ROOT = Path(__file__).parents[2]
GUIDE = ROOT / "docs" / "first-day.md"
CENTER_ID = "ctr_example_lagoon"
PROGRAM = ".venv/bin/referrals"


def list_commands(section):
    """List the commands of a section of the guide, such as "1. Check the deployment"."""
    text = GUIDE.read_text().partition(f"\n## {section}\n")[2].partition("\n## ")[0]
    return [line for block in re.findall(r"```\n(.*?)```", text, re.DOTALL) for line in block.splitlines()]


def run_command(*arguments):
    """Run a command on the stack with only the settings that reach the cloud, and answer yes if it asks."""
    settings = {name.upper() for name in Settings.__dataclass_fields__}
    environment = {name: value for name, value in os.environ.items() if name not in settings}
    return subprocess.run(
        [sys.executable, "-c", "from infra.cli import main; main()", *arguments],
        cwd=ROOT,
        env=environment | {"COLUMNS": "200"},
        input="y\n",
        capture_output=True,
        text=True,
        check=False,
    )


def run_commands(section):
    """Run the commands of a section, and return what they print."""
    printed = []
    for line in list_commands(section):
        program, *arguments = shlex.split(line)
        assert program == PROGRAM
        printed.append(run_command(*arguments))
    assert printed, section
    return printed


def find_temporary_password(stack, email):
    """Find the temporary password in the email that invited a person."""
    [mail] = [mail for mail in stack.list_mails() if mail["To"] == [email]]
    text = str(mail.get("Body") or mail)
    [password] = re.findall(r"temporary password is (\S+)\.(?:['\"\s<]|$)", text)
    return password


def sign_in_first(stack, email):
    """Sign in with the temporary password, choose a new one, and return the person's client."""
    site = stack.site
    credentials = {"email": email, "password": find_temporary_password(stack, email)}
    challenge = site.post("/v1/sessions", credentials, key=None).json
    assert challenge["challenge"] == "NEW_PASSWORD_REQUIRED"
    answer = {"email": email, "new_password": PASSWORD, **challenge}
    session = site.post("/v1/sessions/challenge", answer, key=None)
    assert session.status == 200, session.text
    return site.with_token(session.json["access_token"])


@pytest.fixture(scope="module")
def administrators():
    """The email addresses of the first administrators in the template, by the kind of organization."""
    with (ROOT / "docs" / "organizations.csv").open(newline="") as file:
        return {row["kind"]: row["administrator_email"] for row in csv.DictReader(file)}


@pytest.fixture(scope="module")
def first_day(stack, administrators):
    """Do what each section of the guide says, in order, and return the people's clients and the referral."""
    (checked,) = run_commands("1. Check the deployment")
    lines = checked.stdout.splitlines()
    # No one can open the address of the local deployment.
    assert [line for line in lines if not line.startswith("ok")] == [line for line in lines if "  site " in line]
    assert len(lines) > 25, checked.stderr

    added = [
        *run_commands("2. Add the centers"),
        *run_commands("3. Add the organizations, each with its first administrator"),
    ]
    for done in added:
        assert done.returncode == 0, done.stderr

    practice = sign_in_first(stack, administrators["practice"])
    center = sign_in_first(stack, administrators["center"])
    colleague = {"name": "Max Example", "email": "max@lagoon.example", "roles": ["coordinator"]}
    assert center.post("/v1/members", colleague).status == 201
    coordinator = sign_in_first(stack, colleague["email"])

    body = factories.build_referral_body(center_id=CENTER_ID, product_id=None)
    referral = practice.post("/v1/referrals", body)
    assert referral.status == 201, referral.text
    return {"practice": practice, "center": center, "coordinator": coordinator, "referral": referral.json}


def test_the_center_sees_the_first_referral(first_day):
    """The practice's administrator is also its coordinator, as the template says."""
    assert first_day["practice"].get("/v1/me").json["roles"] == ["admin", "coordinator"]
    listed = first_day["coordinator"].get("/v1/referrals").json["items"]
    assert [item["referral_id"] for item in listed] == [first_day["referral"]["referral_id"]]


def test_a_locked_organization_is_refused_until_it_is_unlocked(first_day):
    """On the next request, by the functions of the deployment."""
    statuses = []
    for command in ("lock", "lock", "unlock", "unlock"):
        done = run_command("--stack", "cart-referrals", "organizations", command, CENTER_ID)
        assert done.returncode == 0, done.stderr
        statuses.append(first_day["coordinator"].get("/v1/referrals").status)

    assert statuses == [403, 403, 200, 200]


def test_a_person_of_one_organization_works_in_a_second_one(first_day, administrators):
    """The roles of the functions allow the further membership."""
    person, practice = administrators["practice"], first_day["practice"]
    invitation = {"name": "Pat Example, RN", "email": person, "roles": ["coordinator"]}
    invited = first_day["center"].post("/v1/members", invitation)
    assert invited.status == 201, invited.text

    chosen = {"X-Membership": invited.json["member_id"]}
    assert [practice.get("/v1/me", **each).json["tenant"]["kind"] for each in ({}, chosen)] == ["practice", "center"]
    assert len(practice.get("/v1/memberships").json["items"]) == 2


def test_the_operator_role_reads_no_referral(first_day):
    """A command that works on patients' data needs the user's own permissions."""
    by_role = run_command("--stack", "cart-referrals", "migrate", "--dry-run")
    by_user = run_command("--stack", "cart-referrals", "--own-credentials", "migrate", "--dry-run")

    assert by_role.returncode != 0
    assert by_user.returncode == 0, by_user.stderr
    assert first_day["referral"]["referral_id"] not in by_role.stdout + by_role.stderr


@pytest.mark.usefixtures("first_day")
def test_the_audit_trail_names_the_operator():
    """With the name from AWS."""
    for command in ("lock", "unlock"):
        assert run_command("--stack", "cart-referrals", "organizations", command, CENTER_ID).returncode == 0

    rows = wiring.get_stores().audit_log.list_chained_rows(f"organization#{CENTER_ID}/reads")
    actors = {row["actor_id"] for row in rows}
    assert len(actors) == 1
    assert actors.pop().startswith("operator:")
