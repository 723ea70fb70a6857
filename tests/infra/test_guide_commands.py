"""The shell commands that the guides for developers print do what the guides say."""

import json
import re
import shutil
import subprocess
from base64 import b64encode
from pathlib import Path

import pytest

from infra.cli import site
from tests.support import tokens
from tests.support.factories import CENTER

DOCS = Path(__file__).parents[2] / "docs"

pytestmark = pytest.mark.skipif(
    not all(map(shutil.which, ("bash", "curl", "openssl"))), reason="the commands need curl and openssl"
)


def run_block(page, **values):
    """Run the only shell block of a page, with other values of its variables."""
    [block] = re.findall(r"^```sh\n(.*?)^```", (DOCS / page).read_text("utf-8"), flags=re.MULTILINE | re.DOTALL)
    for name, value in values.items():
        block, count = re.subn(rf"^{name}='[^']*'", f"{name}='{value}'", block, flags=re.MULTILINE)
        assert count == 1, f"{page} sets no {name}"
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", block],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def get_token(driver, member):
    return tokens.create_token(driver.members[member].person)


def test_the_signing_sample_sends_a_test_event(local_server):
    secret = f"whsec_{b64encode(local_server.secrets[CENTER.tenant_id]).decode()}"
    url = f"{site.enter_site().url}/v1/webhooks/centers/{CENTER.tenant_id}"

    output = run_block("center-integrators.md", secret=secret, url=url)

    assert '"status":"tested"' in output


def test_an_app_reads_what_changed(local_server):
    referral_id = local_server.refer()["referral_id"]

    output = run_block("mobile-apps.md", url=site.enter_site().url, token=get_token(local_server, "practice"))

    assert [item["referral_id"] for item in json.loads(output)["items"]] == [referral_id]


def test_a_system_of_a_practice_creates_a_draft(local_server):
    output = run_block("practice-systems.md", url=site.enter_site().url, token=get_token(local_server, "practice"))

    assert json.loads(output)["stage"] == "draft"
