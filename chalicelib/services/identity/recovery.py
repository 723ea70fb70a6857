"""What an administrator does for a member who cannot sign in: a new invitation, or a new account.

Cognito cannot remove an authenticator while everyone needs one. Therefore a person who lost theirs gets a new account
with the same email address, and keeps the membership with everything that belongs to it.

The account is the person's for all organizations. Therefore an administrator can replace it only for someone who
has no access to another organization; for everyone else the operator does it, in `infra.organizations.sign_in_reset`.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

from chalicelib.domain.identity.members import Member
from chalicelib.domain.platform.rate_limit import INVITATIONS_PER_MEMBER
from chalicelib.errors import ConflictError, ForbiddenError, NotFoundError, UnavailableError
from chalicelib.services.audit.refusals import record_refusal
from chalicelib.services.identity.members import commit_as_administrator
from chalicelib.services.platform.rate_limit import enforce_rate_limit
from chalicelib.services.platform.run_context import RunContext
from chalicelib.services.referrals.write_once import commit_once
from chalicelib.store.audit.rows import AuditEntry
from chalicelib.store.identity.members import ACTING_MEMBER
from chalicelib.store.platform.dynamo import TransactionWrite
from chalicelib.store.platform.idempotency import IdempotentRequest, StoredResponse
from chalicelib.store.platform.transactions import ConditionFailedError

_RESET = "member.reset_sign_in"

BuildResponse = Callable[[Member], StoredResponse]


def send_invitation_again(
    member_id: str,
    *,
    by: Member,
    send: Callable[[str], None],
    request: IdempotentRequest,
    build_response: BuildResponse,
    context: RunContext,
) -> StoredResponse:
    """Email a new temporary password to a member who has not signed in yet.

    The response is the same for a member who has: the account can be older than the invitation.

    Args:
        member_id: The member.
        by: The administrator.
        send: Sends the email to an address, if its account still has a temporary password.
        request: The POST, to recognize a repeat.
        build_response: Builds the response about the member.
        context: The tables and the time.

    Raises:
        ForbiddenError: only an administrator can do this, also at the moment of the commit.
        NotFoundError: no such member in the administrator's tenant.
        ConflictError: the member is disabled.
        RateLimitedError: the member was invited too often.
    """
    member = _get_active_member(member_id, by=by, context=context)
    if (stored := context.stores.idempotency_records.find_response(request, now=context.now)) is not None:
        return stored
    enforce_rate_limit(f"invite#{member_id}", INVITATIONS_PER_MEMBER, context=context)
    send(member.email)
    response = build_response(member)
    entry = _build_entry(member, by.member_id, "member.invite_again", context=context)
    # For someone whose first invitation is not stored, nothing shows whether they have joined.
    is_waiting = member.invitation_ends_at is not None and member.member_id != by.member_id
    invited_writes = [context.stores.members.prepare_invite_again(member, now=context.now)] if is_waiting else []

    def commit(acting_check: TransactionWrite) -> StoredResponse:
        audit_write = context.stores.audit_log.prepare_append(entry)
        return commit_once(request, response, acting_check, audit_write, *invited_writes, context=context)

    return commit_as_administrator(by, commit, stores=context.stores)


def replace_account(
    member_id: str,
    *,
    by: Member,
    delete_account: Callable[[str], None],
    create_account: Callable[[str], str],
    request: IdempotentRequest,
    build_response: BuildResponse,
    context: RunContext,
) -> StoredResponse:
    """Give a member a new account, after they lost their authenticator.

    The earlier account is deleted, with its password, its authenticator and its sessions. The person gets an
    invitation with a temporary password, and sets everything up again. Disabled memberships in other organizations
    move to the new account too; each organization's audit trail names the administrator. A repeat after a failure
    completes it.

    Args:
        member_id: The member.
        by: The administrator, who has made sure that the person is who they say they are.
        delete_account: Deletes the account of a subject.
        create_account: Creates the account of an address and returns its subject.
        request: The POST, to recognize a repeat.
        build_response: Builds the response about the member.
        context: The tables and the time.

    Raises:
        ForbiddenError: only an administrator can do this, also at the moment of the commit.
        NotFoundError: no such member in the administrator's tenant.
        ConflictError: the member is disabled or has access to another organization, or the administrator's own
            account was meant.
        RateLimitedError: the member got too many new accounts.
    """
    member = _get_active_member(member_id, by=by, context=context)
    if member.member_id == by.member_id:
        raise ConflictError("not_yourself", "You cannot reset your own sign-in. Ask another administrator.")
    if (stored := context.stores.idempotency_records.find_response(request, now=context.now)) is not None:
        return stored
    memberships = context.stores.members.list_for_person(member.person)
    _require_no_other_access(member, memberships, by=by, context=context)
    enforce_rate_limit(f"invite#{member_id}", INVITATIONS_PER_MEMBER, context=context)
    delete_account(member.person)
    person = create_account(member.email)
    response = build_response(replace(member, version=member.version + 1))

    def commit(acting_check: TransactionWrite) -> StoredResponse:
        try:
            return commit_once(
                request,
                response,
                acting_check,
                *prepare_new_account(memberships, person=person, actor_id=by.member_id, context=context),
                context=context,
            )
        except ConditionFailedError as e:
            if ACTING_MEMBER in e.items:
                raise
            # The new account exists; the next request finds it.
            raise UnavailableError("busy") from e

    return commit_as_administrator(by, commit, stores=context.stores)


def prepare_new_account(
    memberships: Sequence[Member], *, person: str, actor_id: str, context: RunContext
) -> Sequence[TransactionWrite]:
    """Build the writes that give all memberships of a person to a new account, with an audit row for each.

    Weekly digests go on. Calendar links end, because they may be on the lost phone.

    Args:
        memberships: All memberships of the person, the first one first.
        person: The person's id in the identity service from now on.
        actor_id: The administrator or the operator.
        context: The tables and the time.
    """
    stores = context.stores
    entries = [_build_entry(each, actor_id, _RESET, context=context) for each in memberships]
    digest_writes = [stores.digests.prepare_follow(each.with_account(person)) for each in memberships]
    invited = [replace(each, invited_at=context.now, joined_at=None) for each in memberships]
    return [
        *stores.members.prepare_move(invited, person=person),
        *(write for write in digest_writes if write),
        *(stores.calendar_feeds.prepare_end(each.member_id) for each in memberships),
        *(stores.audit_log.prepare_append(entry) for entry in entries),
    ]


def _require_no_other_access(member: Member, memberships: Sequence[Member], *, by: Member, context: RunContext) -> None:
    """Refuse to replace an account that also opens another organization, and record the attempt.

    A locked organization counts too, because the operator can unlock it.
    """
    if any(each.active and each.tenant_id != member.tenant_id for each in memberships):
        refusal = ConflictError(
            "uses_another_organization",
            "This person also uses another organization. Ask the operator of this service to reset the sign-in.",
        )
        record_refusal(refusal, _build_entry(member, by.member_id, _RESET, context=context), context=context)
        raise refusal


def _get_active_member(member_id: str, *, by: Member, context: RunContext) -> Member:
    if not by.is_admin:
        raise ForbiddenError("admin_only", "Only an administrator can manage members.")
    member = context.stores.members.get_by_member_id(by.tenant_id, member_id)
    if member is None:
        raise NotFoundError
    if not member.active:
        raise ConflictError("member_disabled", "This member is disabled. Enable the member first.")
    return member


def _build_entry(member: Member, actor_id: str, action: str, *, context: RunContext) -> AuditEntry:
    return AuditEntry(
        referral_id=f"member#{member.member_id}",
        at=context.now,
        actor_id=actor_id,
        tenant_id=member.tenant_id,
        action=action,
    )
