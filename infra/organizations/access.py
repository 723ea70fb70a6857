"""Lists and shows organizations, and locks and unlocks them.

A locked organization has a row of its own, which every delivery of a center's system is checked against, and
each of its members is marked, so that no request needs another read. An interrupted run is completed by a repeat.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from chalicelib.domain.identity.members import Member, Tenant, TenantKind
from chalicelib.services.platform.optimistic import commit_with_retry
from chalicelib.services.platform.run_context import RunContext
from chalicelib.store.all_stores import Stores
from chalicelib.store.identity.tenants import ORGANIZATION_LOCK
from chalicelib.store.platform.dynamo import TransactionWrite
from chalicelib.store.platform.timestamps import to_timestamp
from chalicelib.store.platform.transactions import ConditionFailedError
from infra.organizations.changes import build_organization_audit_entry


@dataclass(frozen=True, slots=True, kw_only=True)
class OrganizationState:
    """An organization, and since when it is locked, as RFC 3339; None if it is not."""

    tenant: Tenant
    locked_since: str | None


def list_organizations(*, stores: Stores) -> Iterator[OrganizationState]:
    """List practices by name, then centers by name."""
    locked = stores.tenants.list_locked()
    practices = sorted(stores.tenants.list_by_kind(TenantKind.PRACTICE), key=lambda tenant: tenant.name)
    centers = [center.tenant for center in stores.tenants.read_directory().centers.values()]
    for tenant in (*practices, *centers):
        yield OrganizationState(tenant=tenant, locked_since=locked.get(tenant.tenant_id))


def find_organization(organization_id: str, *, stores: Stores) -> OrganizationState | None:
    """Find a practice or a center by its id."""
    return next((each for each in list_organizations(stores=stores) if each.tenant.tenant_id == organization_id), None)


def list_people(tenant: Tenant, *, stores: Stores) -> Sequence[Member]:
    """List the members of an organization by name."""
    return sorted(stores.members.list_for_tenant(tenant.tenant_id), key=lambda each: (each.name, each.member_id))


def lock_organization(tenant: Tenant, *, by: str, context: RunContext) -> int:
    """Refuse the next requests of an organization's people and system. Returns how many people were locked."""
    lock_write = context.stores.tenants.prepare_lock(tenant.tenant_id, at=to_timestamp(context.now), by=by)
    _commit_once(lock_write, tenant, "organization.lock", by=by, context=context)
    # After the lock itself: from now on no one can join, so no one is missed.
    return _mark_members(tenant, locked=True, context=context)


def unlock_organization(tenant: Tenant, *, by: str, context: RunContext) -> int:
    """Accept requests of an organization again. Returns how many people were unlocked."""
    count = _mark_members(tenant, locked=False, context=context)
    unlock_write = context.stores.tenants.prepare_unlock(tenant.tenant_id)
    _commit_once(unlock_write, tenant, "organization.unlock", by=by, context=context)
    return count


def _commit_once(write: TransactionWrite, tenant: Tenant, action: str, *, by: str, context: RunContext) -> None:
    """Commit the change of a lock with its audit row, unless the organization already is as it should be."""

    def attempt() -> None:
        entry = build_organization_audit_entry(tenant, action, by=by, context=context)
        try:
            context.stores.transactions.commit(write, context.stores.audit_log.prepare_append(entry))
        except ConditionFailedError as error:
            if ORGANIZATION_LOCK not in error.items:
                raise

    commit_with_retry(attempt)


def _mark_members(tenant: Tenant, *, locked: bool, context: RunContext) -> int:
    members = context.stores.members

    def mark(subject: str) -> bool:
        member = members.get_by_subject(subject)
        if member is None or member.tenant_id != tenant.tenant_id or member.locked == locked:
            return False
        context.stores.transactions.commit(
            members.prepare_save(replace(member, locked=locked, version=member.version + 1))
        )
        return True

    subjects = [member.subject for member in members.list_for_tenant(tenant.tenant_id) if member.locked != locked]
    return sum(commit_with_retry(lambda subject=subject: mark(subject)) for subject in subjects)  # type: ignore[misc]
