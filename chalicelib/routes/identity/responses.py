"""Sessions and members as the API returns them."""

# pydantic needs this one on Python 3.11.
from typing_extensions import TypedDict

from chalicelib import wiring
from chalicelib.domain.identity.members import Member, TenantKind
from chalicelib.routes.platform.responses import TenantResponse
from chalicelib.routes.platform.timestamps import format_timestamp
from chalicelib.services.identity.sign_in import SignedInSession, SignInChallenge, build_otpauth_url

IDLE_MINUTES = 15
"""Minutes without any action after which the dashboard signs out. Source: what US hospitals commonly
set for automatic logoff, 45 CFR 164.312(a)(2)(iii), which names no figure."""


class SessionResponse(TypedDict, total=False):
    """Tokens, or a challenge that comes before them."""

    access_token: str
    refresh_token: str
    expires_in: int
    challenge: str
    session: str
    secret: str
    otpauth_url: str


class AuthenticatorResponse(TypedDict):
    """Whether a person uses an authenticator app, and whether the site lets or makes them."""

    enrolled: bool
    available: bool
    required: bool


class AuthenticatorKeyResponse(TypedDict):
    """The key of a new authenticator, as text and as a link that an app opens. It is shown once."""

    secret: str
    otpauth_url: str


class MailProblemResponse(TypedDict):
    """Why email is no longer sent to the member's address."""

    reason: str
    since: str


class MeResponse(TypedDict):
    """The signed-in member."""

    member_id: str
    name: str
    email: str
    tenant: TenantResponse
    roles: list[str]
    may_refer: bool
    unread_notices: int
    mail_problem: MailProblemResponse | None
    idle_minutes: int


class MembershipResponse(TypedDict):
    """One membership of the signed-in person: the organization, and the person's name and roles there."""

    member_id: str
    name: str
    tenant: TenantResponse
    roles: list[str]


class MembershipListResponse(TypedDict):
    """The memberships that the signed-in person can use."""

    items: list[MembershipResponse]


class MemberResponse(TypedDict):
    """A member of an organization."""

    member_id: str
    name: str
    email: str
    roles: list[str]
    active: bool
    version: int


class MemberListResponse(TypedDict):
    """The members of an organization."""

    items: list[MemberResponse]


def to_session_response(session: SignedInSession | SignInChallenge, *, email: str = "") -> SessionResponse:
    """A session, or the challenge to answer first. `email` names the account in an authenticator app."""
    if isinstance(session, SignInChallenge):
        challenge: SessionResponse = {"challenge": session.challenge, "session": session.session}
        if session.secret:
            challenge |= {"secret": session.secret, "otpauth_url": build_otpauth_url(session.secret, email)}
        return challenge
    response: SessionResponse = {"access_token": session.access_token, "expires_in": session.expires_in}
    if session.refresh_token:
        response["refresh_token"] = session.refresh_token
    return response


def to_me_response(member: Member) -> MeResponse:
    """The signed-in member, with their organization and what is unread."""
    return {
        "member_id": member.member_id,
        "name": member.name,
        "email": member.email,
        "tenant": _to_tenant_response(member),
        "roles": sorted(member.roles),
        "may_refer": member.kind is TenantKind.PRACTICE and member.has_clinical_access,
        "unread_notices": wiring.get_stores().notices.count_unread(member.member_id),
        "mail_problem": _find_mail_problem(member),
        "idle_minutes": IDLE_MINUTES,
    }


def to_membership_response(member: Member) -> MembershipResponse:
    """A membership for the person to whom it belongs."""
    return {
        "member_id": member.member_id,
        "name": member.name,
        "tenant": _to_tenant_response(member),
        "roles": sorted(member.roles),
    }


def _to_tenant_response(member: Member) -> TenantResponse:
    tenant = wiring.get_stores().tenants.get(member.kind, member.tenant_id)
    return {
        "tenant_id": member.tenant_id,
        "kind": member.kind,
        "name": tenant.name if tenant else None,
        "time_zone": tenant.time_zone if tenant else "UTC",
    }


def to_member_response(member: Member) -> MemberResponse:
    """A member for the administrators of their organization."""
    return {
        "member_id": member.member_id,
        "name": member.name,
        "email": member.email,
        "roles": sorted(member.roles),
        "active": member.active,
        "version": member.version,
    }


def build_member_etag(member: Member) -> dict[str, str]:
    """The member's version as an ETag."""
    return {"ETag": f'"{member.version}"'}


def _find_mail_problem(member: Member) -> MailProblemResponse | None:
    """Why the member gets no email, if so. The dashboard shows it, because email cannot."""
    suppressed = wiring.get_stores().recipients.find_suppression(member)
    if suppressed is None:
        return None
    return {"reason": suppressed.reason, "since": format_timestamp(suppressed.since)}
