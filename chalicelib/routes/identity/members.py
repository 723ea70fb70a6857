"""The people of one's own practice or center."""

from typing import Any

from chalice import Blueprint

from chalicelib import wiring
from chalicelib.domain.identity.members import Member
from chalicelib.routes import response_schemas as shapes
from chalicelib.routes.platform.endpoint import ApiResponse, declare_endpoint, from_stored_response
from chalicelib.routes.platform.request import ApiRequest
from chalicelib.routes.referrals.request_bodies import InviteBody, MemberPatch
from chalicelib.services.identity import members
from chalicelib.store.webhooks.idempotency import StoredResponse

blueprint = Blueprint(__name__)


@declare_endpoint(blueprint, "GET", "/v1/members", response_schema=shapes.MemberListShape)
def list_members(request: ApiRequest) -> ApiResponse:
    """List the people of one's own practice or center; for its administrators."""
    found = members.list_members(by=request.member, stores=wiring.get_stores())
    return ApiResponse(body={"items": [_to_member_response(member) for member in found]})


@declare_endpoint(
    blueprint, "POST", "/v1/members", response_schema=shapes.MemberShape, status=201, needs_idempotency_key=True
)
def invite_member(request: ApiRequest, body: InviteBody) -> ApiResponse:
    """Invite a person; the identity service mails a temporary password."""

    def answer(member: Member) -> StoredResponse:
        return StoredResponse(status=201, headers=_build_etag(member), body=_to_member_response(member))

    answered = members.invite_member(
        members.Invitation(name=body.name, email=body.email, roles=frozenset(body.roles)),
        by=request.member,
        create_account=lambda email: wiring.get_identity_service().create_account(
            email, pool_id=wiring.get_settings().identity_pool_id
        ),
        request=request.idempotent_request,
        build_response=answer,
        context=request.context,
    )
    return from_stored_response(answered)


@declare_endpoint(
    blueprint, "PATCH", "/v1/members/{member_id}", response_schema=shapes.MemberShape, needs_if_match=True
)
def change_member(request: ApiRequest, member_id: str, body: MemberPatch) -> ApiResponse:
    """Change a member's roles or shut a member out, from that member's next request on."""
    change = members.MemberChange(roles=None if body.roles is None else frozenset(body.roles), active=body.active)
    changed = members.change_member(
        member_id, change, version=request.version, by=request.member, context=request.context
    )
    return ApiResponse(body=_to_member_response(changed), headers=_build_etag(changed))


def _to_member_response(member: Member) -> dict[str, Any]:
    return {
        "member_id": member.member_id,
        "name": member.name,
        "email": member.email,
        "roles": sorted(member.roles),
        "active": member.active,
        "version": member.version,
    }


def _build_etag(member: Member) -> dict[str, str]:
    return {"ETag": f'"{member.version}"'}
