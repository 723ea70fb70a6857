"""Sessions and members as the API returns them."""

from datetime import datetime

# pydantic needs this one on Python 3.11.
from typing_extensions import TypedDict

from chalicelib.domain.identity.members import Member, Tenant, TenantKind
from chalicelib.routes.platform.responses import TenantResponse
from chalicelib.routes.platform.timestamps import format_timestamp
from chalicelib.services.identity.members import ListedMember
from chalicelib.services.identity.memberships import UsedMembership, start_own_reads
from chalicelib.services.identity.sign_in import SignedInSession, SignInChallenge, build_otpauth_url
from chalicelib.services.platform.run_context import RunContext
from chalicelib.store.notices.recipients import Suppression

IDLE_MINUTES = 15
"""Minutes without any action after which the dashboard signs out. Source: what US hospitals commonly
set for automatic logoff, 45 CFR 164.312(a)(2)(iii), which names no figure."""


class SessionResponse(TypedDict, total=False):
    """Tokens, or a challenge that comes before them."""

    access_token: str
    """The access token, for the header `Authorization: Bearer`. Left out before a challenge is answered."""
    refresh_token: str
    """The refresh token, for `POST /v1/sessions/refresh`. Left out if there is no new one."""
    expires_in: int
    """How long the access token works, in seconds."""
    challenge: str
    """What to answer at `POST /v1/sessions/challenge` before there are tokens."""
    session: str
    """Send it back with the answer to the challenge."""
    secret: str
    """The key for the authenticator app, as text."""
    otpauth_url: str
    """The key as a link that an authenticator app opens."""


class AuthenticatorResponse(TypedDict):
    """Whether a person uses an authenticator app, and whether the site lets or makes them."""

    enrolled: bool
    """Whether the person uses an authenticator app."""
    available: bool
    """Whether the site lets people use one."""
    required: bool
    """Whether the site makes people use one."""


class AuthenticatorKeyResponse(TypedDict):
    """The key of a new authenticator, as text and as a link that an app opens. It is shown once."""

    secret: str
    """The key for the authenticator app, as text."""
    otpauth_url: str
    """The key as a link that an authenticator app opens."""


class MailProblemResponse(TypedDict):
    """Why email is no longer sent to the member's address."""

    reason: str
    """Why, as a code."""
    since: str
    """Since when (RFC 3339, UTC)."""


class MeResponse(TypedDict):
    """The signed-in member."""

    member_id: str
    """The ID of the membership: `mem_` and 26 characters."""
    name: str
    """The name of the person or organization."""
    email: str
    """The email address of the member."""
    tenant: TenantResponse
    """The organization."""
    roles: list[str]
    """The roles in the organization."""
    may_refer: bool
    """Whether the member can create referrals."""
    unread_notices: int
    """How many of the newest notices are unread."""
    mail_problem: MailProblemResponse | None
    """Why email is no longer sent to the member; null if it is."""
    idle_minutes: int
    """After how many minutes without activity the dashboard signs the member out."""


class MembershipResponse(TypedDict):
    """One membership of the signed-in person: the organization, and the person's name and roles there."""

    member_id: str
    """The ID of the membership: `mem_` and 26 characters."""
    name: str
    """The name of the person or organization."""
    tenant: TenantResponse
    """The organization."""
    roles: list[str]
    """The roles in the organization."""


class MembershipListResponse(TypedDict):
    """The memberships that the signed-in person can use."""

    items: list[MembershipResponse]
    """The memberships. Send the `member_id` of one as `X-Membership`."""


class MemberResponse(TypedDict):
    """A member of an organization."""

    member_id: str
    """The ID of the membership: `mem_` and 26 characters."""
    name: str
    """The name of the person or organization."""
    email: str
    """An email address."""
    roles: list[str]
    """The roles in the organization."""
    active: bool
    """Whether the member can sign in."""
    version: int
    """The version of the object. Send it in `If-Match` with a change."""


class ListedMemberResponse(MemberResponse):
    """A member in the list for administrators."""

    status: str
    """`active`, `invited` until the person first signs in, `invitation_ended` if the temporary password does not work
    anymore, `disabled`, or `not_known` if no row says whether the person has been here: release 0.5.0 added it."""
    invitation_ends_at: str | None
    """Until when the temporary password of the last invitation works or worked (RFC 3339, UTC); null if the person has
    signed in, or if it is not known."""
    mail_problem: MailProblemResponse | None
    """Why email is no longer sent to the member; null if it is."""


class MemberListResponse(TypedDict):
    """The members of an organization."""

    items: list[ListedMemberResponse]
    """The members."""


class SecondStepResponse(TypedDict):
    """Whether sign-in asks a member for more than the password."""

    member_id: str
    """The ID of the membership: `mem_` and 26 characters."""
    second_step: str
    """`on`, `not_set_up`, or `not_known` if the identity service has no such account."""


class SecondStepPageResponse(TypedDict):
    """A page of members, and whether they have a second step at sign-in."""

    items: list[SecondStepResponse]
    """The members who have signed in and are not disabled, by name. Empty if the site has no second step."""
    available: bool
    """Whether the site lets people use a second step."""
    required: bool
    """Whether the site makes people use one."""
    next_cursor: str | None
    """Send it as `cursor` to read the next page; null on the last page."""


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


def to_me_response(member: Member, *, context: RunContext) -> MeResponse:
    """The signed-in member, with their organization and what is unread."""
    stores, calls = context.stores, context.calls
    # Nothing is started again that was started for the membership that is used.
    start_own_reads(UsedMembership(member.member_id, member.kind, member.tenant_id), context)
    tenant = calls.finish_early(stores.tenants.get, member.kind, member.tenant_id)
    row = calls.finish_early(stores.recipients.read_suppression_item, member.member_id)
    suppressed = stores.recipients.read_suppression(row, member) if row else None
    return {
        "member_id": member.member_id,
        "name": member.name,
        "email": member.email,
        "tenant": _to_tenant_response(member, tenant),
        "roles": sorted(member.roles),
        "may_refer": member.kind is TenantKind.PRACTICE and member.has_clinical_access,
        "unread_notices": calls.finish_early(stores.notices.count_unread, member.member_id),
        "mail_problem": _to_mail_problem(suppressed),
        "idle_minutes": IDLE_MINUTES,
    }


def to_membership_response(member: Member, tenant: Tenant | None) -> MembershipResponse:
    """A membership for the person to whom it belongs."""
    return {
        "member_id": member.member_id,
        "name": member.name,
        "tenant": _to_tenant_response(member, tenant),
        "roles": sorted(member.roles),
    }


def _to_tenant_response(member: Member, tenant: Tenant | None) -> TenantResponse:
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


def to_listed_member_response(listed: ListedMember, *, now: datetime) -> ListedMemberResponse:
    """A member in the list for the administrators of their organization."""
    member, ends_at = listed.member, listed.member.invitation_ends_at
    return {
        **to_member_response(member),
        "status": member.get_status(now),
        "invitation_ends_at": format_timestamp(ends_at) if ends_at and member.active else None,
        "mail_problem": _to_mail_problem(listed.suppression),
    }


def build_member_etag(member: Member) -> dict[str, str]:
    """The member's version as an ETag."""
    return {"ETag": f'"{member.version}"'}


def _to_mail_problem(suppressed: Suppression | None) -> MailProblemResponse | None:
    if suppressed is None:
        return None
    return {"reason": suppressed.reason, "since": format_timestamp(suppressed.since)}
