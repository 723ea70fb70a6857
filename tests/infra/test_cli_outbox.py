"""`referrals outbox`: lists failed tasks and retries them."""

import json

import pytest
from typer.testing import CliRunner

from chalicelib import wiring
from chalicelib.domain.notices.tasks import TaskQueue
from chalicelib.services.notices.outbox_worker import process_queue
from infra.cli.commands import app
from tests.support.stores import list_rows


def run(*arguments):
    return CliRunner().invoke(app, ["outbox", *arguments])


@pytest.fixture
def failed_task_ids(api):
    """Create two failed tasks and return their IDs."""
    for _ in range(2):
        api.refer()
    outbox, now = api.stores.outbox, wiring.read_clock()
    for row in outbox.list_due(TaskQueue.EVENT, by=now, limit=10):
        outbox.mark_failed(outbox.claim(row, now=now), error="KeyError", now=now)
    return [task.outbox_id for task in outbox.list_failed()]


def test_failed_prints_a_message_when_no_task_failed(api):
    assert run("failed").stdout == "No failed tasks.\n"
    assert json.loads(run("failed", "--json").stdout) == []


def test_failed_lists_each_task_with_the_type_of_its_error(failed_task_ids):
    output = run("failed").stdout

    assert all(each in output for each in failed_task_ids)
    assert output.count("stage_changed for ref_") == 2
    assert output.count("KeyError") == 2
    assert output.endswith("2 failed tasks\n")


def test_failed_prints_the_tasks_as_json(failed_task_ids):
    rows = json.loads(run("failed", "--json").stdout)

    assert [row["outbox_id"] for row in rows] == failed_task_ids
    assert set(rows[0]) == {"outbox_id", "queue", "referral_id", "rule", "error", "attempts", "failed_at"}


def test_parked_still_works_as_a_hidden_name_of_failed(failed_task_ids):
    assert run("parked").stdout == run("failed").stdout
    assert "parked" not in run("--help").stdout


def test_a_retried_task_is_done_by_the_next_run(failed_task_ids):
    result = run("retry", failed_task_ids[0])

    counts = process_queue(TaskQueue.EVENT, context=wiring.build_job_context())
    assert result.stdout == "1 task will be retried\n"
    assert (counts["done"], counts["mails"]) == (1, 1)
    assert [row["state"] for row in list_rows("outbox")].count("parked") == 1


def test_retry_all_retries_every_failed_task(failed_task_ids):
    assert run("retry", "--all").stdout == "2 tasks will be retried\n"
    assert run("failed").stdout == "No failed tasks.\n"


def test_retry_rejects_an_id_that_is_not_a_failed_task(api):
    result = run("retry", "out_unknown")

    assert (result.exit_code, result.stdout) == (1, "0 tasks will be retried\n")
    assert result.stderr == "out_unknown is not a failed task.\n"


@pytest.mark.parametrize("arguments", [(), ("out_1", "--all")], ids=["neither", "both"])
def test_retry_needs_either_one_task_id_or_all(api, arguments):
    assert run("retry", *arguments).exit_code == 2
