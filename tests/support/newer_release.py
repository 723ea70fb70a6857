"""Change rows as a later release of the product could have stored them."""

import json
from collections.abc import Callable, Mapping
from typing import Any

from chalicelib.store.all_stores import Stores
from chalicelib.store.platform.dynamo import UnknownValue, marshal, unmarshal
from tests.support.aws_fakes import PREFIX
from tests.support.stores import get_dynamodb_client

RELEASE = "9.1.0"

NEW_ATTRIBUTES: Mapping[str, Any] = {
    "new_text": "kept",
    "new_number": 7,
    "new_fraction": UnknownValue({"N": "1.5"}),
    "new_map": UnknownValue({"M": {"inner": {"S": "kept"}}}),
    "new_set": UnknownValue({"SS": ["a", "b"]}),
    "new_null": UnknownValue({"NULL": True}),
    "new_blobs": UnknownValue({"BS": [b"\x00\xff", b"\x01"]}),
    "new_tree": UnknownValue({"M": {"inner": {"L": [{"B": b"\x02"}]}}}),
}
"""An attribute of each type that DynamoDB has and this release does not use, and of two that it uses."""


def put_in_newer_format(table: str, key: Mapping[str, str]) -> None:
    """Mark a row as one that only a later release can read."""
    get_dynamodb_client().update_item(
        TableName=f"{PREFIX}{table}",
        Key={name: {"S": value} for name, value in key.items()},
        UpdateExpression="SET #schema = :two, written_by = :release",
        ExpressionAttributeNames={"#schema": "schema"},
        ExpressionAttributeValues={":two": {"N": "2"}, ":release": {"S": RELEASE}},
    )


def get_raw_row(table: str, key: Mapping[str, str]) -> dict[str, Any]:
    """Read a row as DynamoDB has it, with bytes where it has them."""
    answer = get_dynamodb_client().get_item(
        TableName=f"{PREFIX}{table}", Key={name: {"S": value} for name, value in key.items()}
    )
    return marshal(unmarshal(answer["Item"]))


def build_referral_key(referral_id: str) -> dict[str, str]:
    """The key of a referral's current state."""
    return {"referral_id": referral_id, "item": "referral"}


def change_encrypted(stores: Stores, key: Mapping[str, str], name: str, change: Callable[[Any], Any]) -> None:
    """Change the decrypted JSON of an attribute of the referral table."""
    table = stores.referrals.table
    row = table.get(key)
    assert row
    context = f"{key['referral_id']}/{name if key['item'] == 'referral' else key['item']}"
    scope = "prc_cedar"
    value = json.loads(stores.encryption.decrypt(row[name], scope=scope, context=context))
    change(value)
    row[name] = stores.encryption.encrypt(json.dumps(value).encode(), scope=scope, context=context)
    table.put(row)


def read_encrypted(stores: Stores, key: Mapping[str, str], name: str) -> Any:
    """Read the decrypted JSON of an attribute of the referral table."""
    found: list[Any] = []
    change_encrypted(stores, key, name, found.append)
    return found[0]
