"""Items as DynamoDB spells them, and one table as the product uses it."""

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
from chalicelib.store.platform.dynamo import DynamoTable, marshal, unmarshal
from tests.support import faults
from tests.support import stores as shelves
from tests.support.aws_fakes import PREFIX
from tests.support.faults import FaultMode


@pytest.fixture
def table(stores):
    """A table with a hash and a range key, and nothing in it."""
    return DynamoTable(f"{PREFIX}notices", shelves.get_dynamodb_client)


def a_row(n: int, **more: Any) -> dict[str, Any]:
    """A row of one partition."""
    return {"member_id": "mem_1", "notice_id": f"{n:03d}", **more}


plain_texts = st.text(st.sampled_from("ab 0é☃\x00\n"), max_size=5)
plain_values = st.recursive(
    st.booleans() | plain_texts | st.integers() | st.binary(max_size=8),
    lambda inner: st.lists(inner, max_size=3),
    max_leaves=5,
)


@given(item=st.dictionaries(plain_texts, plain_values))
def test_an_item_comes_back_as_it_went(item):
    """Texts, whole numbers of any size, truth values, bytes and lists of them."""
    assert unmarshal(marshal(item)) == item


@given(raw=st.binary(max_size=8))
def test_bytes_come_back_from_the_services_own_json(raw):
    """Our client hands binary values on as the base64 text that the service sends."""
    assert unmarshal({"sealed": {"B": b64encode(raw).decode()}}) == {"sealed": raw}


def test_a_truth_value_is_no_number():
    """Python counts True as 1; a table must not."""
    assert marshal({"active": True}) == {"active": {"BOOL": True}}
    assert unmarshal(marshal({"active": True}))["active"] is True


def test_a_stage_is_stored_as_plain_text():
    """The client takes nothing but `str` itself."""
    stored = marshal({"stage": Stage.INFUSED})["stage"]["S"]

    assert (stored, type(stored)) == ("infused", str)


def test_what_is_none_is_left_out():
    """An absent attribute keeps a row out of a sparse index; NULL would not."""
    assert marshal({"center_inbox": None, "stage": "draft"}) == {"stage": {"S": "draft"}}


@pytest.mark.parametrize("value", [1.0, float("nan"), {"a"}, {"a": 1}, Decimal(1), object(), bytearray(b"a"), [None]])
def test_what_would_not_come_back_alike_is_refused(value):
    """A fraction, a set, a map: the error names the type and not the value."""
    with pytest.raises(TypeError, match="no attribute type for") as refusal:
        marshal({"value": value})

    assert "nan" not in str(refusal.value)


def test_a_row_is_put_and_read(table):
    """Strongly consistent, so what was written is there."""
    assert table.put(a_row(1, title="t"))

    assert table.get({"member_id": "mem_1", "notice_id": "001"}) == a_row(1, title="t")


def test_what_is_not_there_is_none(table):
    """Not an error and not an empty row."""
    assert table.get({"member_id": "mem_1", "notice_id": "001"}) is None


def test_a_put_under_a_condition_does_not_overwrite(table):
    """It says so, and the first row stands."""
    table.put(a_row(1, title="first"))

    written = table.put(a_row(1, title="second"), when="attribute_not_exists(notice_id)")

    assert not written
    assert shelves.list_rows("notices") == [a_row(1, title="first")]


def test_a_put_may_depend_on_what_is_there(table):
    """A condition with a value."""
    table.put(a_row(1, version=1))

    too_old = table.put(a_row(1, version=3), when="version = :v", values={"v": 2})
    in_time = table.put(a_row(1, version=2), when="version = :v", values={"v": 1})

    assert (too_old, in_time) == (False, True)
    assert shelves.list_rows("notices") == [a_row(1, version=2)]


def test_an_update_changes_what_it_names(table):
    """Other attributes stay; a reserved word goes by a placeholder."""
    table.put(a_row(1, title="t", state="open"))

    changed = table.update(
        {"member_id": "mem_1", "notice_id": "001"},
        "SET #state = :state",
        when="attribute_exists(notice_id)",
        values={"state": "read"},
        names={"#state": "state"},
    )

    assert changed
    assert shelves.list_rows("notices") == [a_row(1, title="t", state="read")]


def test_an_update_of_nothing_makes_nothing(table):
    """DynamoDB would make a row of the key alone; the condition keeps it from that."""
    changed = table.update(
        {"member_id": "mem_1", "notice_id": "001"},
        "SET title = :t",
        when="attribute_exists(notice_id)",
        values={"t": "t"},
    )

    assert not changed
    assert shelves.list_rows("notices") == []


def test_a_wrong_request_is_our_bug_and_no_outage(table):
    """It passes through, so that it shows as what it is."""
    with pytest.raises(ClientError, match="ValidationException"):
        table.put({"member_id": "mem_1"})


def query(table, **how):
    """The partition by pages."""
    return table.query("member_id = :m", {"m": "mem_1"}, **how)


def test_a_query_is_read_page_by_page(table):
    """Each page says where the next one starts, the last one says nothing."""
    for n in range(5):
        table.put(a_row(n))

    first = query(table, limit=2)
    second = query(table, limit=2, start=first.next_key)
    third = query(table, limit=2, start=second.next_key)

    read = [[row["notice_id"] for row in page.items] for page in (first, second, third)]
    assert read == [["000", "001"], ["002", "003"], ["004"]]
    assert third.next_key is None


def test_a_query_reads_newest_first_when_asked(table):
    """Ids start with a time, so the greatest is the newest."""
    for n in range(3):
        table.put(a_row(n))

    assert [row["notice_id"] for row in query(table, newest_first=True).items] == ["002", "001", "000"]


def test_a_query_reads_one_partition_and_no_other(table):
    """Somebody else's rows are not even read."""
    table.put(a_row(1))
    table.put({"member_id": "mem_2", "notice_id": "001"})

    assert query(table).items == [a_row(1)]


def test_every_row_is_read_however_many_pages_it_takes(table):
    """Nothing is cut off at a page."""
    for n in range(7):
        table.put(a_row(n))

    with faults.inject_faults(faults.plan_never) as calls:
        read = list(table.query_all("member_id = :m", {"m": "mem_1"}, limit=2))

    assert read == [a_row(n) for n in range(7)]
    assert calls.operations == ["Query"] * 4


def test_a_page_that_a_filter_empties_is_not_the_end(table):
    """DynamoDB filters after it has read: a page may be empty and more may come."""
    for n in range(6):
        table.put(a_row(n, state="wanted" if n == 5 else "other"))
    how = {"where": "#state = :s", "limit": 2}

    first = table.query("member_id = :m", {"m": "mem_1", "s": "wanted"}, **how)
    every = list(table.query_all("member_id = :m", {"m": "mem_1", "s": "wanted"}, **how))

    assert first.items == []
    assert first.next_key is not None
    assert every == [a_row(5, state="wanted")]


@pytest.mark.parametrize("operation", ["GetItem", "PutItem", "Query", "UpdateItem"])
@pytest.mark.parametrize("mode", [FaultMode.THROTTLE, FaultMode.SERVER_ERROR, FaultMode.REFUSED, FaultMode.LOST_REPLY])
def test_trouble_that_does_not_end_is_unavailable(table, operation, mode):
    """Tried three times, then told as something that a repeat may cure."""
    key = {"member_id": "mem_1", "notice_id": "001"}
    exists = "attribute_exists(notice_id)"
    call = {
        "GetItem": lambda: table.get(key),
        "PutItem": lambda: table.put(a_row(1)),
        "Query": lambda: query(table),
        "UpdateItem": lambda: table.update(key, "SET t = :t", when=exists, values={"t": "t"}),
    }[operation]

    with faults.inject_faults(faults.plan_always(operation, mode)) as calls, pytest.raises(UnavailableError):
        call()

    assert calls.operations == [operation] * 3


@pytest.mark.parametrize("mode", [FaultMode.THROTTLE, FaultMode.SERVER_ERROR, FaultMode.REFUSED, FaultMode.LOST_REPLY])
def test_trouble_that_passes_is_not_noticed(table, mode):
    """The SDK tries again by itself."""
    table.put(a_row(1))

    with faults.inject_faults(faults.plan_fault_at(1, mode)) as calls:
        read = table.get({"member_id": "mem_1", "notice_id": "001"})

    assert read == a_row(1)
    assert calls.operations == ["GetItem", "GetItem"]


class Stingy:
    """A client that leaves keys unprocessed, as DynamoDB does under load; moto never does."""

    def __init__(self, client: Any) -> None:
        self.client = client
        self.asked: list[int] = []

    def batch_get_item(self, *, RequestItems: Any) -> Any:  # noqa: N803 the service's spelling
        """Answer the first key only."""
        ((name, wanted),) = RequestItems.items()
        self.asked.append(len(wanted["Keys"]))
        answer = self.client.batch_get_item(RequestItems={name: {**wanted, "Keys": wanted["Keys"][:1]}})
        rest = wanted["Keys"][1:]
        return answer | {"UnprocessedKeys": {name: {**wanted, "Keys": rest}} if rest else {}}


def test_what_a_batch_leaves_out_is_asked_for_again(table):
    """Until nothing is left: a short answer must not read as rows that are not there."""
    keys = [{"member_id": "mem_1", "notice_id": f"{n:03d}"} for n in range(3)]
    for n in range(3):
        table.put(a_row(n))
    stingy = Stingy(shelves.get_dynamodb_client())

    found = DynamoTable(table.name, lambda: stingy).get_many(keys)  # type: ignore[arg-type,return-value]

    assert sorted(row["notice_id"] for row in found) == ["000", "001", "002"]
    assert stingy.asked == [3, 2, 1]


def test_a_batch_leaves_out_what_is_not_there(table):
    """In no order, and without a hole."""
    table.put(a_row(1))
    keys = [{"member_id": "mem_1", "notice_id": f"{n:03d}"} for n in range(3)]

    assert table.get_many(keys) == [a_row(1)]


def test_a_read_of_a_table_is_never_stale(table):
    """What a decision rests on is read strongly; only an index may lag, and decides nothing."""
    asked = []

    def keep(model, params, **_more):
        asked.append((model.name, json.loads(params["body"])))

    events = shelves.get_dynamodb_client().meta.events
    events.register("before-call.dynamodb", keep)
    table.get({"member_id": "mem_1", "notice_id": "001"})
    table.get_many([{"member_id": "mem_1", "notice_id": "001"}])
    table.query("member_id = :id", {"id": "mem_1"})
    events.unregister("before-call.dynamodb", keep)

    (_, get), (_, batch), (_, query) = asked
    (wanted,) = batch["RequestItems"].values()
    assert [get["ConsistentRead"], wanted["ConsistentRead"], query["ConsistentRead"]] == [True] * 3
