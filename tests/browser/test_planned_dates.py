"""Planned dates on the page and in the worklist, at the width of a desk and of a phone."""

from datetime import timedelta

import pytest
from playwright.sync_api import expect

from chalicelib import wiring
from tests.browser.demo_world import CENTER_COORDINATOR, COORDINATOR
from tests.browser.page_driver import PageUser, find_violations

WIDTHS = pytest.mark.parametrize("width", [1280, 390])


@WIDTHS
def test_a_center_plans_a_date_that_the_practice_sees(open_page, demo_world, width):
    """At the top of the page, in the timeline and in the worklist; then it is canceled."""
    path = demo_world.create_referral("Planned", stage="center_proceed")
    center = PageUser(open_page(path, by=CENTER_COORDINATOR, width=width))
    center.open_details("More actions").press("Plan a date")
    dialog = center.page.get_by_role("dialog", name="Plan a date")
    dialog.get_by_label("What is planned?").select_option(label="Leukapheresis")
    on = (wiring.read_clock() + timedelta(days=30)).date()
    dialog.get_by_label("Planned date").fill(on.isoformat())
    dialog.get_by_label("Time").fill("10:30")
    dialog.get_by_label("Place").fill("Fictional building 4")
    assert find_violations(center.page) == []
    dialog.get_by_role("button", name="Plan a date").click()
    expect(dialog).to_be_hidden()

    page = open_page(path, by=COORDINATOR, width=width)

    dates = page.get_by_role("region", name="Dates ahead")
    expect(dates).to_contain_text("Next: Leukapheresis")
    expect(dates).to_contain_text("10:30 AM")
    expect(dates).to_contain_text("Place: Fictional building 4.")
    timeline = page.get_by_role("region", name="Timeline")
    expect(timeline).to_contain_text("Leukapheresis planned")
    assert find_violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    PageUser(page).go("#/worklist/all")
    page.get_by_role("searchbox").fill("Planned")
    row = page.get_by_role("row").filter(has_text="Planned")
    expect(row.get_by_text("Leukapheresis").first).to_be_visible()
    expect(row.get_by_text("10:30 AM").first).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= width

    center.press("Plan a date")
    dialog.get_by_label("What is planned?").select_option(label="Leukapheresis")
    dialog.get_by_role("radio", name="The date is canceled").check()
    expect(dialog.get_by_label("Planned date")).to_have_count(0)
    dialog.get_by_role("button", name="Plan a date").click()
    expect(center.page.get_by_role("region", name="Dates ahead")).to_contain_text("Canceled: Leukapheresis")
