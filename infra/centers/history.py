"""Lists the versions of the directory and what each import changed."""

from collections.abc import Iterator, Mapping
from typing import Any

from chalicelib import wiring
from chalicelib.store.centers.directory_versions import DirectoryVersion, DirectoryVersions, Row
from chalicelib.store.platform.timestamps import to_timestamp


def list_directory_versions() -> Iterator[Mapping[str, Any]]:
    """List every version, oldest first, with the number of centers that it added and changed."""
    for version in _get_directory_versions().list_versions():
        counts = version.counts
        summary = ", ".join(f"{counts[word]} {word}" for word in ("added", "changed", "centers"))
        yield {**_build_version_header(version), "digest": version.digest, "counts": counts, "summary": summary}


def list_center_versions(center_id: str) -> Iterator[Mapping[str, Any]]:
    """List the versions that changed a center, with the version of its row and the changed fields."""
    directories = _get_directory_versions()
    before: Row | None = None
    for version in directories.list_versions():
        rows = directories.list_centers(version.pages)
        after = next((row for row in rows if row["center_id"] == center_id), None)
        if after and after["changed_at"] == to_timestamp(version.at):
            fields = _list_changed_fields(before, after)
            yield {
                **_build_version_header(version),
                "row_version": after["version"],
                "fields": fields,
                "summary": f"row version {after['version']}: {', '.join(sorted(fields))}",
            }
        before = after


def _list_changed_fields(before: Row | None, after: Row) -> Mapping[str, list[Any]]:
    old, new = _list_fields(before), _list_fields(after)
    return {name: [old.get(name), new.get(name)] for name in {*old, *new} if old.get(name) != new.get(name)}


def _list_fields(row: Row | None) -> Mapping[str, Any]:
    if row is None:
        return {}
    return {"name": row["name"], "time_zone": row["time_zone"], **row["facts"]}


def _build_version_header(version: DirectoryVersion) -> Mapping[str, Any]:
    return {"version": version.number, "at": to_timestamp(version.at), "by": version.imported_by}


def _get_directory_versions() -> DirectoryVersions:
    return DirectoryVersions(wiring.get_stores().tenants.table)
