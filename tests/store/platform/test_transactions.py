"""Several writes as one: which one was refused and why, and what is tried again."""

from typing import Any

import pytest
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from botocore.exceptions import ClientError

from chalicelib.errors import UnavailableError
from chalicelib.store.platform import transactions as ledger_module
from chalicelib.store.platform.dynamo import DynamoTable
from chalicelib.store.platform.transactions import ConditionFailedError, Transactions
from tests.support import faults
from tests.support import stores as shelves
from tests.support.aws_fakes import PREFIX
from tests.support.faults import FaultMode

ABSENT = "attribute_not_exists(tenant_id)"
TABLE = DynamoTable(f"{PREFIX}tenants", shelves.get_dynamodb_client)


@pytest.fixture
def transactions(stores):
    """A ledger that does not pause."""
    return stores.transactions


def a_row(tenant_id: str, **more: Any) -> dict[str, Any]:
    """A row of the table of tenants."""
    return {"kind": "practice", "tenant_id": tenant_id, **more}


def adding(name: str, **more: Any):
    """A write that is refused where there is such a row."""
    return TABLE.prepare_put(name, a_row(name, **more), when=ABSENT)


def stored() -> list[str]:
    """The rows that are there."""
    return sorted(row["tenant_id"] for row in shelves.list_rows("tenants"))


def test_all_writes_are_made(transactions):
    """A put, an update, a delete and a check at once."""
    TABLE.put(a_row("old", title="before"))
    TABLE.put(a_row("gone"))
    TABLE.put(a_row("seen", version=3))

    transactions.commit(
        adding("new"),
        TABLE.prepare_update("old", a_row("old"), "SET title = :t", when="attribute_exists(kind)", values={"t": "t"}),
        TABLE.prepare_delete("gone", a_row("gone")),
        TABLE.prepare_check("seen", a_row("seen"), when="version = :v", values={"v": 3}),
    )

    assert stored() == ["new", "old", "seen"]


def test_one_refusal_refuses_all(transactions):
    """Nothing of the transaction is there afterwards."""
    TABLE.put(a_row("b"))

    with pytest.raises(ConditionFailedError):
        transactions.commit(adding("a"), adding("b"), adding("c"))

    assert stored() == ["b"]


def test_a_refusal_brings_the_item_in_the_way(transactions):
    """Named as its write was, with what is stored, and only the writes that were refused."""
    TABLE.put(a_row("b", title="first", version=7))

    with pytest.raises(ConditionFailedError) as refusal:
        transactions.commit(adding("a"), adding("b", title="second"), adding("c"))

    assert refusal.value.items == {"b": a_row("b", title="first", version=7)}


def test_every_refused_write_is_named(transactions):
    """Two in the way are two, so that a service can tell a repeat from a race."""
    TABLE.put(a_row("b"))
    TABLE.put(a_row("c"))

    with pytest.raises(ConditionFailedError) as refusal:
        transactions.commit(adding("a"), adding("b"), adding("c"))

    assert set(refusal.value.items) == {"b", "c"}


def test_a_check_of_what_is_not_there_has_no_item(transactions):
    """Refused, with nothing in the way."""
    with pytest.raises(ConditionFailedError) as refusal:
        transactions.commit(TABLE.prepare_check("x", a_row("x"), when="version = :v", values={"v": 1}))

    assert refusal.value.items == {"x": {}}


def test_a_refusals_text_names_writes_and_no_content(transactions):
    """It may end up in a log."""
    TABLE.put(a_row("b", title="Ana Example"))

    with pytest.raises(ConditionFailedError) as refusal:
        transactions.commit(adding("b"))

    assert str(refusal.value) == "b"


def test_deleting_what_is_not_there_is_no_trouble(transactions):
    """Whoever was quicker has done it."""
    transactions.commit(TABLE.prepare_delete("gone", a_row("gone")), adding("a"))

    assert stored() == ["a"]


@pytest.mark.parametrize("mode", [FaultMode.CONFLICT, FaultMode.THROTTLE, FaultMode.SERVER_ERROR, FaultMode.REFUSED])
def test_bad_luck_is_tried_again(transactions, mode):
    """By us where the SDK does not, by the SDK where it does; written once in the end."""
    with faults.inject_faults(faults.plan_fault_at(1, mode)) as calls:
        transactions.commit(adding("a"))

    assert stored() == ["a"]
    assert calls.operations == ["TransactWriteItems"] * 2


def test_a_conflict_that_does_not_end_is_unavailable(transactions):
    """A bounded number of tries, then "try again": nothing was written."""
    stuck = faults.plan_always("TransactWriteItems", FaultMode.CONFLICT)

    with faults.inject_faults(stuck) as calls, pytest.raises(UnavailableError) as refusal:
        transactions.commit(adding("a"))

    assert refusal.value.code == "busy"
    assert len(calls.operations) == ledger_module.MAX_ATTEMPTS
    assert stored() == []


def test_the_pauses_between_tries_grow_and_are_random(stores):
    """Two writers that met once must not meet again in step."""
    waits: list[float] = []
    stuck = faults.plan_always("TransactWriteItems", FaultMode.CONFLICT)

    with faults.inject_faults(stuck), pytest.raises(UnavailableError):
        Transactions(shelves.get_dynamodb_client, pause=waits.append).commit(adding("a"))

    assert len(waits) == ledger_module.MAX_ATTEMPTS
    assert all(0 <= wait <= 0.02 * 2**n for n, wait in enumerate(waits))
    assert len(set(waits)) == len(waits)


@pytest.mark.parametrize("mode", [FaultMode.THROTTLE, FaultMode.SERVER_ERROR, FaultMode.REFUSED])
def test_trouble_that_does_not_end_is_unavailable(transactions, mode):
    """The SDK's tries are enough; ours on top would multiply them."""
    dead = faults.plan_always("TransactWriteItems", mode)

    with faults.inject_faults(dead) as calls, pytest.raises(UnavailableError):
        transactions.commit(adding("a"))

    assert len(calls.operations) == 3
    assert stored() == []


def test_a_lost_reply_is_repeated_with_the_same_token(transactions):
    """DynamoDB runs a token once. Moto does not know tokens, so our own row is in the way."""
    sent = []

    def keep(params: Any, **_more: Any) -> None:
        sent.append(params["body"])

    events = shelves.get_dynamodb_client().meta.events
    events.register("before-call.dynamodb.TransactWriteItems", keep)
    with (
        faults.inject_faults(faults.plan_fault_at(1, FaultMode.LOST_REPLY)) as calls,
        pytest.raises(ConditionFailedError) as refusal,
    ):
        transactions.commit(adding("a", title="mine"))
    events.unregister("before-call.dynamodb.TransactWriteItems", keep)

    assert refusal.value.items["a"]["title"] == "mine"
    assert calls.operations == ["TransactWriteItems"] * 2
    assert len(sent) == 1
    assert b"ClientRequestToken" in sent[0]


class Canceled:
    """An answer with cancellation reasons of our choice."""

    def __init__(self, *codes: str) -> None:
        self.codes = codes

    def __call__(self, **_call: Any) -> Any:
        reasons = [{"Code": code} for code in self.codes]
        parsed = {
            "Error": {"Code": "TransactionCanceledException", "Message": "injected"},
            "ResponseMetadata": {"HTTPStatusCode": 400, "HTTPHeaders": {}},
            "CancellationReasons": reasons,
        }
        return AWSResponse("https://x", 400, HTTPHeaders(), None), parsed


@pytest.fixture
def cancel_transactions():
    """Let every transaction be canceled for reasons of our choice."""
    events = shelves.get_dynamodb_client().meta.events
    registered = []

    def register(*codes: str) -> None:
        answer = Canceled(*codes)
        events.register("before-call.dynamodb.TransactWriteItems", answer)
        registered.append(answer)

    yield register
    for answer in registered:
        events.unregister("before-call.dynamodb.TransactWriteItems", answer)


@pytest.mark.parametrize(
    "codes",
    [
        ("TransactionConflict", "None"),
        ("None", "ThrottlingError"),
        ("ProvisionedThroughputExceeded", "TransactionConflict"),
    ],
)
def test_reasons_that_pass_end_in_unavailable(transactions, cancel_transactions, codes):
    """Tried again as long as nothing permanent is among them."""
    cancel_transactions(*codes)

    with pytest.raises(UnavailableError):
        transactions.commit(adding("a"), adding("b"))


def test_a_condition_beside_a_conflict_is_a_refusal(transactions, cancel_transactions):
    """Trying again cannot help, whatever else was in the way."""
    cancel_transactions("TransactionConflict", "ConditionalCheckFailed")

    with pytest.raises(ConditionFailedError) as refusal:
        transactions.commit(adding("a"), adding("b"))

    assert refusal.value.items == {"b": {}}


@pytest.mark.parametrize("code", ["ValidationError", "ItemCollectionSizeLimitExceeded", "New"])
def test_a_reason_that_we_do_not_know_is_our_bug(transactions, cancel_transactions, code):
    """Not a refusal and not bad luck: it has to show."""
    cancel_transactions("None", code)

    with pytest.raises(RuntimeError, match=code):
        transactions.commit(adding("a"), adding("b"))


def test_a_wrong_request_is_our_bug(transactions):
    """The same item twice: passes through as what it is."""
    with pytest.raises(ClientError, match="ValidationException"):
        transactions.commit(adding("a"), adding("a"))
