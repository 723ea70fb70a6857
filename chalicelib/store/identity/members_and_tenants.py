"""The `members`, `roster` and `tenants` tables: who may act, and for whom."""

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

DIRECTORY_KEPT_S = 300
"""How stale the directory of centers may be, in seconds."""

_BATCH_SIZE = 100
"""Of people that are read at once: as many as DynamoDB takes."""


@dataclass(frozen=True, slots=True)
class Members:
    """People by the identity service's id of them, and on the roster of their tenant.

    A person is written on the roster in the transaction that makes a member of them, and nothing
    takes a person off it. It only says who there may be; each is read again before it counts.
    """

    table: DynamoTable
    roster: DynamoTable

    def get_by_subject(self, subject: str) -> Member | None:
        """The member, strongly consistent: a disabled one is refused on the next request."""
        item = self.table.get({"subject": subject})
        return _item_to_member(item) if item else None

    def list_for_tenant(self, tenant_id: str) -> Iterator[Member]:
        """The tenant's people as they are now: whoever has joined by now is among them."""
        rows = self.roster.query_all("tenant_id = :tenant", {"tenant": tenant_id})
        while some := list(islice(rows, _BATCH_SIZE)):
            found = self.table.get_many([{"subject": row["subject"]} for row in some])
            by_subject = {item["subject"]: _item_to_member(item) for item in found}
            for row in some:
                member = by_subject.get(row["subject"])
                if member and member.tenant_id == tenant_id:
                    yield member

    def get_by_member_id(self, tenant_id: str, member_id: str) -> Member | None:
        """One of a tenant's people by the id that the API shows."""
        row = self.roster.get({"tenant_id": tenant_id, "member_id": member_id})
        member = self.get_by_subject(row["subject"]) if row else None
        return member if member and member.tenant_id == tenant_id else None

    def add(self, member: Member) -> bool:
        """Store a new member by itself. False if the person is one already."""
        try:
            Transactions(self.table.client).commit(*self.prepare_add(member))
        except ConditionFailedError:
            return False
        return True

    def prepare_add(self, member: Member) -> Sequence[TransactionWrite]:
        """The writes that store a new member; refused if the person is one already."""
        entry = {name: getattr(member, name) for name in ("tenant_id", "member_id", "subject")}
        return (
            self.table.prepare_put("member", _member_to_item(member), when="attribute_not_exists(subject)"),
            self.roster.prepare_put("roster", entry, when="attribute_not_exists(member_id)"),
        )

    def prepare_save(self, member: Member) -> TransactionWrite:
        """The write that stores a changed member, unless someone wrote since it was read."""
        return self.table.prepare_put(
            "member", _member_to_item(member), when="version = :read", values={"read": member.version - 1}
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Center:
    """A treatment center of the directory.

    `facts` is what the API tells of it: address, phones, contacts, products with who
    authorized them and as of when. `version` counts its changes by imports.
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
    """Every center by id, in the order of their names; and the version that imports made of it."""

    centers: Mapping[str, Center]
    version: int = 0


@dataclass(slots=True)
class _CachedDirectory:
    until: float = 0.0
    centers: Mapping[str, Center] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Tenants:
    """Practices and centers. The centers are kept in memory for `DIRECTORY_KEPT_S`."""

    table: DynamoTable
    _kept: _CachedDirectory = field(default_factory=_CachedDirectory)
    _known: dict[str, Tenant] = field(default_factory=dict)

    def get(self, kind: TenantKind, tenant_id: str) -> Tenant | None:
        """One organisation, strongly consistent; of a center what the directory says of it."""
        center = self.get_center(tenant_id) if kind is TenantKind.CENTER else None
        if center:
            return center.tenant
        item = self.table.get({"kind": kind, "tenant_id": tenant_id})
        return _item_to_tenant(item) if item else None

    def get_cached(self, kind: TenantKind, tenant_id: str) -> Tenant | None:
        """One organisation for its name or zone, which seldom change: read once a process."""
        if tenant_id not in self._known:
            found = self.get(kind, tenant_id)
            if found is None:
                return None
            self._known[tenant_id] = found
        return self._known[tenant_id]

    def add(self, tenant: Tenant, facts: Mapping[str, Any]) -> bool:
        """Store a new organisation. False if there is one."""
        item = {
            "kind": tenant.kind,
            "tenant_id": tenant.tenant_id,
            "name": tenant.name,
            "time_zone": tenant.time_zone,
            "facts": json.dumps(facts),
        }
        self._kept.until = 0.0
        return self.table.put(item, when="attribute_not_exists(tenant_id)")

    def list_by_kind(self, kind: TenantKind) -> Iterator[Tenant]:
        """Every practice, or every center, strongly consistent."""
        return map(_item_to_tenant, self.table.query_all("kind = :kind", {"kind": kind}))

    def list_centers(self) -> Mapping[str, Center]:
        """Every center by id, at most `DIRECTORY_KEPT_S` old, in the order of their names."""
        if time.monotonic() >= self._kept.until:
            self._kept.centers = self.read_directory().centers
            self._kept.until = time.monotonic() + DIRECTORY_KEPT_S
        return self._kept.centers

    def read_directory(self) -> CenterDirectory:
        """The directory as it is now: centers added one by one, and over them the last import."""
        rows = self.table.query_all("kind = :kind", {"kind": TenantKind.CENTER})
        found = {row["tenant_id"]: row for row in rows}
        pointer = found.pop(CURRENT_VERSION_KEY, None)
        centers = {center_id: _item_to_center(row) for center_id, row in found.items()}
        if pointer:
            imported = DirectoryVersions(self.table).list_centers(pointer["pages"])
            centers |= {row["center_id"]: _row_to_center(row) for row in imported}
        by_name = sorted(centers.items(), key=lambda each: (each[1].tenant.name, each[0]))
        return CenterDirectory(dict(by_name), pointer["version"] if pointer else 0)

    def get_center(self, center_id: str | None) -> Center | None:
        """One center of the directory."""
        return self.list_centers().get(center_id) if center_id else None


def _member_to_item(member: Member) -> Item:
    roles: Sequence[str] = sorted(member.roles)
    return {
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
