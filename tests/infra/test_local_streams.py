"""The stream is a real one of the local cloud, of a table as the product has it."""

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
        with cloud.run_cloud(tmp_path_factory.mktemp("cloud")) as running:
            yield running


@pytest.fixture
def table(local_app, request):
    """A table of its own for each test, without the prefix."""
    name = request.node.name.replace("_", "-")
    client("dynamodb", local_app).create_table(
        TableName=f"cart-{name}",
        AttributeDefinitions=[{"AttributeName": "outbox_id", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "outbox_id", "KeyType": "HASH"}],
        BillingMode="PAY_PER_REQUEST",
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"},
    )
    return name


@contextlib.contextmanager
def followed(there, table, handler):
    """An application whose function `outbox` follows the table."""
    app = Chalice("clinic", configure_logs=False)
    app.on_dynamodb_record(table, name="outbox", starting_position="TRIM_HORIZON")(handler)
    running = StreamRunner(app, there.endpoint, "cart-")
    running.start()
    try:
        yield
    finally:
        running.stop()


def client(service, there) -> Any:
    return get_session().create_client(service, endpoint_url=there.endpoint)


def put(there, table, *ids, **more):
    for each in ids:
        item = {"outbox_id": {"S": each}, **{name: {"S": value} for name, value in more.items()}}
        client("dynamodb", there).put_item(TableName=f"cart-{table}", Item=item)


def wait_until(condition):
    give_up_at = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < give_up_at
        time.sleep(0.02)


def keys_in(events):
    return [record.keys["outbox_id"]["S"] for event in events for record in event]


def test_a_new_row_reaches_the_handler_by_its_key(local_app, table):
    """As Lambda tells of it, down to a time that JSON can hold; no other attribute is there."""
    heard: list[Any] = []
    with followed(local_app, table, heard.append):
        put(local_app, table, "out_1", secret="seen")
        wait_until(lambda: heard)

    [record] = json.loads(json.dumps(heard[0].to_dict()))["Records"]
    assert record["eventName"] == "INSERT"
    assert record["eventSourceARN"].split("/")[1] == f"cart-{table}"
    assert record["dynamodb"]["Keys"] == {"outbox_id": {"S": "out_1"}}
    assert isinstance(record["dynamodb"]["ApproximateCreationDateTime"], float)
    assert "seen" not in json.dumps(record)
    assert 0 < heard[0].context.get_remaining_time_in_millis() <= 120_000


def test_what_was_there_before_is_handed_over_too(local_app, table):
    """In order; a stream is read from its beginning."""
    ids = [f"out_{n}" for n in range(5)]
    put(local_app, table, *ids)
    heard: list[Any] = []

    with followed(local_app, table, heard.append):
        wait_until(lambda: len(keys_in(heard)) == 5)

    assert keys_in(heard) == ids


def test_a_row_that_changes_is_no_news(local_app, table):
    """Else each claim and each mark would call the function."""
    heard: list[Any] = []
    with followed(local_app, table, heard.append):
        put(local_app, table, "out_1")
        put(local_app, table, "out_1", state="done")
        put(local_app, table, "out_2")
        wait_until(lambda: "out_2" in keys_in(heard))

    assert keys_in(heard) == ["out_1", "out_2"]


def test_the_filter_is_that_of_production():
    """What is handed over here is what is handed over there."""
    resources = json.loads(RESOURCES.read_text())["Resources"]
    (source,) = resources["Outbox"]["Properties"]["Events"].values()
    (pattern,) = source["Properties"]["FilterCriteria"]["Filters"]

    assert json.loads(pattern["Pattern"]) == {"eventName": [streams.EVENT_NAME]}


def test_a_batch_that_fails_is_tried_again_and_then_makes_way(local_app, table):
    """The next one has its turn."""
    heard: list[Any] = []

    def fail(event):
        heard.append(event)
        if "out_1" in keys_in([event]):
            raise ValueError("on purpose")

    with followed(local_app, table, fail):
        put(local_app, table, "out_1")
        wait_until(lambda: len(heard) == MAX_ATTEMPTS)
        put(local_app, table, "out_2")
        wait_until(lambda: "out_2" in keys_in(heard))

    assert keys_in(heard) == ["out_1"] * MAX_ATTEMPTS + ["out_2"]


def test_a_clean_stop_waits_for_a_batch(local_app, table):
    """What the function has begun, it ends; what comes then waits for the next start."""
    begun, may_end, ended = threading.Event(), threading.Event(), []

    def work(event):
        begun.set()
        may_end.wait(10)
        ended.append(event)

    with followed(local_app, table, work):
        put(local_app, table, "out_1")
        assert begun.wait(10)
        put(local_app, table, "out_2")
        threading.Timer(0.2, may_end.set).start()

    assert keys_in(ended) == ["out_1"]


def test_a_table_that_is_not_there_yet_is_followed_when_it_is(local_app, table, monkeypatch):
    """The cloud may be away for a moment; nothing ends because of that."""
    heard: list[Any] = []
    found = StreamRunner._find_stream
    tried: list[str] = []

    def not_at_first(self, name):
        tried.append(name)
        return found(self, "cart-none" if len(tried) == 1 else name)

    monkeypatch.setattr(StreamRunner, "_find_stream", not_at_first)
    with followed(local_app, table, heard.append):
        put(local_app, table, "out_1")
        wait_until(lambda: heard)

    assert len(tried) == 2
