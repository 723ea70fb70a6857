"""The patient's return: the center writes a summary, and the practice reads it and acknowledges the return."""

from datetime import timedelta

import pytest
from playwright.sync_api import expect

from chalicelib import wiring
from tests.browser.demo_world import CENTER_COORDINATOR, COORDINATOR, get_action
from tests.browser.page_driver import find_violations

_USER_OF_VIEW = {"handback": CENTER_COORDINATOR, "card": COORDINATOR}


@pytest.fixture(scope="module")
def infused_referral(demo_world):
    """An infused referral. Tests that do not change its stage share it."""
    return demo_world.create_referral("Staying", stage="infused")


def test_a_patient_returns_to_the_practice(as_center, as_coordinator, demo_world):
    """The summary is incomplete and says so. The acknowledgment sets the first visit, also in the calendar file."""
    infused = demo_world.create_referral("Returning", stage="infused")
    page = as_center.go(infused).page
    page.get_by_role("link", name="Write summary").click()
    expect(page.get_by_label("Center's 24/7 phone number")).not_to_be_empty()
    page.get_by_label("CRS, worst grade").select_option(label="Grade 1")
    page.get_by_label("Current cytopenias").fill("Neutropenia, recovering")
    page.get_by_label("No prophylaxis").check()
    page.get_by_role("button", name="Remove care point 2").click()
    page.get_by_role("button", name="Save summary").click()
    expect(page.get_by_text("In progress", exact=True)).to_be_visible()
    for stage in ("monitoring", "window_complete", "handback_ready"):
        demo_world.report_stage(infused, stage)

    visit = (wiring.read_clock() + timedelta(days=9)).date().isoformat()
    page = as_coordinator.go(infused).page
    expect(page.get_by_text("Sent to practice")).to_be_visible()
    summary = page.get_by_role("region", name="Transition-of-care summary")
    expect(summary.get_by_text("Neutropenia, recovering")).to_be_visible()
    expect(summary.get_by_text("Missing items")).to_be_visible()
    as_coordinator.press(get_action("handed_back"))
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("First visit with your practice").fill(visit)
    dialog.get_by_role("button", name=get_action("handed_back")).click()
    expect(summary.get_by_text("First visit with the practice")).to_be_visible()
    calendar = page.get_by_role("region", name="Follow-up calendar")
    expect(calendar.get_by_text("First visit after return")).to_be_visible()
    with page.expect_download() as file:
        calendar.get_by_role("button", name="Download calendar file (.ics)").click()
    text = file.value.path().read_text("utf-8")
    assert f"DTSTART;VALUE=DATE:{visit.replace('-', '')}" in text


def test_a_calendar_link_is_created_and_turned_off(as_coordinator, infused_referral):
    """The page shows the link once. After it is turned off, it no longer works."""
    page = as_coordinator.go(infused_referral).page
    page.get_by_text("Subscribe from your calendar app").click()
    page.get_by_role("button", name="Create link").click()
    link = page.get_by_text("/v1/calendars/")
    expect(link).to_be_visible()
    url = link.inner_text()
    assert page.request.get(url).status == 200

    page.get_by_role("button", name="Turn off link").click()
    expect(page.get_by_role("button", name="Create link")).to_be_visible()
    assert page.request.get(url).status == 404


@pytest.mark.parametrize(("width", "scheme"), [(390, "dark"), (1280, "light")])
@pytest.mark.parametrize("view", ["handback", "card"])
def test_the_summary_form_and_the_card_are_accessible(open_page, infused_referral, width, scheme, view):
    """In both themes, on a phone and on a desktop, and never wider than the window."""
    page = open_page(f"{infused_referral}/{view}", by=_USER_OF_VIEW[view], width=width, scheme=scheme)
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    expect(page.locator("form, article").first).to_be_visible()

    assert find_violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_the_emergency_card_prints_on_one_page(open_page, infused_referral):
    """It has the statements and no buttons."""
    page = open_page(f"{infused_referral}/card", by=_USER_OF_VIEW["card"])
    card = page.get_by_role("article", name="Emergency card")
    expect(card.get_by_text("Irradiated cellular blood products only")).to_be_visible()
    expect(card.get_by_text("The referring provider and the patient alone decide")).to_be_visible()
    page.emulate_media(media="print")
    expect(page.get_by_role("button", name="Print")).to_be_hidden()

    assert page.pdf(prefer_css_page_size=True).count(b"/Type /Page\n") == 1
