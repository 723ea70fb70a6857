"""The members of one's own practice or center."""

from chalicelib import wiring
from chalicelib.domain.identity.members import Member
from chalicelib.routes.identity.request_bodies import InviteRequest, MemberPatchRequest
from chalicelib.routes.identity.responses import (
    MemberListResponse,
    MemberResponse,
    SecondStepPageResponse,
    build_member_etag,
    to_listed_member_response,
    to_member_response,
)
from chalicelib.routes.platform import cursors
from chalicelib.routes.platform.endpoint import ApiResponse, declare_endpoint, from_stored_response
from chalicelib.routes.platform.query_params import SecondStepQuery
from chalicelib.routes.platform.request import ApiRequest
from chalicelib.services.identity import members, recovery, second_steps
from chalicelib.store.platform.idempotency import StoredResponse

MAX_ASKING_S = 3
"""Seconds after which no further person is asked for, so that one slow call does not use up the request's time."""


@declare_endpoint("GET", "/v1/members")
def list_members(request: ApiRequest) -> ApiResponse[MemberListResponse]:
    """List the members of your organization (administrators only)."""
    found = members.list_members(by=request.member, stores=wiring.get_stores())
    return ApiResponse(body={"items": [to_listed_member_response(each, now=request.now) for each in found]})


@declare_endpoint("GET", "/v1/members/second-steps")
def list_second_steps(request: ApiRequest, query: SecondStepQuery) -> ApiResponse[SecondStepPageResponse]:
    """List which members have a second step at sign-in, as the identity service says now (administrators only).

    A page can be short although others follow: it ends after three seconds, because each person is asked for alone.
    """
    mfa = wiring.get_settings().identity_mfa
    found, position = second_steps.list_second_steps(
        limit=query.limit,
        start=cursors.decode_cursor(query.cursor, request, query),
        by=request.member,
        ask=None if mfa == "OFF" else lambda person: wiring.get_credential_service().has_second_step(person),
        has_time=wiring.build_time_check(MAX_ASKING_S),
        context=request.context,
    )
    cursor = cursors.encode_cursor(position, request, query)
    return ApiResponse(
        body={
            "items": [{"member_id": each.member.member_id, "second_step": each.second_step} for each in found],
            "available": mfa != "OFF",
            "required": mfa == "ON",
            "next_cursor": cursor,
        },
        headers=cursors.build_link_header(cursor, query),
    )


@declare_endpoint("POST", "/v1/members", status=201, needs_idempotency_key=True)
def invite_member(request: ApiRequest, body: InviteRequest) -> ApiResponse[MemberResponse]:
    """Invite a member; the identity service emails a temporary password."""
    stored = members.invite_member(
        members.Invitation(name=body.name, email=body.email, roles=frozenset(body.roles)),
        by=request.member,
        create_account=lambda email: wiring.get_identity_service().create_account(
            email, pool_id=wiring.get_settings().identity_pool_id
        ),
        request=request.idempotent_request,
        build_response=lambda member: _build_stored_response(member, status=201),
        context=request.context,
    )
    return from_stored_response(stored)


@declare_endpoint("POST", "/v1/members/{member_id}/invitation", needs_idempotency_key=True)
def send_invitation_again(request: ApiRequest, member_id: str) -> ApiResponse[MemberResponse]:
    """Email a new temporary password to a member who has not signed in yet, valid for seven days."""
    stored = recovery.send_invitation_again(
        member_id,
        by=request.member,
        send=lambda email: wiring.get_credential_service().send_invitation_again(email),
        request=request.idempotent_request,
        build_response=_build_stored_response,
        context=request.context,
    )
    return from_stored_response(stored)


@declare_endpoint("POST", "/v1/members/{member_id}/sign-in-reset", needs_idempotency_key=True)
def reset_sign_in(request: ApiRequest, member_id: str) -> ApiResponse[MemberResponse]:
    """Let a member who lost their authenticator start again: with a temporary password, sent by email."""
    stored = recovery.replace_account(
        member_id,
        by=request.member,
        delete_account=lambda subject: wiring.get_credential_service().delete_account(subject),
        create_account=lambda email: wiring.get_identity_service().create_account(
            email, pool_id=wiring.get_settings().identity_pool_id
        ),
        request=request.idempotent_request,
        build_response=_build_stored_response,
        context=request.context,
    )
    return from_stored_response(stored)


@declare_endpoint("PATCH", "/v1/members/{member_id}", needs_if_match=True)
def change_member(request: ApiRequest, member_id: str, body: MemberPatchRequest) -> ApiResponse[MemberResponse]:
    """Change a member's roles or disable a member, effective with the member's next request."""
    change = members.MemberChange(roles=None if body.roles is None else frozenset(body.roles), active=body.active)
    changed = members.change_member(
        member_id, change, version=request.version, by=request.member, context=request.context
    )
    return ApiResponse(body=to_member_response(changed), headers=build_member_etag(changed))


def _build_stored_response(member: Member, *, status: int = 200) -> StoredResponse:
    return StoredResponse(status=status, headers=build_member_etag(member), body=to_member_response(member))
