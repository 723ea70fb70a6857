"""Random tries at what is another tenant's: nobody gets anything, and nothing changes."""

from random import Random

import pytest

from chalicelib.domain.identity.members import Member
from tests.support import route_policy as policy
from tests.support.cross_tenant_probe import LIST_ROUTES, OPEN_TO_ALL, TARGETED_ROUTES, CrossTenantProbe
from tests.support.multi_tenant_world import open_multi_tenant_world, snapshot_protected

TRIES = 2_000


@pytest.fixture(scope="module")
def tenants():
    """A town, and the tables behind it."""
    with open_multi_tenant_world(3, 2) as (memory, town):
        yield town, memory


def test_every_route_for_members_is_tried_or_known_to_be_open():
    """A new route is tried by strangers from its first day."""
    writes_without_a_name = {("POST", "/v1/referrals"), ("POST", "/v1/members")}
    writes_without_a_name |= {("POST", "/v1/me/calendar"), ("DELETE", "/v1/me/calendar")}

    assert {*TARGETED_ROUTES, *LIST_ROUTES, *OPEN_TO_ALL, *writes_without_a_name} == set(policy.GUARDED_ROUTES)


def test_the_tries_would_find_a_hole(tenants, monkeypatch):
    """Where everybody may see everything, they tell; only so does their silence mean something."""
    monkeypatch.setattr(Member, "can_see", lambda _member, _referral: True)
    reading = CrossTenantProbe(tenants[0], Random(2))  # noqa: S311 as below
    for person in tenants[0].people * 4:
        reading.probe_target(person)

    assert any("told of" in found for found in reading.found)
    assert any("tells" in found for found in reading.found)


def test_no_try_at_what_is_anothers_succeeds(tenants):
    """Reads, writes, lists, counts, cursors, audit, deliveries and feeds, by everybody."""
    people, memory = tenants
    strangers = CrossTenantProbe(people, Random(1))  # noqa: S311 a seed makes the same run again
    before = snapshot_protected(memory)
    for _ in range(TRIES):
        strangers.try_once()

    assert strangers.found == []
    assert snapshot_protected(memory) == before
