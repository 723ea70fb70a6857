"""The directory of centers as a whole: a new version of it, all or nothing."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from chalicelib.domain.identity.members import TenantKind
from chalicelib.store.all_stores import Stores
from chalicelib.store.audit.rows import AuditEntry
from chalicelib.store.centers.directory_versions import Directories, Row, Version
from chalicelib.store.identity.members_and_tenants import Center, Directory
from chalicelib.store.platform.timestamps import instant
from chalicelib.store.platform.transactions import ConditionFailed


class ChangedMeanwhileError(Exception):
    """Somebody else imported since the directory was read. Nothing was changed by us."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """A center as an import wants it."""

    center_id: str
    name: str
    time_zone: str
    facts: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What becomes of a center: its fields by name, before and after.

    Attributes:
        added: It is new; every field was None before.
    """

    listing: Listing
    added: bool
    fields: Mapping[str, tuple[Any, Any]]


def changes(directory: Directory, listings: Sequence[Listing]) -> Sequence[Change]:
    """What an import would change, center by center.

    A center that the import does not name stays as it is: a part of the directory may be
    imported by itself. One leaves the finder by its row, which says that it is not listed.
    """
    found = []
    for listing in listings:
        known = directory.centers.get(listing.center_id)
        before, after = _fields_of(known), _fields(listing)
        changed = {
            name: (before.get(name), after.get(name))
            for name in sorted({*before, *after})
            if before.get(name) != after.get(name)
        }
        if changed or known is None:
            found.append(Change(listing=listing, added=known is None, fields=changed))
    return found


def publish(
    directory: Directory,
    changed: Sequence[Change],
    *,
    by: str,
    digest: str,
    stores: Stores,
    now: datetime,
) -> Version:
    """Make the directory with these changes the one that holds.

    Args:
        directory: What was read, and shown to the person who decides.
        changed: What `changes` told of it.
        by: Who decides.
        digest: The SHA-256 of the file.
        stores: Where it is kept.
        now: When.

    Raises:
        ChangedMeanwhileError: somebody else imported since `directory` was read.
    """
    rows = _rows(directory, changed, by=by, now=now)
    number = directory.version + 1
    version = Version(
        number=number,
        by=by,
        at=now,
        digest=digest,
        # Two imports at once must not write into each other's pages.
        pages=f"directory#{number:06d}-{secrets.token_hex(8)}",
        counts={
            "added": sum(each.added for each in changed),
            "changed": sum(not each.added for each in changed),
            "centers": len(rows),
        },
    )
    directories = Directories(stores.tenants.table)
    directories.add_pages(version.pages, rows)
    try:
        stores.ledger.commit(
            *directories.flipping(version),
            stores.audit.appending(_entry(version)),
        )
    except ConditionFailed as e:
        raise ChangedMeanwhileError from e
    return version


def _rows(
    directory: Directory, changed: Sequence[Change], *, by: str, now: datetime
) -> Sequence[Row]:
    rows = {center_id: _row(center) for center_id, center in directory.centers.items()}
    for each in changed:
        listing = each.listing
        known = rows.get(listing.center_id)
        rows[listing.center_id] = {
            "center_id": listing.center_id,
            "name": listing.name,
            "time_zone": listing.time_zone,
            "facts": listing.facts,
            "version": known["version"] + 1 if known else 1,
            "changed_at": instant(now),
            "changed_by": by,
        }
    return list(rows.values())


def _row(center: Center) -> Row:
    return {
        "center_id": center.center_id,
        "name": center.tenant.name,
        "time_zone": center.tenant.time_zone,
        "facts": center.facts,
        "version": center.version,
        "changed_at": center.changed_at,
        "changed_by": center.changed_by,
    }


def _fields_of(center: Center | None) -> Mapping[str, Any]:
    if center is None:
        return {}
    tenant = center.tenant
    return {"name": tenant.name, "time_zone": tenant.time_zone, **center.facts}


def _fields(listing: Listing) -> Mapping[str, Any]:
    return {"name": listing.name, "time_zone": listing.time_zone, **listing.facts}


def _entry(version: Version) -> AuditEntry:
    return AuditEntry(
        referral_id="directory",
        at=version.at,
        actor_id=version.by,
        tenant_id=TenantKind.OPERATOR,
        action="directory.import",
        version=version.number,
    )
