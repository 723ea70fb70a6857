"""The rules are real ones of the local cloud; what one would put into its queue is put there."""

import contextlib
import json
import threading
import time
from datetime import UTC, datetime, timedelta
from functools import cache
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.session import get_session
from chalice import Chalice, Rate

from chalicelib import wiring
from chalicelib.domain.platform.jobs import ScheduledJob
from infra.local import cloud, environment, lifecycle, schedules
from infra.local.schedules import PREFIX, ScheduleRunner

EVENT = {
    "version": "0",
    "id": "1",
    "detail-type": "Scheduled Event",
    "source": "aws.events",
    "account": "000000000000",
    "time": "2026-10-10T12:00:00Z",
    "region": "us-east-1",
    "resources": [],
    "detail": {},
}


@pytest.fixture
def local_app(tmp_path, monkeypatch):
    for name, value in environment.build_product_environment("").items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("AWS_CA_BUNDLE", raising=False)
    monkeypatch.setattr(schedules, "POLL_S", 1)
    monkeypatch.setattr(schedules, "RETRY_AFTER_S", 0)
    with cloud.run_cloud(tmp_path) as running:
        yield running


@contextlib.contextmanager
def scheduled(there, handler):
    """An application with one schedule, and a function that fires it."""
    app = Chalice("clinic", configure_logs=False)
    app.schedule(Rate(1, unit=Rate.MINUTES), name="relay")(handler)
    running = ScheduleRunner(app, there.endpoint)
    running.start()
    queues = client("sqs", there)
    url = queues.get_queue_url(QueueName=PREFIX + "relay")["QueueUrl"]
    try:
        yield lambda: queues.send_message(QueueUrl=url, MessageBody=json.dumps(EVENT))
    finally:
        running.stop()


def client(service, there) -> Any:
    return get_session().create_client(service, endpoint_url=there.endpoint)


def wait_until(condition):
    give_up_at = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < give_up_at
        time.sleep(0.02)


def test_a_schedule_is_a_rule_with_its_own_expression(local_app):
    """The cloud decides when; a schedule that is no more has no rule either."""
    events = client("events", local_app)
    events.put_rule(Name=PREFIX + "gone", ScheduleExpression="rate(1 minute)")

    with scheduled(local_app, lambda _: None):
        rules = events.list_rules(NamePrefix=PREFIX)["Rules"]

    assert [(rule["Name"], rule["ScheduleExpression"]) for rule in rules] == [(PREFIX + "relay", "rate(1 minute)")]


def test_what_the_rule_says_reaches_the_handler(local_app):
    """With the full event, and a context that knows the time limit."""
    heard: list[Any] = []
    with scheduled(local_app, heard.append) as fire:
        fire()
        wait_until(lambda: heard)

    assert heard[0].to_dict()["time"] == "2026-10-10T12:00:00Z"
    assert 0 < heard[0].context.get_remaining_time_in_millis() <= 240_000


def test_a_schedule_is_fired_by_hand_as_its_rule_would(local_app):
    """With all that an event of EventBridge has."""
    heard: list[Any] = []
    app = Chalice("clinic", configure_logs=False)
    app.schedule(Rate(1, unit=Rate.HOURS), name="relay")(heard.append)
    running = ScheduleRunner(app, local_app.endpoint)
    running.start()

    running.fire("relay")
    wait_until(lambda: heard)
    running.stop()

    told = heard[0].to_dict()
    assert told.keys() == EVENT.keys()
    assert datetime.fromisoformat(told["time"]) <= datetime.now(UTC)


def test_what_fell_due_while_the_machine_was_off_is_run_at_the_start(monkeypatch):
    """A job that is on time is not; one that never ran has its own schedule."""
    now = wiring.read_clock()
    last = {ScheduledJob.RELAY: now - timedelta(days=3), ScheduledJob.NOTICES: now}
    stores = SimpleNamespace(heartbeats=SimpleNamespace(list_last_successes=lambda: last))
    monkeypatch.setattr(wiring, "get_stores", cache(lambda: stores))
    fired: list[str] = []
    running: Any = SimpleNamespace(fire=fired.append)

    lifecycle._run_overdue_schedules(running)

    assert fired == ["relay"]


def test_two_runs_of_a_schedule_do_not_overlap(local_app):
    """The second waits for the first, as with one reserved environment."""
    at_once, most = [], []

    def work(_):
        at_once.append(1)
        most.append(len(at_once))
        time.sleep(0.1)
        at_once.pop()

    with scheduled(local_app, work) as fire:
        fire()
        fire()
        wait_until(lambda: len(most) == 2)

    assert most == [1, 1]


def test_a_run_that_fails_is_tried_three_times_in_all(local_app):
    """Then it is given up, and the next one has its turn."""
    tries = []

    def fail(_):
        tries.append(1)
        raise ValueError("on purpose")

    with scheduled(local_app, fail) as fire:
        fire()
        wait_until(lambda: len(tries) == 3)
        time.sleep(1.2)

    assert len(tries) == 3


def test_a_clean_stop_waits_for_a_run(local_app):
    """What a run has begun, it ends."""
    begun, ended = threading.Event(), []

    def work(_):
        begun.set()
        time.sleep(0.3)
        ended.append(1)

    with scheduled(local_app, work) as fire:
        fire()
        assert begun.wait(5)

    assert ended
