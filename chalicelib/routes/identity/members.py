"""The people of one's own practice or center."""

from typing import Any

from chalice import Blueprint

from chalicelib import wiring
from chalicelib.domain.identity.members import Member
from chalicelib.routes import response_schemas as shapes
from chalicelib.routes.platform.endpoint import Reply, endpoint, replied
from chalicelib.routes.platform.request import Call
from chalicelib.routes.referrals.request_bodies import InviteBody, MemberPatch
from chalicelib.services.identity import members
from chalicelib.store.webhooks.idempotency import Answer

blueprint = Blueprint(__name__)


@endpoint(blueprint, "GET", "/v1/members", returns=shapes.MemberListShape)
def list_members(call: Call) -> Reply:
    """List the people of one's own practice or center; for its administrators."""
    found = members.people(by=call.member, stores=wiring.stores())
    return Reply(body={"items": [_told(member) for member in found]})


@endpoint(blueprint, "POST", "/v1/members", returns=shapes.MemberShape, status=201, keyed=True)
def invite_member(call: Call, body: InviteBody) -> Reply:
    """Invite a person; the identity service mails a temporary password."""

    def answer(member: Member) -> Answer:
        return Answer(status=201, headers=_etag(member), body=_told(member))

    answered = members.invite(
        members.Invitation(name=body.name, email=body.email, roles=frozenset(body.roles)),
        by=call.member,
        account=lambda email: wiring.identity().invite(
            email, pool_id=wiring.settings().identity_pool_id
        ),
        request=call.as_request,
        answer=answer,
        stores=wiring.stores(),
        now=call.now,
    )
    return replied(answered)


@endpoint(blueprint, "PATCH", "/v1/members/{member_id}", returns=shapes.MemberShape, matched=True)
def change_member(call: Call, member_id: str, body: MemberPatch) -> Reply:
    """Change a member's roles or shut a member out, from that member's next request on."""
    wanted = members.MemberChange(
        roles=None if body.roles is None else frozenset(body.roles), active=body.active
    )
    changed = members.change(
        member_id,
        wanted,
        version=call.version,
        by=call.member,
        stores=wiring.stores(),
        now=call.now,
    )
    return Reply(body=_told(changed), headers=_etag(changed))


def _told(member: Member) -> dict[str, Any]:
    return {
        "member_id": member.member_id,
        "name": member.name,
        "email": member.email,
        "roles": sorted(member.roles),
        "active": member.active,
        "version": member.version,
    }


def _etag(member: Member) -> dict[str, str]:
    return {"ETag": f'"{member.version}"'}
