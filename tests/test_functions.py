"""The functions that nobody waits for, called with the events that AWS calls them with."""

from datetime import timedelta
from functools import cache
from types import SimpleNamespace
from typing import Any

import pytest

from app import app
from chalicelib import wiring
from chalicelib.domain.platform.jobs import ScheduledJob
from chalicelib.services.notices.outbox_worker import JobFailedError
from chalicelib.services.notices.weekly_digest import prepare_digest_writes
from chalicelib.services.platform.run_context import RunContext
from tests.support import aws_fakes as cloud
from tests.support import stores as shelves

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


def record(key: dict[str, Any], number: int = 1) -> dict[str, Any]:
    """A new row as Lambda tells of it, where the stream carries keys only."""
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


def run(name: str, event: dict[str, Any], *, left_ms: int = HOUR_MS) -> Any:
    """Call a function as Lambda does."""
    context = SimpleNamespace(get_remaining_time_in_millis=lambda: left_ms)
    return app.handler_map[name](event, context)


def news() -> list[dict[str, Any]]:
    """What the stream tells of every row of the outbox."""
    rows = shelves.list_task_rows()
    return [record({"outbox_id": {"S": row["outbox_id"]}}, n) for n, row in enumerate(rows)]


def test_a_submission_is_mailed_by_the_stream(api):
    """Sent on the page, told to the center, and the sweep has nothing left to do."""
    api.refer()

    told = run("outbox", {"Records": news()})
    swept = run("relay", SCHEDULED)

    assert [mail.destinations["ToAddresses"] for mail in cloud.list_sent_mail()] == [[api.members["center"].email]]
    assert (told["mails"], swept["mails"]) == (1, 0)


@pytest.mark.parametrize(
    "broken",
    [{}, {"dynamodb": {}}, {"dynamodb": {"Keys": {"outbox_id": {"N": "1"}}}}, record({"id": {"S": "x"}})],
    ids=["empty", "no keys", "another type", "another table"],
)
def test_a_record_of_another_shape_is_passed_over(api, broken):
    """Those around it are done, and nothing is raised."""
    api.refer()

    assert run("outbox", {"Records": [broken, *news(), broken]})["mails"] == 1


def test_a_function_that_has_no_time_left_begins_nothing(api):
    """What it does not begin, the next run finds."""
    api.refer()

    late = run("outbox", {"Records": news()}, left_ms=wiring.MIN_REMAINING_MS)

    assert set(late.values()) == {0}
    assert run("relay", SCHEDULED)["mails"] == 1


def test_the_clocks_tell_whoever_owes_the_move(api, monkeypatch):
    """And the practice that waits for it, of a submission that nobody received, once."""
    api.refer()
    later = wiring.read_clock() + timedelta(days=30)
    monkeypatch.setattr(wiring, "read_clock", lambda: later)

    mails = [run("clocks", SCHEDULED)["mails"] for _ in range(2)]
    monkeypatch.undo()
    [notice] = api.center.get("/v1/notices").json["items"]

    assert mails == [2, 0]
    assert notice["rule"] == "clock_escalated"
    assert notice["title"].startswith("Nobody has moved it; overdue since ")


def test_a_digest_tells_a_member_of_the_week(api, monkeypatch):
    """Once, and by the list of all patients, for it is about several."""
    reader = api.members["practice"]
    planned = prepare_digest_writes(None, reader, context=RunContext(api.stores, wiring.read_clock()))
    api.stores.transactions.commit(*planned)
    api.refer()
    later = wiring.read_clock() + timedelta(days=8)
    monkeypatch.setattr(wiring, "read_clock", lambda: later)

    done = [run("digest", SCHEDULED)["done"] for _ in range(2)]
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
        run(job, SCHEDULED)

    last = api.stores.heartbeats.list_last_successes()
    assert set(last) == set(ScheduledJob)
    assert all(wiring.read_clock() - at < timedelta(minutes=5) for at in last.values())


def test_a_relay_that_fails_looks_after_the_others_all_the_same(api, monkeypatch):
    """And leaves no heartbeat of its own, so that it is missed."""

    class NoMail:
        def send(self, _message, *, tag):
            raise ConnectionError(tag)

    api.refer()
    monkeypatch.setattr(wiring, "get_mailer", cache(NoMail))
    looked = []
    monkeypatch.setattr("app.jobs.log_overdue_jobs", lambda **_: looked.append(1))

    with pytest.raises(JobFailedError):
        run("relay", SCHEDULED)

    assert looked == [1]
    assert ScheduledJob.RELAY not in api.stores.heartbeats.list_last_successes()
