"""Schedules with real rules of the local cloud. The tests send the messages that a rule would send."""

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
    with cloud.run_cloud(tmp_path, saving=False) as local_cloud:
        yield local_cloud


@contextlib.contextmanager
def run_schedule(local_cloud, handler):
    """Run an application with one schedule. Yields a function that sends the message of its rule."""
    app = Chalice("clinic", configure_logs=False)
    app.schedule(Rate(1, unit=Rate.MINUTES), name="relay")(handler)
    runner = ScheduleRunner(app, local_cloud.endpoint)
    runner.start()
    sqs = create_client("sqs", local_cloud)
    url = sqs.get_queue_url(QueueName=PREFIX + "relay")["QueueUrl"]
    try:
        yield lambda: sqs.send_message(QueueUrl=url, MessageBody=json.dumps(EVENT))
    finally:
        runner.stop()


def create_client(service, local_cloud) -> Any:
    return get_session().create_client(service, endpoint_url=local_cloud.endpoint)


def wait_until(condition):
    give_up_at = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < give_up_at
        time.sleep(0.02)


def test_each_schedule_has_one_rule_with_its_expression(local_app):
    """The local cloud decides when it runs. The rule of a removed schedule is deleted."""
    events = create_client("events", local_app)
    events.put_rule(Name=PREFIX + "removed", ScheduleExpression="rate(1 minute)")

    with run_schedule(local_app, lambda _: None):
        rules = events.list_rules(NamePrefix=PREFIX)["Rules"]

    assert [(rule["Name"], rule["ScheduleExpression"]) for rule in rules] == [(PREFIX + "relay", "rate(1 minute)")]


def test_the_event_of_a_rule_reaches_the_handler(local_app):
    """The context of the event knows the time limit."""
    received: list[Any] = []
    with run_schedule(local_app, received.append) as fire:
        fire()
        wait_until(lambda: received)

    assert received[0].to_dict()["time"] == "2026-10-10T12:00:00Z"
    assert 0 < received[0].context.get_remaining_time_in_millis() <= 240_000


def test_a_schedule_can_be_fired_with_the_same_event_as_its_rule(local_app):
    received: list[Any] = []
    app = Chalice("clinic", configure_logs=False)
    app.schedule(Rate(1, unit=Rate.HOURS), name="relay")(received.append)
    runner = ScheduleRunner(app, local_app.endpoint)
    runner.start()

    runner.fire("relay")
    wait_until(lambda: received)
    runner.stop()

    event = received[0].to_dict()
    assert event.keys() == EVENT.keys()
    assert datetime.fromisoformat(event["time"]) <= datetime.now(UTC)


def test_jobs_that_became_due_while_the_machine_was_off_run_at_the_start(monkeypatch):
    """A job that is on time does not run. A job that never ran waits for its schedule."""
    now = wiring.read_clock()
    last_successes = {ScheduledJob.RELAY: now - timedelta(days=3), ScheduledJob.NOTICES: now}
    stores = SimpleNamespace(heartbeats=SimpleNamespace(list_last_successes=lambda: last_successes))
    monkeypatch.setattr(wiring, "get_stores", cache(lambda: stores))
    fired: list[str] = []
    runner: Any = SimpleNamespace(fire=fired.append)

    lifecycle._run_overdue_schedules(runner)

    assert fired == ["relay"]


def test_two_runs_of_a_schedule_do_not_overlap(local_app):
    """The second run waits for the first, as with a reserved concurrency of one."""
    active, active_counts = [], []

    def work(_):
        active.append(1)
        active_counts.append(len(active))
        time.sleep(0.1)
        active.pop()

    with run_schedule(local_app, work) as fire:
        fire()
        fire()
        wait_until(lambda: len(active_counts) == 2)

    assert active_counts == [1, 1]


def test_a_failed_run_is_attempted_three_times_in_total(local_app):
    attempts = []

    def fail(_):
        attempts.append(1)
        raise ValueError("on purpose")

    with run_schedule(local_app, fail) as fire:
        fire()
        wait_until(lambda: len(attempts) == 3)
        time.sleep(1.2)

    assert len(attempts) == 3


def test_a_clean_stop_waits_for_the_current_run(local_app):
    started, finished = threading.Event(), []

    def work(_):
        started.set()
        time.sleep(0.3)
        finished.append(1)

    with run_schedule(local_app, work) as fire:
        fire()
        assert started.wait(5)

    assert finished
