"""Who is a member: invited, given roles and shut out by the tenant's own administrators."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from chalicelib.domain.identity.members import ROLES_BY_TENANT_KIND, Member, Role
from chalicelib.domain.referrals.events import derive_id
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
"""Before the subject of somebody who is a member elsewhere. No token speaks for such a one: the
identity service gives people UUIDs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Invitation:
    """Who is asked to join, what colleagues call them, and what they will do."""

    name: str
    email: str
    roles: frozenset[Role]


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberChange:
    """What an administrator changes of a member; None stays as it is."""

    roles: frozenset[Role] | None = None
    active: bool | None = None


def list_members(*, by: Member, stores: Stores) -> Sequence[Member]:
    """Everyone of the administrator's own tenant, by name.

    Raises:
        ForbiddenError: only administrators manage people.
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

    Nobody learns here who is a member elsewhere: such a person is listed as anybody who was
    invited, and goes on being a member there alone.

    Args:
        invitation: Who, and as what.
        by: The administrator.
        account: Gives the person an account with the identity service; returns its subject.
        request: The POST, for its repeat.
        answer: What to say of the new member.
        context: The tables and the time.

    Raises:
        ForbiddenError: only administrators invite.
        MalformedError: a role that this kind of organisation does not have.
        RefusedError: the person is a member already, here.
    """
    _require_admin(by)
    _require_roles_for_tenant(invitation.roles, by)
    subject = create_account(invitation.email)
    newcomer = Member(
        # Of both, so that the id tells nothing of a member of another tenant.
        member_id=derive_id("mem", by.tenant_id, subject),
        subject=subject,
        tenant_id=by.tenant_id,
        kind=by.kind,
        name=invitation.name,
        email=invitation.email,
        roles=invitation.roles,
    )
    response = build_response(newcomer)
    for member in (newcomer, replace(newcomer, subject=f"{INVITED_PREFIX}{newcomer.member_id}")):
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
            raise ConflictError("already_a_member", "This person is a member already.") from e
        return response
    raise UnavailableError("busy")


def change_member(member_id: str, change: MemberChange, *, version: int, by: Member, context: RunContext) -> Member:
    """Change a member's roles, shut the member out, or let the member in again.

    Raises:
        ForbiddenError: only administrators do this.
        NotFoundError: no such member in the administrator's tenant.
        StaleError: somebody else wrote since `version`.
        RefusedError: nobody shuts themselves out, so that an administrator always remains.
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
        raise ConflictError("not_yourself", "Ask another administrator to do this to you.")
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
        raise ForbiddenError("admin_only", "Only an administrator manages people.")


def _require_roles_for_tenant(roles: frozenset[Role], by: Member) -> None:
    if not roles or not roles <= ROLES_BY_TENANT_KIND[by.kind]:
        fault = FieldError("/roles", "not_a_role_here", "Name roles that your organisation has")
        raise MalformedError("malformed", "The roles do not fit.", errors=[fault])


def _build_audit_entry(member: Member, by: Member, action: str, now: datetime) -> AuditEntry:
    return AuditEntry(
        referral_id=f"member#{member.member_id}",
        at=now,
        actor_id=by.member_id,
        tenant_id=by.tenant_id,
        action=action,
        version=member.version,
    )
