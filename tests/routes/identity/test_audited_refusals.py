"""Every refusal that names an object leaves an audit row, under the id of the object or one name for impossible ids."""

from random import Random

import pytest

from chalicelib.domain.identity.members import Role, TenantKind
from chalicelib.domain.platform.ids import IMPOSSIBLE_ID
from tests.support import factories
from tests.support import route_policy as policy
from tests.support.cross_tenant_probe import FOREIGN_IDS, NONEXISTENT_IDS, TARGETED_ROUTES
from tests.support.multi_tenant_world import open_multi_tenant_world

TEXT = "Ana-Example-DLBCL"
REFUSED = {403, 404, 412}
SUBJECTS = ("referral_id", "member_id", "notice_id", "center_id", "entry_id")


@pytest.fixture(scope="module")
def tenants():
    """A world of several tenants, and the tables behind it."""
    with open_multi_tenant_world(2, 2) as (memory, world):
        yield world, memory


def list_refusals(memory, known=()):
    """Return the subjects and outcomes of all refusals in the audit trail, without the known ones."""
    rows = {(row["referral_id"]["S"], row["entry"]["S"]): row for row in memory.list_rows("audit")}
    refusals = {key: row for key, row in rows.items() if row["outcome"]["S"] != "allowed"}
    return {key: (row["subject"]["S"], row["outcome"]["S"]) for key, row in refusals.items() if key not in known}


def send(site, route, ids):
    """Send a request to a route with ids, with a body and headers that it accepts."""
    headers = {"Idempotency-Key": "k", "If-Match": '"1"'}
    path = route[1].format(**ids) + policy.QUERIES.get(route, "")
    return site.send(route[0], path, policy.build_body(route, unique="nobody"), headers=headers)


@pytest.mark.parametrize("role", [Role.COORDINATOR, Role.ADMIN])
@pytest.mark.parametrize("kind", [TenantKind.PRACTICE, TenantKind.CENTER])
@pytest.mark.parametrize("route", TARGETED_ROUTES, ids=" ".join)
def test_a_refusal_of_another_tenants_object_leaves_one_row(tenants, route, kind, role):
    """On every route that names an object: with who tried, what was tried, and the id."""
    world, memory = tenants
    who = next(p for p in world.people if p.member.kind is kind and role in p.member.roles)
    names = [name for name in FOREIGN_IDS if f"{{{name}}}" in route[1]]
    ids = {name: FOREIGN_IDS[name](world, who, Random(7)) for name in names}  # noqa: S311 a seed repeats the choice
    before = list_refusals(memory)

    answer = send(who.site, route, ids)

    assert answer.status in REFUSED, answer.text
    [(subject, outcome)] = list_refusals(memory, before).values()
    assert subject.rpartition("#")[2] == next(ids[name] for name in SUBJECTS if name in ids)
    assert outcome == answer.json["code"]


@pytest.mark.parametrize("route", TARGETED_ROUTES, ids=" ".join)
def test_text_in_place_of_an_id_is_never_stored(tenants, route):
    """It is recorded under one name, and makes no chain of its own."""
    world, memory = tenants
    who = next(p for p in world.people if p.member.kind is TenantKind.CENTER and Role.ADMIN in p.member.roles)
    before = list_refusals(memory)

    answer = send(who.site, route, dict.fromkeys(NONEXISTENT_IDS, TEXT))

    assert [*list_refusals(memory, before).values()] == [(IMPOSSIBLE_ID, answer.json["code"])]
    assert TEXT not in str(memory.list_rows("audit"))


def test_the_refused_continuation_of_another_tenants_referral_leaves_a_row(tenants):
    """An id in a body is recorded like one in a path."""
    world, memory = tenants
    who = next(p for p in world.people if p.member.kind is TenantKind.PRACTICE and Role.COORDINATOR in p.member.roles)
    theirs = next(r for r in world.referrals if not world.can_see(who, r))
    before = list_refusals(memory)

    answer = who.site.post(
        "/v1/referrals", factories.build_referral_body(submit=False, center_id=None, continues=theirs)
    )

    assert answer.status == 404
    assert [*list_refusals(memory, before).values()] == [(theirs, "not_found")]
