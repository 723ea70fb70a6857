"""Conversion of items, and reads and conditional writes of one table."""

import json
from base64 import b64encode
from decimal import Decimal
from typing import Any

import pytest
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.referrals.stages import Stage
from chalicelib.errors import UnavailableError
from chalicelib.store.platform.dynamo import DynamoTable, ItemRead, get_together, marshal, unmarshal
from tests.support import faults
from tests.support.aws_fakes import PREFIX
from tests.support.call_attempts import record_attempts
from tests.support.faults import FaultMode
from tests.support.stores import get_dynamodb_client, list_rows


@pytest.fixture
def table(stores):
    """An empty table with a partition key and a sort key."""
    return DynamoTable(f"{PREFIX}notices", get_dynamodb_client)


def build_row(n: int, **more: Any) -> dict[str, Any]:
    """A row of the partition `mem_1`."""
    return {"member_id": "mem_1", "notice_id": f"{n:03d}", **more}


plain_texts = st.text(st.sampled_from("ab 0é☃\x00\n"), max_size=5)
plain_values = st.recursive(
    st.booleans() | plain_texts | st.integers() | st.binary(max_size=8),
    lambda inner: st.lists(inner, max_size=3),
    max_leaves=5,
)


@given(item=st.dictionaries(plain_texts, plain_values))
def test_an_item_is_the_same_after_a_round_trip(item):
    """Texts, whole numbers of any size, booleans, bytes and lists of them."""
    assert unmarshal(marshal(item)) == item


@given(raw=st.binary(max_size=8))
def test_bytes_are_decoded_from_the_json_of_dynamodb(raw):
    """Our client returns binary values as the base64 text that DynamoDB sends."""
    assert unmarshal({"sealed": {"B": b64encode(raw).decode()}}) == {"sealed": raw}


def test_a_boolean_is_not_stored_as_a_number():
    """In Python, True equals 1."""
    assert marshal({"active": True}) == {"active": {"BOOL": True}}
    assert unmarshal(marshal({"active": True}))["active"] is True


def test_a_string_enum_is_stored_as_plain_text():
    """The client accepts only `str` itself."""
    stored = marshal({"stage": Stage.INFUSED})["stage"]["S"]

    assert (stored, type(stored)) == ("infused", str)


def test_an_attribute_that_is_none_is_left_out():
    """A missing attribute keeps a row out of a sparse index; NULL would not."""
    assert marshal({"center_inbox": None, "stage": "draft"}) == {"stage": {"S": "draft"}}


@pytest.mark.parametrize("value", [1.0, float("nan"), {"a"}, {"a": 1}, Decimal(1), object(), bytearray(b"a"), [None]])
def test_a_value_that_would_change_in_a_round_trip_is_refused(value):
    """Such as a fraction, a set or a map. The error names the type and not the value."""
    with pytest.raises(TypeError, match="no attribute type for") as error:
        marshal({"value": value})

    assert "nan" not in str(error.value)


def test_a_row_is_read_after_it_was_written(table):
    """Reads are strongly consistent. A missing row is None, not an error and not an empty row."""
    assert table.get({"member_id": "mem_1", "notice_id": "001"}) is None

    assert table.put(build_row(1, title="t"))

    assert table.get({"member_id": "mem_1", "notice_id": "001"}) == build_row(1, title="t")


@pytest.mark.parametrize(
    ("condition", "written"),
    [
        ({"when": "attribute_not_exists(notice_id)"}, False),
        ({"when": "version = :v", "values": {"v": 2}}, False),
        ({"when": "version = :v", "values": {"v": 1}}, True),
    ],
    ids=["row exists", "other version", "same version"],
)
def test_a_conditional_write_overwrites_only_when_its_condition_holds(table, condition, written):
    """Otherwise `put` returns False, and the first row stays."""
    table.put(build_row(1, version=1))

    assert table.put(build_row(1, version=3), **condition) is written
    assert list_rows("notices") == [build_row(1, version=3 if written else 1)]


def test_an_update_changes_only_the_attributes_that_it_names(table):
    """A reserved word needs a placeholder."""
    table.put(build_row(1, title="t", state="open"))

    changed = table.update(
        {"member_id": "mem_1", "notice_id": "001"},
        "SET #state = :state",
        when="attribute_exists(notice_id)",
        values={"state": "read"},
        names={"#state": "state"},
    )

    assert changed
    assert list_rows("notices") == [build_row(1, title="t", state="read")]


def test_a_conditional_update_of_a_missing_row_creates_none(table):
    """Without the condition, DynamoDB would create a row that has only the key."""
    changed = table.update(
        {"member_id": "mem_1", "notice_id": "001"},
        "SET title = :t",
        when="attribute_exists(notice_id)",
        values={"t": "t"},
    )

    assert not changed
    assert list_rows("notices") == []


def test_an_invalid_request_is_raised_as_our_bug(table):
    """It does not become `UnavailableError`."""
    with pytest.raises(ClientError, match="ValidationException"):
        table.put({"member_id": "mem_1"})


def query(table, **options):
    """One page of the partition."""
    return table.query("member_id = :m", {"m": "mem_1"}, **options)


def test_a_query_is_read_page_by_page(table):
    """Each page has the position of the next one; the last one has none."""
    for n in range(5):
        table.put(build_row(n))

    first = query(table, limit=2)
    second = query(table, limit=2, start=first.next_key)
    third = query(table, limit=2, start=second.next_key)

    pages = [[row["notice_id"] for row in page.items] for page in (first, second, third)]
    assert pages == [["000", "001"], ["002", "003"], ["004"]]
    assert third.next_key is None


def test_a_query_reads_one_partition_in_the_requested_order(table):
    """Ids start with a time, so the greatest is the newest. Rows of other members are not read."""
    for n in range(3):
        table.put(build_row(n))
    table.put({"member_id": "mem_2", "notice_id": "001"})

    assert query(table).items == [build_row(n) for n in range(3)]
    assert query(table, newest_first=True).items == [build_row(n) for n in (2, 1, 0)]


def test_query_all_reads_every_page(table):
    """It does not stop after the first page."""
    for n in range(7):
        table.put(build_row(n))

    with faults.inject_faults(faults.plan_never) as calls:
        rows = list(table.query_all("member_id = :m", {"m": "mem_1"}, limit=2))

    assert rows == [build_row(n) for n in range(7)]
    assert calls.operations == ["Query"] * 4


def test_a_page_without_matches_is_not_the_end(table):
    """DynamoDB filters after it reads, so a page can be empty although more rows follow."""
    for n in range(6):
        table.put(build_row(n, state="open" if n == 5 else "closed"))
    options = {"where": "#state = :s", "limit": 2}

    first = table.query("member_id = :m", {"m": "mem_1", "s": "open"}, **options)
    matches = list(table.query_all("member_id = :m", {"m": "mem_1", "s": "open"}, **options))

    assert first.items == []
    assert first.next_key is not None
    assert matches == [build_row(5, state="open")]


@pytest.mark.parametrize("operation", ["GetItem", "PutItem", "Query", "UpdateItem"])
@pytest.mark.parametrize("mode", [FaultMode.THROTTLE, FaultMode.SERVER_ERROR, FaultMode.REFUSED, FaultMode.LOST_REPLY])
def test_a_lasting_outage_is_unavailable_after_three_attempts(table, operation, mode):
    """The caller can try again later."""
    key = {"member_id": "mem_1", "notice_id": "001"}
    exists = "attribute_exists(notice_id)"
    call = {
        "GetItem": lambda: table.get(key),
        "PutItem": lambda: table.put(build_row(1)),
        "Query": lambda: query(table),
        "UpdateItem": lambda: table.update(key, "SET t = :t", when=exists, values={"t": "t"}),
    }[operation]

    with faults.inject_faults(faults.plan_always(operation, mode)) as calls, pytest.raises(UnavailableError):
        call()

    assert calls.operations == [operation] * 3


@pytest.mark.parametrize("mode", [FaultMode.THROTTLE, FaultMode.SERVER_ERROR, FaultMode.REFUSED, FaultMode.LOST_REPLY])
def test_a_short_outage_is_retried_by_the_sdk(table, mode):
    """The caller does not notice it."""
    table.put(build_row(1))

    with faults.inject_faults(faults.plan_fault_at(1, mode)) as calls:
        row = table.get({"member_id": "mem_1", "notice_id": "001"})

    assert row == build_row(1)
    assert calls.operations == ["GetItem", "GetItem"]


class OneKeyPerBatch:
    """A client that leaves keys unprocessed, as DynamoDB does under load. Moto never does."""

    def __init__(self, client: Any) -> None:
        self.client = client
        self.requested_counts: list[int] = []

    def batch_get_item(self, *, RequestItems: Any) -> Any:  # noqa: N803 DynamoDB spells it so
        """Read only the first key of the first table."""
        self.requested_counts.append(sum(len(request["Keys"]) for request in RequestItems.values()))
        (name, request), *others = RequestItems.items()
        response = self.client.batch_get_item(RequestItems={name: {**request, "Keys": request["Keys"][:1]}})
        rest = [(name, {**request, "Keys": request["Keys"][1:]})] if request["Keys"][1:] else []
        return response | {"UnprocessedKeys": dict([*rest, *others])}


def test_unprocessed_keys_are_requested_again(table):
    """Otherwise a short response would look like missing rows."""
    keys = [{"member_id": "mem_1", "notice_id": f"{n:03d}"} for n in range(3)]
    for n in range(3):
        table.put(build_row(n))
    client = OneKeyPerBatch(get_dynamodb_client())

    rows = DynamoTable(table.name, lambda: client).get_many(keys)  # type: ignore[arg-type,return-value]

    assert sorted(row["notice_id"] for row in rows) == ["000", "001", "002"]
    assert client.requested_counts == [3, 2, 1]


def test_items_of_several_tables_are_read_in_one_call(table, stores):
    """In the order in which they are asked for; None for an item that does not exist. Strongly consistent."""
    table.put(build_row(1))
    stores.outbox.table.put({"outbox_id": "out_1"})
    client = OneKeyPerBatch(get_dynamodb_client())
    notices = DynamoTable(table.name, lambda: client)  # type: ignore[arg-type,return-value]
    reads = [
        ItemRead(notices, {"member_id": "mem_1", "notice_id": "000"}),
        ItemRead(stores.outbox.table, {"outbox_id": "out_1"}),
        ItemRead(notices, {"member_id": "mem_1", "notice_id": "001"}),
    ]

    assert get_together(reads) == [None, {"outbox_id": "out_1"}, build_row(1)]
    assert client.requested_counts == [3, 2, 1]


def test_a_batch_read_leaves_out_missing_rows(table):
    """The result has no gap for them."""
    table.put(build_row(1))
    keys = [{"member_id": "mem_1", "notice_id": f"{n:03d}"} for n in range(3)]

    assert table.get_many(keys) == [build_row(1)]


def test_every_read_of_a_table_is_strongly_consistent(table):
    """Decisions depend on these reads. Only an index can be stale, and it decides nothing."""
    with record_attempts() as sent:
        table.get({"member_id": "mem_1", "notice_id": "001"})
        table.get_many([{"member_id": "mem_1", "notice_id": "001"}])
        table.query("member_id = :id", {"id": "mem_1"})

    get, batch, query = (json.loads(body) for _, body in sent)
    (batch_get,) = batch["RequestItems"].values()
    assert [get["ConsistentRead"], batch_get["ConsistentRead"], query["ConsistentRead"]] == [True] * 3
