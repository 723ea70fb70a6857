"""Who can see a referral, by role, tenant and stage; and who a member is, and can still sign in."""

from datetime import UTC, datetime, timedelta
from itertools import product

import pytest

from chalicelib.domain.identity.members import (
    CARE_ROLES,
    INVITATION_VALID_FOR,
    Member,
    MemberStatus,
    Role,
    TenantKind,
    build_membership_key,
    get_person,
)
from chalicelib.domain.referrals.stages import Actor, Stage
from tests.support.factories import CENTER, OTHER_CENTER, OTHER_PRACTICE, PRACTICE, build_member
from tests.support.referral_values import build_referral

TENANTS = (PRACTICE, OTHER_PRACTICE, CENTER, OTHER_CENTER)
DRAFT = build_referral(Stage.DRAFT)
SUBMITTED = build_referral(Stage.SUBMITTED)
INVITED_AT = datetime(2026, 11, 2, 15, tzinfo=UTC)
PERSON = "5b2f0c5e-6a3d-4c39-9d55-0e6a4d1f7c11"


@pytest.mark.parametrize("role", Role)
def test_a_submitted_referral_is_visible_only_to_its_two_tenants(role):
    """The practice that submitted it and the center that received it."""
    sees = {tenant.tenant_id for tenant in TENANTS if build_member(tenant, role=role).can_see(SUBMITTED)}

    assert sees == {PRACTICE.tenant_id, CENTER.tenant_id}


@pytest.mark.parametrize("role", Role)
def test_a_draft_is_visible_only_to_its_practice(role):
    """A center that the draft names does not know of it."""
    sees = {tenant.tenant_id for tenant in TENANTS if build_member(tenant, role=role).can_see(DRAFT)}

    assert sees == {PRACTICE.tenant_id}


def test_a_referral_without_a_center_is_visible_to_no_center():
    """A center id of None must not match a member whose tenant is missing."""
    referral = build_referral(center_id=None)
    without_tenant = build_member(CENTER, tenant_id=None)

    assert not without_tenant.can_see(referral)
    assert not build_member(CENTER).can_see(referral)


def test_a_tenant_id_counts_only_on_its_own_side():
    """A practice that has the same id as a center does not see the center's referrals."""
    practice_member = build_member(PRACTICE, tenant_id=CENTER.tenant_id)
    center_member = build_member(CENTER, tenant_id=PRACTICE.tenant_id)

    assert not practice_member.can_see(SUBMITTED)
    assert not center_member.can_see(SUBMITTED)


def test_an_operator_sees_no_referral():
    """The organization that operates the service does not need to see patients."""
    operators = [build_member(tenant, kind=TenantKind.OPERATOR, role=role) for tenant, role in product(TENANTS, Role)]

    assert not any(operator.can_see(SUBMITTED) for operator in operators)


@pytest.mark.parametrize("role", Role)
def test_an_administrator_or_operator_alone_has_no_clinical_access(role):
    """They manage members; clinical access needs a clinical role as well."""
    assert build_member(role=role).has_clinical_access == (role not in {Role.ADMIN, Role.OPERATOR})


@pytest.mark.parametrize("role", sorted(CARE_ROLES))
def test_an_administrator_with_a_clinical_role_has_clinical_access(role):
    """One person can have both roles."""
    assert build_member(roles=frozenset({Role.ADMIN, role})).has_clinical_access


def test_a_member_acts_for_its_own_side():
    """A practice's members act as the practice, a center's members as the center."""
    assert build_member(PRACTICE).actor is Actor.PRACTICE
    assert build_member(CENTER).actor is Actor.CENTER


@pytest.mark.parametrize("role", Role)
def test_only_an_administrator_manages_members(role):
    """A clinical role alone does not allow it."""
    assert build_member(role=role).is_admin == (role is Role.ADMIN)


def test_roles_and_tenant_kinds_are_stored_with_their_published_names():
    """Rows that were stored years ago stay readable."""
    assert {role.name: role.value for role in Role} == {
        "ADMIN": "admin",
        "CLINICIAN": "clinician",
        "COORDINATOR": "coordinator",
        "OPERATOR": "operator",
        "PROVIDER": "provider",
    }
    assert {kind.name: kind.value for kind in TenantKind} == {
        "CENTER": "center",
        "OPERATOR": "operator",
        "PRACTICE": "practice",
    }


def test_a_new_member_is_active_at_version_1():
    """Only an explicit change disables a member."""
    member = Member(
        member_id="mem_1",
        subject="sub-1",
        tenant_id="prc_1",
        kind=TenantKind.PRACTICE,
        name="New Person",
        email="new@cedar.example",
        roles=frozenset({Role.PROVIDER}),
    )

    assert (member.active, member.version) == (True, 1)


def test_a_key_of_a_later_membership_names_the_person_and_the_membership():
    """So that a person has one key for each organization."""
    assert build_membership_key(PERSON, "mem_2") == f"{PERSON}#mem_2"


@pytest.mark.parametrize("key", [PERSON, f"{PERSON}#mem_2"])
def test_the_person_is_read_from_every_key(key):
    """Of the first membership, and of a later one."""
    assert get_person(key) == PERSON
    assert build_member(subject=key).person == PERSON


def test_a_key_of_an_old_release_does_not_name_its_person():
    """Only another invitation makes the membership usable."""
    assert not build_member(subject="invited:7").names_person
    assert build_member(subject=PERSON).names_person


@pytest.mark.parametrize(
    ("active", "locked", "has_access"), [(True, False, True), (False, False, False), (True, True, False)]
)
def test_only_an_active_member_of_an_open_organization_has_access(active, locked, has_access):
    """Disabled members and locked organizations have none."""
    assert build_member(active=active, locked=locked).has_access is has_access


@pytest.mark.parametrize(
    ("after", "status"),
    [
        (timedelta(0), MemberStatus.INVITED),
        (INVITATION_VALID_FOR - timedelta(seconds=1), MemberStatus.INVITED),
        (INVITATION_VALID_FOR, MemberStatus.INVITATION_ENDED),
    ],
)
def test_an_invitation_ends_when_its_password_ends(after, status):
    """From that second on it must be sent again."""
    member = build_member(invited_at=INVITED_AT)

    assert member.invitation_ends_at == INVITED_AT + INVITATION_VALID_FOR
    assert member.get_status(INVITED_AT + after) is status


def test_a_person_who_joined_is_active_and_has_no_invitation():
    """However long ago the invitation was sent."""
    member = build_member(invited_at=INVITED_AT, joined_at=INVITED_AT + timedelta(days=1))

    assert member.invitation_ends_at is None
    assert member.get_status(INVITED_AT + timedelta(days=300)) is MemberStatus.ACTIVE


def test_the_status_of_a_member_of_an_old_release_is_not_known():
    """Neither the invitation nor the first visit was stored."""
    assert build_member().get_status(INVITED_AT) is MemberStatus.NOT_KNOWN


def test_a_disabled_member_is_disabled_whatever_else_is_known():
    """Also one who joined."""
    member = build_member(active=False, invited_at=INVITED_AT, joined_at=INVITED_AT)

    assert member.get_status(INVITED_AT) is MemberStatus.DISABLED


@pytest.mark.parametrize(("key", "new_key"), [(PERSON, "new-person"), (f"{PERSON}#mem_7", "new-person#mem_7")])
def test_a_new_account_keeps_the_membership_and_ends_all_sessions(key, new_key):
    """The first membership is named by the person alone, a later one also by itself."""
    before = build_member(
        subject=key, member_id="mem_7", version=4, sessions_ended_at=1_700_000_000, ended_sessions=("old",)
    )

    after = before.with_account("new-person")

    assert (after.subject, after.member_id, after.version) == (new_key, "mem_7", 5)
    assert (after.sessions_ended_at, after.ended_sessions) == (0, ())


@pytest.mark.parametrize(
    ("signed_in_at", "session", "is_open"),
    [(99, "new", False), (100, "new", True), (101, "new", True), (100, "ended", False), (101, "ended", False)],
)
def test_a_session_is_open_if_it_began_after_the_end_of_all_and_was_not_ended(signed_in_at, session, is_open):
    """In the second of the end, only the sessions that ended in it are closed."""
    member = build_member(sessions_ended_at=100, ended_sessions=("ended",))

    assert member.has_open_session(session, signed_in_at=signed_in_at) is is_open


@pytest.mark.parametrize(("role", "treats"), [(Role.COORDINATOR, True), (Role.ADMIN, False)])
def test_only_who_works_with_patients_treats_those_of_the_own_organization(role, treats):
    """An administrator alone does not; nor does anyone of another organization."""
    both = (PRACTICE.tenant_id, CENTER.tenant_id)

    assert build_member(PRACTICE, role=role).treats(*both) is treats
    assert not build_member(OTHER_PRACTICE, role=role).treats(*both)
