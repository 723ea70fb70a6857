"""Members of a tenant: its administrators invite them, set their roles, and disable them.

A disabled member has `active` set to false; `routes.platform.request` rejects the member's requests.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from chalicelib.domain.identity.members import ROLES_BY_TENANT_KIND, Member, Role
from chalicelib.domain.platform.ids import derive_id
from chalicelib.errors import (
    ConflictError,
    FieldError,
    ForbiddenError,
    MalformedError,
    NotFoundError,
    PreconditionFailedError,
    UnavailableError,
)
from chalicelib.services.notices.weekly_digest import prepare_digest_writes
from chalicelib.services.platform.run_context import RunContext
from chalicelib.store.all_stores import Stores
from chalicelib.store.audit.rows import AuditEntry
from chalicelib.store.platform.transactions import ConditionFailedError
from chalicelib.store.webhooks.idempotency import IDEMPOTENCY_RECORD, IdempotentRequest, StoredResponse

INVITED_PREFIX = "invited:"
"""Prefix for the subject of a person who is a member of another tenant. No token has such a subject,
because the subjects of the identity service are UUIDs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Invitation:
    """An invitation: the person's display name, email address and roles."""

    name: str
    email: str
    roles: frozenset[Role]


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberChange:
    """What an administrator changes for a member; None means no change."""

    roles: frozenset[Role] | None = None
    active: bool | None = None


def list_members(*, by: Member, stores: Stores) -> Sequence[Member]:
    """All members of the administrator's own tenant, by name.

    Raises:
        ForbiddenError: only an administrator can manage members.
    """
    _require_admin(by)
    return sorted(stores.members.list_for_tenant(by.tenant_id), key=lambda m: (m.name, m.member_id))


def invite_member(
    invitation: Invitation,
    *,
    by: Member,
    create_account: Callable[[str], str],
    request: IdempotentRequest,
    build_response: Callable[[Member], StoredResponse],
    context: RunContext,
) -> StoredResponse:
    """Make a person a member of the administrator's own tenant.

    The response does not reveal who is a member of another tenant: such a person is listed like everyone
    who was invited, and stays a member of the other tenant only.

    Args:
        invitation: The person and the roles.
        by: The administrator.
        create_account: Creates the person's account with the identity service and returns its subject.
        request: The POST, to recognize a repeat.
        build_response: Builds the response about the new member.
        context: The tables and the time.

    Raises:
        ForbiddenError: only an administrator can invite.
        MalformedError: a role that this kind of organization does not have.
        ConflictError: the person is already a member of this tenant.
    """
    _require_admin(by)
    _require_roles_for_tenant(invitation.roles, by)
    subject = create_account(invitation.email)
    new_member = Member(
        # From both values, so that the id reveals nothing about membership in another tenant.
        member_id=derive_id("mem", by.tenant_id, subject),
        subject=subject,
        tenant_id=by.tenant_id,
        kind=by.kind,
        name=invitation.name,
        email=invitation.email,
        roles=invitation.roles,
    )
    response = build_response(new_member)
    for member in (new_member, replace(new_member, subject=f"{INVITED_PREFIX}{new_member.member_id}")):
        try:
            context.stores.transactions.commit(
                context.stores.idempotency_records.prepare_record(request, response, now=context.now),
                *context.stores.members.prepare_add(member),
                *prepare_digest_writes(None, member, context=context),
                context.stores.audit_log.prepare_append(_build_audit_entry(member, by, "member.invite", context.now)),
            )
        except ConditionFailedError as e:
            if IDEMPOTENCY_RECORD in e.items:
                return context.stores.idempotency_records.load_response(request, e.items[IDEMPOTENCY_RECORD])
            if e.items.get("member", {}).get("tenant_id") != by.tenant_id:
                continue
            raise ConflictError("already_a_member", "This person is already a member of your organization.") from e
        return response
    raise UnavailableError("busy")


def change_member(member_id: str, change: MemberChange, *, version: int, by: Member, context: RunContext) -> Member:
    """Change a member's roles, disable the member, or enable the member again.

    Raises:
        ForbiddenError: only an administrator can do this.
        NotFoundError: no such member in the administrator's tenant.
        PreconditionFailedError: another write came after `version`.
        ConflictError: administrators cannot change their own access, so that one always remains.
    """
    _require_admin(by)
    member = context.stores.members.get_by_member_id(by.tenant_id, member_id)
    if member is None:
        raise NotFoundError
    if member.version != version:
        raise PreconditionFailedError
    changed = replace(
        member,
        roles=member.roles if change.roles is None else change.roles,
        active=member.active if change.active is None else change.active,
        version=member.version + 1,
    )
    _require_roles_for_tenant(changed.roles, by)
    if member.subject == by.subject and not (changed.active and changed.is_admin):
        raise ConflictError("not_yourself", "You cannot change your own access. Ask another administrator.")
    try:
        context.stores.transactions.commit(
            context.stores.members.prepare_save(changed),
            *prepare_digest_writes(member, changed, context=context),
            context.stores.audit_log.prepare_append(_build_audit_entry(changed, by, "member.change", context.now)),
        )
    except ConditionFailedError as e:
        raise PreconditionFailedError from e
    return changed


def _require_admin(by: Member) -> None:
    if not by.is_admin:
        raise ForbiddenError("admin_only", "Only an administrator can manage members.")


def _require_roles_for_tenant(roles: frozenset[Role], by: Member) -> None:
    if not roles or not roles <= ROLES_BY_TENANT_KIND[by.kind]:
        fault = FieldError("/roles", "not_a_role_here", "Choose roles that your type of organization uses.")
        raise MalformedError(
            "malformed",
            "These roles cannot be combined or are not available here. Check the marked field.",
            errors=[fault],
        )


def _build_audit_entry(member: Member, by: Member, action: str, now: datetime) -> AuditEntry:
    return AuditEntry(
        referral_id=f"member#{member.member_id}",
        at=now,
        actor_id=by.member_id,
        tenant_id=by.tenant_id,
        action=action,
        version=member.version,
    )
