"""The visits after an infusion, and the other dated days of a follow-up."""

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


def a_basis(package=None, *, first_visit_on=None, infused_on=INFUSED_ON):
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


def on(basis, key):
    (day,) = [day for day in list_follow_up_dates(basis) if day.key == key]
    return day.on


def test_visits_are_counted_in_calendar_days_then_in_anniversaries():
    """Days 30 to 365 by the calendar, and each year's day until the fifteenth."""
    found = {visit.rule: visit.on for visit in list_follow_up_visits(INFUSED_ON)}

    for day in FOLLOW_UP_VISIT_DAYS:
        assert found[f"visit_day_{day}"] == INFUSED_ON + timedelta(days=day)
    assert found["visit_year_2"] == date(2028, 11, 2)
    assert found["visit_year_15"] == date(2041, 11, 2)
    assert len(found) == len(FOLLOW_UP_VISIT_DAYS) + LAST_FOLLOW_UP_YEAR - 1


def test_the_anniversary_of_a_leap_day_is_the_last_of_february():
    """The day exists in each year."""
    found = {visit.rule: visit.on for visit in list_follow_up_visits(date(2028, 2, 29))}

    assert found["visit_year_2"] == date(2030, 2, 28)
    assert found["visit_year_4"] == date(2032, 2, 29)


def test_visits_come_in_the_order_of_their_days():
    """Whatever the day of infusion, day 365 comes before the second year."""
    for shift in range(0, 1500, 37):
        found = [visit.on for visit in list_follow_up_visits(INFUSED_ON + timedelta(days=shift))]
        assert found == sorted(found)


def test_without_a_package_the_published_and_the_label_minimum_stand():
    """A center that pushes only stages still leaves its practice a calendar."""
    basis = a_basis()

    assert find_irradiated_blood_end(basis) == (date(2027, 1, 31), False)
    assert find_driving_start(basis) == (INFUSED_ON + timedelta(days=14), False)
    assert {day.kind for day in list_follow_up_dates(basis)} == {FollowUpDateKind.VISIT, FollowUpDateKind.UNTIL}


def test_the_centers_word_comes_before_the_minimum():
    """A package that names the days decides them."""
    basis = a_basis(build_handback_body())

    assert find_irradiated_blood_end(basis) == (date(2027, 2, 15), True)
    assert find_driving_start(basis) == (date(2026, 11, 16), True)
    assert on(basis, "irradiated_until") == date(2027, 2, 15)


def test_care_points_and_stop_dates_stand_on_their_days():
    """Those that have a day; the others are in the checklist alone."""
    basis = a_basis(build_handback_body())

    assert on(basis, "care_point_vaccines_early") == date(2027, 2, 2)
    (stop,) = [day for day in list_follow_up_dates(basis) if day.key.startswith("prophylaxis")]
    assert (stop.on, stop.label) == (date(2027, 11, 2), "Stop date of Aciclovir")
    assert on(basis, "center_visit") == date(2027, 2, 1)
    assert len([d for d in list_follow_up_dates(basis) if d.kind is FollowUpDateKind.CARE_POINT]) == 1


def test_the_first_visit_is_in_the_calendar():
    """As the practice named it when it took the patient back."""
    assert on(a_basis(first_visit_on=date(2026, 12, 8)), "first_visit") == date(2026, 12, 8)


def test_keys_are_unique_whatever_the_package_repeats():
    """Two days with one key would be one entry of a calendar."""
    point = {"care_point_id": "ivig", "text": "x", "due_on": "2027-01-01"}
    basis = a_basis(build_handback_body(care_points=[point, point, point | {"care_point_id": None}]))

    keys = [day.key for day in list_follow_up_dates(basis)]
    assert len(keys) == len(set(keys))


def test_a_day_keeps_its_key_when_others_come_and_go():
    """So that a calendar moves an entry instead of making another."""
    own = {"care_point_id": None, "text": "See the eye clinic", "due_on": "2027-03-01"}
    other = own | {"text": "See the dentist"}

    alone = {d.key for d in list_follow_up_dates(a_basis({"care_points": [own]}))}
    beside = {d.key for d in list_follow_up_dates(a_basis({"care_points": [other, own | {"due_on": "2027-04-01"}]}))}

    assert alone < beside


@pytest.mark.parametrize("point", care_points.load_care_points().values(), ids=lambda p: p.care_point_id)
def test_a_care_point_names_its_source(point):
    """With the time that it speaks for."""
    assert point.source["title"]
    assert point.source["as_of"]
    assert {*point.products} <= {*catalog.load_products()}


def test_care_points_of_one_product_are_offered_for_it_alone():
    """Enterocolitis is on one label only."""
    for product_id in (*catalog.load_products(), None):
        offered = {point.care_point_id for point in care_points.list_for_product(product_id)}
        assert ("enterocolitis" in offered) is (product_id == "carvykti")


def test_both_rhythms_of_igg_are_offered():
    """The two published tables differ, and the center chooses."""
    offered = {point.care_point_id for point in care_points.list_for_product("breyanzi")}

    assert {"igg_monthly", "igg_quarterly"} <= offered


def test_vaccines_are_due_in_calendar_months():
    """Month 3 of an infusion on the last of November is the last of February."""
    point = care_points.load_care_points()["vaccines_early"]

    assert point.compute_due_date(date(2026, 11, 30)) == date(2027, 2, 28)
