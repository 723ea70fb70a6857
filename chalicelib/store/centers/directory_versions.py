"""Versions of the directory of centers, as imports make them: rows of the `tenants` table.

| kind                   | tenant_id    | what                                                  |
|------------------------|--------------|-------------------------------------------------------|
| `center`               | `#directory` | the pointer: which version holds, and its pages       |
| `directory`            | `000003`     | version 3: who imported it, when, from which file     |
| `directory#000003-ab…` | `0000`, …    | its pages: all centers as they were then, packed      |

Pages are written first; nobody reads them before the pointer names them. Then one transaction
moves the pointer, if it still is where it was. So a version holds as a whole or not at all,
however many centers it has, and every earlier one stays.
"""

import json
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from chalicelib.store.platform.dynamo import DynamoTable, Item, TransactionWrite
from chalicelib.store.platform.timestamps import from_timestamp, to_timestamp

CURRENT_VERSION_KEY = "#directory"
"""Sorts before every id, so that the read of all centers meets it first. No id holds a `#`."""

_PAGE_CHARS = 300_000
"""Of JSON on a page; packed it is a sixth of that, and an item may have 400 KB."""

Row = Mapping[str, Any]
"""A center in a version: `center_id`, `name`, `time_zone`, `facts`; `version` of the row itself,
`changed_at` and `changed_by`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DirectoryVersion:
    """A version of the directory.

    Attributes:
        number: From 1 on, without a gap.
        by: Who imported it.
        digest: The SHA-256 of the file.
        pages: The partition of its pages.
        counts: How many centers were added and changed, and how many it has.
    """

    number: int
    imported_by: str
    at: datetime
    digest: str
    pages: str
    counts: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class DirectoryVersions:
    """Reads and prepares versions of the directory."""

    table: DynamoTable

    def list_centers(self, pages: str) -> Iterator[Row]:
        """Every center of a version."""
        for page in self.table.query_all("kind = :pages", {"pages": pages}):
            yield from json.loads(zlib.decompress(page["packed"]))

    def list_versions(self) -> Iterator[DirectoryVersion]:
        """Every version, the first one first."""
        for item in self.table.query_all("kind = :kind", {"kind": "directory"}):
            yield _parse_version(item)

    def add_pages(self, pages: str, rows: Iterable[Row]) -> None:
        """Write the pages of a version that does not hold yet."""
        for number, page in enumerate(_split_into_pages(rows)):
            packed = zlib.compress(f"[{','.join(page)}]".encode(), 9)
            self.table.put({"kind": pages, "tenant_id": f"{number:04d}", "packed": packed})

    def prepare_activate(self, version: DirectoryVersion) -> Sequence[TransactionWrite]:
        """The writes by which a version holds; refused if another one does by now."""
        pointer = {
            "kind": "center",
            "tenant_id": CURRENT_VERSION_KEY,
            "version": version.number,
            "pages": version.pages,
        }
        header = {
            "kind": "directory",
            "tenant_id": f"{version.number:06d}",
            "imported_by": version.imported_by,
            "imported_at": to_timestamp(version.at),
            "digest": version.digest,
            "pages": version.pages,
            "counts": json.dumps(dict(version.counts)),
        }
        unmoved = (
            self.table.prepare_put("directory", pointer, when="version = :read", values={"read": version.number - 1})
            if version.number > 1
            else self.table.prepare_put("directory", pointer, when="attribute_not_exists(tenant_id)")
        )
        return (unmoved, self.table.prepare_put("version", header, when="attribute_not_exists(tenant_id)"))


def _split_into_pages(rows: Iterable[Row]) -> Iterator[list[str]]:
    page: list[str] = []
    held = 0
    for row in rows:
        text = json.dumps(row, separators=(",", ":"), sort_keys=True)
        if page and held + len(text) > _PAGE_CHARS:
            yield page
            page, held = [], 0
        page.append(text)
        held += len(text)
    if page:
        yield page


def _parse_version(item: Item) -> DirectoryVersion:
    return DirectoryVersion(
        number=int(item["tenant_id"]),
        imported_by=item["imported_by"],
        at=from_timestamp(item["imported_at"]),
        digest=item["digest"],
        pages=item["pages"],
        counts=json.loads(item["counts"]),
    )
