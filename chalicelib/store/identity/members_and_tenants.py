"""The `members`, `roster` and `tenants` tables: the people who use the product, and their organizations."""

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from chalicelib.domain.identity.members import Member, Role, Tenant, TenantKind
from chalicelib.store.centers.directory_versions import CURRENT_VERSION_KEY, DirectoryVersions, Row
from chalicelib.store.platform.dynamo import DynamoTable, Item, TransactionWrite
from chalicelib.store.platform.transactions import ConditionFailedError, Transactions

DIRECTORY_CACHE_S = 300
"""How long the directory of centers stays in memory, in seconds."""

_BATCH_SIZE = 100
"""How many members are read in one call: the limit of DynamoDB."""


@dataclass(frozen=True, slots=True)
class Members:
    """Members by the id that the identity service gave them (`subject`), and the roster of each tenant.

    The transaction that adds a member also adds the member to the roster, and nothing removes a row
    from it. The roster only lists candidates; each member is read again before anything is decided.
    """

    table: DynamoTable
    roster: DynamoTable

    def get_by_subject(self, subject: str) -> Member | None:
        """Read a member, strongly consistent, so that a disabled member is rejected on the next request."""
        item = self.table.get({"subject": subject})
        return _item_to_member(item) if item else None

    def list_for_tenant(self, tenant_id: str) -> Iterator[Member]:
        """List the tenant's members as they are now, including those who joined just before."""
        rows = self.roster.query_all("tenant_id = :tenant", {"tenant": tenant_id})
        while batch := list(islice(rows, _BATCH_SIZE)):
            items = self.table.get_many([{"subject": row["subject"]} for row in batch])
            by_subject = {item["subject"]: _item_to_member(item) for item in items}
            for row in batch:
                member = by_subject.get(row["subject"])
                if member and member.tenant_id == tenant_id:
                    yield member

    def get_by_member_id(self, tenant_id: str, member_id: str) -> Member | None:
        """Read one of a tenant's members by the id that the API shows."""
        row = self.roster.get({"tenant_id": tenant_id, "member_id": member_id})
        member = self.get_by_subject(row["subject"]) if row else None
        return member if member and member.tenant_id == tenant_id else None

    def add(self, member: Member) -> bool:
        """Store a new member. Return False if the person already is a member."""
        try:
            Transactions(self.table.client).commit(*self.prepare_add(member))
        except ConditionFailedError:
            return False
        return True

    def prepare_add(self, member: Member) -> Sequence[TransactionWrite]:
        """Build the writes that store a new member. They fail if the person already is a member."""
        roster_row = {name: getattr(member, name) for name in ("tenant_id", "member_id", "subject")}
        return (
            self.table.prepare_put("member", _member_to_item(member), when="attribute_not_exists(subject)"),
            self.roster.prepare_put("roster", roster_row, when="attribute_not_exists(member_id)"),
        )

    def prepare_save(self, member: Member) -> TransactionWrite:
        """Build the conditional write that stores a changed member, unless it changed after it was read."""
        return self.table.prepare_put(
            "member", _member_to_item(member), when="version = :read", values={"read": member.version - 1}
        )


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
        item = {
            "kind": tenant.kind,
            "tenant_id": tenant.tenant_id,
            "name": tenant.name,
            "time_zone": tenant.time_zone,
            "facts": json.dumps(listing),
        }
        self._directory_cache.expires_at = 0.0
        return self.table.put(item, when="attribute_not_exists(tenant_id)")

    def list_by_kind(self, kind: TenantKind) -> Iterator[Tenant]:
        """List every practice, or every center, strongly consistent."""
        return map(_item_to_tenant, self.table.query_all("kind = :kind", {"kind": kind}))

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


_MEMBER_ATTRIBUTES = frozenset(
    {"subject", "member_id", "tenant_id", "kind", "name", "email", "roles", "active", "version"}
)


def _member_to_item(member: Member) -> Item:
    roles: Sequence[str] = sorted(member.roles)
    return {
        **member.unknown_attributes,
        "subject": member.subject,
        "member_id": member.member_id,
        "tenant_id": member.tenant_id,
        "kind": member.kind,
        "name": member.name,
        "email": member.email,
        "roles": list(roles),
        "active": member.active,
        "version": member.version,
    }


def _item_to_member(item: Item) -> Member:
    return Member(
        subject=item["subject"],
        member_id=item["member_id"],
        tenant_id=item["tenant_id"],
        kind=TenantKind(item["kind"]),
        name=item["name"],
        email=item["email"],
        roles=frozenset(Role(role) for role in item["roles"]),
        active=item["active"],
        version=item.get("version", 1),
        unknown_attributes={name: value for name, value in item.items() if name not in _MEMBER_ATTRIBUTES},
    )


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
