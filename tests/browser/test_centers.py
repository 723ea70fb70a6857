"""The center finder: search, compare, and start a referral."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.demo_world import COORDINATOR
from tests.browser.page_driver import find_violations


@pytest.fixture
def search_page(as_coordinator):
    """A coordinator on the center finder, with the centers near Amarillo."""
    as_coordinator.go("#/centers").fill(Near_ZIP_code="79106").press("Find centers")
    expect(locate_cards(as_coordinator.page).first).to_contain_text("355 mi")
    return as_coordinator


def locate_cards(page):
    """The cards of the centers in the list."""
    return page.locator("ol .center-card")


def select_to_compare(page, *numbers):
    """Select centers to compare, by their numbers in the list."""
    for number in numbers:
        locate_cards(page).nth(number - 1).get_by_label("Compare").check()


def test_the_nearest_center_comes_first_and_the_map_shows_only_listed_centers(search_page):
    """Distances are straight-line miles, and the page says so. Each number on the map is in the list."""
    page = search_page.page

    expect(page.get_by_role("heading", level=2).first).to_contain_text(
        "Sorted by straight-line distance from 79106, then by name"
    )
    expect(locate_cards(page)).to_have_count(12)
    center_map = page.get_by_role("img", name=re.compile("^Map around ZIP code 79106"))
    numbers = {int(text) for text in center_map.locator(".map-pin text").all_text_contents()}
    assert numbers <= set(range(1, 13))
    assert {1, 2, 3} <= numbers
    expect(page.locator("figcaption")).to_contain_text("not driving distance")


def test_a_center_shows_its_facts_with_source_and_date(search_page):
    """Authorization, capacity, payer networks, and contacts."""
    first = locate_cards(search_page.page).first

    expect(first).to_contain_text(re.compile(r"Listed as authorized by .+, as of Jul 1, 2026"))
    expect(first).to_contain_text(re.compile(r"consultation in about 16 days\s*As of Nov 20, 2026"))
    expect(first).to_contain_text("Not a guarantee of coverage")
    expect(first).to_contain_text(re.compile(r"Local time 1?\d:\d\d\s[AP]M M[SD]T"))
    expect(first.get_by_role("link", name="(303) 555-0110")).to_be_visible()


def test_a_filter_narrows_the_list_immediately(search_page):
    """Two centers treat children, and one of them offers the product."""
    search_page.choose("Age group", "Children").choose("Product", "Tecartus")

    expect(locate_cards(search_page.page)).to_have_count(1)
    expect(locate_cards(search_page.page)).to_contain_text("Northern Loon")


@pytest.mark.parametrize("typed", ["K1A 0B1", "00000"])
def test_the_error_of_a_wrong_zip_code_is_at_its_field(search_page, typed):
    """The field's description has the error message, and the page asks to correct it."""
    search_page.fill(Near_ZIP_code=typed).press("Find centers")

    field = search_page.page.get_by_label("Near ZIP code")
    expect(field).to_have_attribute("aria-invalid", "true")
    expect(field).to_have_accessible_description(re.compile(r"5 or 5\+4 digits .+\w"))
    expect(search_page.page.get_by_text("Correct the marked fields to search.")).to_be_visible()


def test_three_centers_can_be_compared_but_not_four(search_page):
    """The table shows them in the order in which the user selected them."""
    page = search_page.page
    select_to_compare(page, 3, 1, 2)
    expect(locate_cards(page).nth(3).get_by_label("Compare")).to_be_disabled()

    page.get_by_role("link", name="Compare 3 centers").click()

    names = page.get_by_role("columnheader")
    expect(names.nth(0)).to_contain_text("Ocotillo Sky")
    expect(names.nth(1)).to_contain_text("High Larkspur")
    row = page.get_by_role("row", name=re.compile("^Straight-line distance"))
    expect(row.get_by_role("cell").nth(1)).to_contain_text("355 mi")
    assert find_violations(page) == []
    page.set_viewport_size({"width": 390, "height": 900})
    assert find_violations(page) == []
    assert not page.evaluate("document.documentElement.scrollWidth > innerWidth")


def test_a_referral_can_start_with_the_selected_center(search_page):
    """The form lists it with the other centers, by distance from the patient."""
    page = search_page.page
    select_to_compare(page, 2)
    page.get_by_role("link", name="Compare 1 center").click()

    page.get_by_role("button", name="Start a referral to Bayou Lark").click()

    search_page.at_step("Patient").fill(ZIP_code="77030")
    search_page.go("#/new/center").at_step("Treatment center")
    expect(page.get_by_text("Sorted by straight-line distance from the patient")).to_be_visible()
    expect(page.get_by_role("radio", name=re.compile("Bayou Lark"))).to_be_checked()
    expect(page.get_by_role("radio").filter(visible=True)).not_to_have_count(0)
    expect(page.locator(".center").first).to_contain_text("Bayou Lark")
    expect(page.locator(".center").first).to_contain_text("On your compare list")


def test_the_compare_list_is_cleared_at_sign_out(search_page, open_page):
    """It exists only in the memory of the page."""
    page = search_page.page
    select_to_compare(page, 1)
    stored = page.evaluate("JSON.stringify([{...sessionStorage}, {...localStorage}])")
    assert "ctr_" not in stored
    assert "79106" not in stored

    page.get_by_role("button", name="Sign out").click()
    search_page.sign_in(COORDINATOR).go("#/centers/compare")

    expect(page.get_by_text("No centers selected.")).to_be_visible()


def test_the_center_finder_works_with_the_keyboard_only(search_page):
    """From the field to the checkbox of the first center, and then to the comparison."""
    page = search_page.page
    page.get_by_label("Near ZIP code").press("Enter")
    box = locate_cards(page).first.get_by_label("Compare")
    box.focus()

    page.keyboard.press("Space")

    expect(box).to_be_checked()
    link = page.get_by_role("link", name="Compare 1 center")
    link.press("Enter")
    expect(page.get_by_role("heading", level=1, name="Compare centers")).to_be_focused()
