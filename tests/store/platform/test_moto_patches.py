"""The faster moto of the tests answers as moto itself does."""

import json
import subprocess
import sys

import pytest

SCRIPT = """
import json, sys
import botocore.session
from botocore.exceptions import ClientError
from moto import mock_aws

if sys.argv[1] == "patched":
    from tests.support.moto_patches import patch_moto
    patch_moto()

PROJECTION = {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["shown"]}
INDEX = {"IndexName": "by_owner", "Projection": PROJECTION, "KeySchema": [
    {"AttributeName": "owner", "KeyType": "HASH"}, {"AttributeName": "at", "KeyType": "RANGE"}]}
TABLE = {"BillingMode": "PAY_PER_REQUEST", "GlobalSecondaryIndexes": [INDEX],
    "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}, {"AttributeName": "item", "KeyType": "RANGE"}],
    "AttributeDefinitions": [{"AttributeName": n, "AttributeType": "S"} for n in ("id", "item", "owner", "at")]}
answers = []

def row(n, **more):
    texts = {"id": f"id{n % 3}", "item": f"item{n:02d}", "owner": f"owner{n % 2}", "at": f"{9 - n}"}
    return {k: {"S": v} for k, v in texts.items()} | {"shown": {"N": str(n)}, "hidden": {"B": b"secret"},
        "tree": {"M": {"a": {"L": [{"S": "é"}, {"N": "1"}]}}}} | more

def key(n):
    return {name: row(n)[name] for name in ("id", "item")}

def call(operation, **arguments):
    try:
        answer = getattr(client, operation)(**arguments)
    except ClientError as e:
        answer = e.response
    meta = answer.pop("ResponseMetadata")
    assert len(meta["RequestId"]) == 52
    answer["status"] = meta["HTTPStatusCode"]
    answers.append(json.loads(json.dumps(answer, default=repr, sort_keys=True)))
    return answer

with mock_aws():
    client = botocore.session.Session().create_client("dynamodb", "us-east-1")
    for name in ("first", "second"):
        client.create_table(TableName=name, **TABLE)
    for n in range(8):
        call("put_item", TableName="first", Item=row(n))
    call("put_item", TableName="first", Item=row(1) | {"owner": {"S": ""}})
    call("put_item", TableName="first", Item=row(1, big={"S": "x" * 420_000}))
    names, values = {"#s": "shown", "#h": "hidden"}, {":one": {"N": "1"}, ":s": {"S": "new"}}
    update = {"UpdateExpression": "SET #s = #s + :one, extra = :s REMOVE #h", "ExpressionAttributeNames": names,
        "ExpressionAttributeValues": values}
    call("update_item", TableName="first", Key=key(2), ReturnValues="ALL_NEW", **update)
    call("update_item", TableName="first", Key=key(2), UpdateExpression="SET a = :s SET b = :s",
        ExpressionAttributeValues={":s": {"S": "x"}})
    never = {"ConditionExpression": "attribute_exists(no_such)"}
    call("transact_write_items", TransactItems=[
        {"Update": {"TableName": "first", "Key": key(3), **update}},
        {"Put": {"TableName": "second", "Item": row(5)}},
        {"Delete": {"TableName": "first", "Key": key(4)}},
        {"ConditionCheck": {"TableName": "first", "Key": key(0), **never}}])
    call("transact_write_items", TransactItems=[
        {"Update": {"TableName": "first", "Key": key(6), **update}}, {"Put": {"TableName": "second", "Item": row(6)}}])
    call("transact_write_items", TransactItems=[{"Put": {"TableName": "second", "Item": row(7)}}] * 2)
    call("get_item", TableName="first", Key=key(0), ConsistentRead=True)
    call("get_item", TableName="first", Key={"id": {"S": "id0"}, "item": {"S": "no such"}})
    call("get_item", TableName="first", Key={"id": {"S": "id0"}})
    call("get_item", TableName="first", Key=key(0), ProjectionExpression="shown, tree")
    call("get_item", TableName="no such", Key=key(0))
    call("batch_get_item", RequestItems={"first": {"Keys": [key(0), key(1)]}, "second": {"Keys": [key(0)]}})
    call("batch_get_item", RequestItems={"first": {"Keys": [key(0), key(0)]}})
    call("put_item", TableName="first", Item=row(0), ConditionExpression="attribute_not_exists(id)")
    call("put_item", TableName="first", Item=row(0), ReturnValues="ALL_OLD", **never)
    call("put_item", TableName="first", Item=row(0), ReturnValues="ALL_OLD")
    call("update_item", TableName="first", Key=key(0), **update, **never)
    call("update_item", TableName="first", Key=key(0), ReturnValuesOnConditionCheckFailure="ALL_OLD",
        **update, **never)
    call("delete_item", TableName="second", Key=key(7), ReturnValues="ALL_OLD")
    call("delete_item", TableName="first", Key=key(0), **never)
    call("batch_write_item", RequestItems={"second": [{"PutRequest": {"Item": row(n)}} for n in (0, 3)]})
    call("transact_get_items", TransactItems=[{"Get": {"TableName": "first", "Key": key(n)}} for n in (1, 2)])
    call("query", TableName="first", KeyConditionExpression="id = :id", FilterExpression="shown > :n", Select="COUNT",
        ExpressionAttributeValues={":id": {"S": "id1"}, ":n": {"N": "3"}})
    call("query", TableName="first", KeyConditionExpression="id = :missing")
    call("query", TableName="no such", KeyConditionExpression="id = :id",
        ExpressionAttributeValues={":id": {"S": "id1"}})
    call("put_item", TableName="second", Item={"id": {"S": "id0"}, "item": {"S": "types"}, "no": {"NULL": True},
        "set": {"SS": ["a", "b"]}, "numbers": {"NS": ["1", "2"]}, "blobs": {"BS": [b"x", b"y"]}, "yes": {"BOOL": False},
        "list": {"L": [{"M": {"b": {"B": b"z"}}}, {"L": []}]}})
    for table in ("first", "second"):
        call("scan", TableName=table)
        for direction in (True, False):
            for limit in (1, 2, 100):
                start = {}
                while True:
                    page = call("query", TableName=table, KeyConditionExpression="id = :id AND begins_with(#i, :p)",
                        ExpressionAttributeNames={"#i": "item"}, Limit=limit, ScanIndexForward=direction,
                        ExpressionAttributeValues={":id": {"S": "id0"}, ":p": {"S": "item"}}, **start)
                    if "LastEvaluatedKey" not in page:
                        break
                    start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}
                call("query", TableName=table, IndexName="by_owner", KeyConditionExpression="#o = :o AND #a > :a",
                    ExpressionAttributeNames={"#o": "owner", "#a": "at"}, Limit=limit, ScanIndexForward=direction,
                    ExpressionAttributeValues={":o": {"S": "owner1"}, ":a": {"S": "3"}})
print(json.dumps(answers))
"""


@pytest.fixture(scope="module")
def answers():
    """The responses to the same requests, of moto itself and of the patched one."""
    runs = {
        kind: subprocess.run([sys.executable, "-c", SCRIPT, kind], capture_output=True, text=True, check=True).stdout
        for kind in ("plain", "patched")
    }
    return {kind: json.loads(printed) for kind, printed in runs.items()}


def test_patched_moto_gives_the_same_responses(answers):
    """To writes, refused writes, refused transactions, queries and pages."""
    different = [pair for pair in zip(answers["plain"], answers["patched"], strict=True) if pair[0] != pair[1]]

    assert different == []
    assert len(answers["plain"]) > 60


def test_the_requests_include_refused_ones(answers):
    """Otherwise the comparison would say little."""
    codes = {answer["Error"]["Code"] for answer in answers["plain"] if "Error" in answer}

    refused = {"ConditionalCheckFailedException", "ResourceNotFoundException", "TransactionCanceledException"}
    assert codes >= refused | {"ValidationException"}
