"""Stored members and the roster."""

from dataclasses import replace

import pytest

from chalicelib.domain.identity.members import Role
from chalicelib.store.platform.transactions import ConditionFailedError
from tests.support import faults
from tests.support.factories import CENTER, OTHER_PRACTICE, PRACTICE, build_member
from tests.support.stale_reads import make_reads_stale
from tests.support.stores import list_rows


@pytest.fixture
def members(stores):
    """The members."""
    return stores.members


def test_a_stored_member_has_every_field(members):
    """Including several roles and a name that is not ASCII."""
    member = build_member(roles=frozenset({Role.ADMIN, Role.PROVIDER}), name="Zoë O'Brien")
    members.add(member)

    assert members.get_by_subject(member.subject) == member


def test_an_unknown_subject_is_no_member(members):
    """A valid token of a person who is not a member."""
    assert members.get_by_subject("sub-unknown") is None


def test_a_person_can_be_a_member_of_one_tenant_only(members):
    """A second tenant can add the person neither as a member nor to its roster."""
    member = build_member(PRACTICE)
    members.add(member)

    added = members.add(replace(member, tenant_id=OTHER_PRACTICE.tenant_id))

    assert not added
    assert members.get_by_subject(member.subject) == member
    assert [row["tenant_id"] for row in list_rows("roster")] == [PRACTICE.tenant_id]


def test_a_disabled_member_is_read_as_disabled_at_once(members, stores):
    """The read is strongly consistent and not cached."""
    member = build_member()
    members.add(member)
    disabled = replace(member, active=False, version=member.version + 1)

    stores.transactions.commit(members.prepare_save(disabled))

    assert members.get_by_subject(member.subject) == disabled


def test_a_save_over_another_version_fails(members, stores):
    """If two administrators save at once, the second one must read again."""
    member = build_member()
    members.add(member)
    stores.transactions.commit(members.prepare_save(replace(member, version=member.version + 1)))

    with pytest.raises(ConditionFailedError):
        stores.transactions.commit(members.prepare_save(replace(member, version=member.version + 1)))


def test_a_member_row_without_a_version_has_version_1(members):
    """Rows from before versions existed are read during and after a deployment."""
    member = build_member()
    members.add(member)
    row = list_rows("members")[0]
    del row["version"]
    members.table.put(row)

    assert members.get_by_subject(member.subject) == replace(member, version=1)


def test_a_tenant_lists_only_its_own_members(members):
    """No member of another tenant."""
    own = [build_member(PRACTICE, n=n) for n in (1, 2)]
    for member in (*own, build_member(OTHER_PRACTICE), build_member(CENTER)):
        members.add(member)

    listed = list(members.list_for_tenant(PRACTICE.tenant_id))

    assert sorted(m.member_id for m in listed) == sorted(m.member_id for m in own)


def test_an_old_roster_row_gives_no_access_after_a_move(members, stores):
    """A member who moved to another tenant is not found through the roster row that remained."""
    member = build_member(PRACTICE)
    members.add(member)
    moved = replace(member, tenant_id=OTHER_PRACTICE.tenant_id, version=member.version + 1)

    stores.transactions.commit(members.prepare_save(moved))

    assert list(members.list_for_tenant(PRACTICE.tenant_id)) == []
    assert members.get_by_member_id(PRACTICE.tenant_id, member.member_id) is None


def test_members_of_a_tenant_are_read_in_batches_of_100(members):
    """100 is the limit of DynamoDB for one call."""
    added = [build_member(PRACTICE, n=n) for n in range(101)]
    for member in added:
        members.add(member)

    with faults.inject_faults(faults.plan_never) as calls:
        listed = list(members.list_for_tenant(PRACTICE.tenant_id))

    assert listed == sorted(added, key=lambda member: member.member_id)
    assert calls.operations.count("BatchGetItem") == 2
    assert "GetItem" not in calls.operations


def test_a_new_member_is_listed_while_weak_reads_are_stale(members):
    """The list of members to notify depends on no index."""
    member = build_member(PRACTICE)
    with make_reads_stale(1):
        assert list(members.list_for_tenant(PRACTICE.tenant_id)) == []
        assert members.get_by_member_id(PRACTICE.tenant_id, member.member_id) is None
        members.add(member)

        assert list(members.list_for_tenant(PRACTICE.tenant_id)) == [member]
        assert members.get_by_member_id(PRACTICE.tenant_id, member.member_id) == member


def test_a_member_id_belongs_to_one_person(members):
    """The API shows the id, so it must never mean another person."""
    member = build_member(PRACTICE)
    members.add(member)
    other = replace(member, subject="sub-other")

    assert not members.add(other)
    assert members.get_by_subject(other.subject) is None
    assert members.get_by_member_id(PRACTICE.tenant_id, member.member_id) == member


def test_a_member_id_is_found_in_its_own_tenant_only(members):
    """Not in another tenant, and not an unknown id."""
    member = build_member(PRACTICE)
    members.add(member)

    assert members.get_by_member_id(PRACTICE.tenant_id, member.member_id) == member
    assert members.get_by_member_id(OTHER_PRACTICE.tenant_id, member.member_id) is None
    assert members.get_by_member_id(PRACTICE.tenant_id, "mem_unknown") is None
