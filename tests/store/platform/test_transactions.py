"""Transactions: all writes or none, which conditional writes failed, and what is tried again."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from botocore.exceptions import ClientError

from chalicelib.errors import UnavailableError
from chalicelib.store.platform.dynamo import DynamoTable
from chalicelib.store.platform.transactions import MAX_ATTEMPTS, ConditionFailedError, Transactions
from tests.support import faults
from tests.support.aws_fakes import PREFIX
from tests.support.call_attempts import Answer, intercept_attempts, record_attempts
from tests.support.faults import FaultMode
from tests.support.stores import get_dynamodb_client, list_rows

ABSENT = "attribute_not_exists(tenant_id)"
TABLE = DynamoTable(f"{PREFIX}tenants", get_dynamodb_client)


@pytest.fixture
def transactions(stores):
    """Transactions that do not pause between attempts."""
    return stores.transactions


def build_row(tenant_id: str, **more: Any) -> dict[str, Any]:
    """A row of the `tenants` table."""
    return {"kind": "practice", "tenant_id": tenant_id, **more}


def prepare_add(name: str, **more: Any):
    """A conditional write that fails if the row exists."""
    return TABLE.prepare_put(name, build_row(name, **more), when=ABSENT)


def list_stored() -> list[str]:
    """The ids of the rows in the table."""
    return sorted(row["tenant_id"] for row in list_rows("tenants"))


def test_all_writes_of_a_transaction_are_made(transactions):
    """A put, an update, a delete and a check. Deleting a missing row also succeeds."""
    TABLE.put(build_row("old", title="before"))
    TABLE.put(build_row("gone"))
    TABLE.put(build_row("seen", version=3))

    transactions.commit(
        prepare_add("new"),
        TABLE.prepare_update(
            "old", build_row("old"), "SET title = :t", when="attribute_exists(kind)", values={"t": "t"}
        ),
        TABLE.prepare_delete("gone", build_row("gone")),
        TABLE.prepare_delete("never there", build_row("never there")),
        TABLE.prepare_check("seen", build_row("seen"), when="version = :v", values={"v": 3}),
    )

    assert list_stored() == ["new", "old", "seen"]


def test_a_failed_condition_refuses_all_writes_and_returns_the_existing_items(transactions):
    """For each refused write by its name, so that a service can tell a repeat from a race.

    The text of the error has only names, because it may be logged.
    """
    existing = {
        "b": build_row("b", title="Ana Example", version=7),
        "c": build_row("c", title="Ana Example"),
    }
    for row in existing.values():
        TABLE.put(row)

    with pytest.raises(ConditionFailedError) as error:
        transactions.commit(prepare_add("a"), prepare_add("b", title="second"), prepare_add("c"), prepare_add("d"))

    assert list_stored() == ["b", "c"]
    assert error.value.items == existing
    assert str(error.value) == "b, c"


def test_a_failed_check_of_a_missing_row_has_no_item(transactions):
    """The error still names the write."""
    with pytest.raises(ConditionFailedError) as error:
        transactions.commit(TABLE.prepare_check("x", build_row("x"), when="version = :v", values={"v": 1}))

    assert error.value.items == {"x": {}}


@pytest.mark.parametrize("mode", [FaultMode.CONFLICT, FaultMode.THROTTLE, FaultMode.SERVER_ERROR, FaultMode.REFUSED])
def test_a_conflict_or_a_short_outage_is_tried_again(transactions, mode):
    """By us or by the SDK. The row is written once."""
    with faults.inject_faults(faults.plan_fault_at(1, mode)) as calls:
        transactions.commit(prepare_add("a"))

    assert list_stored() == ["a"]
    assert calls.operations == ["TransactWriteItems"] * 2


def test_a_lasting_conflict_is_unavailable_after_growing_random_pauses(stores):
    """Nothing is written. The pauses are random, so that two writers do not retry at the same moment."""
    pauses: list[float] = []
    conflicts = faults.plan_always("TransactWriteItems", FaultMode.CONFLICT)

    with faults.inject_faults(conflicts) as calls, pytest.raises(UnavailableError) as error:
        Transactions(get_dynamodb_client, pause=pauses.append).commit(prepare_add("a"))

    assert error.value.code == "busy"
    assert len(calls.operations) == len(pauses) == MAX_ATTEMPTS
    assert list_stored() == []
    assert all(0 <= pause <= 0.02 * 2**n for n, pause in enumerate(pauses))
    assert len(set(pauses)) == len(pauses)


@pytest.mark.parametrize("mode", [FaultMode.THROTTLE, FaultMode.SERVER_ERROR, FaultMode.REFUSED])
def test_a_lasting_outage_is_unavailable_after_the_retries_of_the_sdk(transactions, mode):
    """Our own retries would multiply them."""
    outage = faults.plan_always("TransactWriteItems", mode)

    with faults.inject_faults(outage) as calls, pytest.raises(UnavailableError):
        transactions.commit(prepare_add("a"))

    assert len(calls.operations) == 3
    assert list_stored() == []


def test_a_lost_response_is_retried_with_the_same_token(transactions):
    """DynamoDB runs a token once. Moto does not know tokens, so the retry finds our own row."""
    with (
        faults.inject_faults(faults.plan_fault_at(1, FaultMode.LOST_REPLY)),
        record_attempts() as sent,
        pytest.raises(ConditionFailedError) as error,
    ):
        transactions.commit(prepare_add("a", title="mine"))

    assert error.value.items["a"]["title"] == "mine"
    first, again = sent
    assert first == again
    assert b"ClientRequestToken" in first[1]


def test_all_attempts_of_a_transaction_have_one_token(transactions):
    """After a lost reply, a retry can meet a conflict. The next attempt must still be recognized as the same one."""
    with faults.inject_faults(faults.plan_fault_at(1, FaultMode.CONFLICT)), record_attempts() as sent:
        transactions.commit(prepare_add("a"))
        transactions.commit(prepare_add("b"))

    first, again, other = (json.loads(body)["ClientRequestToken"] for _, body in sent)
    assert first == again != other
    assert 1 <= len(first) <= 36


@pytest.fixture
def cancel_transactions():
    """A function that makes DynamoDB cancel every transaction for the given reasons."""
    codes: list[str] = []

    def answer(_request: Any, operation: str, send: Callable[[], Answer]) -> Answer:
        if operation != "TransactWriteItems" or not codes:
            return send()
        parsed = {
            "Error": {"Code": "TransactionCanceledException", "Message": "injected"},
            "ResponseMetadata": {"HTTPStatusCode": 400, "HTTPHeaders": {}},
            "CancellationReasons": [{"Code": code} for code in codes],
        }
        return (AWSResponse("https://x", 400, HTTPHeaders(), None), parsed), None

    with intercept_attempts(answer):
        yield lambda *new: codes.extend(new)


@pytest.mark.parametrize(
    "codes",
    [
        ("TransactionConflict", "None"),
        ("None", "ThrottlingError"),
        ("ProvisionedThroughputExceeded", "TransactionConflict"),
    ],
)
def test_temporary_reasons_end_in_unavailable(transactions, cancel_transactions, codes):
    """They are tried again, as long as no permanent reason is among them."""
    cancel_transactions(*codes)

    with pytest.raises(UnavailableError):
        transactions.commit(prepare_add("a"), prepare_add("b"))


def test_a_failed_condition_counts_more_than_a_conflict(transactions, cancel_transactions):
    """Trying again cannot help."""
    cancel_transactions("TransactionConflict", "ConditionalCheckFailed")

    with pytest.raises(ConditionFailedError) as error:
        transactions.commit(prepare_add("a"), prepare_add("b"))

    assert error.value.items == {"b": {}}


@pytest.mark.parametrize("code", ["ValidationError", "ItemCollectionSizeLimitExceeded", "New"])
def test_an_unknown_reason_is_raised_as_our_bug(transactions, cancel_transactions, code):
    """It is neither a failed condition nor a conflict, so it must not be hidden."""
    cancel_transactions("None", code)

    with pytest.raises(RuntimeError, match=code):
        transactions.commit(prepare_add("a"), prepare_add("b"))


def test_an_invalid_request_is_raised_as_our_bug(transactions):
    """Such as two writes of the same item."""
    with pytest.raises(ClientError, match="ValidationException"):
        transactions.commit(prepare_add("a"), prepare_add("a"))
