"""The scheduled and stream functions, called with the events that AWS sends."""

from datetime import timedelta
from functools import cache
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from app import app
from chalicelib import wiring
from chalicelib.domain.platform.jobs import ScheduledJob
from chalicelib.services.notices.outbox_worker import JobFailedError
from chalicelib.services.notices.weekly_digest import prepare_digest_writes
from chalicelib.services.platform import heartbeats
from chalicelib.services.platform.run_context import RunContext
from tests.support import aws_fakes as cloud
from tests.support import stores as store_tools
from tests.support.factories import CENTER
from tests.support.metric_lines import record_metrics, sum_metrics

HOUR_MS = 3_600_000
SCHEDULED = {
    "version": "0",
    "id": "53dc4d37-cffa-4f76-80c9-8b7d4a4d2eaa",
    "detail-type": "Scheduled Event",
    "source": "aws.events",
    "account": "123456789012",
    "time": "2026-11-02T12:00:00Z",
    "region": "us-east-1",
    "resources": ["arn:aws:events:us-east-1:123456789012:rule/relay"],
    "detail": {},
}


def build_stream_record(key: dict[str, Any], number: int = 1) -> dict[str, Any]:
    """Build the stream record of a new row; the stream carries keys only."""
    return {
        "eventID": f"c4ca4238a0b923820dcc509a6f75849b{number}",
        "eventName": "INSERT",
        "eventVersion": "1.1",
        "eventSource": "aws:dynamodb",
        "awsRegion": "us-east-1",
        "dynamodb": {
            "ApproximateCreationDateTime": 1_793_620_800,
            "Keys": key,
            "SequenceNumber": f"49384890000000000000000{number}",
            "SizeBytes": 41,
            "StreamViewType": "KEYS_ONLY",
        },
        "eventSourceARN": "arn:aws:dynamodb:us-east-1:123456789012:table/cart-outbox/stream/2026",
    }


def run_function(name: str, event: dict[str, Any], *, left_ms: int = HOUR_MS) -> Any:
    """Call a function as Lambda does."""
    context = SimpleNamespace(get_remaining_time_in_millis=lambda: left_ms)
    return app.handler_map[name](event, context)


def list_stream_records() -> list[dict[str, Any]]:
    """Return a stream build_stream_record for every row of the outbox."""
    rows = store_tools.list_task_rows()
    return [build_stream_record({"outbox_id": {"S": row["outbox_id"]}}, n) for n, row in enumerate(rows)]


def test_a_submission_is_emailed_by_the_stream_function(api):
    """Submitted on the page, sent to the center, and nothing is left for the sweep."""
    api.refer()

    result = run_function("outbox", {"Records": list_stream_records()})
    swept = run_function("relay", SCHEDULED)

    assert [mail.destinations["ToAddresses"] for mail in cloud.list_sent_mail()] == [[api.members["center"].email]]
    assert (result["mails"], swept["mails"]) == (1, 0)


def test_a_relay_without_time_still_measures_how_far_the_jobs_are_behind(api):
    """It leaves every task, and its heartbeat looks as if all were well. The age of the oldest task shows it."""
    api.refer()

    with record_metrics() as output:
        result = run_function("relay", SCHEDULED, left_ms=1000)

    measured = sum_metrics(output.getvalue())
    assert (result["done"], measured["DueTasks"] > 0) == (0, True)
    assert 0 < measured["OldestDueTaskMinutes"] < 10
    assert api.stores.heartbeats.list_last_successes()[ScheduledJob.RELAY]


def test_the_emails_of_a_run_are_counted(api):
    """By the function that sends them, with no word about anyone."""
    api.refer()

    with record_metrics() as output:
        run_function("outbox", {"Records": list_stream_records()})

    assert sum_metrics(output.getvalue()) == {"EmailsSent": 1}


@pytest.mark.parametrize(
    "broken",
    [{}, {"dynamodb": {}}, {"dynamodb": {"Keys": {"outbox_id": {"N": "1"}}}}, build_stream_record({"id": {"S": "x"}})],
    ids=["empty", "no keys", "another type", "another table"],
)
def test_a_stream_record_of_another_shape_is_skipped(api, broken):
    """The records around it are processed, and nothing is raised."""
    api.refer()

    assert run_function("outbox", {"Records": [broken, *list_stream_records(), broken]})["mails"] == 1


def test_a_function_without_time_left_starts_no_task(api):
    """The next run_function finds the tasks."""
    api.refer()

    late = run_function("outbox", {"Records": list_stream_records()}, left_ms=wiring.MIN_REMAINING_MS)

    assert set(late.values()) == {0}
    assert run_function("relay", SCHEDULED)["mails"] == 1


def test_the_overdue_job_notifies_the_side_that_acts_next(api, monkeypatch):
    """And the practice that waits for it, of a submission that no one received, once."""
    api.refer()
    # These emails wait for the morning. At this hour it is day on both sides.
    later = wiring.read_clock().astimezone(ZoneInfo(CENTER.time_zone)).replace(hour=13) + timedelta(days=30)
    monkeypatch.setattr(wiring, "read_clock", lambda: later)

    mails = [run_function("clocks", SCHEDULED)["mails"] for _ in range(2)]
    monkeypatch.undo()
    [notice] = api.center.get("/v1/notices").json["items"]

    assert mails == [2, 0]
    assert notice["rule"] == "clock_escalated"
    assert notice["title"].startswith("Escalated: no update, overdue since ")


def test_the_digest_job_sends_a_member_the_weekly_digest(api, monkeypatch):
    """Once, with a link to the list of all patients, because it is about several."""
    reader = api.members["practice"]
    planned = prepare_digest_writes(None, reader, context=RunContext(api.stores, wiring.read_clock()))
    api.stores.transactions.commit(*planned)
    api.refer()
    later = wiring.read_clock() + timedelta(days=8)
    monkeypatch.setattr(wiring, "read_clock", lambda: later)

    done = [run_function("digest", SCHEDULED)["done"] for _ in range(2)]
    monkeypatch.undo()
    [notice] = api.practice.get("/v1/notices").json["items"]
    addressees = [mail.destinations["ToAddresses"] for mail in cloud.list_sent_mail()]

    assert done == [1, 0]
    assert (notice["referral_id"], notice["alias"]) == (None, None)
    assert notice["title"].startswith("1 referral before infusion: none needs your action")
    assert addressees.count([reader.email]) == 1


def test_every_schedule_leaves_its_heartbeat(api):
    """Under its own name."""
    for job in ScheduledJob:
        run_function(job, SCHEDULED)

    last = api.stores.heartbeats.list_last_successes()
    assert set(last) == set(ScheduledJob)
    assert all(wiring.read_clock() - at < timedelta(minutes=5) for at in last.values())


def test_a_failing_relay_still_checks_the_other_jobs(api, monkeypatch):
    """And leaves no heartbeat of its own, so that it counts as missing."""

    class NoMail:
        def send(self, _message, *, tag):
            raise ConnectionError(tag)

    api.refer()
    monkeypatch.setattr(wiring, "get_mailer", cache(NoMail))
    looked = []
    monkeypatch.setattr(heartbeats, "log_overdue_jobs", lambda **_: looked.append(1))

    with pytest.raises(JobFailedError):
        run_function("relay", SCHEDULED)

    assert looked == [1]
    assert ScheduledJob.RELAY not in api.stores.heartbeats.list_last_successes()
