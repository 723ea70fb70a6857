"""Sessions, the signed-in member, and what the member was told."""

import re
from typing import Any

from chalice import Blueprint

from chalicelib import wiring
from chalicelib.domain.identity.members import Member, TenantKind
from chalicelib.errors import FieldError, MalformedError, NotFoundError
from chalicelib.routes import response_schemas as shapes
from chalicelib.routes.notices.responses import to_mail_response
from chalicelib.routes.platform import cursors
from chalicelib.routes.platform.endpoint import ApiResponse, declare_endpoint
from chalicelib.routes.platform.operations import RouteAccess
from chalicelib.routes.platform.query_params import PageQuery
from chalicelib.routes.platform.request import ApiRequest
from chalicelib.routes.platform.timestamps import format_timestamp
from chalicelib.routes.referrals.request_bodies import ChallengeReply, Refresh, SignIn
from chalicelib.services.identity.sign_in import SignedInSession, SignInChallenge
from chalicelib.store.notices.mail_status import load_mail_statuses

blueprint = Blueprint(__name__)

IDLE_MINUTES = 15
"""After how long without a touch the dashboard signs out. Source: what US hospitals commonly
set for automatic logoff, 45 CFR 164.312(a)(2)(iii), which names no figure."""

_NOTICE_ID = re.compile(r"ntc_[0-9]{8}T[0-9]{12}_[a-z2-7]{26}", re.ASCII)


@declare_endpoint(blueprint, "POST", "/v1/sessions", response_schema=shapes.SessionShape, access=RouteAccess.PUBLIC)
def sign_in(request: ApiRequest, body: SignIn) -> ApiResponse:  # noqa: ARG001 every view is called alike
    """Sign in with an email address and a password."""
    return _to_session_response(wiring.get_identity_service().sign_in(body.email, body.password))


@declare_endpoint(
    blueprint, "POST", "/v1/sessions/challenge", response_schema=shapes.SessionShape, access=RouteAccess.PUBLIC
)
def answer_challenge(request: ApiRequest, body: ChallengeReply) -> ApiResponse:  # noqa: ARG001 as above
    """Answer the question that came instead of a session."""
    reply = body.new_password if body.challenge == "NEW_PASSWORD_REQUIRED" else body.code
    if reply is None:
        needed = "/new_password" if body.challenge == "NEW_PASSWORD_REQUIRED" else "/code"
        fault = FieldError(needed, "missing", "This challenge is answered by it")
        raise MalformedError("malformed", "The answer is missing.", errors=[fault])
    answered = wiring.get_identity_service().answer_challenge(
        email=body.email, challenge=body.challenge, session=body.session, reply=reply
    )
    return _to_session_response(answered)


@declare_endpoint(
    blueprint, "POST", "/v1/sessions/refresh", response_schema=shapes.SessionShape, access=RouteAccess.PUBLIC
)
def renew_session(request: ApiRequest, body: Refresh) -> ApiResponse:  # noqa: ARG001 as above
    """Exchange a refresh token for a new access token."""
    return _to_session_response(wiring.get_identity_service().renew_session(body.refresh_token))


@declare_endpoint(blueprint, "DELETE", "/v1/sessions", status=204)
def sign_out(request: ApiRequest) -> ApiResponse:
    """Sign out everywhere."""
    token = request.headers["authorization"].partition(" ")[2]
    wiring.get_identity_service().sign_out(token)
    return ApiResponse(status=204)


@declare_endpoint(blueprint, "GET", "/v1/me", response_schema=shapes.MeShape)
def read_me(request: ApiRequest) -> ApiResponse:
    """Who is signed in, for whom, and what waits for them."""
    member = request.member
    tenant = wiring.get_stores().tenants.get(member.kind, member.tenant_id)
    return ApiResponse(
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
            "may_refer": member.kind is TenantKind.PRACTICE and member.has_clinical_access,
            "unread_notices": wiring.get_stores().notices.count_unread(member.member_id),
            "mail_problem": _find_mail_problem(member),
            "idle_minutes": IDLE_MINUTES,
        }
    )


@declare_endpoint(blueprint, "GET", "/v1/notices", response_schema=shapes.NoticePageShape)
def list_notices(request: ApiRequest, query: PageQuery) -> ApiResponse:
    """Read one's own notices, newest first."""
    store = wiring.get_stores().notices
    member_id = request.member.member_id
    start = cursors.decode_cursor(query.cursor, request, query)
    notices, position = store.list_page(member_id, limit=query.limit, start=start)
    mails = load_mail_statuses(wiring.get_stores().mails, [n.mail_id for n in notices if n.mail_id])
    items = [
        {
            "notice_id": notice.notice_id,
            "rule": notice.rule,
            "title": notice.title,
            "referral_id": notice.referral_id or None,
            "alias": notice.alias or None,
            "category": notice.category,
            "created_at": format_timestamp(notice.created_at),
            "read_at": format_timestamp(notice.read_at) if notice.read_at else None,
            "mail": to_mail_response(notice.mail_id, mails),
        }
        for notice in notices
    ]
    return cursors.build_page_response(items, position, request, query, unread=store.count_unread(member_id))


@declare_endpoint(blueprint, "POST", "/v1/notices/{notice_id}/read", status=204, needs_idempotency_key=True)
def mark_notice_read(request: ApiRequest, notice_id: str) -> ApiResponse:
    """Say that a notice was read. Saying it again changes nothing."""
    marked = _NOTICE_ID.fullmatch(notice_id) and wiring.get_stores().notices.mark_read(
        member_id=request.member.member_id, notice_id=notice_id, now=request.now
    )
    if not marked:
        raise NotFoundError
    return ApiResponse(status=204)


def _find_mail_problem(member: Member) -> dict[str, str] | None:
    """Why the member gets no mail, if that is so: to be seen in the dashboard, if nowhere else."""
    suppressed = wiring.get_stores().recipients.find_suppression(member)
    if suppressed is None:
        return None
    return {"reason": suppressed.reason, "since": format_timestamp(suppressed.since)}


def _to_session_response(session: SignedInSession | SignInChallenge) -> ApiResponse:
    if isinstance(session, SignInChallenge):
        return ApiResponse(body={"challenge": session.challenge, "session": session.session})
    response: dict[str, Any] = {"access_token": session.access_token, "expires_in": session.expires_in}
    if session.refresh_token:
        response["refresh_token"] = session.refresh_token
    return ApiResponse(body=response)
