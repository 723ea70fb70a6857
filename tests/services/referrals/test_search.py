"""Lists and counts: the own tenant's, narrowed, and never wrongly at an end."""

from datetime import timedelta
from typing import Any

import pytest

from chalicelib.domain.identity.members import Role, Tenant, TenantKind
from chalicelib.domain.referrals.worklists import Worklist
from chalicelib.errors import ForbiddenError
from chalicelib.services.referrals import search as lists
from chalicelib.services.referrals.search import ReferralFilter, count_referrals, list_referrals
from tests.support import stores as shelves
from tests.support.factories import CENTER, NOON, OTHER_CENTER, OTHER_PRACTICE, PRACTICE, build_member
from tests.support.service_driver import MINUTE

EVERYTHING = ReferralFilter(exact={})


@pytest.fixture
def many_referrals(services):
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
        services.now = NOON + n * MINUTE
        services.refer(f"ref_{n}", key=f"key-{n}", member=build_member(tenant), **more)
    return services


def page(desk, filter_=EVERYTHING, *, member=None, limit=10, start=None):
    """A page as ids, and where it goes on."""
    found, position = list_referrals(
        filter_, limit=limit, start=start, member=member or build_member(PRACTICE), context=desk.context
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


def test_each_tenant_lists_its_own(many_referrals):
    """Latest change first; a draft only for its practice."""
    listed = {
        tenant.tenant_id: whole(many_referrals, member=build_member(tenant))
        for tenant in (PRACTICE, OTHER_PRACTICE, CENTER, OTHER_CENTER)
    }

    assert listed == {
        "prc_cedar": ["ref_5", "ref_3", "ref_1", "ref_0"],
        "prc_maple": ["ref_4", "ref_2"],
        "ctr_harbor": ["ref_2", "ref_1", "ref_0"],
        "ctr_mesa": ["ref_5", "ref_4"],
    }


@pytest.mark.parametrize("limit", [1, 2, 3, 4, 5])
def test_pages_of_any_size_add_up_to_the_list(many_referrals, limit):
    """None left out, none twice."""
    assert whole(many_referrals, limit=limit) == ["ref_5", "ref_3", "ref_1", "ref_0"]


@pytest.mark.parametrize(
    ("filter_", "found"),
    [
        (ReferralFilter(exact={"stage": "draft"}), ["ref_3"]),
        (ReferralFilter(exact={"phase": "referral"}), ["ref_5", "ref_1", "ref_0"]),
        (ReferralFilter(exact={"owner": "practice"}), ["ref_3"]),
        (ReferralFilter(exact={"center_id": "ctr_mesa"}), ["ref_5"]),
        (ReferralFilter(exact={"center_id": "ctr_mesa", "stage": "draft"}), []),
        (ReferralFilter(exact={}, since=NOON + 3 * MINUTE), ["ref_5", "ref_3"]),
        (ReferralFilter(exact={}, since=NOON + timedelta(days=1)), []),
        (ReferralFilter(exact={}, search_text="baker"), ["ref_1"]),
        (ReferralFilter(exact={}, search_text="BAK"), ["ref_1"]),
        (ReferralFilter(exact={}, search_text="çel"), ["ref_3"]),
        (ReferralFilter(exact={}, search_text="ÇEL"), ["ref_3"]),
        (ReferralFilter(exact={}, search_text="zoë"), ["ref_5"]),
        (ReferralFilter(exact={}, search_text="red owl"), ["ref_0"]),
        (ReferralFilter(exact={}, search_text="foreign"), []),
        (ReferralFilter(exact={}, search_text="nobody"), []),
        (ReferralFilter(exact={}, search_text=""), ["ref_5", "ref_3", "ref_1", "ref_0"]),
    ],
)
def test_a_list_can_be_narrowed(many_referrals, filter_, found):
    """By what stands in the index, by time, by a name or an alias; whatever the page's size."""
    assert [whole(many_referrals, filter_, limit=limit) for limit in (1, 10)] == [found, found]


def test_nothing_of_others_is_found_by_a_filter(many_referrals):
    """Another practice's referrals at a center that one asks for."""
    theirs = ReferralFilter(exact={"center_id": "ctr_mesa"})

    assert whole(many_referrals, theirs) == ["ref_5"]
    assert whole(many_referrals, theirs, member=build_member(OTHER_PRACTICE)) == ["ref_4"]


@pytest.mark.parametrize(
    "filter_", [ReferralFilter(exact={"stage": "draft"}), ReferralFilter(exact={}, search_text="Çelik")]
)
def test_a_page_that_a_filter_empties_is_read_on(services, filter_):
    """The only one that fits is the oldest of thirty: the first page has it."""
    services.refer("ref_old", key="key", submit=False, patient__family_name="Çelik")
    for n in range(29):
        services.now += MINUTE
        services.refer(f"ref_{n:02}", key=f"key-{n}")

    found, position = page(services, filter_, limit=2)

    assert found == ["ref_old"]
    assert position is None


def test_a_page_that_takes_too_many_reads_is_handed_out_with_its_rest(services, monkeypatch):
    """Empty, and yet not the end: there is a position to go on from."""
    monkeypatch.setattr(lists, "MAX_READS_PER_PAGE", 2)
    services.refer("ref_old", key="key", submit=False)
    for n in range(6):
        services.now += MINUTE
        services.refer(f"ref_{n}", key=f"key-{n}")
    drafts = ReferralFilter(exact={"stage": "draft"})

    first, position = page(services, drafts, limit=2)

    assert first == []
    assert position is not None
    assert whole(services, drafts, limit=2) == ["ref_old"]


def test_a_list_is_in_the_audit_of_its_tenant(many_referrals):
    """Who listed, of which tenant; not what was in it."""
    page(many_referrals)

    (row,) = [row for row in shelves.list_rows("audit") if row["action"] == "referral.list"]
    assert row["referral_id"] == f"list#{build_member(PRACTICE).member_id}/reads"
    assert row["actor_id"] == build_member(PRACTICE).member_id


def narrowed(member, desk):
    """The phases, and how many wait for the own move."""
    phases, worklists = count_referrals(member=member, context=desk.context)
    return phases, worklists[Worklist.NEEDS_MY_ACTION]


def test_counts_are_of_the_own_tenant(many_referrals):
    """Per phase, and how many wait for the own move."""
    told = {
        tenant.tenant_id: narrowed(build_member(tenant), many_referrals)
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
        build_member(PRACTICE, role=Role.ADMIN),
        build_member(CENTER, role=Role.ADMIN),
        build_member(PRACTICE, kind=TenantKind.OPERATOR),
    ],
    ids=["practice admin", "center admin", "operator"],
)
def test_who_does_not_care_for_patients_lists_and_counts_none(many_referrals, member):
    """Refused, and not an empty list that looks like no work."""
    with pytest.raises(ForbiddenError):
        page(many_referrals, member=member)
    with pytest.raises(ForbiddenError):
        count_referrals(member=member, context=many_referrals.context)
