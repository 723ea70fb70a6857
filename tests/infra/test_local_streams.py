"""Streams, with a real stream of the local cloud."""

import contextlib
import json
import threading
import time
from typing import Any

import pytest
from botocore.session import get_session
from chalice import Chalice

from infra.local import cloud, environment, streams
from infra.local.stack import RESOURCES
from infra.local.streams import MAX_ATTEMPTS, StreamRunner


@pytest.fixture(scope="module")
def local_app(tmp_path_factory):
    """A local cloud with one table that has a stream of keys."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environment.build_product_environment("").items():
            patch.setenv(name, value)
        patch.delenv("AWS_CA_BUNDLE", raising=False)
        patch.setattr(streams, "POLL_S", 0.02)
        with cloud.run_cloud(tmp_path_factory.mktemp("cloud"), saving=False) as local_cloud:
            yield local_cloud


@pytest.fixture
def table(local_app, request):
    """Create a table for one test, and return its name without the prefix."""
    name = request.node.name.replace("_", "-")
    create_client("dynamodb", local_app).create_table(
        TableName=f"cart-{name}",
        AttributeDefinitions=[{"AttributeName": "outbox_id", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "outbox_id", "KeyType": "HASH"}],
        BillingMode="PAY_PER_REQUEST",
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"},
    )
    return name


@contextlib.contextmanager
def follow(local_cloud, table, handler):
    """Run an application whose function `outbox` follows the table."""
    app = Chalice("clinic", configure_logs=False)
    app.on_dynamodb_record(table, name="outbox", starting_position="TRIM_HORIZON")(handler)
    runner = StreamRunner(app, local_cloud.endpoint, "cart-")
    runner.start()
    try:
        yield
    finally:
        runner.stop()


def create_client(service, local_cloud) -> Any:
    return get_session().create_client(service, endpoint_url=local_cloud.endpoint)


def put_rows(local_cloud, table, *ids, **attributes):
    for each in ids:
        item = {"outbox_id": {"S": each}, **{name: {"S": value} for name, value in attributes.items()}}
        create_client("dynamodb", local_cloud).put_item(TableName=f"cart-{table}", Item=item)


def wait_until(condition):
    give_up_at = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < give_up_at
        time.sleep(0.02)


def list_keys(events):
    return [record.keys["outbox_id"]["S"] for event in events for record in event]


def test_the_handler_gets_only_the_key_of_a_new_row(local_app, table):
    """The event has the same format as in Lambda, with a time that JSON can represent."""
    received: list[Any] = []
    with follow(local_app, table, received.append):
        put_rows(local_app, table, "out_1", secret="seen")
        wait_until(lambda: received)

    [record] = json.loads(json.dumps(received[0].to_dict()))["Records"]
    assert record["eventName"] == "INSERT"
    assert record["eventSourceARN"].split("/")[1] == f"cart-{table}"
    assert record["dynamodb"]["Keys"] == {"outbox_id": {"S": "out_1"}}
    assert isinstance(record["dynamodb"]["ApproximateCreationDateTime"], float)
    assert "seen" not in json.dumps(record)
    assert 0 < received[0].context.get_remaining_time_in_millis() <= 120_000


def test_rows_from_before_the_start_arrive_in_order(local_app, table):
    """A stream is read from its beginning."""
    ids = [f"out_{n}" for n in range(5)]
    put_rows(local_app, table, *ids)
    received: list[Any] = []

    with follow(local_app, table, received.append):
        wait_until(lambda: len(list_keys(received)) == 5)

    assert list_keys(received) == ids


def test_a_changed_row_does_not_call_the_handler(local_app, table):
    """Otherwise each claim and each status change of a task would call the function."""
    received: list[Any] = []
    with follow(local_app, table, received.append):
        put_rows(local_app, table, "out_1")
        put_rows(local_app, table, "out_1", state="done")
        put_rows(local_app, table, "out_2")
        wait_until(lambda: "out_2" in list_keys(received))

    assert list_keys(received) == ["out_1", "out_2"]


def test_production_has_the_same_filter():
    resources = json.loads(RESOURCES.read_text())["Resources"]
    (source,) = resources["Outbox"]["Properties"]["Events"].values()
    (pattern,) = source["Properties"]["FilterCriteria"]["Filters"]

    assert json.loads(pattern["Pattern"]) == {"eventName": [streams.EVENT_NAME]}


def test_a_failed_batch_is_retried_and_then_dropped(local_app, table):
    """The next batch follows."""
    received: list[Any] = []

    def fail(event):
        received.append(event)
        if "out_1" in list_keys([event]):
            raise ValueError("on purpose")

    with follow(local_app, table, fail):
        put_rows(local_app, table, "out_1")
        wait_until(lambda: len(received) == MAX_ATTEMPTS)
        put_rows(local_app, table, "out_2")
        wait_until(lambda: "out_2" in list_keys(received))

    assert list_keys(received) == ["out_1"] * MAX_ATTEMPTS + ["out_2"]


def test_a_clean_stop_waits_for_the_current_batch(local_app, table):
    """Later rows wait for the next start."""
    started, may_finish, finished = threading.Event(), threading.Event(), []

    def work(event):
        started.set()
        may_finish.wait(10)
        finished.append(event)

    with follow(local_app, table, work):
        put_rows(local_app, table, "out_1")
        assert started.wait(10)
        put_rows(local_app, table, "out_2")
        threading.Timer(0.2, may_finish.set).start()

    assert list_keys(finished) == ["out_1"]


def test_a_stream_that_is_not_available_yet_is_followed_later(local_app, table, monkeypatch):
    """The local cloud may be unavailable for a moment."""
    received: list[Any] = []
    find_stream = StreamRunner._find_stream
    requested: list[str] = []

    def fail_first(self, name):
        requested.append(name)
        return find_stream(self, "cart-none" if len(requested) == 1 else name)

    monkeypatch.setattr(StreamRunner, "_find_stream", fail_first)
    with follow(local_app, table, received.append):
        put_rows(local_app, table, "out_1")
        wait_until(lambda: received)

    assert len(requested) == 2
