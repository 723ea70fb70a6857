"""Sessions as this product sees them: recorded when they begin, and ended so that the next request is refused.

Cognito cannot end an access token that is verified without it. Therefore a member's own row, which every request
reads anyway, says which sessions have ended.
"""

from dataclasses import replace
from datetime import datetime

from chalicelib.domain.identity.members import Member
from chalicelib.services.identity.access_tokens import TokenSession
from chalicelib.services.platform.optimistic import commit_with_retry
from chalicelib.services.platform.run_context import RunContext
from chalicelib.store.audit.rows import AuditEntry

SIGN_OUT = "session.end"


def record_sign_in(session: TokenSession, *, request_id: str, context: RunContext) -> None:
    """Record in the audit trail that a person signed in. Someone without a membership leaves no row."""
    member = context.stores.members.get_by_subject(session.subject)
    if member is None:
        return
    entry = build_sign_in_entry(member, "session.start", context.now)
    outcome = "allowed" if member.active else "not_a_member"
    context.stores.audit_log.append(replace(entry, request_id=request_id, outcome=outcome))


def end_sessions(subject: str, *, why: str, context: RunContext, session_id: str = "", request_id: str = "") -> None:
    """End every session of a person, from the next request on.

    A person who signs in again in the same second is let in if it is known which session asked for this.

    Args:
        subject: The person. Someone without a membership has no access that could end.
        why: The action in the audit trail.
        context: The tables and the time.
        session_id: The session that asked for it; empty if there was none.
        request_id: The id of the request.

    Raises:
        UnavailableError: others changed the member at every try; a repeat is safe.
    """

    def attempt() -> None:
        member = context.stores.members.get_by_subject(subject)
        if member is None:
            return
        # Times in tokens are whole seconds. Without a session that asks, everything of this second ends too.
        second = int(context.now.timestamp()) + (0 if session_id else 1)
        in_this_second = member.ended_sessions if member.sessions_ended_at == second else ()
        ended = replace(
            member,
            sessions_ended_at=max(member.sessions_ended_at, second),
            ended_sessions=(*in_this_second, session_id) if session_id else in_this_second,
            version=member.version + 1,
        )
        entry = build_sign_in_entry(ended, why, context.now)
        context.stores.transactions.commit(
            context.stores.members.prepare_save(ended),
            context.stores.audit_log.prepare_append(replace(entry, request_id=request_id)),
        )

    commit_with_retry(attempt)


def build_sign_in_entry(member: Member, action: str, now: datetime) -> AuditEntry:
    """Build the audit row of what a member does with their own sign-in."""
    return AuditEntry(
        referral_id=f"member#{member.member_id}",
        at=now,
        actor_id=member.member_id,
        tenant_id=member.tenant_id,
        action=action,
    )
