"""What both kinds of clients must answer to every operation that the product calls directly."""

from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError

TABLE = "contract"
_KEY = {"k": {"S": "one"}}
_OTHER = {"k": {"S": "two"}}
_NEW = "attribute_not_exists(k)"
_CONTEXT = {"scope": "practice"}
_UNLIKE = frozenset({"CiphertextBlob", "KeyId", "Plaintext", "ResponseMetadata", "ServerSideEncryption"})
"""Members that differ from call to call, or that a laptop's service and AWS name differently."""


def prepare(dynamodb: Any, kms: Any) -> str:
    """Create an empty table and a key. Return the id of the key."""
    dynamodb.create_table(
        TableName=TABLE,
        KeySchema=[{"AttributeName": "k", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "k", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    return str(kms.create_key()["KeyMetadata"]["KeyId"])


def call_rows(client: Any) -> list[Any]:
    """Call the operations on rows, and return what each one answered or why it was refused. No row is left."""
    row = {**_KEY, "n": {"N": "7"}, "b": {"B": b"\x00\xff"}, "t": {"BOOL": True}, "l": {"L": [{"S": "é"}]}}
    put = {"TableName": TABLE, "Item": row, "ConditionExpression": _NEW}
    returned = {**put, "ReturnValuesOnConditionCheckFailure": "ALL_OLD"}
    update = {"TableName": TABLE, "Key": _KEY, "UpdateExpression": "SET n = :n"}
    return [
        _try(lambda: client.put_item(**put)),
        _try(lambda: client.put_item(**put)),
        _try(lambda: client.get_item(TableName=TABLE, Key=_KEY, ConsistentRead=True)),
        _try(lambda: client.get_item(TableName=TABLE, Key=_OTHER)),
        _try(lambda: client.get_item(TableName="no-such-table", Key=_KEY)),
        _try(lambda: client.update_item(**update, ExpressionAttributeValues={":n": {"N": "8"}})),
        _try(
            lambda: client.query(
                TableName=TABLE, KeyConditionExpression="k = :k", ExpressionAttributeValues={":k": _KEY["k"]}
            )
        ),
        _try(lambda: client.batch_get_item(RequestItems={TABLE: {"Keys": [_KEY, _OTHER]}})),
        _try(lambda: client.transact_write_items(TransactItems=[{"Put": returned}], ClientRequestToken="first")),
        _try(
            lambda: client.transact_write_items(
                TransactItems=[{"Delete": {"TableName": TABLE, "Key": _KEY}}], ClientRequestToken="second"
            )
        ),
        _try(lambda: client.delete_item(TableName=TABLE, Key=_OTHER)),
    ]


def call_keys(client: Any, other: Any, key_id: str) -> list[Any]:
    """Call the operations on keys. The other client reads what this one encrypted."""
    new = client.generate_data_key(KeyId=key_id, KeySpec="AES_256", EncryptionContext=_CONTEXT)
    sealed = client.encrypt(KeyId=key_id, Plaintext=new["Plaintext"], EncryptionContext=_CONTEXT)["CiphertextBlob"]
    opened = [
        each.decrypt(CiphertextBlob=blob, EncryptionContext=_CONTEXT)["Plaintext"] == new["Plaintext"]
        for blob in (new["CiphertextBlob"], sealed)
        for each in (client, other)
    ]
    return [
        len(new["Plaintext"]),
        opened,
        _try(lambda: client.decrypt(CiphertextBlob=sealed, EncryptionContext={"scope": "another"})),
        _try(lambda: client.generate_data_key(KeyId="alias/none", KeySpec="AES_256")),
    ]


def move_key(client: Any, other: Any, key_id: str) -> bool:
    """Encrypt with another key what one has encrypted, and whether the other client can read it. For moto only."""
    sealed = client.encrypt(KeyId=key_id, Plaintext=b"data key", EncryptionContext=_CONTEXT)["CiphertextBlob"]
    moved = client.re_encrypt(
        CiphertextBlob=sealed,
        DestinationKeyId=key_id,
        SourceEncryptionContext=_CONTEXT,
        DestinationEncryptionContext=_CONTEXT,
    )["CiphertextBlob"]
    return bool(other.decrypt(CiphertextBlob=moved, EncryptionContext=_CONTEXT)["Plaintext"] == b"data key")


def _try(call: Callable[[], Any]) -> Any:
    try:
        return {name: value for name, value in call().items() if name not in _UNLIKE}
    except ClientError as e:
        return (
            e.response["Error"],
            e.response["ResponseMetadata"]["HTTPStatusCode"],
            e.response.get("CancellationReasons"),
        )
