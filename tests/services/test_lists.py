"""Lists and counts: the own tenant's, narrowed, and never wrongly at an end."""

from datetime import timedelta
from typing import Any

import pytest

from chalicelib.domain.identity.members import Role, Tenant, TenantKind
from chalicelib.domain.referrals.worklists import Worklist
from chalicelib.errors import ForbiddenError
from chalicelib.services.referrals import search as lists
from chalicelib.services.referrals.search import Filter, counts, list_page
from tests.support import shelves
from tests.support.desk import MINUTE
from tests.support.factories import (
    CENTER,
    NOON,
    OTHER_CENTER,
    OTHER_PRACTICE,
    PRACTICE,
    a_member,
)

EVERYTHING = Filter(equal={})


@pytest.fixture
def busy(desk):
    """Six referrals: four of the first practice, of which one is a draft, two of the other."""
    sent: list[tuple[Tenant, dict[str, Any]]] = [
        (PRACTICE, {"patient__family_name": "Abel", "patient__alias": "Red Owl"}),
        (PRACTICE, {"patient__family_name": "Baker"}),
        (OTHER_PRACTICE, {"patient__family_name": "Foreign"}),
        (PRACTICE, {"patient__family_name": "Çelik", "submit": False}),
        (OTHER_PRACTICE, {"center_id": "ctr_mesa"}),
        (PRACTICE, {"patient__given_name": "Zoë", "center_id": "ctr_mesa"}),
    ]
    for n, (tenant, more) in enumerate(sent):
        desk.now = NOON + n * MINUTE
        desk.refer(f"ref_{n}", key=f"key-{n}", member=a_member(tenant), **more)
    return desk


def page(desk, filter_=EVERYTHING, *, member=None, limit=10, start=None):
    """A page as ids, and where it goes on."""
    found, position = list_page(
        filter_,
        limit=limit,
        start=start,
        member=member or a_member(PRACTICE),
        stores=desk.stores,
        now=desk.now,
    )
    return [summary.referral_id for summary in found], position


def whole(desk, filter_=EVERYTHING, *, member=None, limit=10):
    """All pages of a list."""
    ids, position = page(desk, filter_, member=member, limit=limit)
    pages = [ids]
    while position is not None:
        ids, position = page(desk, filter_, member=member, limit=limit, start=position)
        pages.append(ids)
    return [referral_id for ids in pages for referral_id in ids]


def test_each_tenant_lists_its_own(busy):
    """Latest change first; a draft only for its practice."""
    listed = {
        tenant.tenant_id: whole(busy, member=a_member(tenant))
        for tenant in (PRACTICE, OTHER_PRACTICE, CENTER, OTHER_CENTER)
    }

    assert listed == {
        "prc_cedar": ["ref_5", "ref_3", "ref_1", "ref_0"],
        "prc_maple": ["ref_4", "ref_2"],
        "ctr_harbor": ["ref_2", "ref_1", "ref_0"],
        "ctr_mesa": ["ref_5", "ref_4"],
    }


@pytest.mark.parametrize("limit", [1, 2, 3, 4, 5])
def test_pages_of_any_size_add_up_to_the_list(busy, limit):
    """None left out, none twice."""
    assert whole(busy, limit=limit) == ["ref_5", "ref_3", "ref_1", "ref_0"]


@pytest.mark.parametrize(
    ("filter_", "found"),
    [
        (Filter(equal={"stage": "draft"}), ["ref_3"]),
        (Filter(equal={"phase": "referral"}), ["ref_5", "ref_1", "ref_0"]),
        (Filter(equal={"owner": "practice"}), ["ref_3"]),
        (Filter(equal={"center_id": "ctr_mesa"}), ["ref_5"]),
        (Filter(equal={"center_id": "ctr_mesa", "stage": "draft"}), []),
        (Filter(equal={}, since=NOON + 3 * MINUTE), ["ref_5", "ref_3"]),
        (Filter(equal={}, since=NOON + timedelta(days=1)), []),
        (Filter(equal={}, q="baker"), ["ref_1"]),
        (Filter(equal={}, q="BAK"), ["ref_1"]),
        (Filter(equal={}, q="çel"), ["ref_3"]),
        (Filter(equal={}, q="ÇEL"), ["ref_3"]),
        (Filter(equal={}, q="zoë"), ["ref_5"]),
        (Filter(equal={}, q="red owl"), ["ref_0"]),
        (Filter(equal={}, q="foreign"), []),
        (Filter(equal={}, q="nobody"), []),
        (Filter(equal={}, q=""), ["ref_5", "ref_3", "ref_1", "ref_0"]),
    ],
)
def test_a_list_can_be_narrowed(busy, filter_, found):
    """By what stands in the index, by time, by a name or an alias; whatever the page's size."""
    assert [whole(busy, filter_, limit=limit) for limit in (1, 10)] == [found, found]


def test_nothing_of_others_is_found_by_a_filter(busy):
    """Another practice's referrals at a center that one asks for."""
    theirs = Filter(equal={"center_id": "ctr_mesa"})

    assert whole(busy, theirs) == ["ref_5"]
    assert whole(busy, theirs, member=a_member(OTHER_PRACTICE)) == ["ref_4"]


@pytest.mark.parametrize("filter_", [Filter(equal={"stage": "draft"}), Filter(equal={}, q="Çelik")])
def test_a_page_that_a_filter_empties_is_read_on(desk, filter_):
    """The only one that fits is the oldest of thirty: the first page has it."""
    desk.refer("ref_old", key="key", submit=False, patient__family_name="Çelik")
    for n in range(29):
        desk.now += MINUTE
        desk.refer(f"ref_{n:02}", key=f"key-{n}")

    found, position = page(desk, filter_, limit=2)

    assert found == ["ref_old"]
    assert position is None


def test_a_page_that_takes_too_many_reads_is_handed_out_with_its_rest(desk, monkeypatch):
    """Empty, and yet not the end: there is a position to go on from."""
    monkeypatch.setattr(lists, "READS_PER_PAGE", 2)
    desk.refer("ref_old", key="key", submit=False)
    for n in range(6):
        desk.now += MINUTE
        desk.refer(f"ref_{n}", key=f"key-{n}")
    drafts = Filter(equal={"stage": "draft"})

    first, position = page(desk, drafts, limit=2)

    assert first == []
    assert position is not None
    assert whole(desk, drafts, limit=2) == ["ref_old"]


def test_a_list_is_in_the_audit_of_its_tenant(busy):
    """Who listed, of which tenant; not what was in it."""
    page(busy)

    (row,) = [row for row in shelves.rows("audit") if row["action"] == "referral.list"]
    assert row["referral_id"] == f"list#{a_member(PRACTICE).member_id}/reads"
    assert row["actor_id"] == a_member(PRACTICE).member_id


def narrowed(member, desk):
    """The phases, and how many wait for the own move."""
    phases, worklists = counts(member=member, stores=desk.stores, now=desk.now)
    return phases, worklists[Worklist.NEEDS_MY_ACTION]


def test_counts_are_of_the_own_tenant(busy):
    """Per phase, and how many wait for the own move."""
    told = {
        tenant.tenant_id: narrowed(a_member(tenant), busy)
        for tenant in (PRACTICE, OTHER_PRACTICE, CENTER, OTHER_CENTER)
    }

    assert told == {
        "prc_cedar": ({"eligibility": 1, "referral": 3}, 1),
        "prc_maple": ({"referral": 2}, 0),
        "ctr_harbor": ({"referral": 3}, 3),
        "ctr_mesa": ({"referral": 2}, 2),
    }


@pytest.mark.parametrize(
    "member",
    [
        a_member(PRACTICE, role=Role.ADMIN),
        a_member(CENTER, role=Role.ADMIN),
        a_member(PRACTICE, kind=TenantKind.OPERATOR),
    ],
    ids=["practice admin", "center admin", "operator"],
)
def test_who_does_not_care_for_patients_lists_and_counts_none(busy, member):
    """Refused, and not an empty list that looks like no work."""
    with pytest.raises(ForbiddenError):
        page(busy, member=member)
    with pytest.raises(ForbiddenError):
        counts(member=member, stores=busy.stores, now=busy.now)
