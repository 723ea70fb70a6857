"""The way back: the center writes a package, the practice reads it and takes the patient over."""

from datetime import timedelta

import pytest
from playwright.sync_api import expect

from chalicelib import wiring
from tests.browser.demo_world import CENTER_COORDINATOR, COORDINATOR
from tests.browser.test_looks import violations

pytestmark = pytest.mark.browser


_WHO = {"handback": CENTER_COORDINATOR, "card": COORDINATOR}


@pytest.fixture(scope="module")
def infused_referral(demo_world):
    """One that tests share which leave its stage."""
    return demo_world.referral("Staying", reached="infused")


def test_a_patient_is_handed_back(as_center, as_coordinator, demo_world):
    """Written unfinished, shown as such, acknowledged with a first visit, and in the calendar."""
    infused = demo_world.referral("Returning", reached="infused")
    page = as_center.go(infused).page
    page.get_by_role("link", name="Write the package").click()
    expect(page.get_by_label("The center's 24/7 number")).not_to_be_empty()
    page.get_by_label("CRS, worst grade").select_option(label="Grade 1")
    page.get_by_label("Cytopenias now").fill("Neutropenia, recovering")
    page.get_by_label("No prophylaxis").check()
    page.get_by_role("button", name="Remove care point 2").click()
    page.get_by_role("button", name="Save the package").click()
    expect(page.get_by_text("In preparation")).to_be_visible()
    for stage in ("monitoring", "window_complete", "handback_ready"):
        demo_world.move(infused, stage)

    visit = (wiring.read_clock() + timedelta(days=9)).date().isoformat()
    page = as_coordinator.go(infused).page
    expect(page.get_by_text("Handed over")).to_be_visible()
    package = page.get_by_role("region", name="Hand-back package")
    expect(package.get_by_text("Neutropenia, recovering")).to_be_visible()
    expect(package.get_by_text("Still missing")).to_be_visible()
    as_coordinator.press("Acknowledge the return")
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("First visit with you").fill(visit)
    dialog.get_by_role("button", name="Acknowledge the return").click()
    expect(package.get_by_text("First visit with the practice")).to_be_visible()
    calendar = page.get_by_role("region", name="Follow-up calendar")
    expect(calendar.get_by_text("First visit after hand-back")).to_be_visible()
    with page.expect_download() as file:
        calendar.get_by_role("button", name="Download as a file").click()
    text = file.value.path().read_text("utf-8")
    assert f"DTSTART;VALUE=DATE:{visit.replace('-', '')}" in text


def test_a_feed_is_made_and_ended(as_coordinator, infused_referral):
    """Its address is shown once."""
    page = as_coordinator.go(infused_referral).page
    page.get_by_text("Subscribe in a calendar program").click()
    page.get_by_role("button", name="Make an address").click()
    address = page.get_by_text("/v1/calendars/")
    expect(address).to_be_visible()
    assert page.request.get(address.inner_text()).status == 200

    gone = address.inner_text()
    page.get_by_role("button", name="End the feed").click()
    expect(page.get_by_role("button", name="Make an address")).to_be_visible()
    assert page.request.get(gone).status == 404


@pytest.mark.parametrize(("width", "scheme"), [(390, "dark"), (1280, "light")])
@pytest.mark.parametrize("view", ["handback", "card"])
def test_the_pages_are_accessible(open_page, infused_referral, width, scheme, view):
    """In both themes, on a phone and on a desk, and never wider than the screen."""
    page = open_page(f"{infused_referral}/{view}", by=_WHO[view], width=width, scheme=scheme)
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    expect(page.locator("form, article").first).to_be_visible()

    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_the_card_is_one_page_on_paper(open_page, infused_referral):
    """With the statements on it and nothing to press."""
    page = open_page(f"{infused_referral}/card", by=_WHO["card"])
    card = page.get_by_role("article", name="Emergency card")
    expect(card.get_by_text("Irradiated cellular blood products only")).to_be_visible()
    expect(card.get_by_text("solely by the referring provider")).to_be_visible()
    page.emulate_media(media="print")
    expect(page.get_by_role("button", name="Print")).to_be_hidden()

    assert page.pdf(prefer_css_page_size=True).count(b"/Type /Page\n") == 1
