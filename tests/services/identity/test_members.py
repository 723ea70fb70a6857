"""Who is a member: the tenant's own administrators decide, and nobody decides about themselves."""

from dataclasses import replace

import pytest

from chalicelib.domain.identity.members import ROLES_BY_TENANT_KIND, Role, TenantKind
from chalicelib.errors import (
    ConflictError,
    ForbiddenError,
    IdempotencyKeyReusedError,
    MalformedError,
    NotFoundError,
    PreconditionFailedError,
)
from chalicelib.services.identity import members
from chalicelib.services.identity.members import Invitation, MemberChange
from chalicelib.store.webhooks.idempotency import StoredResponse
from tests.support import faults
from tests.support import stores as shelves
from tests.support.factories import CENTER, OTHER_PRACTICE, PRACTICE, build_member

ADMIN = build_member(PRACTICE, role=Role.ADMIN)
COLLEAGUE = build_member(PRACTICE)


class AccountRecorder:
    """The identity service: one subject for each address."""

    def __init__(self):
        self.given = []

    def __call__(self, email):
        self.given.append(email)
        return f"sub-of-{email}"


def invite(desk, *, by=ADMIN, key="key-1", body=b"{}", account=None, **changed):
    """Invite somebody."""
    invitation = Invitation(name="Zoë New", email="zoe@cedar.example", roles=frozenset({Role.COORDINATOR}))
    return members.invite_member(
        replace(invitation, **changed),
        by=by,
        create_account=account or AccountRecorder(),
        request=desk.build_request(by, "POST /v1/members", key, body),
        build_response=lambda m: StoredResponse(status=201, headers={}, body={"member_id": m.member_id}),
        context=desk.context,
    )


def change(desk, member=COLLEAGUE, *, by=ADMIN, version=1, **wanted):
    """Change a member."""
    return members.change_member(member.member_id, MemberChange(**wanted), version=version, by=by, context=desk.context)


def names(desk, by=ADMIN):
    """Everyone that an administrator sees."""
    return [m.name for m in members.list_members(by=by, stores=desk.stores)]


def test_digests_begin_with_the_membership(services):
    """In its transaction: whoever is invited is told of the next Monday."""
    answer = invite(services)

    [row] = shelves.list_digest_rows()
    assert row["member_id"] == answer.body["member_id"]
    assert row["due_at"].startswith("2026-11-02T13:00")


def test_an_administrator_sees_the_own_people(services):
    """By name, and nobody of another tenant."""
    assert names(services) == sorted([ADMIN.name, COLLEAGUE.name])


def test_an_invited_person_is_a_member_of_the_administrators_tenant(services):
    """Whatever tenant the person might wish for: there is nothing to wish with."""
    answer = invite(services)

    member = services.stores.members.get_by_subject("sub-of-zoe@cedar.example")
    assert (member.tenant_id, member.kind) == (PRACTICE.tenant_id, TenantKind.PRACTICE)
    assert (member.name, member.roles, member.active) == ("Zoë New", {Role.COORDINATOR}, True)
    assert answer.body == {"member_id": member.member_id}


def test_the_same_invitation_again_is_the_same_member(services):
    """The kept answer, and one row."""
    first = invite(services)

    again = invite(services)

    assert again == replace(first, replayed=True)
    assert names(services).count("Zoë New") == 1


def test_a_key_of_another_invitation_is_refused(services):
    """The first one stands."""
    invite(services)

    with pytest.raises(IdempotencyKeyReusedError):
        invite(services, body=b'{"other": 1}', email="max@cedar.example")


def test_a_member_is_not_invited_into_another_role(services):
    """What a colleague may do is changed, not invited anew."""
    with pytest.raises(ConflictError) as refusal:
        invite(services, email=COLLEAGUE.email, account=lambda _: COLLEAGUE.subject)

    assert refusal.value.code == "already_a_member"
    assert services.stores.members.get_by_subject(COLLEAGUE.subject) == COLLEAGUE


@pytest.mark.parametrize("tenant", [OTHER_PRACTICE, CENTER])
def test_a_member_of_another_tenant_is_invited_like_anybody_and_stays_there(services, tenant):
    """The administrator learns nothing, takes nobody over, and may change or repeat it."""
    theirs = build_member(tenant)

    answer = invite(services, email=theirs.email, account=lambda _: theirs.subject)

    listed = [m for m in members.list_members(by=ADMIN, stores=services.stores) if m.name == "Zoë New"]
    assert answer == StoredResponse(status=201, headers={}, body={"member_id": listed[0].member_id})
    assert services.stores.members.get_by_subject(theirs.subject) == theirs
    assert not change(services, listed[0], active=False).active
    with pytest.raises(ConflictError):
        invite(services, email=theirs.email, account=lambda _: theirs.subject, key="key-2")


def test_a_lost_answer_leaves_one_member(services):
    """The reply of the transaction never came; the administrator tries again."""
    with (
        faults.inject_faults(faults.plan_nth_fault("TransactWriteItems", 1, faults.FaultMode.CRASH_AFTER)),
        pytest.raises(faults.SimulatedCrash),
    ):
        invite(services.restart())

    answer = invite(services.restart())

    assert answer.replayed
    assert names(services).count("Zoë New") == 1


@pytest.mark.parametrize("by", [COLLEAGUE, build_member(CENTER)])
def test_only_administrators_manage_people(services, by):
    """Seeing, inviting and changing alike; no account is made for a try."""
    accounts = AccountRecorder()

    for attempt in (
        lambda: names(services, by),
        lambda: invite(services, by=by, account=accounts),
        lambda: change(services, by=by, active=False),
    ):
        with pytest.raises(ForbiddenError):
            attempt()
    assert accounts.given == []


@pytest.mark.parametrize("tenant", [PRACTICE, CENTER])
@pytest.mark.parametrize("role", Role)
def test_a_role_has_to_be_one_of_the_organisation(services, tenant, role):
    """A practice has no clinicians of a center, and nobody makes an operator."""
    admin = build_member(tenant, role=Role.ADMIN)
    fits = role in ROLES_BY_TENANT_KIND[tenant.kind]
    accounts = AccountRecorder()

    if fits:
        invite(services, by=admin, roles=frozenset({role}), account=accounts)
    else:
        with pytest.raises(MalformedError):
            invite(services, by=admin, roles=frozenset({role, Role.ADMIN}), account=accounts)

    assert bool(accounts.given) == fits


def test_nobody_is_a_member_without_a_role(services):
    """Neither invited nor left with none."""
    with pytest.raises(MalformedError):
        invite(services, roles=frozenset())
    with pytest.raises(MalformedError):
        change(services, roles=frozenset())


def test_a_member_is_shut_out_and_let_in_again(services):
    """One version on each time; the roles stay."""
    out = change(services, active=False)
    back = change(services, active=True, version=2)

    assert (out.active, out.version, back.active, back.version) == (False, 2, True, 3)
    assert services.stores.members.get_by_subject(COLLEAGUE.subject) == replace(COLLEAGUE, version=3)


def test_a_members_roles_are_changed(services):
    """From the next request on: nothing remembers the old ones."""
    change(services, roles=frozenset({Role.PROVIDER, Role.ADMIN}))

    member = services.restart().stores.members.get_by_subject(COLLEAGUE.subject)
    assert member.roles == {Role.PROVIDER, Role.ADMIN}


@pytest.mark.parametrize("wanted", [{"active": False}, {"roles": frozenset({Role.PROVIDER})}])
def test_nobody_shuts_themselves_out(services, wanted):
    """So that an administrator always remains."""
    with pytest.raises(ConflictError) as refusal:
        change(services, ADMIN, **wanted)

    assert refusal.value.code == "not_yourself"
    assert services.stores.members.get_by_subject(ADMIN.subject) == ADMIN


def test_a_member_of_another_tenant_is_not_there(services):
    """The same as one who is nowhere."""
    nobody = replace(COLLEAGUE, member_id="mem_unknown")

    for stranger in (build_member(OTHER_PRACTICE), build_member(CENTER), nobody):
        with pytest.raises(NotFoundError):
            change(services, stranger, active=False)


def test_a_change_of_an_old_version_is_refused(services):
    """Of two administrators the second reads again, at whichever moment they meet."""
    other = services.restart()
    quicker = faults.plan_interruption("TransactWriteItems", lambda: change(other, roles=frozenset({Role.PROVIDER})))

    with faults.inject_faults(quicker), pytest.raises(PreconditionFailedError):
        change(services, active=False)
    with pytest.raises(PreconditionFailedError):
        change(services, active=False)

    assert services.stores.members.get_by_subject(COLLEAGUE.subject).active


def test_every_change_of_people_is_in_the_audit(services):
    """Who did what to whom."""
    invite(services)
    change(services, active=False)

    told = {(row["action"], row["referral_id"], row["actor_id"]) for row in shelves.list_rows("audit")}
    newcomer = services.stores.members.get_by_subject("sub-of-zoe@cedar.example")
    assert told == {
        ("member.invite", f"member#{newcomer.member_id}/reads", ADMIN.member_id),
        ("member.change", f"member#{COLLEAGUE.member_id}/reads", ADMIN.member_id),
    }
