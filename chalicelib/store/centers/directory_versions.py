"""Versions of the directory of centers, written by imports as rows of the `tenants` table.

| kind                   | tenant_id    | content                                               |
|------------------------|--------------|-------------------------------------------------------|
| `center`               | `#directory` | the pointer: the current version and its pages        |
| `directory`            | `000003`     | version 3: who imported it, when, from which file     |
| `directory#000003-ab…` | `0000`, …    | its pages: all centers as they were then, compressed  |

An import writes the pages first; no one reads them before the pointer names them. Then one
transaction moves the pointer, if no other import moved it. So a version becomes current completely
or not at all, however many centers it has, and every earlier version stays.
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
"""Sorts before every id, so a query of all centers reads it first. No id contains a `#`."""

_PAGE_CHARS = 300_000
"""Length of the JSON of a page. Compressed it is a sixth of that; an item can have 400 KB."""

Row = Mapping[str, Any]
"""A center in a version: `center_id`, `name`, `time_zone`, `facts`, and the `version`, `changed_at` and
`changed_by` of this row."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DirectoryVersion:
    """A version of the directory.

    Attributes:
        number: Starts at 1, without gaps.
        imported_by: Who imported it.
        at: When it was imported.
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
    """Reads versions of the directory, and builds the writes of a new one."""

    table: DynamoTable

    def list_centers(self, pages: str) -> Iterator[Row]:
        """List every center of a version."""
        for page in self.table.query_all("kind = :pages", {"pages": pages}):
            yield from json.loads(zlib.decompress(page["packed"]))

    def list_versions(self) -> Iterator[DirectoryVersion]:
        """List every version, oldest first."""
        for item in self.table.query_all("kind = :kind", {"kind": "directory"}):
            yield _parse_version(item)

    def add_pages(self, pages: str, rows: Iterable[Row]) -> None:
        """Write the pages of a version that is not current yet."""
        for number, page in enumerate(_split_into_pages(rows)):
            compressed = zlib.compress(f"[{','.join(page)}]".encode(), 9)
            self.table.put({"kind": pages, "tenant_id": f"{number:04d}", "packed": compressed})

    def prepare_activate(self, version: DirectoryVersion) -> Sequence[TransactionWrite]:
        """Build the writes that make a version current. They fail if another import was faster."""
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
        pointer_write = (
            self.table.prepare_put("directory", pointer, when="version = :read", values={"read": version.number - 1})
            if version.number > 1
            else self.table.prepare_put("directory", pointer, when="attribute_not_exists(tenant_id)")
        )
        return (pointer_write, self.table.prepare_put("version", header, when="attribute_not_exists(tenant_id)"))


def _split_into_pages(rows: Iterable[Row]) -> Iterator[list[str]]:
    page: list[str] = []
    page_chars = 0
    for row in rows:
        text = json.dumps(row, separators=(",", ":"), sort_keys=True)
        if page and page_chars + len(text) > _PAGE_CHARS:
            yield page
            page, page_chars = [], 0
        page.append(text)
        page_chars += len(text)
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
