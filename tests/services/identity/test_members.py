"""Members: administrators manage the members of their own tenant, but not their own access."""

from dataclasses import replace

import pytest

from chalicelib.domain.identity.members import ROLES_BY_TENANT_KIND, Role, TenantKind
from chalicelib.domain.platform.ids import derive_id
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
from chalicelib.store.platform.idempotency import StoredResponse
from tests.support import faults
from tests.support.factories import CENTER, OTHER_PRACTICE, PRACTICE, build_member
from tests.support.stores import list_digest_rows, list_rows

ADMIN = build_member(PRACTICE, role=Role.ADMIN)
COLLEAGUE = build_member(PRACTICE)


class AccountRecorder:
    """An identity service that gives each address one subject."""

    def __init__(self):
        self.emails = []

    def __call__(self, email):
        self.emails.append(email)
        return f"sub-of-{email}"


def invite(services, *, by=ADMIN, key="key-1", body=b"{}", account=None, **changed):
    """Invite a person."""
    invitation = Invitation(name="Zoë New", email="zoe@cedar.example", roles=frozenset({Role.COORDINATOR}))
    return members.invite_member(
        replace(invitation, **changed),
        by=by,
        create_account=account or AccountRecorder(),
        request=services.build_request(by, "POST /v1/members", key, body),
        build_response=lambda m: StoredResponse(status=201, headers={}, body={"member_id": m.member_id}),
        context=services.context,
    )


def change(services, member=COLLEAGUE, *, by=ADMIN, version=1, **changes):
    """Change a member."""
    return members.change_member(
        member.member_id, MemberChange(**changes), version=version, by=by, context=services.context
    )


def list_names(services, by=ADMIN):
    """The names that an administrator sees."""
    return [m.name for m in members.list_by_name(by=by, stores=services.stores)]


def test_an_invited_member_gets_digests(services):
    """Planned in the transaction of the invitation, for the next Monday."""
    response = invite(services)

    [row] = list_digest_rows()
    assert row["member_id"] == response.body["member_id"]
    assert row["due_at"].startswith("2026-11-02T13:00")


def test_an_administrator_lists_the_own_tenants_members(services):
    """By name, and no member of another tenant."""
    assert list_names(services) == sorted([ADMIN.name, COLLEAGUE.name])


def test_an_invited_person_joins_the_administrators_tenant(services):
    """An invitation cannot name another tenant."""
    response = invite(services)

    member = services.stores.members.get_by_subject("sub-of-zoe@cedar.example")
    assert (member.tenant_id, member.kind) == (PRACTICE.tenant_id, TenantKind.PRACTICE)
    assert (member.name, member.roles, member.active) == ("Zoë New", {Role.COORDINATOR}, True)
    assert response.body == {"member_id": member.member_id}


def test_a_repeated_invitation_returns_the_same_member(services):
    """The stored response, and one member."""
    first = invite(services)

    again = invite(services)

    assert again == replace(first, replayed=True)
    assert list_names(services).count("Zoë New") == 1


def test_an_idempotency_key_of_another_invitation_creates_nothing(services):
    """No account and no member. The first invitation stays as it was."""
    invite(services)
    accounts = AccountRecorder()

    with pytest.raises(IdempotencyKeyReusedError):
        invite(services, body=b'{"other": 1}', email="max@cedar.example", account=accounts)

    assert accounts.emails == []
    assert list_names(services).count("Zoë New") == 1


def test_an_idempotency_key_sent_with_two_addresses_at_once_creates_one_account(services):
    """The second request arrives while the identity service creates the account of the first one."""
    accounts, other = AccountRecorder(), services.restart()

    def create_account_slowly(email):
        with pytest.raises(IdempotencyKeyReusedError):
            invite(other, body=b'{"other": 1}', email="max@cedar.example", account=accounts)
        return accounts(email)

    invite(services, account=create_account_slowly)

    assert accounts.emails == ["zoe@cedar.example"]


def test_an_invitation_sent_twice_at_once_gets_the_same_response(services):
    """The second one is committed while the first one waits for the identity service."""
    responses, other = [], services.restart()

    def create_account_slowly(email):
        responses.append(invite(other))
        return f"sub-of-{email}"

    responses.append(invite(services, account=create_account_slowly))

    assert responses[0] == replace(responses[1], replayed=False)
    assert list_names(services).count("Zoë New") == 1


def test_an_invitation_cannot_change_a_members_roles(services):
    """Roles are changed with `change_member`."""
    with pytest.raises(ConflictError) as refusal:
        invite(services, email=COLLEAGUE.email, account=lambda _: COLLEAGUE.subject)

    assert refusal.value.code == "already_a_member"
    assert services.stores.members.get_by_subject(COLLEAGUE.subject) == COLLEAGUE


@pytest.mark.parametrize("tenant", [OTHER_PRACTICE, CENTER])
def test_a_member_of_another_tenant_gets_a_further_membership(services, tenant):
    """The administrator learns nothing, takes no one over, and can change the member."""
    other_member = build_member(tenant)

    response = invite(services, email=other_member.email, account=lambda _: other_member.subject)

    listed = [m for m in members.list_by_name(by=ADMIN, stores=services.stores) if m.name == "Zoë New"]
    assert response == StoredResponse(status=201, headers={}, body={"member_id": listed[0].member_id})
    assert services.stores.members.get_by_subject(other_member.subject) == other_member
    assert not change(services, listed[0], active=False).active
    with pytest.raises(ConflictError):
        invite(services, email=other_member.email, account=lambda _: other_member.subject, key="key-2")


def test_a_lost_response_leaves_one_member(services):
    """The reply of the transaction never arrived, and the administrator tries again."""
    with (
        faults.inject_faults(faults.plan_nth_fault("TransactWriteItems", 1, faults.FaultMode.CRASH_AFTER)),
        pytest.raises(faults.SimulatedCrash),
    ):
        invite(services.restart())

    response = invite(services.restart())

    assert response.replayed
    assert list_names(services).count("Zoë New") == 1


@pytest.mark.parametrize("by", [COLLEAGUE, build_member(CENTER)])
def test_only_administrators_can_manage_members(services, by):
    """This includes listing, inviting and changing. A refused invitation creates no account."""
    accounts = AccountRecorder()

    for attempt in (
        lambda: list_names(services, by),
        lambda: invite(services, by=by, account=accounts),
        lambda: change(services, by=by, active=False),
    ):
        with pytest.raises(ForbiddenError):
            attempt()
    assert accounts.emails == []


@pytest.mark.parametrize("tenant", [PRACTICE, CENTER])
@pytest.mark.parametrize("role", Role)
def test_a_role_must_fit_the_kind_of_organization(services, tenant, role):
    """A practice has no center clinicians, and no one can create an operator."""
    admin = build_member(tenant, role=Role.ADMIN)
    is_allowed = role in ROLES_BY_TENANT_KIND[tenant.kind]
    accounts = AccountRecorder()

    if is_allowed:
        invite(services, by=admin, roles=frozenset({role}), account=accounts)
    else:
        with pytest.raises(MalformedError):
            invite(services, by=admin, roles=frozenset({role, Role.ADMIN}), account=accounts)

    assert bool(accounts.emails) == is_allowed


def test_a_member_must_have_a_role(services):
    """In an invitation and after a change."""
    with pytest.raises(MalformedError):
        invite(services, roles=frozenset())
    with pytest.raises(MalformedError):
        change(services, roles=frozenset())


def test_a_member_can_be_disabled_and_enabled_again(services):
    """The version increases each time, and the roles stay."""
    disabled = change(services, active=False)
    enabled = change(services, active=True, version=2)

    assert (disabled.active, disabled.version, enabled.active, enabled.version) == (False, 2, True, 3)
    assert services.stores.members.get_by_subject(COLLEAGUE.subject) == replace(COLLEAGUE, version=3)


def test_a_members_roles_can_be_changed(services):
    """From the next request on, because no cache keeps the old ones."""
    change(services, roles=frozenset({Role.PROVIDER, Role.ADMIN}))

    member = services.restart().stores.members.get_by_subject(COLLEAGUE.subject)
    assert member.roles == {Role.PROVIDER, Role.ADMIN}


@pytest.mark.parametrize("changes", [{"active": False}, {"roles": frozenset({Role.PROVIDER})}])
def test_administrators_cannot_remove_their_own_access(services, changes):
    """So that an administrator always remains."""
    with pytest.raises(ConflictError) as refusal:
        change(services, ADMIN, **changes)

    assert refusal.value.code == "not_yourself"
    assert services.stores.members.get_by_subject(ADMIN.subject) == ADMIN


OTHER_ADMIN = build_member(PRACTICE, role=Role.ADMIN, n=2)


def list_active_admins(services):
    """The administrators of the practice who can act."""
    found = services.restart().stores.members.list_for_tenant(PRACTICE.tenant_id)
    return {member.member_id for member in found if member.is_admin and member.has_access}


@pytest.mark.parametrize("changes", [{"active": False}, {"roles": frozenset({Role.PROVIDER})}])
def test_two_administrators_cannot_remove_each_other(services, changes):
    """The second commit finds that its own administrator is no longer one."""
    services.stores.members.add(OTHER_ADMIN)
    other = services.restart()
    interruption = faults.plan_interruption(
        "TransactWriteItems", lambda: change(other, ADMIN, by=OTHER_ADMIN, **changes)
    )

    with faults.inject_faults(interruption), pytest.raises(ForbiddenError) as refusal:
        change(services, OTHER_ADMIN, **changes)

    assert refusal.value.code == "admin_only"
    assert list_active_admins(services) == {OTHER_ADMIN.member_id}


def demote(services, member):
    """Let another administrator remove the role of an administrator."""
    change(services, member, by=OTHER_ADMIN, roles=frozenset({Role.COORDINATOR}))


def test_an_administrator_who_was_just_demoted_cannot_invite(services):
    """The role is lost after the request was authenticated."""
    services.stores.members.add(OTHER_ADMIN)

    def create_account_slowly(email):
        demote(services.restart(), ADMIN)
        return f"sub-of-{email}"

    with pytest.raises(ForbiddenError):
        invite(services, account=create_account_slowly)

    assert "Zoë New" not in list_names(services, OTHER_ADMIN)


def test_an_administrator_whose_other_roles_change_can_still_act(services):
    """The check fails at first, because the row has another version."""
    services.stores.members.add(OTHER_ADMIN)
    other, roles = services.restart(), frozenset({Role.ADMIN, Role.COORDINATOR})
    interruption = faults.plan_interruption(
        "TransactWriteItems", lambda: change(other, ADMIN, by=OTHER_ADMIN, roles=roles)
    )

    with faults.inject_faults(interruption):
        changed = change(services, active=False)

    assert not changed.active


def test_administrators_can_change_their_other_roles(services):
    """The write of the own row is its own check."""
    changed = change(services, ADMIN, roles=frozenset({Role.ADMIN, Role.PROVIDER}))

    assert changed.roles == {Role.ADMIN, Role.PROVIDER}


def store_unusable_membership(services, person):
    """Store a second membership as releases up to 0.2 did: under a key that names no person."""
    member_id = derive_id("mem", PRACTICE.tenant_id, person.subject)
    unusable = build_member(PRACTICE, member_id=member_id, subject=f"invited:{member_id}", name="Zoë New")
    services.stores.members.add(unusable)


def test_a_membership_that_an_earlier_release_stored_without_its_person_works_after_another_invitation(services):
    """The new row replaces it, under the same member id."""
    person = build_member(CENTER)
    store_unusable_membership(services, person)

    response = invite(services, email=person.email, account=lambda _: person.subject)

    memberships = services.stores.members.list_for_person(person.subject)
    assert [member.tenant_id for member in memberships] == [CENTER.tenant_id, PRACTICE.tenant_id]
    assert memberships[1].member_id == response.body["member_id"]
    assert [m.version for m in members.list_by_name(by=ADMIN, stores=services.stores) if m.name == "Zoë New"] == [2]


def test_a_member_of_another_tenant_is_not_found(services):
    """The same error as for an unknown member."""
    unknown = replace(COLLEAGUE, member_id="mem_unknown")

    for member in (build_member(OTHER_PRACTICE), build_member(CENTER), unknown):
        with pytest.raises(NotFoundError):
            change(services, member, active=False)


def test_a_change_of_an_old_version_is_refused(services):
    """The slower of two administrators has to read again, whether they meet at the read or at the commit."""
    other = services.restart()
    interruption = faults.plan_interruption(
        "TransactWriteItems", lambda: change(other, roles=frozenset({Role.PROVIDER}))
    )

    with faults.inject_faults(interruption), pytest.raises(PreconditionFailedError):
        change(services, active=False)
    with pytest.raises(PreconditionFailedError):
        change(services, active=False)

    assert services.stores.members.get_by_subject(COLLEAGUE.subject).active


def test_every_change_of_members_is_in_the_audit_trail(services):
    """With the administrator, the action and the member."""
    invite(services)
    change(services, active=False)

    rows = {(row["action"], row["referral_id"], row["actor_id"]) for row in list_rows("audit")}
    invited = services.stores.members.get_by_subject("sub-of-zoe@cedar.example")
    assert rows == {
        ("member.invite", f"member#{invited.member_id}/reads", ADMIN.member_id),
        ("member.change", f"member#{COLLEAGUE.member_id}/reads", ADMIN.member_id),
    }
