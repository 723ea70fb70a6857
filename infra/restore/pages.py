"""Reads whole tables page by page, for a check after a restore."""

from collections.abc import Iterator
from itertools import groupby
from typing import Any

from chalicelib.store.platform.dynamo import DynamoTable, Item, unmarshal


def scan_table(table: DynamoTable, *attributes: str) -> Iterator[Item]:
    """Read every row of a table, strongly consistent, with these attributes or all. One page is in memory."""
    arguments: dict[str, Any] = {"TableName": table.name, "ConsistentRead": True}
    if attributes:
        arguments |= {
            "ProjectionExpression": ", ".join(f"#{name}" for name in attributes),
            "ExpressionAttributeNames": {f"#{name}": name for name in attributes},
        }
    for page in table.client().get_paginator("scan").paginate(**arguments):
        yield from map(unmarshal, page["Items"])


def list_partitions(table: DynamoTable, key: str) -> Iterator[str]:
    """List the partition keys of a table. A scan reads one partition after the other."""
    for partition, _ in groupby(scan_table(table, key), key=lambda row: str(row[key])):
        yield partition
