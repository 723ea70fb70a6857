"""Who is a member: the tenant's own administrators decide, and nobody decides about themselves."""

from dataclasses import replace

import pytest

from chalicelib.domain.identity.members import ROLES_OF, Role, TenantKind
from chalicelib.errors import (
    ForbiddenError,
    KeyReusedError,
    MalformedError,
    NotFoundError,
    RefusedError,
    StaleError,
)
from chalicelib.services.identity import members
from chalicelib.services.identity.members import Invitation, MemberChange
from chalicelib.store.webhooks.idempotency import Answer
from tests.support import faults, shelves
from tests.support.factories import CENTER, OTHER_PRACTICE, PRACTICE, a_member

ADMIN = a_member(PRACTICE, role=Role.ADMIN)
COLLEAGUE = a_member(PRACTICE)


class Accounts:
    """The identity service: one subject for each address."""

    def __init__(self):
        self.given = []

    def __call__(self, email):
        self.given.append(email)
        return f"sub-of-{email}"


def invite(desk, *, by=ADMIN, key="key-1", body=b"{}", account=None, **changed):
    """Invite somebody."""
    invitation = Invitation(
        name="Zoë New", email="zoe@cedar.example", roles=frozenset({Role.COORDINATOR})
    )
    return members.invite(
        replace(invitation, **changed),
        by=by,
        account=account or Accounts(),
        request=desk.request(by, "POST /v1/members", key, body),
        answer=lambda m: Answer(status=201, headers={}, body={"member_id": m.member_id}),
        stores=desk.stores,
        now=desk.now,
    )


def change(desk, member=COLLEAGUE, *, by=ADMIN, version=1, **wanted):
    """Change a member."""
    return members.change(
        member.member_id,
        MemberChange(**wanted),
        version=version,
        by=by,
        stores=desk.stores,
        now=desk.now,
    )


def names(desk, by=ADMIN):
    """Everyone that an administrator sees."""
    return [m.name for m in members.people(by=by, stores=desk.stores)]


def test_digests_begin_with_the_membership(desk):
    """In its transaction: whoever is invited is told of the next Monday."""
    answer = invite(desk)

    [row] = shelves.digests()
    assert row["member_id"] == answer.body["member_id"]
    assert row["due_at"].startswith("2026-11-02T13:00")


def test_an_administrator_sees_the_own_people(desk):
    """By name, and nobody of another tenant."""
    assert names(desk) == sorted([ADMIN.name, COLLEAGUE.name])


def test_an_invited_person_is_a_member_of_the_administrators_tenant(desk):
    """Whatever tenant the person might wish for: there is nothing to wish with."""
    answer = invite(desk)

    member = desk.stores.members.get("sub-of-zoe@cedar.example")
    assert (member.tenant_id, member.kind) == (PRACTICE.tenant_id, TenantKind.PRACTICE)
    assert (member.name, member.roles, member.active) == ("Zoë New", {Role.COORDINATOR}, True)
    assert answer.body == {"member_id": member.member_id}


def test_the_same_invitation_again_is_the_same_member(desk):
    """The kept answer, and one row."""
    first = invite(desk)

    again = invite(desk)

    assert again == replace(first, replayed=True)
    assert names(desk).count("Zoë New") == 1


def test_a_key_of_another_invitation_is_refused(desk):
    """The first one stands."""
    invite(desk)

    with pytest.raises(KeyReusedError):
        invite(desk, body=b'{"other": 1}', email="max@cedar.example")


def test_a_member_is_not_invited_into_another_role(desk):
    """What a colleague may do is changed, not invited anew."""
    with pytest.raises(RefusedError) as refusal:
        invite(desk, email=COLLEAGUE.email, account=lambda _: COLLEAGUE.subject)

    assert refusal.value.code == "already_a_member"
    assert desk.stores.members.get(COLLEAGUE.subject) == COLLEAGUE


@pytest.mark.parametrize("tenant", [OTHER_PRACTICE, CENTER])
def test_a_member_of_another_tenant_is_invited_like_anybody_and_stays_there(desk, tenant):
    """The administrator learns nothing, takes nobody over, and may change or repeat it."""
    theirs = a_member(tenant)

    answer = invite(desk, email=theirs.email, account=lambda _: theirs.subject)

    listed = [m for m in members.people(by=ADMIN, stores=desk.stores) if m.name == "Zoë New"]
    assert answer == Answer(status=201, headers={}, body={"member_id": listed[0].member_id})
    assert desk.stores.members.get(theirs.subject) == theirs
    assert not change(desk, listed[0], active=False).active
    with pytest.raises(RefusedError):
        invite(desk, email=theirs.email, account=lambda _: theirs.subject, key="key-2")


def test_a_lost_answer_leaves_one_member(desk):
    """The reply of the transaction never came; the administrator tries again."""
    with (
        faults.injected(faults.nth("TransactWriteItems", 1, faults.Mode.CRASH_AFTER)),
        pytest.raises(faults.Crash),
    ):
        invite(desk.anew())

    answer = invite(desk.anew())

    assert answer.replayed
    assert names(desk).count("Zoë New") == 1


@pytest.mark.parametrize("by", [COLLEAGUE, a_member(CENTER)])
def test_only_administrators_manage_people(desk, by):
    """Seeing, inviting and changing alike; no account is made for a try."""
    accounts = Accounts()

    for attempt in (
        lambda: names(desk, by),
        lambda: invite(desk, by=by, account=accounts),
        lambda: change(desk, by=by, active=False),
    ):
        with pytest.raises(ForbiddenError):
            attempt()
    assert accounts.given == []


@pytest.mark.parametrize("tenant", [PRACTICE, CENTER])
@pytest.mark.parametrize("role", Role)
def test_a_role_has_to_be_one_of_the_organisation(desk, tenant, role):
    """A practice has no clinicians of a center, and nobody makes an operator."""
    admin = a_member(tenant, role=Role.ADMIN)
    fits = role in ROLES_OF[tenant.kind]
    accounts = Accounts()

    if fits:
        invite(desk, by=admin, roles=frozenset({role}), account=accounts)
    else:
        with pytest.raises(MalformedError):
            invite(desk, by=admin, roles=frozenset({role, Role.ADMIN}), account=accounts)

    assert bool(accounts.given) == fits


def test_nobody_is_a_member_without_a_role(desk):
    """Neither invited nor left with none."""
    with pytest.raises(MalformedError):
        invite(desk, roles=frozenset())
    with pytest.raises(MalformedError):
        change(desk, roles=frozenset())


def test_a_member_is_shut_out_and_let_in_again(desk):
    """One version on each time; the roles stay."""
    out = change(desk, active=False)
    back = change(desk, active=True, version=2)

    assert (out.active, out.version, back.active, back.version) == (False, 2, True, 3)
    assert desk.stores.members.get(COLLEAGUE.subject) == replace(COLLEAGUE, version=3)


def test_a_members_roles_are_changed(desk):
    """From the next request on: nothing remembers the old ones."""
    change(desk, roles=frozenset({Role.PROVIDER, Role.ADMIN}))

    member = desk.anew().stores.members.get(COLLEAGUE.subject)
    assert member.roles == {Role.PROVIDER, Role.ADMIN}


@pytest.mark.parametrize("wanted", [{"active": False}, {"roles": frozenset({Role.PROVIDER})}])
def test_nobody_shuts_themselves_out(desk, wanted):
    """So that an administrator always remains."""
    with pytest.raises(RefusedError) as refusal:
        change(desk, ADMIN, **wanted)

    assert refusal.value.code == "not_yourself"
    assert desk.stores.members.get(ADMIN.subject) == ADMIN


def test_a_member_of_another_tenant_is_not_there(desk):
    """The same as one who is nowhere."""
    nobody = replace(COLLEAGUE, member_id="mem_unknown")

    for stranger in (a_member(OTHER_PRACTICE), a_member(CENTER), nobody):
        with pytest.raises(NotFoundError):
            change(desk, stranger, active=False)


def test_a_change_of_an_old_version_is_refused(desk):
    """Of two administrators the second reads again, at whichever moment they meet."""
    other = desk.anew()
    quicker = faults.meanwhile(
        "TransactWriteItems", lambda: change(other, roles=frozenset({Role.PROVIDER}))
    )

    with faults.injected(quicker), pytest.raises(StaleError):
        change(desk, active=False)
    with pytest.raises(StaleError):
        change(desk, active=False)

    assert desk.stores.members.get(COLLEAGUE.subject).active


def test_every_change_of_people_is_in_the_audit(desk):
    """Who did what to whom."""
    invite(desk)
    change(desk, active=False)

    told = {(row["action"], row["referral_id"], row["actor_id"]) for row in shelves.rows("audit")}
    newcomer = desk.stores.members.get("sub-of-zoe@cedar.example")
    assert told == {
        ("member.invite", f"member#{newcomer.member_id}/reads", ADMIN.member_id),
        ("member.change", f"member#{COLLEAGUE.member_id}/reads", ADMIN.member_id),
    }
