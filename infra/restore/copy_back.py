"""Copies a restored table back into the table that the product uses, so that it keeps its name and its settings.

A restore makes a table with another name, without a stream, expiry, recovery or protection, and CloudFormation owns
the original name. Copying only what differs keeps all of that, and is repeatable.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from chalicelib.store.platform.dynamo import DynamoTable, Item, marshal
from infra.restore.joins import JoinFile
from infra.restore.pages import scan_table


def copy_back(restored: DynamoTable, live: DynamoTable, joins: JoinFile, *, dry_run: bool) -> Counter[str]:
    """Make the rows of `live` those of `restored`. Stop every function first.

    Args:
        restored: The table that the restore made.
        live: The table that the product uses.
        joins: An empty file of keys.
        dry_run: Count the differences, and write nothing.

    Returns:
        How many rows are `equal`, how many were `written` and how many `removed`.
    """
    names = [each["AttributeName"] for each in live.client().describe_table(TableName=live.name)["Table"]["KeySchema"]]
    counts: Counter[str] = Counter(equal=0, written=0, removed=0)
    for row in scan_table(restored):
        joins.add("restored", _join_key(row, names))
        if live.get(_take(row, names)) == row:
            counts["equal"] += 1
            continue
        counts["written"] += 1
        if not dry_run:
            live.put(row)
    for row in _list_newer(live, names, joins):
        counts["removed"] += 1
        if not dry_run:
            live.client().delete_item(TableName=live.name, Key=marshal(_take(row, names)))
    return counts


def _list_newer(live: DynamoTable, names: list[str], joins: JoinFile) -> Iterator[Item]:
    """List the rows that the restored table does not have."""
    for row in scan_table(live, *names):
        if joins.find("restored", _join_key(row, names)) is None:
            yield row


def _take(row: Mapping[str, Any], names: list[str]) -> dict[str, Any]:
    return {name: row[name] for name in names}


def _join_key(row: Mapping[str, Any], names: list[str]) -> str:
    return "\x00".join(str(row[name]) for name in names)
