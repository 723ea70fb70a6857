"""Adds organizations and administrators. Each step checks what exists, so a repeat completes an interrupted run.

organization ── one transaction with its audit row
     ▼
account ─────── with the identity service, which emails the temporary password
     ▼
membership ──── one transaction with its audit row
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum

from chalicelib.domain.identity.members import Member, Role, Tenant, TenantKind
from chalicelib.domain.platform.ids import derive_id
from chalicelib.services.identity.members import Invitation, build_member_audit_entry, prepare_join
from chalicelib.services.notices.weekly_digest import prepare_digest_writes
from chalicelib.services.platform.optimistic import commit_with_retry
from chalicelib.services.platform.run_context import RunContext
from chalicelib.store.all_stores import Stores
from chalicelib.store.audit.rows import AuditEntry
from chalicelib.store.identity.tenants import ORGANIZATION_LOCK
from chalicelib.store.platform.transactions import ConditionFailedError
from infra.organizations.requests import RequestedOrganization


class OrganizationError(Exception):
    """Something that exists differs from what was asked for. Nothing was changed. The message is shown to the user."""


class AdministratorState(StrEnum):
    """What adding an administrator changes, or changed."""

    INVITE = "will be invited"
    GIVE_ROLE = "is a member, and will be an administrator with access"
    NOTHING = "is an administrator already"


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedChange:
    """What will be done for one requested organization.

    Attributes:
        is_new: Whether the organization is added. A center of the directory always exists.
    """

    requested: RequestedOrganization
    is_new: bool
    administrator: AdministratorState

    @property
    def changes_nothing(self) -> bool:
        """Whether everything is as requested already."""
        return not self.is_new and self.administrator is AdministratorState.NOTHING


def plan_organization(requested: RequestedOrganization, *, stores: Stores) -> PlannedChange:
    """Find out what has to be done for an organization.

    Raises:
        OrganizationError: another practice has this id, or the organization is locked.
    """
    tenant = requested.tenant
    existing = stores.tenants.get(tenant.kind, tenant.tenant_id)
    if existing and existing != tenant:
        raise OrganizationError(
            f"{tenant.tenant_id} is {existing.name} in {existing.time_zone}. Give the new practice an ID of its own."
        )
    return PlannedChange(
        requested=requested,
        is_new=existing is None,
        administrator=plan_administrator(tenant, requested.administrator, stores=stores),
    )


def plan_administrator(tenant: Tenant, administrator: Invitation, *, stores: Stores) -> AdministratorState:
    """Find out what has to be done so that a person is an administrator of an organization.

    Raises:
        OrganizationError: the organization is locked.
    """
    if tenant.tenant_id in stores.tenants.list_locked():
        raise OrganizationError(f"{tenant.name} is locked. Unlock it first.")
    member = find_by_email(tenant, administrator.email, stores=stores)
    if member is None:
        return AdministratorState.INVITE
    has_all = member.active and administrator.roles <= member.roles
    return AdministratorState.NOTHING if has_all else AdministratorState.GIVE_ROLE


def add_organization(
    change: PlannedChange, *, create_account: Callable[[str], str], by: str, context: RunContext
) -> Member:
    """Do what was planned, as far as it is not done, and return the administrator.

    Args:
        change: What `plan_organization` returned.
        create_account: Creates the person's account with the identity service and returns its id.
        by: The operator, for the audit trail.
        context: The tables and the time.

    Raises:
        OrganizationError: another run added something else in the meantime.
    """
    tenant = change.requested.tenant
    if change.is_new:
        _add_tenant(tenant, by=by, context=context)
    return ensure_administrator(
        tenant, change.requested.administrator, create_account=create_account, by=by, context=context
    )


def _add_tenant(tenant: Tenant, *, by: str, context: RunContext) -> None:
    try:
        context.stores.transactions.commit(
            context.stores.tenants.prepare_add(tenant, {}),
            context.stores.audit_log.prepare_append(
                build_organization_audit_entry(tenant, "organization.add", by=by, context=context)
            ),
        )
    except ConditionFailedError as error:
        if context.stores.tenants.get(tenant.kind, tenant.tenant_id) != tenant:
            raise OrganizationError(f"Another practice was just added as {tenant.tenant_id}.") from error


def ensure_operator_organization(*, by: str, context: RunContext) -> Tenant:
    """Find the organization of the people who operate the service; add it if there is none.

    Raises:
        OrganizationError: another run added a different one in the meantime.
    """
    known = next(context.stores.tenants.list_by_kind(TenantKind.OPERATOR), None)
    if known:
        return known
    tenant_id = derive_id("opr", "deployment")
    tenant = Tenant(tenant_id=tenant_id, kind=TenantKind.OPERATOR, name="Operator", time_zone="UTC")
    _add_tenant(tenant, by=by, context=context)
    return tenant


def ensure_administrator(
    tenant: Tenant,
    administrator: Invitation,
    *,
    create_account: Callable[[str], str],
    by: str,
    context: RunContext,
) -> Member:
    """Make a person an administrator with access, whether or not the person is a member, and return the member.

    Raises:
        OrganizationError: the organization was locked in the meantime.
        UnavailableError: others changed the members at every try.
    """
    known = find_by_email(tenant, administrator.email, stores=context.stores)
    person = known.person if known else create_account(administrator.email)

    def attempt() -> Member:
        memberships = context.stores.members.list_for_person(person)
        member = next((each for each in memberships if each.tenant_id == tenant.tenant_id), None)
        if member is None:
            return _join(tenant, administrator, person, by=by, context=context)
        return _give_access(member, administrator.roles, by=by, context=context)

    return commit_with_retry(attempt)


def _join(tenant: Tenant, administrator: Invitation, person: str, *, by: str, context: RunContext) -> Member:
    new_member = Member(
        member_id=derive_id("mem", tenant.tenant_id, person),
        subject=person,
        tenant_id=tenant.tenant_id,
        kind=tenant.kind,
        name=administrator.name,
        email=administrator.email,
        roles=administrator.roles,
        invited_at=context.now,
    )
    member, writes = prepare_join(new_member, context=context)
    entry = build_member_audit_entry(member, by, "member.invite", context.now)
    try:
        context.stores.transactions.commit(*writes, context.stores.audit_log.prepare_append(entry))
    except ConditionFailedError as error:
        if ORGANIZATION_LOCK in error.items:
            raise OrganizationError(f"{tenant.name} was just locked.") from error
        raise
    return member


def _give_access(member: Member, roles: frozenset[Role], *, by: str, context: RunContext) -> Member:
    if member.active and roles <= member.roles:
        return member
    changed = replace(member, roles=member.roles | roles, active=True, version=member.version + 1)
    entry = build_member_audit_entry(changed, by, "member.change", context.now)
    context.stores.transactions.commit(
        context.stores.members.prepare_save(changed),
        *prepare_digest_writes(member, changed, context=context),
        context.stores.audit_log.prepare_append(entry),
    )
    return changed


def find_by_email(tenant: Tenant, email: str, *, stores: Stores) -> Member | None:
    """Find a member of an organization, disabled ones too, by the email address in any case."""
    members = stores.members.list_for_tenant(tenant.tenant_id)
    with_email = (member for member in members if member.email.casefold() == email.casefold())
    return next((member for member in with_email if member.names_person), None)


def build_organization_audit_entry(tenant: Tenant, action: str, *, by: str, context: RunContext) -> AuditEntry:
    """Build the audit row about an organization. It belongs to the operator, whom the row names."""
    return AuditEntry(
        referral_id=f"organization#{tenant.tenant_id}",
        at=context.now,
        actor_id=by,
        tenant_id=TenantKind.OPERATOR,
        action=action,
    )
