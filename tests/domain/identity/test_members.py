"""Who can see a referral: every combination of role, tenant and stage of the referral."""

from itertools import product

import pytest

from chalicelib.domain.identity.members import CARE_ROLES, Member, Role, TenantKind
from chalicelib.domain.referrals.stages import Actor, Stage
from tests.support.factories import CENTER, OTHER_CENTER, OTHER_PRACTICE, PRACTICE, build_member
from tests.support.referral_values import build_referral

TENANTS = (PRACTICE, OTHER_PRACTICE, CENTER, OTHER_CENTER)
DRAFT = build_referral(Stage.DRAFT)
SUBMITTED = build_referral(Stage.SUBMITTED)


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
