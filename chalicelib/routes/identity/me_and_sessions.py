"""Sessions and the signed-in member."""

from chalicelib import wiring
from chalicelib.errors import FieldError, MalformedError
from chalicelib.routes.identity.request_bodies import ChallengeRequest, RefreshRequest, SignInRequest
from chalicelib.routes.identity.responses import (
    MembershipListResponse,
    MeResponse,
    SessionResponse,
    to_me_response,
    to_membership_response,
    to_session_response,
)
from chalicelib.routes.platform.endpoint import ApiResponse, declare_endpoint
from chalicelib.routes.platform.operations import EarlyRead, RouteAccess
from chalicelib.routes.platform.request import ApiRequest
from chalicelib.services.identity import sessions
from chalicelib.services.identity.memberships import list_memberships, record_first_visit
from chalicelib.services.identity.sign_in import NEW_PASSWORD, SignedInSession, SignInChallenge


@declare_endpoint("POST", "/v1/sessions", access=RouteAccess.PUBLIC)
def sign_in(request: ApiRequest, body: SignInRequest) -> ApiResponse[SessionResponse]:
    """Sign in with email and password."""
    session = wiring.get_identity_service().sign_in(body.email, body.password)
    return _respond(session, body.email, request)


@declare_endpoint("POST", "/v1/sessions/challenge", access=RouteAccess.PUBLIC)
def answer_challenge(request: ApiRequest, body: ChallengeRequest) -> ApiResponse[SessionResponse]:
    """Answer a sign-in challenge: a new password, or the code of an authenticator that is set up or being set up."""
    reply = body.new_password if body.challenge == NEW_PASSWORD else body.code
    if reply is None:
        needed = "/new_password" if body.challenge == NEW_PASSWORD else "/code"
        error = FieldError(needed, "missing", "Enter this to continue signing in.")
        raise MalformedError("malformed", "Enter the code or new password to continue.", errors=[error])
    session = wiring.get_identity_service().answer_challenge(
        challenge=body.challenge, session=body.session, reply=reply
    )
    return _respond(session, body.email, request)


@declare_endpoint("POST", "/v1/sessions/refresh", access=RouteAccess.PUBLIC)
def renew_session(request: ApiRequest, body: RefreshRequest) -> ApiResponse[SessionResponse]:  # noqa: ARG001 all views take it
    """Exchange a refresh token for a new access token."""
    session = wiring.get_identity_service().renew_session(body.refresh_token)
    return ApiResponse(body=to_session_response(session))


@declare_endpoint("DELETE", "/v1/sessions", status=204)
def sign_out(request: ApiRequest) -> ApiResponse[None]:
    """Sign out everywhere. Access tokens stop working with the next request."""
    wiring.get_identity_service().sign_out(request.access_token)
    end_own_sessions(request, why=sessions.SIGN_OUT)
    return ApiResponse(body=None, status=204)


@declare_endpoint("GET", "/v1/me", early_read=EarlyRead.OWN)
def read_me(request: ApiRequest) -> ApiResponse[MeResponse]:
    """Get the signed-in member, organization, and unread counts.

    The first call for a membership also records that the person uses it.
    """
    record_first_visit(request.member, context=request.context)
    return ApiResponse(body=to_me_response(request.member, context=request.context))


@declare_endpoint("GET", "/v1/memberships", access=RouteAccess.PERSON)
def list_own_memberships(request: ApiRequest) -> ApiResponse[MembershipListResponse]:
    """List the organizations in which you can act; `X-Membership` names one of them."""
    stores = wiring.get_stores()
    found = list_memberships(request.person, stores=stores)
    return ApiResponse(
        body={"items": [to_membership_response(each, stores.tenants.get(each.kind, each.tenant_id)) for each in found]}
    )


def end_own_sessions(request: ApiRequest, *, why: str) -> None:
    """End every session of the person who is asking, from the next request on."""
    session = wiring.get_token_verifier().verify_session(request.access_token, now=request.now)
    sessions.end_sessions(
        session.subject,
        why=why,
        session_id=session.session_id,
        request_id=request.request_id,
        context=request.context,
    )


def _respond(
    session: SignedInSession | SignInChallenge, email: str, request: ApiRequest
) -> ApiResponse[SessionResponse]:
    if isinstance(session, SignedInSession):
        signed_in = wiring.get_token_verifier().verify_session(session.access_token, now=wiring.read_clock())
        sessions.record_sign_in(signed_in, request_id=request.request_id, context=request.context)
    return ApiResponse(body=to_session_response(session, email=email))
