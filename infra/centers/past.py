"""What imports made of the directory, version by version."""

from collections.abc import Iterator, Mapping
from typing import Any

from chalicelib import wiring
from chalicelib.store.centers.directory_versions import Directories, Row, Version
from chalicelib.store.platform.timestamps import instant


def of_directory() -> Iterator[Mapping[str, Any]]:
    """Every version with what it changed, the first one first."""
    for version in _directories().versions():
        counts = version.counts
        told = ", ".join(f"{counts[word]} {word}" for word in ("added", "changed", "centers"))
        yield {**_head(version), "digest": version.digest, "counts": counts, "told": told}


def of_center(center_id: str) -> Iterator[Mapping[str, Any]]:
    """The versions that changed a center, with the version of its row and the changed fields."""
    directories = _directories()
    before: Row | None = None
    for version in directories.versions():
        rows = directories.rows(version.pages)
        after = next((row for row in rows if row["center_id"] == center_id), None)
        if after and after["changed_at"] == instant(version.at):
            fields = _changed(before, after)
            yield {
                **_head(version),
                "row_version": after["version"],
                "fields": fields,
                "told": f"row version {after['version']}: {', '.join(sorted(fields))}",
            }
        before = after


def _changed(before: Row | None, after: Row) -> Mapping[str, list[Any]]:
    old, new = _fields(before), _fields(after)
    return {
        name: [old.get(name), new.get(name)]
        for name in {*old, *new}
        if old.get(name) != new.get(name)
    }


def _fields(row: Row | None) -> Mapping[str, Any]:
    if row is None:
        return {}
    return {"name": row["name"], "time_zone": row["time_zone"], **row["facts"]}


def _head(version: Version) -> Mapping[str, Any]:
    return {"version": version.number, "at": instant(version.at), "by": version.by}


def _directories() -> Directories:
    return Directories(wiring.stores().tenants.table)
