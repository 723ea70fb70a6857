"""Publishes a new version of the whole center directory: all changes or none."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from chalicelib.domain.identity.members import TenantKind
from chalicelib.store.all_stores import Stores
from chalicelib.store.audit.rows import AuditEntry
from chalicelib.store.centers.directory_versions import DirectoryVersion, DirectoryVersions, Row
from chalicelib.store.identity.tenants import Center, CenterDirectory
from chalicelib.store.platform.timestamps import to_timestamp
from chalicelib.store.platform.transactions import ConditionFailedError


class ConcurrentImportError(Exception):
    """Someone else imported after the directory was read. This import changed nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CenterListing:
    """The entry of a center in an import file."""

    center_id: str
    name: str
    time_zone: str
    facts: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class CenterChange:
    """The change of a center: the changed fields by name, with the values before and after.

    Attributes:
        is_new: Whether the center is new. If so, every field was None before.
    """

    listing: CenterListing
    is_new: bool
    fields: Mapping[str, tuple[Any, Any]]


def compare_centers(directory: CenterDirectory, listings: Sequence[CenterListing]) -> Sequence[CenterChange]:
    """Compare the directory with an import, center by center.

    A center that is not in the import stays unchanged, so that a file may contain only a part of the
    directory. To remove a center from search, its row must set `listed` to no.
    """
    changes = []
    for listing in listings:
        existing = directory.centers.get(listing.center_id)
        before, after = _list_center_fields(existing), _list_listing_fields(listing)
        fields = {
            name: (before.get(name), after.get(name))
            for name in sorted({*before, *after})
            if before.get(name) != after.get(name)
        }
        if fields or existing is None:
            changes.append(CenterChange(listing=listing, is_new=existing is None, fields=fields))
    return changes


def publish_directory(
    directory: CenterDirectory,
    changes: Sequence[CenterChange],
    *,
    imported_by: str,
    digest: str,
    stores: Stores,
    now: datetime,
) -> DirectoryVersion:
    """Publish the directory with these changes as the new current version.

    Args:
        directory: The directory that the changes were computed from and shown for.
        changes: What `compare_centers` returned.
        imported_by: The person who confirmed the import.
        digest: The SHA-256 of the file.
        stores: The data stores.
        now: The current time.

    Raises:
        ConcurrentImportError: someone else imported after `directory` was read.
    """
    rows = _build_rows(directory, changes, by=imported_by, now=now)
    number = directory.version + 1
    version = DirectoryVersion(
        number=number,
        imported_by=imported_by,
        at=now,
        digest=digest,
        # The random part keeps two concurrent imports from writing into each other's pages.
        pages=f"directory#{number:06d}-{secrets.token_hex(8)}",
        counts={
            "added": sum(each.is_new for each in changes),
            "changed": sum(not each.is_new for each in changes),
            "centers": len(rows),
        },
    )
    directories = DirectoryVersions(stores.tenants.table)
    directories.add_pages(version.pages, rows)
    try:
        stores.transactions.commit(
            *directories.prepare_activate(version), stores.audit_log.prepare_append(_build_audit_entry(version))
        )
    except ConditionFailedError as e:
        raise ConcurrentImportError from e
    return version


def _build_rows(
    directory: CenterDirectory, changes: Sequence[CenterChange], *, by: str, now: datetime
) -> Sequence[Row]:
    rows = {center_id: _build_row(center) for center_id, center in directory.centers.items()}
    for change in changes:
        listing = change.listing
        existing = rows.get(listing.center_id)
        rows[listing.center_id] = {
            "center_id": listing.center_id,
            "name": listing.name,
            "time_zone": listing.time_zone,
            "facts": listing.facts,
            "version": existing["version"] + 1 if existing else 1,
            "changed_at": to_timestamp(now),
            "changed_by": by,
        }
    return list(rows.values())


def _build_row(center: Center) -> Row:
    return {
        "center_id": center.center_id,
        "name": center.tenant.name,
        "time_zone": center.tenant.time_zone,
        "facts": center.listing,
        "version": center.version,
        "changed_at": center.changed_at,
        "changed_by": center.changed_by,
    }


def _list_center_fields(center: Center | None) -> Mapping[str, Any]:
    if center is None:
        return {}
    tenant = center.tenant
    return {"name": tenant.name, "time_zone": tenant.time_zone, **center.listing}


def _list_listing_fields(listing: CenterListing) -> Mapping[str, Any]:
    return {"name": listing.name, "time_zone": listing.time_zone, **listing.facts}


def _build_audit_entry(version: DirectoryVersion) -> AuditEntry:
    return AuditEntry(
        referral_id="directory",
        at=version.at,
        actor_id=version.imported_by,
        tenant_id=TenantKind.OPERATOR,
        action="directory.import",
        version=version.number,
    )
