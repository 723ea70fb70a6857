"""Who may see a referral: exhaustive over kinds, tenants and what became of the referral."""

from itertools import product

import pytest

from chalicelib.domain.identity.members import CARE_ROLES, Role, TenantKind
from chalicelib.domain.referrals.stages import Actor, Stage
from tests.support.factories import CENTER, OTHER_CENTER, OTHER_PRACTICE, PRACTICE, build_member
from tests.support.referral_values import build_referral

TENANTS = (PRACTICE, OTHER_PRACTICE, CENTER, OTHER_CENTER)
DRAFT = build_referral(Stage.DRAFT)
SUBMITTED = build_referral(Stage.SUBMITTED)


@pytest.mark.parametrize("role", Role)
def test_a_submitted_referral_is_seen_by_its_two_tenants_only(role):
    """The practice that sent it and the center that it went to."""
    sees = {t.tenant_id for t in TENANTS if build_member(t, role=role).can_see(SUBMITTED)}

    assert sees == {PRACTICE.tenant_id, CENTER.tenant_id}


@pytest.mark.parametrize("role", Role)
def test_a_draft_is_seen_by_its_practice_only(role):
    """A center that a draft names knows nothing of it."""
    sees = {t.tenant_id for t in TENANTS if build_member(t, role=role).can_see(DRAFT)}

    assert sees == {PRACTICE.tenant_id}


def test_a_referral_without_a_center_is_nobody_elses():
    """A center id of None must not match a member whose tenant is missing."""
    referral = build_referral(center_id=None)
    nobody = build_member(CENTER, tenant_id=None)

    assert not nobody.can_see(referral)
    assert not build_member(CENTER).can_see(referral)


def test_a_tenants_id_counts_only_on_its_own_side():
    """A practice whose id is spelled as the center's does not see the center's referrals."""
    impostor = build_member(PRACTICE, tenant_id=CENTER.tenant_id)
    other_way = build_member(CENTER, tenant_id=PRACTICE.tenant_id)

    assert not impostor.can_see(SUBMITTED)
    assert not other_way.can_see(SUBMITTED)


def test_an_operator_sees_no_patient():
    """Who runs the service has no business with what is in it."""
    operators = [build_member(tenant, kind=TenantKind.OPERATOR, role=role) for tenant, role in product(TENANTS, Role)]

    assert not any(operator.can_see(SUBMITTED) for operator in operators)


@pytest.mark.parametrize("role", Role)
def test_an_administrator_or_operator_alone_does_not_care_for_patients(role):
    """They manage people; a role in care has to come with it."""
    assert build_member(role=role).has_clinical_access == (role not in {Role.ADMIN, Role.OPERATOR})


@pytest.mark.parametrize("role", sorted(CARE_ROLES))
def test_an_administrator_with_a_role_in_care_cares(role):
    """One person may do both."""
    assert build_member(roles=frozenset({Role.ADMIN, role})).has_clinical_access


def test_a_member_moves_a_referral_for_the_own_side():
    """A practice's people act as the practice, a center's as the center."""
    assert build_member(PRACTICE).actor is Actor.PRACTICE
    assert build_member(CENTER).actor is Actor.CENTER


@pytest.mark.parametrize("role", Role)
def test_only_an_administrator_manages_people(role):
    """Who works with patients does not decide by that who else is a member."""
    assert build_member(role=role).is_admin == (role is Role.ADMIN)
