"""`referrals outbox`: what failed for good, and how it is put back."""

import json

import pytest
from typer.testing import CliRunner

from chalicelib import wiring
from chalicelib.domain.notices.tasks import TaskQueue
from chalicelib.services.notices.outbox_worker import process_queue
from infra.cli.commands import app
from tests.support import stores as shelves


def run(*arguments):
    return CliRunner().invoke(app, ["outbox", *arguments])


@pytest.fixture
def failed_task_ids(api):
    """The ids of two tasks that wait for a person."""
    for _ in range(2):
        api.refer()
    outbox, now = api.stores.outbox, wiring.read_clock()
    for row in outbox.list_due(TaskQueue.EVENT, by=now, limit=10):
        outbox.mark_failed(outbox.claim(row, now=now), error="KeyError", now=now)
    return [task.outbox_id for task in outbox.list_failed()]


def test_nothing_parked_is_said(api):
    assert run("parked").stdout == "Nothing is parked.\n"
    assert json.loads(run("parked", "--json").stdout) == []


def test_what_is_parked_is_listed_with_the_kind_of_its_error(failed_task_ids):
    shown = run("parked").stdout

    assert all(each in shown for each in failed_task_ids)
    assert shown.count("stage_changed of ref_") == 2
    assert shown.count("KeyError") == 2
    assert shown.endswith("2 parked\n")


def test_what_is_parked_is_listed_for_programs(failed_task_ids):
    rows = json.loads(run("parked", "--json").stdout)

    assert [row["outbox_id"] for row in rows] == failed_task_ids
    assert set(rows[0]) == {"outbox_id", "referral_id", "rule", "error", "attempts", "failed_at"}


def test_one_that_is_put_back_is_told_by_the_next_run(failed_task_ids):
    put_back = run("retry", failed_task_ids[0])

    counts = process_queue(TaskQueue.EVENT, context=wiring.build_job_context())
    assert put_back.stdout == "1 to be tried again\n"
    assert (counts["done"], counts["mails"]) == (1, 1)
    assert [row["state"] for row in shelves.list_rows("outbox")].count("parked") == 1


def test_all_are_put_back_at_once(failed_task_ids):
    assert run("retry", "--all").stdout == "2 to be tried again\n"
    assert run("parked").stdout == "Nothing is parked.\n"


def test_what_is_not_parked_is_not_put_back(api):
    refused = run("retry", "out_unknown")

    assert (refused.exit_code, refused.stdout) == (1, "0 to be tried again\n")
    assert refused.stderr == "out_unknown is not parked.\n"


@pytest.mark.parametrize("arguments", [(), ("out_1", "--all")])
def test_what_is_to_be_put_back_has_to_be_clear(api, arguments):
    assert run("retry", *arguments).exit_code == 2
