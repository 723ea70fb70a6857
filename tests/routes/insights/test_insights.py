"""The figures of an organization's own referrals, as its members read them."""

from collections import Counter

import pytest

from tests.support.api_driver import REQUIRED_STAGES_TO_INFUSED
from tests.support.insights import CSV, count, decline, get_insights, list_days, move, read_csv, refer
from tests.support.shared_clinic import open_shared_clinic


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """A clinic with 5 infused patients, 5 whose referral was declined, and 5 whose referral is open."""
    with open_shared_clinic(tmp_path_factory.mktemp("insights")) as opened:
        for _ in range(5):
            move(opened, refer(opened), "received", *REQUIRED_STAGES_TO_INFUSED)
            decline(opened, refer(opened))
            refer(opened)
        yield opened


def test_each_step_counts_the_referrals_that_reached_it(world):
    """A referral that was infused has also reached every step before."""
    total = get_insights(world.practice)["total"]

    assert count(total) == {
        "submitted": 15,
        "accepted": 5,
        "consult_completed": 5,
        "center_proceed": 5,
        "apheresis_completed": 5,
        "infused": 5,
        "handed_back": 0,
    }


def test_a_referral_without_an_ending_or_infusion_is_open(world):
    """It does not count as one that failed."""
    total = get_insights(world.practice)["total"]

    assert (total["open"], total["ended"]) == (5, 5)


def test_endings_are_counted_by_reason(world):
    """The label is that of the timeline."""
    [reason] = get_insights(world.practice)["total"]["reasons"]

    assert (reason["label"], reason["referrals"]) == ("Disease progression", 5)


def test_days_are_counted_between_the_dates_at_which_steps_were_true(world):
    """All of this was reported today, with dates in the past."""
    total = get_insights(world.practice)["total"]

    assert list_days(total, "received_to_accepted") == (2, 2, 2, 5)


def test_an_interval_without_a_referral_has_no_figures(world):
    """No one was returned yet."""
    assert list_days(get_insights(world.practice)["total"], "return_to_acknowledgment") == (None, None, None, 0)


def test_both_sides_of_the_same_referrals_see_the_same_figures(world):
    """Days are those of the center's calendar for both."""
    assert get_insights(world.center)["total"] == get_insights(world.practice)["total"]


@pytest.mark.parametrize("handle", ["other_practice", "other_center"])
def test_an_organization_without_referrals_sees_zeros(world, handle):
    """The referrals of others are not counted."""
    total = get_insights(getattr(world, handle))["total"]

    assert set(count(total).values()) == {0}


def test_published_medians_have_their_source(world):
    """A figure without its source and date cannot be checked."""
    published = get_insights(world.practice)["published"]

    sources = {source["source_id"]: source for source in published["sources"]}
    assert all(sources[each["source"]]["published_on"] for each in (*published["intervals"], *published["endings"]))


def test_a_read_leaves_an_audit_row(world):
    """It is in the chain of the member's lists."""
    rows = read_audit(world, "insights.read")
    get_insights(world.practice)

    assert read_audit(world, "insights.read") == rows + 1


def test_an_export_leaves_an_audit_row_of_its_own(world):
    """Tables that leave the product can be told from those that were only looked at."""
    rows = read_audit(world, "insights.export")
    assert world.practice.get(CSV).status == 200

    assert read_audit(world, "insights.export") == rows + 1


def read_audit(site, action):
    member_id = site.members["practice"].member_id
    rows = site.stores.audit_log.list_chained_rows(f"list#{member_id}/reads")
    return Counter(row["action"] for row in rows)[action]


def test_the_export_has_the_figures_of_the_page(world):
    """One row for each row of the tables."""
    rows = read_csv(world.practice.get(CSV))

    infused = next(row for row in rows if row["Row"] == "Infused")
    assert (infused["Group"], infused["Referrals"], infused["Percent of all referrals"]) == ("All referrals", "5", "33")
