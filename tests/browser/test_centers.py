"""Finding a center, comparing three, and starting the referral from there."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.demo_world import COORDINATOR
from tests.browser.test_looks import violations

pytestmark = pytest.mark.browser


@pytest.fixture
def search_page(as_coordinator):
    """A coordinator at the finder, with the centers near Amarillo on the page."""
    as_coordinator.go("#/centers").fill(Near_ZIP_code="79106").press("Find centers")
    expect(found(as_coordinator.page).first).to_contain_text("355 mi")
    return as_coordinator


def found(page):
    """The centers of the list."""
    return page.locator("ol .center-card")


def listed(page, *numbers):
    """Tick centers, by their numbers in the list."""
    for number in numbers:
        found(page).nth(number - 1).get_by_label("Compare").check()


def test_the_nearest_comes_first_and_the_map_says_no_more_than_the_list(search_page):
    """Straight-line miles, named as such; every number of the map is one of the list."""
    page = search_page.page

    expect(page.get_by_role("heading", level=2).first).to_contain_text(
        "By straight-line distance from 79106, then name"
    )
    expect(found(page)).to_have_count(12)
    drawn = page.get_by_role("img", name=re.compile("^Map around ZIP code 79106"))
    numbers = {int(text) for text in drawn.locator(".map-pin text").all_text_contents()}
    assert numbers <= set(range(1, 13))
    assert {1, 2, 3} <= numbers
    expect(page.locator("figcaption")).to_contain_text("not ways to drive")


def test_every_center_says_who_authorized_it_and_as_of_when(search_page):
    """And how it stands with capacity, payers and contacts."""
    first = found(search_page.page).first

    expect(first).to_contain_text(re.compile(r"Certified by .+, as of Jul 1, 2026"))
    expect(first).to_contain_text(re.compile(r"consultation in about 16 days\s*As of Nov 20, 2026"))
    expect(first).to_contain_text("not a guarantee of coverage")
    expect(first.get_by_role("link", name="(303) 555-0110")).to_be_visible()


def test_what_is_chosen_narrows_the_list_at_once(search_page):
    """A product and children: one of two centers that treat them gives it."""
    search_page.choose("Treats", "Children").choose("Product", "Tecartus")

    expect(found(search_page.page)).to_have_count(1)
    expect(found(search_page.page)).to_contain_text("Northern Loon")


@pytest.mark.parametrize(("typed", "said"), [("K1A 0B1", "Enter a US ZIP code"), ("00000", "We do not have a location")])
def test_a_zip_code_that_is_none_is_told_at_its_field(search_page, typed, said):
    """The field is tied to what is wrong with it."""
    search_page.fill(Near_ZIP_code=typed).press("Find centers")

    field = search_page.page.get_by_label("Near ZIP code")
    expect(field).to_have_attribute("aria-invalid", "true")
    expect(field).to_have_accessible_description(re.compile(said))


def test_three_centers_are_compared_and_a_fourth_waits(search_page):
    """Side by side, in the order in which they were chosen."""
    page = search_page.page
    listed(page, 3, 1, 2)
    expect(found(page).nth(3).get_by_label("Compare")).to_be_disabled()

    page.get_by_role("link", name="Compare these 3").click()

    names = page.get_by_role("columnheader")
    expect(names.nth(0)).to_contain_text("Ocotillo Sky")
    expect(names.nth(1)).to_contain_text("High Larkspur")
    row = page.get_by_role("row", name=re.compile("^Straight-line distance"))
    expect(row.get_by_role("cell").nth(1)).to_contain_text("355 mi")
    assert violations(page) == []
    page.set_viewport_size({"width": 390, "height": 900})
    assert violations(page) == []
    assert not page.evaluate("document.documentElement.scrollWidth > innerWidth")


def test_a_referral_starts_with_the_center_that_was_chosen(search_page):
    """And the form shows it among the others, by distance from the patient."""
    page = search_page.page
    listed(page, 2)
    page.get_by_role("link", name="Compare this center").click()

    page.get_by_role("button", name="Start a referral to Bayou Lark").click()

    search_page.at_step("Patient").fill(ZIP_code="77030")
    search_page.go("#/new/center").at_step("Treatment center")
    expect(page.get_by_text("By straight-line distance from the patient")).to_be_visible()
    chosen = page.get_by_role("radio", name=re.compile("Bayou Lark"))
    expect(chosen).to_be_checked()
    expect(page.get_by_role("radio").filter(visible=True)).not_to_have_count(0)
    expect(page.locator(".center").first).to_contain_text("Bayou Lark")
    expect(page.locator(".center").first).to_contain_text("On your list")


def test_the_shortlist_ends_with_the_session(search_page, open_page):
    """It is kept in the page's memory alone."""
    page = search_page.page
    listed(page, 1)
    stored = page.evaluate("JSON.stringify([{...sessionStorage}, {...localStorage}])")
    assert "ctr_" not in stored
    assert "79106" not in stored

    page.get_by_role("button", name="Sign out").click()
    search_page.sign_in(COORDINATOR).go("#/centers/compare")

    expect(page.get_by_text("No center is on your list")).to_be_visible()


def test_the_finder_works_by_keyboard_alone(search_page):
    """From the field to the first center's box, and on to the comparison."""
    page = search_page.page
    page.get_by_label("Near ZIP code").press("Enter")
    box = found(page).first.get_by_label("Compare")
    box.focus()

    page.keyboard.press("Space")

    expect(box).to_be_checked()
    link = page.get_by_role("link", name="Compare this center")
    link.press("Enter")
    expect(page.get_by_role("heading", level=1, name="Compare centers")).to_be_focused()
