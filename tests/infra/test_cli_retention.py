"""`referrals retention`: what is older than its period goes, and nothing that is still needed."""

import json
from datetime import timedelta

import pytest
from typer.testing import CliRunner

from chalicelib import wiring
from chalicelib.domain.notices.tasks import TaskQueue
from chalicelib.services.notices.outbox_worker import run_job
from infra.cli.commands import app
from tests.support import aws_fakes as cloud
from tests.support.api_driver import STAGES_TO_INFUSED
from tests.support.stores import dump_tables, list_rows

YEAR = timedelta(days=366)


def run(*arguments):
    result = CliRunner().invoke(app, ["retention", *arguments])
    assert result.exit_code == 0, result.output
    return result


def apply(*arguments):
    return json.loads(run("apply", "--yes", "--json", *arguments).stdout)["removed"]


def withdraw(api, referral_id):
    event = {"type": "stage.changed", "occurred_at": wiring.read_clock().isoformat(), "data": {"stage": "withdrawn"}}
    assert api.practice.post(f"/v1/referrals/{referral_id}/events", event).status == 200


@pytest.fixture
def later(api, monkeypatch):
    """Lets years pass: everyone was notified, and email was sent."""
    cloud.create_buckets()
    now = wiring.read_clock()

    def pass_years(years):
        monkeypatch.setattr(wiring, "read_clock", lambda: now + timedelta(days=2))
        for queue in (TaskQueue.EVENT, TaskQueue.MAIL):
            run_job(queue, context=wiring.build_job_context())
        monkeypatch.setattr(wiring, "read_clock", lambda: now + years * YEAR)

    return pass_years


def test_a_closed_referral_goes_with_everything_about_it_after_its_period(api, later):
    gone, kept = api.refer()["referral_id"], api.refer(patient__family_name="Other")["referral_id"]
    api.deliver(gone, "received")
    withdraw(api, gone)

    later(11)
    assert apply()["closed_referrals"] == 0
    later(12)
    removed = apply()

    assert removed["closed_referrals"] == 1
    rows = [row for name in dump_tables() if name != "audit" for row in list_rows(name) if gone in str(row)]
    assert [row["item"] for row in rows] == ["erased"]
    assert [row["referral_id"] for row in list_rows("referrals") if row["item"] == "referral"] == [kept]
    reasons = [row["reason"] for row in list_rows("audit") if row.get("action") == "referral.erase"]
    assert reasons == ["retention_ended"]
    assert CliRunner().invoke(app, ["audit", "verify", "--since", "2026-01-01"]).exit_code == 0


def test_nothing_goes_that_an_open_referral_or_a_later_safety_notice_needs(api, later):
    """An infused patient's notices are planned up to the fifteenth year, and say what was sent before."""
    referral_id = api.refer()["referral_id"]
    api.move_to(referral_id, *STAGES_TO_INFUSED)
    later(14)
    before = dump_tables()

    assert set(apply().values()) == {0}

    assert dump_tables() == before


def test_a_referral_with_a_planned_task_stays_although_it_is_closed(api, later):
    """Its last notices were not sent yet."""
    referral_id = api.refer()["referral_id"]
    withdraw(api, referral_id)
    later(12)
    [task, *_] = [row for row in list_rows("outbox") if row["referral_id"] == referral_id and row["rule"] != "mail"]
    api.stores.outbox.table.put(task | {"state": "parked", "lane": "parked"})

    assert apply()["closed_referrals"] == 0


def test_the_record_of_a_minor_stays_until_age_30(api, later):
    born = (wiring.read_clock() - 16 * YEAR).date().isoformat()
    referral_id = api.refer(patient__birth_date=born)["referral_id"]
    withdraw(api, referral_id)

    later(13)
    assert apply()["closed_referrals"] == 0
    later(15)
    assert apply()["closed_referrals"] == 1


def test_what_a_closed_referral_no_longer_needs_goes_earlier(api, later):
    referral_id = api.refer()["referral_id"]
    api.deliver(referral_id, "received")
    withdraw(api, referral_id)
    later(7)
    before = api.stores.referrals.get(referral_id)

    removed = apply()

    assert removed["closed_referrals"] == 0
    assert all(removed[kind] > 0 for kind in ("notices", "emails", "tasks", "deliveries")), removed
    assert set(apply().values()) == {0}
    assert api.stores.referrals.get(referral_id) == before


def test_a_dry_run_writes_nothing(api, later):
    referral_id = api.refer()["referral_id"]
    withdraw(api, referral_id)
    later(12)
    before = dump_tables()

    report = json.loads(run("apply", "--dry-run", "--json").stdout)

    assert (report["dry_run"], report["removed"]["closed_referrals"]) == (True, 1)
    assert dump_tables() == before


def test_a_period_is_a_setting_of_the_deployment(api, later):
    referral_id = api.refer()["referral_id"]
    withdraw(api, referral_id)

    run("set", "closed_referrals", "2000", "--yes")

    later(6)
    assert apply()["closed_referrals"] == 1
    [row] = [row for row in list_rows("audit") if row.get("action") == "retention.set"]
    assert row["reason"] == "closed_referrals 2000"


@pytest.mark.parametrize("arguments", [("closed_referrals", "30"), ("audit", "4000"), ("notices", "0")])
def test_a_period_that_no_rule_allows_is_refused(api, arguments):
    before = json.loads(run("show", "--json").stdout)

    assert CliRunner().invoke(app, ["retention", "set", *arguments, "--yes"]).exit_code == 2
    assert json.loads(run("show", "--json").stdout) == before
