"""Words that are stored, and so keep their spelling whatever they are called in the code."""

from chalicelib.domain.identity.members import Member, Role, TenantKind


def test_roles_and_kinds_are_stored_as_the_contract_spells_them():
    """A member's row of years ago still says what the member may do."""
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


def test_a_new_member_is_let_in_at_the_first_version():
    """Shut out is who was shut out."""
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
