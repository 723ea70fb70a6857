"""Members and tenants: who may act, and for whom."""

from dataclasses import replace

import pytest

from chalicelib.domain.identity.members import Role, TenantKind
from chalicelib.store.platform.transactions import ConditionFailedError
from tests.support import faults
from tests.support import stores as shelves
from tests.support.factories import CENTER, CENTER_FACTS, OTHER_CENTER, OTHER_PRACTICE, PRACTICE, build_member
from tests.support.stale_reads import make_reads_stale


@pytest.fixture
def members(stores):
    """The members."""
    return stores.members


def test_a_member_comes_back_as_added(members):
    """Every field, several roles."""
    member = build_member(roles=frozenset({Role.ADMIN, Role.PROVIDER}), name="Zoë O'Brien")
    members.add(member)

    assert members.get_by_subject(member.subject) == member


def test_a_stranger_is_nobody(members):
    """A token of somebody who is no member."""
    assert members.get_by_subject("sub-unknown") is None


def test_a_person_is_one_member(members):
    """A second tenant cannot take a person over."""
    member = build_member(PRACTICE)
    members.add(member)

    added = members.add(replace(member, tenant_id=OTHER_PRACTICE.tenant_id))

    assert not added
    assert members.get_by_subject(member.subject) == member


def test_a_change_of_a_member_is_seen_at_once(members, stores):
    """The read is strong and nothing is remembered: who is shut out is out."""
    member = build_member()
    members.add(member)
    shut_out = replace(member, active=False, version=member.version + 1)

    stores.transactions.commit(members.prepare_save(shut_out))

    assert members.get_by_subject(member.subject) == shut_out


def test_a_change_of_another_version_is_refused(members, stores):
    """Two administrators at once: the second one reads again."""
    member = build_member()
    members.add(member)
    stores.transactions.commit(members.prepare_save(replace(member, version=member.version + 1)))

    with pytest.raises(ConditionFailedError):
        stores.transactions.commit(members.prepare_save(replace(member, version=member.version + 1)))


def test_a_member_stored_before_there_were_versions_is_read(members):
    """Old rows and new code stand side by side during a deployment."""
    member = build_member()
    members.add(member)
    row = shelves.list_rows("members")[0]
    del row["version"]
    members.table.put(row)

    assert members.get_by_subject(member.subject) == replace(member, version=1)


def test_a_tenants_people_are_its_own(members):
    """Nobody of another tenant."""
    people = [build_member(PRACTICE, n=n) for n in (1, 2)]
    for member in (*people, build_member(OTHER_PRACTICE), build_member(CENTER)):
        members.add(member)

    found = list(members.list_for_tenant(PRACTICE.tenant_id))

    assert sorted(m.member_id for m in found) == sorted(m.member_id for m in people)


def test_the_roster_only_says_who_there_may_be(members, stores):
    """Somebody who has moved to another tenant is not taken by the row that stayed behind."""
    member = build_member(PRACTICE)
    members.add(member)
    moved = replace(member, tenant_id=OTHER_PRACTICE.tenant_id, version=member.version + 1)

    stores.transactions.commit(members.prepare_save(moved))

    assert list(members.list_for_tenant(PRACTICE.tenant_id)) == []
    assert members.get_by_member_id(PRACTICE.tenant_id, member.member_id) is None


def test_a_tenants_people_are_read_a_hundred_at_a_time(members):
    """As many as DynamoDB takes in one call, however many there are."""
    people = [build_member(PRACTICE, n=n) for n in range(101)]
    for member in people:
        members.add(member)

    with faults.inject_faults(faults.plan_never) as calls:
        found = list(members.list_for_tenant(PRACTICE.tenant_id))

    assert found == sorted(people, key=lambda member: member.member_id)
    assert calls.operations.count("BatchGetItem") == 2
    assert "GetItem" not in calls.operations


def test_whoever_joined_is_there_at_once(members):
    """While every weak read is as of before: what tells people rests on no index."""
    member = build_member(PRACTICE)
    with make_reads_stale(1):
        assert list(members.list_for_tenant(PRACTICE.tenant_id)) == []
        assert members.get_by_member_id(PRACTICE.tenant_id, member.member_id) is None
        members.add(member)

        assert list(members.list_for_tenant(PRACTICE.tenant_id)) == [member]
        assert members.get_by_member_id(PRACTICE.tenant_id, member.member_id) == member


def test_a_member_stands_on_the_roster_or_is_none(members):
    """Both rows or neither: a person of another tenant is not even named there."""
    member = build_member(PRACTICE)
    members.add(member)

    members.add(replace(member, tenant_id=OTHER_PRACTICE.tenant_id))

    assert [row["tenant_id"] for row in shelves.list_rows("roster")] == [PRACTICE.tenant_id]


def test_an_id_of_a_tenant_is_one_persons(members):
    """The API shows it, so it may not come to mean somebody else."""
    member = build_member(PRACTICE)
    members.add(member)
    other = replace(member, subject="sub-other")

    assert not members.add(other)
    assert members.get_by_subject(other.subject) is None
    assert members.get_by_member_id(PRACTICE.tenant_id, member.member_id) == member


def test_a_member_is_found_by_the_id_that_the_api_shows(members):
    """In the own tenant, and in no other."""
    member = build_member(PRACTICE)
    members.add(member)

    assert members.get_by_member_id(PRACTICE.tenant_id, member.member_id) == member
    assert members.get_by_member_id(OTHER_PRACTICE.tenant_id, member.member_id) is None
    assert members.get_by_member_id(PRACTICE.tenant_id, "mem_unknown") is None


def test_a_tenant_comes_back_as_added(stores):
    """By kind and id; an id of the other kind is another tenant."""
    stores.tenants.add(PRACTICE, {})

    assert stores.tenants.get(TenantKind.PRACTICE, PRACTICE.tenant_id) == PRACTICE
    assert stores.tenants.get(TenantKind.CENTER, PRACTICE.tenant_id) is None
    assert not stores.tenants.add(replace(PRACTICE, name="Impostor"), {})


def test_the_directory_has_every_center_and_no_practice(stores):
    """In the order of their names, with what the API tells of them."""
    for tenant in (OTHER_CENTER, PRACTICE, CENTER):
        stores.tenants.add(tenant, CENTER_FACTS)

    centers = stores.tenants.list_centers()

    assert [center.tenant for center in centers.values()] == [CENTER, OTHER_CENTER]
    assert centers[CENTER.tenant_id].listing == CENTER_FACTS
    assert centers[CENTER.tenant_id].center_id == CENTER.tenant_id


def test_the_directory_is_read_once_in_a_while(stores):
    """It changes seldom, and every decision needs a center's time zone."""
    stores.tenants.add(CENTER, CENTER_FACTS)
    stores.tenants.list_centers()

    with faults.inject_faults(faults.plan_never) as calls:
        kept = [stores.tenants.get_center(CENTER.tenant_id) for _ in range(5)]

    assert calls.operations == []
    assert all(kept)


def test_a_new_center_is_seen_at_once_by_who_added_it(stores):
    """What was remembered is forgotten."""
    stores.tenants.add(CENTER, CENTER_FACTS)
    stores.tenants.list_centers()

    stores.tenants.add(OTHER_CENTER, CENTER_FACTS)

    assert OTHER_CENTER.tenant_id in stores.tenants.list_centers()


@pytest.mark.parametrize("center_id", [None, "", "ctr_unknown", PRACTICE.tenant_id])
def test_what_is_no_center_is_none(stores, center_id):
    """Nothing named, or nothing known."""
    stores.tenants.add(PRACTICE, {})

    assert stores.tenants.get_center(center_id) is None
