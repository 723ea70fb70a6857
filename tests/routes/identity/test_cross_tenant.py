"""Random attempts to reach another tenant's data: nothing is revealed, and nothing changes."""

from random import Random

import pytest

from chalicelib.domain.identity.members import Member
from tests.support import route_policy as policy
from tests.support.cross_tenant_probe import (
    LIST_ROUTES,
    NONEXISTENT_IDS,
    OPEN_TO_ALL,
    TARGETED_ROUTES,
    CrossTenantProbe,
)
from tests.support.multi_tenant_world import open_multi_tenant_world, snapshot_protected

TRIES = 2_000

FEW_KINDS = 10
"""Fewer kinds of refusals would mean that the attempts try too little."""


@pytest.fixture(scope="module")
def tenants():
    """A world of many tenants, and the tables behind it."""
    with open_multi_tenant_world(3, 2) as (memory, world):
        yield world, memory


@pytest.fixture(scope="module")
def attempts(tenants):
    """Reads, writes, lists, counts, cursors, audit, deliveries and feeds, by everyone.

    Returns the probe, the rows before and after it, and the refusals that each trail has then.
    """
    people, memory = tenants
    probe = CrossTenantProbe(people, Random(1))  # noqa: S311 as below
    before = snapshot_protected(memory)
    for _ in range(TRIES):
        probe.try_once()
    refusals = {p.tenant_id: list(probe.list_refusals(p)) for p in people.people if p.member.is_admin}
    return probe, (before, snapshot_protected(memory)), refusals


def test_every_member_route_is_tried_or_listed_as_open():
    """A new route is tried from its first day."""
    writes_without_a_name = {("POST", "/v1/referrals"), ("POST", "/v1/members")}
    writes_without_a_name |= {("POST", "/v1/me/calendar"), ("DELETE", "/v1/me/calendar")}
    writes_without_a_name |= {("POST", "/v1/operations/failed-tasks/retry")}
    writes_without_a_name |= {("PUT", "/v1/views/mine"), ("PUT", "/v1/views/shared")}

    assert {*TARGETED_ROUTES, *LIST_ROUTES, *OPEN_TO_ALL, *writes_without_a_name} == set(policy.GUARDED_ROUTES)


def test_the_attempts_would_find_a_missing_check(tenants, attempts, monkeypatch):
    """If every member can see every referral, the probe reports it. So a probe without findings means something.

    The attempts come first, because this probe leaves refusals that no one can get otherwise.
    """
    monkeypatch.setattr(Member, "belongs_to", lambda *_anything: True)
    reading = CrossTenantProbe(tenants[0], Random(2))  # noqa: S311 as below
    for person in tenants[0].people * 4:
        reading.probe_target(person)

    assert any("for an unknown id" in found for found in reading.found)
    assert any("reveals" in found for found in reading.found)


def test_no_attempt_on_another_tenants_data_succeeds(attempts):
    """Nothing is revealed, and nothing changes."""
    probe, (before, after), _ = attempts

    assert probe.found == []
    assert after == before


def test_the_trail_of_an_organization_does_not_say_which_tried_ids_exist(attempts):
    """It has the same rows for an id of another organization and for one that belongs to no one."""
    probe, _, refusals = attempts
    unknown, foreign = set(), set()
    for tenant_id, rows in refusals.items():
        for subject, action, outcome in rows:
            kind, _, name = subject.rpartition("#")
            if name in NONEXISTENT_IDS.values():
                unknown.add((kind, action, outcome))
            elif name in probe.list_foreign_ids(tenant_id):
                foreign.add((kind, action, outcome))

    assert foreign <= unknown
    assert len(unknown) > FEW_KINDS
