"""`referrals audit` on the tables behind the API."""

import json
import re
from datetime import timedelta

import pytest
from typer.testing import CliRunner

from chalicelib import wiring
from chalicelib.services.audit.checkpoints import write_checkpoint
from chalicelib.services.audit.rotation import verify_next_part
from chalicelib.services.platform.run_context import RunContext
from infra.cli.commands import app
from tests.support import factories
from tests.support.tampering import apply_tampering, read_rows


@pytest.fixture
def referral_ids(api):
    """Referrals of the practice, as long ago as their number."""
    return [api.refer()["referral_id"] for _ in range(3)]


def run(*arguments: str):
    return CliRunner().invoke(app, ["audit", *arguments])


def test_one_organization_is_verified(api, referral_ids):
    """All its referrals with their reads, and its own chains."""
    found = json.loads(run("verify", "--tenant", factories.PRACTICE.tenant_id, "--json").stdout)
    others = json.loads(run("verify", "--tenant", factories.OTHER_PRACTICE.tenant_id, "--json").stdout)

    assert found["breaks"] == []
    assert found["rows"] >= len(referral_ids) > others["rows"]


def test_a_break_of_another_organization_is_not_looked_for(api, referral_ids):
    before = read_rows()
    after = {place: row for place, row in before.items() if place != (referral_ids[0], 1)}

    with apply_tampering(before, after):
        ours = run("verify", "--tenant", factories.PRACTICE.tenant_id)
        theirs = run("verify", "--tenant", factories.OTHER_PRACTICE.tenant_id)

    assert (ours.exit_code, theirs.exit_code) == (1, 0)
    assert f"BROKEN  {referral_ids[0]}" in ours.stdout


def test_a_long_check_continues_where_it_ended(api, referral_ids, monkeypatch):
    """At the position that it printed."""
    query = type(api.stores.referrals.table).query
    monkeypatch.setattr(
        type(api.stores.referrals.table), "query", lambda table, *a, **more: query(table, *a, **(more | {"limit": 1}))
    )
    whole = run("verify", "--tenant", factories.PRACTICE.tenant_id)
    positions = re.findall(r"--after (\S+)", whole.output)

    rest = json.loads(run("verify", "--tenant", factories.PRACTICE.tenant_id, "--after", positions[1], "--json").stdout)

    assert len(positions) >= 2
    assert rest["chains"] == 2


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--tenant", "prc_nowhere"), "There is no organization prc_nowhere."),
        (("--tenant", factories.PRACTICE.tenant_id, "--after", "x"), "not a position"),
        (("--after", "x"), "--after needs --tenant."),
    ],
)
def test_a_wrong_argument_is_refused(api, arguments, words):
    result = run("verify", *arguments)

    assert (result.exit_code, words in result.output) == (2, True)


def test_the_status_shows_how_far_the_verification_is(api, referral_ids):
    """And fails before the first run, because then nothing is known."""
    assert run("status").exit_code == 1
    context = RunContext(api.stores, wiring.read_clock())
    write_checkpoint(context=context)
    verify_next_part(has_time=iter([True, False]).__next__, context=context)

    result = run("status")
    verify_next_part(has_time=lambda: True, context=RunContext(api.stores, context.now + timedelta(minutes=5)))

    assert (result.exit_code, "33 percent, now referrals" in result.stdout) == (0, True)
    assert json.loads(run("status", "--json").stdout)["progress"] == 100
