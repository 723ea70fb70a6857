"""Sets single tables back to an earlier moment, as a restore to a point in time does, and damages rows."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from chalicelib.store.all_stores import TABLE_NAMES
from chalicelib.store.platform.dynamo import marshal, unmarshal
from tests.support.aws_fakes import PREFIX, load_table_properties
from tests.support.stores import get_dynamodb_client, list_raw_rows

RawRow = dict[str, Any]


@dataclass(frozen=True, slots=True)
class TableCopies:
    """Every row of every table at one moment."""

    rows: Mapping[str, list[RawRow]]

    @classmethod
    def take(cls) -> "TableCopies":
        """Copy all tables."""
        return cls({name: list(list_raw_rows(name)) for name in TABLE_NAMES})

    def put_back(self, *names: str) -> None:
        """Make tables what they were at that moment."""
        client = get_dynamodb_client()
        for name in names:
            kept = {_get_key(name, row): row for row in self.rows[name]}
            for row in list(list_raw_rows(name)):
                if _get_key(name, row) not in kept:
                    client.delete_item(TableName=f"{PREFIX}{name}", Key=_build_key(name, row))
            for row in kept.values():
                client.put_item(TableName=f"{PREFIX}{name}", Item=marshal(unmarshal(row)))


def delete_rows(name: str, is_lost: Callable[[RawRow], bool]) -> int:
    """Delete rows of a table. Return how many."""
    lost = [row for row in list_raw_rows(name) if is_lost(row)]
    for row in lost:
        get_dynamodb_client().delete_item(TableName=f"{PREFIX}{name}", Key=_build_key(name, row))
    return len(lost)


def change_rows(name: str, is_chosen: Callable[[RawRow], bool], **attributes: Any) -> int:
    """Set raw attributes of rows; None removes one. Return how many rows."""
    chosen = [row for row in list_raw_rows(name) if is_chosen(row)]
    for row in chosen:
        changed = {k: v for k, v in {**row, **attributes}.items() if v is not None}
        get_dynamodb_client().put_item(TableName=f"{PREFIX}{name}", Item=marshal(unmarshal(changed)))
    return len(chosen)


def _list_key_names(name: str) -> list[str]:
    return [part["AttributeName"] for part in load_table_properties()[name]["KeySchema"]]


def _build_key(name: str, row: RawRow) -> dict[str, Any]:
    return {part: row[part] for part in _list_key_names(name)}


def _get_key(name: str, row: RawRow) -> tuple[str, ...]:
    return tuple(str(row[part]) for part in _list_key_names(name))
