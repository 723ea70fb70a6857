"""Members of a tenant: its administrators invite them, set their roles, and disable them.

A disabled member has `active` set to false; `routes.platform.request` rejects the member's requests.

Each change is committed together with a check of the administrator who makes it. So two administrators
cannot remove each other, someone who was just demoted cannot still act, and because administrators cannot
remove themselves, one always remains.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypeVar

from chalicelib.domain.identity.members import (
    ORGANIZATION_LOCKED,
    ROLES_BY_TENANT_KIND,
    Member,
    Role,
    build_membership_key,
)
from chalicelib.domain.platform.ids import derive_id
from chalicelib.errors import (
    ConflictError,
    FieldError,
    ForbiddenError,
    MalformedError,
    NotFoundError,
    PreconditionFailedError,
)
from chalicelib.services.notices.weekly_digest import prepare_digest_writes
from chalicelib.services.platform.optimistic import commit_with_retry
from chalicelib.services.platform.run_context import RunContext
from chalicelib.store.all_stores import Stores
from chalicelib.store.audit.rows import AuditEntry
from chalicelib.store.identity.members import ACTING_MEMBER
from chalicelib.store.identity.tenants import ORGANIZATION_LOCK
from chalicelib.store.notices.recipients import Suppression
from chalicelib.store.platform.dynamo import TransactionWrite
from chalicelib.store.platform.idempotency import IDEMPOTENCY_RECORD, IdempotentRequest, StoredResponse
from chalicelib.store.platform.transactions import ConditionFailedError

_Result = TypeVar("_Result")


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


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedMember:
    """A member, and why no email reaches the member's address; None if email does."""

    member: Member
    suppression: Suppression | None


def list_members(*, by: Member, stores: Stores) -> Sequence[ListedMember]:
    """All members of the administrator's own tenant, by name.

    Raises:
        ForbiddenError: only an administrator can manage members.
    """
    found = list_by_name(by=by, stores=stores)
    suppressed = stores.recipients.find_suppressions(found)
    return [ListedMember(member=member, suppression=suppressed.get(member.member_id)) for member in found]


def list_by_name(*, by: Member, stores: Stores) -> Sequence[Member]:
    """All members of the administrator's own tenant as they are stored, by name.

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

    The response does not reveal who is a member of another tenant: such a person gets a further
    membership, and is listed like everyone who was invited.

    Args:
        invitation: The person and the roles.
        by: The administrator.
        create_account: Creates the person's account with the identity service and returns its subject.
        request: The POST, to recognize a repeat.
        build_response: Builds the response about the new member.
        context: The tables and the time.

    Raises:
        ForbiddenError: only an administrator can invite, and only of an organization that is not locked.
        MalformedError: a role that this kind of organization does not have.
        ConflictError: the person is already a member of this tenant.
        IdempotencyKeyReusedError: the key belongs to another invitation. No account was created.
    """
    _require_admin(by)
    _require_roles_for_tenant(invitation.roles, by)
    records = context.stores.idempotency_records
    first_response = records.find_response(request, now=context.now)
    if first_response:
        return first_response
    # Before the account: two invitations with one key, at the same moment, must not create two accounts.
    records.claim_key(request, now=context.now)
    person = create_account(invitation.email)
    new_member = Member(
        # From both values, so that the id reveals nothing about membership in another tenant.
        member_id=derive_id("mem", by.tenant_id, person),
        subject=person,
        tenant_id=by.tenant_id,
        kind=by.kind,
        name=invitation.name,
        email=invitation.email,
        roles=invitation.roles,
        invited_at=context.now,
    )
    acting = by

    def attempt() -> StoredResponse:
        nonlocal acting
        try:
            member, join_writes = prepare_join(new_member, context=context)
        except ConflictError:
            # The same request, sent twice at once, may just have added the member.
            if first_response := records.find_response(request, now=context.now):
                return first_response
            raise
        response = build_response(member)
        try:
            context.stores.transactions.commit(
                records.prepare_record(request, response, now=context.now),
                *join_writes,
                context.stores.members.prepare_check_acting(acting),
                context.stores.audit_log.prepare_append(
                    build_member_audit_entry(member, by.member_id, "member.invite", context.now)
                ),
            )
        except ConditionFailedError as e:
            if IDEMPOTENCY_RECORD in e.items:
                return records.load_response(request, e.items[IDEMPOTENCY_RECORD])
            acting = _read_acting_again(acting, e, stores=context.stores)
            raise
        return response

    return commit_with_retry(attempt)


def prepare_join(new_member: Member, *, context: RunContext) -> tuple[Member, Sequence[TransactionWrite]]:
    """Build the writes that make a person a member of a tenant, as the first or as a further membership.

    They fail, and the caller decides again, if the person becomes a member of any tenant in the meantime.

    Args:
        new_member: The member, with the person's id as `subject`.
        context: The tables and the time.

    Returns:
        The member as it will be stored, and the writes.

    Raises:
        ConflictError: the person is already a member of this tenant.
    """
    stores, person = context.stores, new_member.subject
    memberships = stores.members.list_for_person(person)
    if any(each.tenant_id == new_member.tenant_id for each in memberships):
        raise ConflictError("already_a_member", "This person is already a member of your organization.")
    if memberships:
        # Releases up to 0.2 stored a second membership without its person, so no one could use it.
        unusable = stores.members.get_by_member_id(new_member.tenant_id, new_member.member_id)
        member = replace(
            new_member,
            subject=build_membership_key(person, new_member.member_id),
            version=unusable.version + 1 if unusable else 1,
        )
        member_writes = stores.members.prepare_add_later(member, replaced=unusable)
    else:
        member, member_writes = new_member, stores.members.prepare_add(new_member)
    writes = [
        *member_writes,
        *prepare_digest_writes(None, member, context=context),
        stores.tenants.prepare_check_unlocked(member.tenant_id),
    ]
    return member, writes


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
    is_self = member.subject == by.subject
    if is_self and not (changed.active and changed.is_admin):
        raise ConflictError("not_yourself", "You cannot change your own access. Ask another administrator.")
    acting = by

    def attempt() -> Member:
        nonlocal acting
        # The write of one's own row has the condition itself, and a transaction has one operation for each row.
        acting_checks = [] if is_self else [context.stores.members.prepare_check_acting(acting)]
        try:
            context.stores.transactions.commit(
                context.stores.members.prepare_save(changed),
                *acting_checks,
                *prepare_digest_writes(member, changed, context=context),
                context.stores.audit_log.prepare_append(
                    build_member_audit_entry(changed, by.member_id, "member.change", context.now)
                ),
            )
        except ConditionFailedError as e:
            acting = _read_acting_again(acting, e, stores=context.stores)
            if "member" in e.items:
                raise PreconditionFailedError from e
            raise
        return changed

    return commit_with_retry(attempt)


def commit_as_administrator(by: Member, commit: Callable[[TransactionWrite], _Result], *, stores: Stores) -> _Result:
    """Commit something about a member while the acting administrator still is one, until there is no conflict.

    Args:
        by: The administrator, as read.
        commit: Commits its writes together with the given check of the administrator. Each try calls it.
        stores: The tables.

    Raises:
        ForbiddenError: the acting member is no longer an administrator with access. Nothing was written.
        UnavailableError: every try met a conflict.
    """
    acting = by

    def attempt() -> _Result:
        nonlocal acting
        try:
            return commit(stores.members.prepare_check_acting(acting))
        except ConditionFailedError as e:
            acting = _read_acting_again(acting, e, stores=stores)
            raise

    return commit_with_retry(attempt)


def _read_acting_again(acting: Member, failure: ConditionFailedError, *, stores: Stores) -> Member:
    """Read the acting administrator again after a failed commit, if something changed about this member.

    Raises:
        ForbiddenError: this member is no longer an administrator with access.
    """
    if ORGANIZATION_LOCK in failure.items:
        raise ForbiddenError("organization_locked", ORGANIZATION_LOCKED)
    if ACTING_MEMBER not in failure.items:
        return acting
    current = stores.members.get_by_subject(acting.subject)
    if current is None or not current.has_access:
        raise ForbiddenError("admin_only", "Only an administrator can manage members.")
    _require_admin(current)
    return current


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


def build_member_audit_entry(member: Member, actor_id: str, action: str, now: datetime) -> AuditEntry:
    """Build the audit row about a membership. The actor is an administrator of the tenant, or the operator."""
    return AuditEntry(
        referral_id=f"member#{member.member_id}",
        at=now,
        actor_id=actor_id,
        tenant_id=member.tenant_id,
        action=action,
        version=member.version,
    )
