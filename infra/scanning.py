"""Read whole tables. Only commands of operators do: no function of the product has the permission to scan."""

from collections.abc import Iterator, Mapping
from typing import Any

from chalicelib.aws import translate_aws_errors
from chalicelib.store.platform.dynamo import DynamoTable, Item, marshal, unmarshal


def scan_table(
    table: DynamoTable,
    where: str | None = None,
    values: Mapping[str, Any] | None = None,
    *,
    names: Mapping[str, str] | None = None,
) -> Iterator[Item]:
    """Read a table page by page, strongly consistent, and return the items for which `where` holds."""
    request: dict[str, Any] = {"TableName": table.name, "ConsistentRead": True}
    request |= {"FilterExpression": where} if where else {}
    request |= {"ExpressionAttributeNames": dict(names)} if names else {}
    request |= {"ExpressionAttributeValues": marshal({f":{k}": v for k, v in values.items()})} if values else {}
    while True:
        with translate_aws_errors():
            response = table.client().scan(**request)
        yield from (unmarshal(item) for item in response.get("Items", []))
        if "LastEvaluatedKey" not in response:
            return
        request["ExclusiveStartKey"] = response["LastEvaluatedKey"]
