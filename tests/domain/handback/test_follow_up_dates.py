"""The visits after an infusion, and the other follow-up dates."""

import hashlib
from datetime import date, timedelta

import pytest

from chalicelib import catalog
from chalicelib.catalog import care_points
from chalicelib.domain.handback.follow_up_dates import (
    FollowUpBasis,
    FollowUpDateKind,
    find_driving_start,
    find_irradiated_blood_end,
    list_follow_up_dates,
)
from chalicelib.domain.handback.visits import FOLLOW_UP_VISIT_DAYS, LAST_FOLLOW_UP_YEAR, list_follow_up_visits
from chalicelib.domain.referrals.monitoring_window import MonitoringWindow
from tests.support.handbacks import build_handback_body

INFUSED_ON = date(2026, 11, 2)


def build_basis(package=None, *, first_visit_on=None, infused_on=INFUSED_ON):
    window = MonitoringWindow(
        time_zone="America/Chicago", infused_on=infused_on, profile=catalog.get_monitoring_profile("breyanzi")
    )
    return FollowUpBasis(
        window=window,
        package=package,
        first_visit_on=first_visit_on,
        irradiated_until=care_points.compute_irradiated_blood_end(infused_on),
        visit_source="a list",
        irradiated_blood_source="a table",
    )


def find_date(basis, key):
    """The date of the entry with this key."""
    (entry,) = [entry for entry in list_follow_up_dates(basis) if entry.key == key]
    return entry.on


def test_visits_are_on_calendar_days_and_then_on_anniversaries():
    """Days 30 to 365 by the calendar, and the anniversaries until year 15."""
    found = {visit.rule: visit.on for visit in list_follow_up_visits(INFUSED_ON)}

    for day in FOLLOW_UP_VISIT_DAYS:
        assert found[f"visit_day_{day}"] == INFUSED_ON + timedelta(days=day)
    assert found["visit_year_2"] == date(2028, 11, 2)
    assert found["visit_year_15"] == date(2041, 11, 2)
    assert len(found) == len(FOLLOW_UP_VISIT_DAYS) + LAST_FOLLOW_UP_YEAR - 1


def test_the_anniversary_of_a_leap_day_is_the_last_day_of_february():
    """So every year has one."""
    found = {visit.rule: visit.on for visit in list_follow_up_visits(date(2028, 2, 29))}

    assert found["visit_year_2"] == date(2030, 2, 28)
    assert found["visit_year_4"] == date(2032, 2, 29)


def test_visits_are_in_the_order_of_their_dates():
    """Whatever the infusion date, day 365 is before the second anniversary."""
    for shift in range(0, 1500, 37):
        found = [visit.on for visit in list_follow_up_visits(INFUSED_ON + timedelta(days=shift))]
        assert found == sorted(found)


def test_without_a_summary_the_published_and_the_label_minimum_apply():
    """The practice has a calendar even if the center sends only stages."""
    basis = build_basis()

    assert find_irradiated_blood_end(basis) == (date(2027, 1, 31), False)
    assert find_driving_start(basis) == (INFUSED_ON + timedelta(days=14), False)
    assert {day.kind for day in list_follow_up_dates(basis)} == {FollowUpDateKind.VISIT, FollowUpDateKind.UNTIL}


def test_the_centers_dates_replace_the_minimums():
    """If the transition-of-care summary has them."""
    basis = build_basis(build_handback_body())

    assert find_irradiated_blood_end(basis) == (date(2027, 2, 15), True)
    assert find_driving_start(basis) == (date(2026, 11, 16), True)
    assert find_date(basis, "irradiated_until") == date(2027, 2, 15)


def test_care_points_and_stop_dates_are_on_their_dates():
    """Only those that have a date; the others are only in the checklist."""
    basis = build_basis(build_handback_body())

    assert find_date(basis, "care_point_vaccines_early") == date(2027, 2, 2)
    (stop,) = [day for day in list_follow_up_dates(basis) if day.key.startswith("prophylaxis")]
    assert (stop.on, stop.label) == (date(2027, 11, 2), "Planned stop date for Acyclovir")
    assert find_date(basis, "center_visit") == date(2027, 2, 1)
    assert len([day for day in list_follow_up_dates(basis) if day.kind is FollowUpDateKind.CARE_POINT]) == 1


def test_the_first_visit_is_in_the_calendar():
    """On the date that the practice named when it acknowledged the return."""
    assert find_date(build_basis(first_visit_on=date(2026, 12, 8)), "first_visit") == date(2026, 12, 8)


@pytest.mark.parametrize(
    ("package", "source"),
    [
        (None, "Product label as of June 26, 2025"),
        (build_handback_body(), "From the center's transition-of-care summary"),
    ],
)
def test_the_driving_date_names_its_source(package, source):
    """With the date of the label in words."""
    (entry,) = [entry for entry in list_follow_up_dates(build_basis(package)) if entry.key == "driving"]

    assert entry.source == source


def test_keys_are_unique_even_if_the_summary_repeats_an_entry():
    """Two dates with one key would be one entry of a calendar."""
    point = {"care_point_id": "ivig", "text": "x", "due_on": "2027-01-01"}
    basis = build_basis(build_handback_body(care_points=[point, point, point | {"care_point_id": None}]))

    keys = [entry.key for entry in list_follow_up_dates(basis)]
    assert len(keys) == len(set(keys))


def test_a_date_keeps_its_key_when_other_dates_come_and_go():
    """So a calendar moves an entry instead of adding another."""
    own = {"care_point_id": None, "text": "See the eye clinic", "due_on": "2027-03-01"}
    other = own | {"text": "See the dentist"}

    alone = {entry.key for entry in list_follow_up_dates(build_basis({"care_points": [own]}))}
    both = {
        entry.key
        for entry in list_follow_up_dates(build_basis({"care_points": [other, own | {"due_on": "2027-04-01"}]}))
    }

    assert alone < both


@pytest.mark.parametrize("point", care_points.load_care_points().values(), ids=lambda point: point.care_point_id)
def test_a_care_point_has_a_dated_source(point):
    """And names only products of the catalog."""
    assert point.source["title"]
    assert point.source["as_of"]
    assert {*point.products} <= {*catalog.load_products()}


def test_a_care_point_for_one_product_is_offered_only_for_it():
    """Only one label mentions enterocolitis."""
    for product_id in (*catalog.load_products(), None):
        offered = {point.care_point_id for point in care_points.list_for_product(product_id)}
        assert ("enterocolitis" in offered) is (product_id == "carvykti")


def test_both_published_igg_schedules_are_offered():
    """Two published tables differ, and the center chooses."""
    offered = {point.care_point_id for point in care_points.list_for_product("breyanzi")}

    assert {"igg_monthly", "igg_quarterly"} <= offered


def test_vaccines_are_due_in_calendar_months():
    """Month 3 after an infusion on the last day of November is the last day of February."""
    point = care_points.load_care_points()["vaccines_early"]

    assert point.compute_due_date(date(2026, 11, 30)) == date(2027, 2, 28)


# The first 12 hexadecimal digits of the SHA-256 of each text that a release has published, by care point.
PUBLISHED_TEXT_DIGESTS = {
    "blood_count": {"3398fb1e03c8"},
    "igg_monthly": {"155090d4abc8", "76356623b0cc"},
    "igg_quarterly": {"9c1cb76c03d1", "d859aee87b4d"},
    "ivig": {"6632c03c3380", "2ccd503bb2bf"},
    "cd4": {"b12a8a86b31c"},
    "slow_recovery": {"cd8862224f15", "ee245cd0f3de"},
    "pneumocystis": {"c0bad88ef1df"},
    "herpes": {"540c59736cd7", "457a48285ffd"},
    "vaccines_early": {"9d75c540c8f1"},
    "vaccines_inactivated": {"76bbf2f4fb9a"},
    "vaccines_live": {"d980e0d1c19f", "c6a3cc13111a"},
    "late_effects": {"a1f9a371d89f", "3314f3b9e8d6"},
    "cancer_screening": {"da5320e36317", "d5ea5fff63cb"},
    "new_malignancy": {"a4a2389e5c88", "5c41246f23bc"},
    "enterocolitis": {"190ef5769154", "a30fad748c65"},
}


@pytest.mark.parametrize("point", care_points.load_care_points().values(), ids=lambda point: point.care_point_id)
def test_each_published_text_of_a_care_point_stays_known(point):
    """Otherwise a stored summary says that the center edited the point. A new text adds its digest to the list."""
    texts = {point.text, *point.earlier_texts}
    digests = {hashlib.sha256(text.encode()).hexdigest()[:12] for text in texts}

    assert digests == PUBLISHED_TEXT_DIGESTS[point.care_point_id]
