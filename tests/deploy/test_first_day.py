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


def run_commands(section):
    """Run the commands of a section, with only the settings that reach the cloud, and return what they print."""
    settings = {name.upper() for name in Settings.__dataclass_fields__}
    environment = {name: value for name, value in os.environ.items() if name not in settings}
    printed = []
    for line in list_commands(section):
        program, *arguments = shlex.split(line)
        assert program == PROGRAM
        done = subprocess.run(
            [sys.executable, "-c", "from infra.cli import main; main()", *arguments],
            cwd=ROOT,
            env=environment | {"COLUMNS": "200"},
            input="y\n",
            capture_output=True,
            text=True,
            check=False,
        )
        printed.append(done)
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


def test_the_first_day(stack, administrators):
    """Each section of the guide, in order."""
    (checked,) = run_commands("1. Check the deployment")
    lines = checked.stdout.splitlines()
    # No one can open the address of the local deployment.
    assert [line for line in lines if not line.startswith("ok")] == [line for line in lines if "  site " in line]
    assert len(lines) > 25, checked.stderr

    for done in (
        *run_commands("2. Add the centers"),
        *run_commands("3. Add the organizations, each with its first administrator"),
    ):
        assert done.returncode == 0, done.stderr
    assert CENTER_ID in done.stdout

    practice = sign_in_first(stack, administrators["practice"])
    center = sign_in_first(stack, administrators["center"])
    assert practice.get("/v1/me").json["roles"] == ["admin", "coordinator"]

    colleague = {"name": "Max Example", "email": "max@lagoon.example", "roles": ["coordinator"]}
    assert center.post("/v1/members", colleague).status == 201
    coordinator = sign_in_first(stack, colleague["email"])

    body = factories.build_referral_body(center_id=CENTER_ID, product_id=None)
    referral = practice.post("/v1/referrals", body)
    assert referral.status == 201, referral.text
    listed = coordinator.get("/v1/referrals").json["items"]
    assert [item["referral_id"] for item in listed] == [referral.json["referral_id"]]
