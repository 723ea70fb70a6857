"""The eligibility check: entries, results, errors, and a referral from the answers."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.page_driver import find_violations


@pytest.fixture
def eligibility_page(as_coordinator):
    """The page with R-CHOP and a relapse. The first line of therapy has no end date yet."""
    as_coordinator.go("#/screen")
    page = as_coordinator.page
    page.get_by_label("Age", exact=True).fill("65")
    page.get_by_label("Disease", exact=True).select_option("LBCL")
    page.get_by_label("Histology").select_option("DLBCL_NOS")
    page.get_by_label("ECOG performance status").select_option("2")
    page.get_by_role("button", name="Add first line").click()
    page.get_by_label("Regimen").fill("R-CHOP")
    page.get_by_label("Outcome").select_option("relapsed")
    page.get_by_label("Date of relapse or progression").fill("2026-10-02")
    page.get_by_label("Anti-CD20").check()
    page.get_by_label("Anthracycline").check()
    compare(page)
    return page


def compare(page):
    """Send the form, and wait for the results."""
    with page.expect_response(re.compile("/v1/screens$")):
        page.get_by_role("button", name="Compare with label criteria").click()


def locate_result(page, product):
    """The result of one product."""
    heading = page.get_by_role("heading", name=product, exact=True)
    return page.locator(".eligibility-result").filter(has=heading)


def test_missing_information_links_to_its_field(eligibility_page):
    """The result depends on the end of the first line, so the page asks for it and does not guess."""
    yescarta = locate_result(eligibility_page, "Yescarta")
    expect(yescarta.locator(".card-head")).to_contain_text("Information missing")

    yescarta.get_by_role("button", name="End date of line 1").click()

    expect(eligibility_page.get_by_label("Ended on")).to_be_focused()
    eligibility_page.get_by_label("Ended on").fill("2026-05-20")
    expect(eligibility_page.get_by_text("Your entries changed.")).to_be_visible()
    compare(eligibility_page)
    expect(yescarta.locator(".card-head")).to_contain_text("Label criteria appear met")
    expect(eligibility_page.get_by_text("Your entries changed.")).to_have_count(0)


def test_a_result_shows_its_rules_and_is_accessible(eligibility_page):
    """Each rule has the entries, a source, and a date."""
    row = locate_result(eligibility_page, "Kymriah").get_by_role("group").first
    row.locator("summary").click()

    expect(row).to_contain_text(re.compile("2 (or more )?prior lines of therapy", re.IGNORECASE))
    expect(row).to_contain_text("ines of therapy: 1")
    expect(row).to_contain_text("as of May 1, 2018")
    expect(eligibility_page.get_by_text("ECOG performance status: 2.")).to_be_visible()
    assert find_violations(eligibility_page) == []


def test_contradictory_entries_are_errors_at_their_fields(eligibility_page):
    """A relapse before the start of its line is an error."""
    eligibility_page.get_by_label("Started on").fill("2026-11-01")

    compare(eligibility_page)
    summary = eligibility_page.get_by_role("alert")
    summary.get_by_role("button", name=re.compile("relapse")).click()

    expect(eligibility_page.get_by_label("Date of relapse or progression")).to_be_focused()


def test_the_answers_become_the_clinical_part_of_a_referral(eligibility_page, as_coordinator):
    """The user does not enter them again. The referral has the date of the check."""
    as_coordinator.press("Start a referral with these answers").at_step("Patient")

    as_coordinator.go("#/new/therapy")

    expect(eligibility_page.get_by_label("Regimen")).to_have_value("R-CHOP")
    expect(eligibility_page.get_by_label("Anthracycline")).to_be_checked()
    as_coordinator.go("#/new/review").at_step("Review and submit")
    checked_on = eligibility_page.locator(".facts > div", has_text="Eligibility check")
    expect(checked_on).to_have_text(re.compile(r"[A-Z][a-z]{2} \d{1,2}, 20\d\d$"))
