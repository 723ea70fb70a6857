"""Who is a member: invited, given roles and shut out by the tenant's own administrators."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from chalicelib.domain.identity.members import ROLES_OF, Member, Role
from chalicelib.domain.referrals.events import derived_id
from chalicelib.errors import (
    Fault,
    ForbiddenError,
    MalformedError,
    NotFoundError,
    RefusedError,
    StaleError,
    UnavailableError,
)
from chalicelib.services.notices.weekly_digest import digest_writes
from chalicelib.store.all_stores import Stores
from chalicelib.store.audit.rows import AuditEntry
from chalicelib.store.platform.transactions import ConditionFailed
from chalicelib.store.webhooks.idempotency import RECEIPT, Answer, Request

INVITED = "invited:"
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


def people(*, by: Member, stores: Stores) -> Sequence[Member]:
    """Everyone of the administrator's own tenant, by name.

    Raises:
        ForbiddenError: only administrators manage people.
    """
    _require_admin(by)
    return sorted(stores.members.of_tenant(by.tenant_id), key=lambda m: (m.name, m.member_id))


def invite(
    invitation: Invitation,
    *,
    by: Member,
    account: Callable[[str], str],
    request: Request,
    answer: Callable[[Member], Answer],
    stores: Stores,
    now: datetime,
) -> Answer:
    """Make a person a member of the administrator's own tenant.

    Nobody learns here who is a member elsewhere: such a person is listed as anybody who was
    invited, and goes on being a member there alone.

    Args:
        invitation: Who, and as what.
        by: The administrator.
        account: Gives the person an account with the identity service; returns its subject.
        request: The POST, for its repeat.
        answer: What to say of the new member.
        stores: Where it is kept.
        now: When.

    Raises:
        ForbiddenError: only administrators invite.
        MalformedError: a role that this kind of organisation does not have.
        RefusedError: the person is a member already, here.
    """
    _require_admin(by)
    _require_fitting(invitation.roles, by)
    subject = account(invitation.email)
    newcomer = Member(
        # Of both, so that the id tells nothing of a member of another tenant.
        member_id=derived_id("mem", by.tenant_id, subject),
        subject=subject,
        tenant_id=by.tenant_id,
        kind=by.kind,
        name=invitation.name,
        email=invitation.email,
        roles=invitation.roles,
    )
    told = answer(newcomer)
    for member in (newcomer, replace(newcomer, subject=f"{INVITED}{newcomer.member_id}")):
        try:
            stores.ledger.commit(
                stores.idempotency.writing(request, told, now=now),
                *stores.members.adding(member),
                *digest_writes(None, member, stores=stores, now=now),
                stores.audit.appending(_entry(member, by, "member.invite", now)),
            )
        except ConditionFailed as e:
            if RECEIPT in e.items:
                return stores.idempotency.replay(request, e.items[RECEIPT])
            if e.items.get("member", {}).get("tenant_id") != by.tenant_id:
                continue
            raise RefusedError("already_a_member", "This person is a member already.") from e
        return told
    raise UnavailableError("busy")


def change(
    member_id: str,
    wanted: MemberChange,
    *,
    version: int,
    by: Member,
    stores: Stores,
    now: datetime,
) -> Member:
    """Change a member's roles, shut the member out, or let the member in again.

    Raises:
        ForbiddenError: only administrators do this.
        NotFoundError: no such member in the administrator's tenant.
        StaleError: somebody else wrote since `version`.
        RefusedError: nobody shuts themselves out, so that an administrator always remains.
    """
    _require_admin(by)
    member = stores.members.find(by.tenant_id, member_id)
    if member is None:
        raise NotFoundError
    if member.version != version:
        raise StaleError
    changed = replace(
        member,
        roles=member.roles if wanted.roles is None else wanted.roles,
        active=member.active if wanted.active is None else wanted.active,
        version=member.version + 1,
    )
    _require_fitting(changed.roles, by)
    if member.subject == by.subject and not (changed.active and changed.manages):
        raise RefusedError("not_yourself", "Ask another administrator to do this to you.")
    try:
        stores.ledger.commit(
            stores.members.saving(changed),
            *digest_writes(member, changed, stores=stores, now=now),
            stores.audit.appending(_entry(changed, by, "member.change", now)),
        )
    except ConditionFailed as e:
        raise StaleError from e
    return changed


def _require_admin(by: Member) -> None:
    if not by.manages:
        raise ForbiddenError("admin_only", "Only an administrator manages people.")


def _require_fitting(roles: frozenset[Role], by: Member) -> None:
    if not roles or not roles <= ROLES_OF[by.kind]:
        fault = Fault("/roles", "not_a_role_here", "Name roles that your organisation has")
        raise MalformedError("malformed", "The roles do not fit.", faults=[fault])


def _entry(member: Member, by: Member, action: str, now: datetime) -> AuditEntry:
    return AuditEntry(
        referral_id=f"member#{member.member_id}",
        at=now,
        actor_id=by.member_id,
        tenant_id=by.tenant_id,
        action=action,
        version=member.version,
    )
