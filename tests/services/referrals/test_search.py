"""Lists and counts of the own tenant's referrals, with filters and pages."""

from datetime import timedelta
from typing import Any

import pytest

from chalicelib.domain.identity.members import Role, Tenant, TenantKind
from chalicelib.domain.referrals.worklists import Worklist
from chalicelib.errors import ForbiddenError
from chalicelib.services.referrals import search as lists
from chalicelib.services.referrals.count import count_referrals
from chalicelib.services.referrals.list_filters import ReferralFilter
from chalicelib.services.referrals.search import list_referrals
from tests.support import faults
from tests.support.factories import CENTER, NOON, OTHER_CENTER, OTHER_PRACTICE, PRACTICE, build_member
from tests.support.service_driver import MINUTE
from tests.support.stores import list_rows

EVERYTHING = ReferralFilter(exact={})


@pytest.fixture
def many_referrals(services):
    """Six referrals: four of the first practice, one of them a draft, and two of the other practice."""
    referrals: list[tuple[Tenant, dict[str, Any]]] = [
        (PRACTICE, {"patient__family_name": "Abel", "patient__alias": "Red Owl"}),
        (PRACTICE, {"patient__family_name": "Baker"}),
        (OTHER_PRACTICE, {"patient__family_name": "Foreign"}),
        (PRACTICE, {"patient__family_name": "Çelik", "submit": False}),
        (OTHER_PRACTICE, {"center_id": "ctr_mesa"}),
        (PRACTICE, {"patient__given_name": "Zoë", "center_id": "ctr_mesa"}),
    ]
    for n, (tenant, more) in enumerate(referrals):
        services.now = NOON + n * MINUTE
        services.refer(f"ref_{n}", key=f"key-{n}", member=build_member(tenant), **more)
    return services


def list_page(services, filter_=EVERYTHING, *, member=None, limit=10, start=None):
    """The ids on a page, and the position of the next page."""
    found, position = list_referrals(
        filter_, limit=limit, start=start, member=member or build_member(PRACTICE), context=services.context
    )
    return [summary.referral_id for summary in found], position


def list_all_pages(services, filter_=EVERYTHING, *, member=None, limit=10):
    """The ids on all pages of a list."""
    ids, position = list_page(services, filter_, member=member, limit=limit)
    pages = [ids]
    while position is not None:
        ids, position = list_page(services, filter_, member=member, limit=limit, start=position)
        pages.append(ids)
    return [referral_id for ids in pages for referral_id in ids]


def test_each_tenant_lists_its_own_referrals(many_referrals):
    """Latest change first; a draft only for its practice."""
    listed = {
        tenant.tenant_id: list_all_pages(many_referrals, member=build_member(tenant))
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
    """No referral is missing, and none appears twice."""
    assert list_all_pages(many_referrals, limit=limit) == ["ref_5", "ref_3", "ref_1", "ref_0"]


@pytest.mark.parametrize(
    ("filter_", "found"),
    [
        (ReferralFilter(exact={"stage": ["draft"]}), ["ref_3"]),
        (ReferralFilter(exact={"stage": ["draft", "submitted"], "center_id": ["ctr_mesa"]}), ["ref_5"]),
        (ReferralFilter(exact={"phase": ["referral"]}), ["ref_5", "ref_1", "ref_0"]),
        (ReferralFilter(exact={"owner": ["practice"]}), ["ref_3"]),
        (ReferralFilter(exact={"center_id": ["ctr_mesa"]}), ["ref_5"]),
        (ReferralFilter(exact={"center_id": ["ctr_mesa"], "stage": ["draft"]}), []),
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
def test_a_list_can_be_filtered(many_referrals, filter_, found):
    """By index attributes, by time, or by a name or alias, with any page size."""
    assert [list_all_pages(many_referrals, filter_, limit=limit) for limit in (1, 10)] == [found, found]


def test_a_filter_finds_no_referral_of_another_tenant(many_referrals):
    """Not another practice's referrals at the same center."""
    at_mesa = ReferralFilter(exact={"center_id": ["ctr_mesa"]})

    assert list_all_pages(many_referrals, at_mesa) == ["ref_5"]
    assert list_all_pages(many_referrals, at_mesa, member=build_member(OTHER_PRACTICE)) == ["ref_4"]


@pytest.mark.parametrize(
    "filter_", [ReferralFilter(exact={"stage": ["draft"]}), ReferralFilter(exact={}, search_text="Çelik")]
)
def test_a_list_reads_on_until_a_page_has_a_match(services, filter_):
    """The only match is the oldest of thirty, and the first page has it."""
    services.refer("ref_old", key="key", submit=False, patient__family_name="Çelik")
    for n in range(29):
        services.now += MINUTE
        services.refer(f"ref_{n:02}", key=f"key-{n}")

    found, position = list_page(services, filter_, limit=2)

    assert found == ["ref_old"]
    assert position is None


def test_a_page_stops_after_too_many_reads_and_has_a_next_page(services, monkeypatch):
    """It can be empty and still have a position to continue from."""
    monkeypatch.setattr(lists, "MAX_READS_PER_PAGE", 1)
    services.refer("ref_old", key="key", submit=False)
    for n in range(6):
        services.now += MINUTE
        services.refer(f"ref_{n}", key=f"key-{n}")
    drafts = ReferralFilter(exact={"stage": ["draft"]})

    first, position = list_page(services, drafts, limit=2)

    assert first == []
    assert position is not None
    assert list_all_pages(services, drafts, limit=2) == ["ref_old"]


def test_a_page_that_finds_nothing_takes_four_queries(services):
    """However many rows are left: then it is returned empty, with a position."""
    for n in range(90):
        services.now += MINUTE
        services.refer(f"ref_{n:02}", key=f"key-{n}")
    list_page(services)

    with faults.inject_faults(faults.plan_never) as calls:
        found, position = list_page(services, ReferralFilter(exact={"stage": ["draft"]}), limit=1)

    assert (found, position is not None) == ([], True)
    assert calls.operations.count("Query") == 4


def test_a_list_is_in_the_audit_trail(many_referrals):
    """With the member and the tenant, but not with what was in the list."""
    list_page(many_referrals)

    (row,) = [row for row in list_rows("audit") if row["action"] == "referral.list"]
    assert row["referral_id"] == f"list#{build_member(PRACTICE).member_id}/reads"
    assert row["actor_id"] == build_member(PRACTICE).member_id


def count(member, services):
    """The counts by phase, and how many referrals need the member's action."""
    counts = count_referrals(member=member, context=services.context)
    return counts.phases, counts.worklists[Worklist.NEEDS_MY_ACTION]


def test_counts_leave_no_audit_row(many_referrals):
    """They show no patient. The list, which the dashboard asks for at the same time, leaves one."""
    before = list_rows("audit")

    count(build_member(PRACTICE), many_referrals)

    assert list_rows("audit") == before


def test_counts_include_only_the_own_tenant(many_referrals):
    """By phase, and how many need the member's action."""
    counts = {
        tenant.tenant_id: count(build_member(tenant), many_referrals)
        for tenant in (PRACTICE, OTHER_PRACTICE, CENTER, OTHER_CENTER)
    }

    assert counts == {
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
def test_a_member_without_clinical_access_cannot_list_or_count(many_referrals, member):
    """An error, not an empty list that looks like no work."""
    with pytest.raises(ForbiddenError):
        list_page(many_referrals, member=member)
    with pytest.raises(ForbiddenError):
        count_referrals(member=member, context=many_referrals.context)
