"""Adverse events, relapse and bridging therapy on the page, at the width of a desk and of a phone."""

import pytest
from playwright.sync_api import expect

from tests.browser.demo_world import CENTER, CENTER_COORDINATOR, COORDINATOR, PRACTICE
from tests.browser.page_driver import PageUser, find_violations

WIDTHS = pytest.mark.parametrize("width", [1280, 390])


@WIDTHS
def test_a_practice_reports_an_adverse_event_that_the_center_resolves(open_page, demo_world, width):
    """It is open in the banner, in the window and on the wallet card, until it is reported as resolved."""
    path = demo_world.create_referral("Feverish", stage="monitoring")
    practice = PageUser(open_page(path, by=COORDINATOR, width=width))
    practice.open_details("More actions")
    practice.record("Report an adverse event", What="Infection", Grade="Grade 3")
    page = practice.page
    expect(page.get_by_text(f"Adverse event reported. {CENTER} will be notified.").first).to_be_visible()
    banner = page.locator(".banner").filter(has_text="Open adverse events")
    expect(banner).to_contain_text("Infection, grade 3, since")
    expect(banner).to_contain_text(f"Reported by {PRACTICE}.")
    window = page.get_by_role("region", name="Monitoring window")
    expect(window).to_contain_text("Infection, grade 3, since")
    assert find_violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    practice.go(f"{path}/card")
    expect(page.get_by_role("article", name="Emergency card")).to_contain_text("Infection, grade 3, since")

    center = PageUser(open_page(path, by=CENTER_COORDINATOR, width=width))
    center.open_details("More actions").press("Report an adverse event")
    dialog = center.page.get_by_role("dialog", name="Report an adverse event")
    dialog.get_by_label("What did you observe?").select_option(label="Infection")
    expect(dialog.get_by_label("Resolved on")).to_have_count(0)
    dialog.get_by_role("radio", name="Resolved").check()
    expect(dialog.get_by_label("Resolved on")).to_be_visible()
    assert find_violations(center.page) == []
    dialog.get_by_role("button", name="Report an adverse event").click()

    expect(center.page.get_by_text("Open adverse events")).to_have_count(0)
    timeline = center.page.get_by_role("region", name="Timeline")
    expect(timeline).to_contain_text("Resolved")
    expect(timeline).to_contain_text("Infection, grade 3")


def test_a_kind_without_grades_asks_for_none_and_says_what_to_do(open_page, demo_world):
    """A second cancer: the manufacturer is contacted, with the source of that."""
    path = demo_world.create_referral("Secondcancer", stage="monitoring")
    practice = PageUser(open_page(path, by=COORDINATOR))
    practice.open_details("More actions").press("Report an adverse event")
    dialog = practice.page.get_by_role("dialog", name="Report an adverse event")
    dialog.get_by_label("What did you observe?").select_option(label="Second cancer (second malignancy)")
    expect(dialog.get_by_label("Grade")).to_have_count(0)

    dialog.get_by_role("button", name="Report an adverse event").click()

    banner = practice.page.locator(".banner").filter(has_text="Open adverse events")
    expect(banner).to_contain_text("Contact the manufacturer")
    expect(banner).to_contain_text("Source: FDA: T-cell malignancies after CAR T therapy")


@WIDTHS
def test_bridging_therapy_is_reported_before_the_infusion(open_page, demo_world, width):
    """By the practice that gives it, with its regimen; the center sees it."""
    path = demo_world.create_referral("Bridged", stage="center_proceed")
    practice = PageUser(open_page(path, by=COORDINATOR, width=width))
    practice.open_details("More actions").press("Report bridging therapy")
    dialog = practice.page.get_by_role("dialog", name="Report bridging therapy")
    dialog.get_by_label("Status").select_option(label="Completed")
    dialog.get_by_label("Given by").select_option(label="The referring practice")
    dialog.get_by_label("Regimen").fill("Pola-BR")
    dialog.get_by_label("Response").select_option(label="Partial response")
    dialog.get_by_role("button", name="Report bridging therapy").click()
    expect(dialog).to_be_hidden()

    page = open_page(path, by=CENTER_COORDINATOR, width=width)

    banner = page.locator(".banner").filter(has_text="Bridging therapy completed")
    expect(banner).to_contain_text("Regimen: Pola-BR. Given by: the referring practice. Response: partial response.")
    assert find_violations(page) == []


def test_a_relapse_and_a_report_taken_back(open_page, demo_world):
    """The relapse is in a banner; taking it back removes the banner and keeps the entry."""
    path = demo_world.create_referral("Relapsing", stage="monitoring")
    practice = PageUser(open_page(path, by=COORDINATOR))
    practice.open_details("More actions").record("Report a relapse", How_certain="Confirmed")
    banner = practice.page.locator(".banner").filter(has_text="Relapse confirmed")
    expect(banner).to_contain_text(f"Reported by {PRACTICE}.")

    practice.press("Correct the entry “Relapse reported”")
    dialog = practice.page.get_by_role("dialog")
    dialog.get_by_role("radio", name="It did not happen").check()
    dialog.get_by_role("button", name="Correct").click()

    expect(banner).to_have_count(0)
    timeline = practice.page.get_by_role("region", name="Timeline")
    expect(timeline).to_contain_text("“Relapse reported” removed: it did not happen")
