"""Which of a person's memberships a request uses.

A request names a membership in the header `X-Membership`. Without it, the request uses the first membership
that the person joined and that has access. A person with one membership never needs the header.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import NamedTuple, TypeAlias

from chalicelib.domain.identity.members import ORGANIZATION_LOCKED, Member, TenantKind
from chalicelib.domain.platform.ids import ID_PATTERNS, IMPOSSIBLE_ID
from chalicelib.domain.platform.rate_limit import RateLimit
from chalicelib.errors import ForbiddenError, UnauthenticatedError, UnavailableError
from chalicelib.services.audit.refusals import record_refusal
from chalicelib.services.identity.access_tokens import TokenSession
from chalicelib.services.platform.rate_limit import enforce_rate_limit
from chalicelib.services.platform.run_context import RunContext
from chalicelib.store.all_stores import Stores
from chalicelib.store.audit.rows import AuditEntry


class UsedMembership(NamedTuple):
    """Which membership was used; whether it still has access, only the stored member says."""

    member_id: str
    kind: TenantKind
    tenant_id: str


LastMembers: TypeAlias = dict[tuple[str, str | None], UsedMembership]
"""The membership that a person used last, by the person and the value of `X-Membership`."""

MAX_LAST_MEMBERS = 2_000
"""How many of them a function keeps in memory."""


def list_memberships(person: str, *, stores: Stores) -> Sequence[Member]:
    """List the memberships that a person can use, in the order in which the person joined."""
    return [member for member in stores.members.list_for_person(person) if member.has_access]


def record_first_visit(member: Member, *, context: RunContext) -> None:
    """Store that a person uses a membership, so that administrators see who accepted their invitation.

    One write for each membership. In an outage the next visit stores it, because no one should wait for this.
    """
    if member.joined_at is None:
        with suppress(UnavailableError):
            context.stores.members.record_joined(member, now=context.now)


def require_open_session(first: Member | None, session: TokenSession) -> None:
    """Require that the person did not end the session.

    Args:
        first: The person's first membership, which keeps the sessions that ended. None if there is none.
        session: The session of a verified token.

    Raises:
        UnauthenticatedError: the session has ended.
    """
    if first and not first.has_open_session(session.session_id, signed_in_at=session.signed_in_at):
        raise UnauthenticatedError


def find_member_within_limit(
    session: TokenSession,
    chosen: str | None,
    *,
    rate_limit: RateLimit | None,
    last_members: LastMembers,
    context: RunContext,
    start_reads: Callable[[UsedMembership, RunContext], None] | None = None,
) -> Member:
    """Find the membership that a request uses, and count the request against its rate limit, both at once.

    To do both at once, it guesses that the person uses the same membership as before. A wrong guess counts the
    request twice, against memberships of the same person. Who the member is, the strongly consistent read decides.

    Args:
        session: The session of a verified token.
        chosen: The member id from `X-Membership`.
        rate_limit: How often a member can send a request.
        last_members: What was used before. The guess is only ever a membership that this person could use.
        context: The tables and the time.
        start_reads: Starts reads early for the membership that was guessed (`ParallelCalls.start_early`).

    Raises:
        ForbiddenError: as in `find_member`. It comes before the next one.
        RateLimitedError: the limit is reached.
        UnauthenticatedError: as in `find_member`.
    """

    def charge(member_id: str) -> None:
        enforce_rate_limit(f"member#{member_id}", rate_limit, context=context)

    guessed = last_members.pop((session.subject, chosen), None)
    charged = context.calls.start(partial(charge, guessed.member_id)) if guessed else None
    if guessed and start_reads:
        start_reads(guessed, context)
    member = find_member(session, chosen, rate_limit=rate_limit, context=context)
    _load_ahead(member, context=context)
    if charged:
        charged.result()
    used = UsedMembership(member.member_id, member.kind, member.tenant_id)
    if guessed is None or used.member_id != guessed.member_id:
        charge(member.member_id)
    if len(last_members) >= MAX_LAST_MEMBERS:
        last_members.clear()
    last_members[session.subject, chosen] = used
    return member


def start_own_reads(membership: UsedMembership, context: RunContext) -> None:
    """Start to read what a person's own page shows, unless it was started before."""
    context.calls.start_early(context.stores.tenants.get, membership.kind, membership.tenant_id)
    context.calls.start_early(context.stores.notices.count_unread, membership.member_id)
    context.calls.start_early(context.stores.recipients.read_suppression_item, membership.member_id)


def _load_ahead(member: Member, *, context: RunContext) -> None:
    """Start to load what most requests of a member need and a function keeps: the tenant, and its keys."""
    context.load_keys_ahead([member.tenant_id])
    tenants = context.stores.tenants
    if not tenants.is_cached(member.tenant_id):
        context.calls.start(partial(tenants.get_cached, member.kind, member.tenant_id))


def find_member(
    session: TokenSession, chosen: str | None, *, rate_limit: RateLimit | None, context: RunContext
) -> Member:
    """Find the membership that a request uses, as it is now.

    Args:
        session: The session of a verified token. Its subject is the person.
        chosen: The member id from `X-Membership`; None if the header was not sent. An empty one names no membership.
        rate_limit: How often a person can name a membership that is refused.
        context: The tables and the time.

    Raises:
        ForbiddenError: the person has no such membership, or it has no access now.
        UnauthenticatedError: the session has ended.
    """
    person = session.subject
    if chosen is not None:
        return _find_chosen(session, chosen, rate_limit=rate_limit, context=context)
    member = context.stores.members.get_by_subject(person)
    require_open_session(member, session)
    if member and member.has_access:
        return member
    memberships = context.stores.members.list_for_person(person)
    with_access = next((each for each in memberships if each.has_access), None)
    if with_access is None:
        enforce_rate_limit(f"person#{person}", rate_limit, context=context)
        actor = member or next(iter(memberships), None)
        subject = f"member#{actor.member_id}" if actor else ""
        raise _record_refusal(_build_refusal(memberships), subject, actor, context=context)
    return with_access


def _find_chosen(session: TokenSession, chosen: str, *, rate_limit: RateLimit | None, context: RunContext) -> Member:
    person = session.subject
    is_possible = ID_PATTERNS["member_id"].fullmatch(chosen) is not None
    first, member = context.stores.members.get_membership(person, chosen if is_possible else IMPOSSIBLE_ID)
    require_open_session(first, session)
    if member and member.has_access:
        return member
    enforce_rate_limit(f"person#{person}", rate_limit, context=context)
    subject = f"member#{chosen}" if is_possible else IMPOSSIBLE_ID
    raise _record_refusal(_build_refusal([member] if member else []), subject, member or first, context=context)


def _build_refusal(memberships: Sequence[Member]) -> ForbiddenError:
    """The same error for someone else's membership and for one that does not exist."""
    if any(member.active and member.locked for member in memberships):
        return ForbiddenError("organization_locked", ORGANIZATION_LOCKED)
    return ForbiddenError(
        "not_a_member", "Your account does not have access to this organization. Ask your administrator."
    )


def _record_refusal(
    refusal: ForbiddenError, subject: str, actor: Member | None, *, context: RunContext
) -> ForbiddenError:
    """Append the audit row of a refusal, in the trail of the organization that the person belongs or belonged to."""
    if actor:
        entry = AuditEntry(
            referral_id=subject,
            at=context.now,
            actor_id=actor.member_id,
            tenant_id=actor.tenant_id,
            action="membership.use",
        )
        record_refusal(refusal, entry, context=context)
    return refusal
