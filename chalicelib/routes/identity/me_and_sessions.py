"""Sessions, the signed-in member, and what the member was told."""

import re
from typing import Any

from chalice import Blueprint

from chalicelib import wiring
from chalicelib.domain.identity.members import Member, TenantKind
from chalicelib.errors import Fault, MalformedError, NotFoundError
from chalicelib.routes import response_schemas as shapes
from chalicelib.routes.notices.responses import mail_told
from chalicelib.routes.platform import cursors
from chalicelib.routes.platform.endpoint import Reply, endpoint
from chalicelib.routes.platform.operations import Access
from chalicelib.routes.platform.query_params import PageQuery
from chalicelib.routes.platform.request import Call
from chalicelib.routes.platform.timestamps import instant
from chalicelib.routes.referrals.request_bodies import ChallengeReply, Refresh, SignIn
from chalicelib.services.identity.sign_in import Challenge, Session
from chalicelib.store.notices.mail_status import lives

blueprint = Blueprint(__name__)

IDLE_MINUTES = 15
"""After how long without a touch the dashboard signs out. Source: what US hospitals commonly
set for automatic logoff, 45 CFR 164.312(a)(2)(iii), which names no figure."""

_NOTICE_ID = re.compile(r"ntc_[0-9]{8}T[0-9]{12}_[a-z2-7]{26}", re.ASCII)


@endpoint(blueprint, "POST", "/v1/sessions", returns=shapes.SessionShape, access=Access.PUBLIC)
def sign_in(call: Call, body: SignIn) -> Reply:  # noqa: ARG001 every view is called alike
    """Sign in with an email address and a password."""
    return _session(wiring.identity().sign_in(body.email, body.password))


@endpoint(
    blueprint, "POST", "/v1/sessions/challenge", returns=shapes.SessionShape, access=Access.PUBLIC
)
def answer_challenge(call: Call, body: ChallengeReply) -> Reply:  # noqa: ARG001 as above
    """Answer the question that came instead of a session."""
    reply = body.new_password if body.challenge == "NEW_PASSWORD_REQUIRED" else body.code
    if reply is None:
        needed = "/new_password" if body.challenge == "NEW_PASSWORD_REQUIRED" else "/code"
        fault = Fault(needed, "missing", "This challenge is answered by it")
        raise MalformedError("malformed", "The answer is missing.", faults=[fault])
    answered = wiring.identity().answer(
        email=body.email, challenge=body.challenge, session=body.session, reply=reply
    )
    return _session(answered)


@endpoint(
    blueprint, "POST", "/v1/sessions/refresh", returns=shapes.SessionShape, access=Access.PUBLIC
)
def renew_session(call: Call, body: Refresh) -> Reply:  # noqa: ARG001 as above
    """Exchange a refresh token for a new access token."""
    return _session(wiring.identity().renew(body.refresh_token))


@endpoint(blueprint, "DELETE", "/v1/sessions", status=204)
def sign_out(call: Call) -> Reply:
    """Sign out everywhere."""
    token = call.headers["authorization"].partition(" ")[2]
    wiring.identity().sign_out(token)
    return Reply(status=204)


@endpoint(blueprint, "GET", "/v1/me", returns=shapes.MeShape)
def read_me(call: Call) -> Reply:
    """Who is signed in, for whom, and what waits for them."""
    member = call.member
    tenant = wiring.stores().tenants.get(member.kind, member.tenant_id)
    return Reply(
        body={
            "member_id": member.member_id,
            "name": member.name,
            "email": member.email,
            "tenant": {
                "tenant_id": member.tenant_id,
                "kind": member.kind,
                "name": tenant.name if tenant else None,
                "time_zone": tenant.time_zone if tenant else "UTC",
            },
            "roles": sorted(member.roles),
            "may_refer": member.kind is TenantKind.PRACTICE and member.cares,
            "unread_notices": wiring.stores().notices.unread(member.member_id),
            "mail_problem": _mail_problem(member),
            "idle_minutes": IDLE_MINUTES,
        }
    )


@endpoint(blueprint, "GET", "/v1/notices", returns=shapes.NoticePageShape)
def list_notices(call: Call, query: PageQuery) -> Reply:
    """Read one's own notices, newest first."""
    store = wiring.stores().notices
    member_id = call.member.member_id
    start = cursors.opened(query.cursor, call, query)
    notices, position = store.page(member_id, limit=query.limit, start=start)
    mails = lives(wiring.stores().mails, [n.mail_id for n in notices if n.mail_id])
    items = [
        {
            "notice_id": notice.notice_id,
            "rule": notice.rule,
            "title": notice.title,
            "referral_id": notice.referral_id or None,
            "alias": notice.alias or None,
            "category": notice.category,
            "created_at": instant(notice.created_at),
            "read_at": instant(notice.read_at) if notice.read_at else None,
            "mail": mail_told(notice.mail_id, mails),
        }
        for notice in notices
    ]
    return cursors.page(items, position, call, query, unread=store.unread(member_id))


@endpoint(blueprint, "POST", "/v1/notices/{notice_id}/read", status=204, keyed=True)
def mark_notice_read(call: Call, notice_id: str) -> Reply:
    """Say that a notice was read. Saying it again changes nothing."""
    marked = _NOTICE_ID.fullmatch(notice_id) and wiring.stores().notices.mark_read(
        member_id=call.member.member_id, notice_id=notice_id, now=call.now
    )
    if not marked:
        raise NotFoundError
    return Reply(status=204)


def _mail_problem(member: Member) -> dict[str, str] | None:
    """Why the member gets no mail, if that is so: to be seen in the dashboard, if nowhere else."""
    suppressed = wiring.stores().recipients.suppression(member)
    if suppressed is None:
        return None
    return {"reason": suppressed.trouble, "since": instant(suppressed.since)}


def _session(answered: Session | Challenge) -> Reply:
    if isinstance(answered, Challenge):
        return Reply(body={"challenge": answered.challenge, "session": answered.session})
    told: dict[str, Any] = {
        "access_token": answered.access_token,
        "expires_in": answered.expires_in,
    }
    if answered.refresh_token:
        told["refresh_token"] = answered.refresh_token
    return Reply(body=told)
