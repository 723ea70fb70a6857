"""Finds changes of indexes that CloudFormation refuses, before it rolls back an update.

DynamoDB can neither change the key or the attributes of an index, nor create or remove more than one index of a table
in one update. Therefore a changed index gets the next name (`by_practice_2`), and takes two deployments.
"""

from collections.abc import Iterator, Mapping
from typing import Any

Template = Mapping[str, Any]

EXPLANATION = "docs/deploy.md, 'Change an index', has the steps."


def list_index_problems(before: Template, after: Template) -> Iterator[str]:
    """List what one update cannot do, in the words of an operator; nothing if it can do everything.

    Args:
        before: The template of the stack.
        after: The template to deploy.
    """
    old, new = _read_tables(before), _read_tables(after)
    for name in sorted(old.keys() & new.keys()):
        yield from _list_table_problems(name, old[name], new[name])


def _list_table_problems(name: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[str]:
    if old["KeySchema"] != new["KeySchema"]:
        yield f"{name}: the key of a table cannot change; its rows would be in another table."
    before, after = _read_indexes(old), _read_indexes(new)
    changed = sorted(index for index in before.keys() & after.keys() if before[index] != after[index])
    for index in changed:
        yield (
            f"{name}: the index {index} cannot change. Give the changed index another name, such as "
            f"{_propose_name(index, after)}, and keep {index} until the next deployment."
        )
    moved = sorted(before.keys() ^ after.keys())
    if len(moved) > 1:
        yield f"{name}: only one index can be created or removed in one deployment, not {' and '.join(moved)}."


def _propose_name(index: str, taken: Mapping[str, Any]) -> str:
    base, _, number = index.rpartition("_")
    stem, start = (base, int(number) + 1) if number.isdigit() else (index, 2)
    return next(f"{stem}_{n}" for n in range(start, start + 100) if f"{stem}_{n}" not in taken)


def _read_tables(template: Template) -> dict[str, Mapping[str, Any]]:
    return {
        name: resource["Properties"]
        for name, resource in template["Resources"].items()
        if resource.get("Type") == "AWS::DynamoDB::Table"
    }


def _read_indexes(table: Mapping[str, Any]) -> dict[str, Any]:
    """The indexes by name, each in a form in which the order of attributes does not count."""
    return {
        index["IndexName"]: (
            tuple((key["AttributeName"], key["KeyType"]) for key in index["KeySchema"]),
            index["Projection"]["ProjectionType"],
            frozenset(index["Projection"].get("NonKeyAttributes", ())),
        )
        for index in table.get("GlobalSecondaryIndexes", ())
    }
