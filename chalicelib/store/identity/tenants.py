"""The `tenants` table: practices, centers with their directory, and which organizations are locked."""

import json
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from chalicelib.domain.identity.members import Tenant, TenantKind
from chalicelib.store.centers.directory_versions import CURRENT_VERSION_KEY, DirectoryVersions, Row
from chalicelib.store.platform.dynamo import DynamoTable, Item, TransactionWrite

DIRECTORY_CACHE_S = 300
"""How long the directory of centers stays in memory, in seconds."""

ORGANIZATION_LOCK = "organization lock"
"""The name of the check that an organization is not locked."""

_LOCKS = "locked"
"""The partition of the `tenants` table with one row for each locked organization."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Center:
    """A treatment center in the directory.

    `listing` is what the API shows about it: address, phones, contacts, and products with who
    authorized them and as of when. The stored attribute is named `facts`. `version` counts how often
    imports changed the center.
    """

    tenant: Tenant
    listing: Mapping[str, Any]
    version: int = 0
    changed_at: str | None = None
    changed_by: str | None = None

    @property
    def center_id(self) -> str:
        """The center's id as a tenant."""
        return self.tenant.tenant_id


@dataclass(frozen=True, slots=True)
class CenterDirectory:
    """Every center by id, in the order of their names, and the number of the last imported version."""

    centers: Mapping[str, Center]
    version: int = 0


@dataclass(slots=True)
class _CachedDirectory:
    expires_at: float = 0.0
    centers: Mapping[str, Center] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Tenants:
    """Practices and centers. The centers stay in memory for `DIRECTORY_CACHE_S` seconds."""

    table: DynamoTable
    _directory_cache: _CachedDirectory = field(default_factory=_CachedDirectory)
    _tenant_cache: dict[str, Tenant] = field(default_factory=dict)

    def get(self, kind: TenantKind, tenant_id: str) -> Tenant | None:
        """Read one organization, strongly consistent. A center in the directory comes from the cached directory."""
        center = self.get_center(tenant_id) if kind is TenantKind.CENTER else None
        if center:
            return center.tenant
        item = self.table.get({"kind": kind, "tenant_id": tenant_id})
        return _item_to_tenant(item) if item else None

    def is_cached(self, tenant_id: str) -> bool:
        """Whether `get_cached` would read nothing."""
        return tenant_id in self._tenant_cache

    def get_cached(self, kind: TenantKind, tenant_id: str) -> Tenant | None:
        """Read one organization for its name or time zone, which rarely change: once per process."""
        if tenant_id not in self._tenant_cache:
            tenant = self.get(kind, tenant_id)
            if tenant is None:
                return None
            self._tenant_cache[tenant_id] = tenant
        return self._tenant_cache[tenant_id]

    def add(self, tenant: Tenant, listing: Mapping[str, Any]) -> bool:
        """Store a new organization. Return False if it already exists."""
        self._directory_cache.expires_at = 0.0
        return self.table.put(_tenant_to_item(tenant, listing), when="attribute_not_exists(tenant_id)")

    def prepare_add(self, tenant: Tenant, listing: Mapping[str, Any]) -> TransactionWrite:
        """Build the write that stores a new organization. It fails if there is one with this id."""
        self._directory_cache.expires_at = 0.0
        return self.table.prepare_put(
            "organization", _tenant_to_item(tenant, listing), when="attribute_not_exists(tenant_id)"
        )

    def prepare_lock(self, tenant_id: str, *, at: str, by: str) -> TransactionWrite:
        """Build the write that locks an organization. It fails if it is locked."""
        row = {"kind": _LOCKS, "tenant_id": tenant_id, "locked_at": at, "locked_by": by}
        return self.table.prepare_put(ORGANIZATION_LOCK, row, when="attribute_not_exists(tenant_id)")

    def prepare_unlock(self, tenant_id: str) -> TransactionWrite:
        """Build the write that unlocks an organization. It fails if it is not locked."""
        return self.table.prepare_delete(
            ORGANIZATION_LOCK, {"kind": _LOCKS, "tenant_id": tenant_id}, when="attribute_exists(tenant_id)"
        )

    def prepare_check_unlocked(self, tenant_id: str) -> TransactionWrite:
        """Build the check that an organization is not locked, for a transaction on its behalf."""
        return self.table.prepare_check(
            ORGANIZATION_LOCK,
            {"kind": _LOCKS, "tenant_id": tenant_id},
            when="attribute_not_exists(tenant_id)",
            values={},
        )

    def is_locked(self, tenant_id: str) -> bool:
        """Whether an organization is locked, strongly consistent."""
        return self.table.get({"kind": _LOCKS, "tenant_id": tenant_id}) is not None

    def list_locked(self) -> Mapping[str, str]:
        """List the locked organizations, strongly consistent: since when, by their ids."""
        rows = self.table.query_all("kind = :kind", {"kind": _LOCKS})
        return {row["tenant_id"]: row["locked_at"] for row in rows}

    def list_by_kind(self, kind: TenantKind) -> Iterator[Tenant]:
        """List every practice, or every center, strongly consistent."""
        rows = self.table.query_all("kind = :kind", {"kind": kind})
        return (_item_to_tenant(row) for row in rows if row["tenant_id"] != CURRENT_VERSION_KEY)

    def list_centers(self) -> Mapping[str, Center]:
        """List every center by id, at most `DIRECTORY_CACHE_S` seconds old, in the order of their names."""
        if time.monotonic() >= self._directory_cache.expires_at:
            self._directory_cache.centers = self.read_directory().centers
            self._directory_cache.expires_at = time.monotonic() + DIRECTORY_CACHE_S
        return self._directory_cache.centers

    def read_directory(self) -> CenterDirectory:
        """Read the directory as it is now: centers that were added one by one, then the last import over them."""
        rows = self.table.query_all("kind = :kind", {"kind": TenantKind.CENTER})
        row_by_id = {row["tenant_id"]: row for row in rows}
        pointer = row_by_id.pop(CURRENT_VERSION_KEY, None)
        centers = {center_id: _item_to_center(row) for center_id, row in row_by_id.items()}
        if pointer:
            imported = DirectoryVersions(self.table).list_centers(pointer["pages"])
            centers |= {row["center_id"]: _row_to_center(row) for row in imported}
        by_name = sorted(centers.items(), key=lambda id_and_center: (id_and_center[1].tenant.name, id_and_center[0]))
        return CenterDirectory(dict(by_name), pointer["version"] if pointer else 0)

    def get_center(self, center_id: str | None) -> Center | None:
        """Read one center from the directory."""
        return self.list_centers().get(center_id) if center_id else None


def _tenant_to_item(tenant: Tenant, listing: Mapping[str, Any]) -> Item:
    return {
        "kind": tenant.kind,
        "tenant_id": tenant.tenant_id,
        "name": tenant.name,
        "time_zone": tenant.time_zone,
        "facts": json.dumps(listing),
    }


def _item_to_tenant(item: Item) -> Tenant:
    return Tenant(
        tenant_id=item["tenant_id"], kind=TenantKind(item["kind"]), name=item["name"], time_zone=item["time_zone"]
    )


def _item_to_center(item: Item) -> Center:
    return Center(tenant=_item_to_tenant(item), listing=json.loads(item["facts"]))


def _row_to_center(row: Row) -> Center:
    return Center(
        tenant=Tenant(tenant_id=row["center_id"], kind=TenantKind.CENTER, name=row["name"], time_zone=row["time_zone"]),
        listing=row["facts"],
        version=row["version"],
        changed_at=row["changed_at"],
        changed_by=row["changed_by"],
    )
