"""The screen on its page: filled in, answered, completed, and handed to a new referral."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.test_looks import violations

pytestmark = pytest.mark.browser


@pytest.fixture
def eligibility_page(as_coordinator):
    """The page with R-CHOP and a relapse, whose first line has no end yet."""
    as_coordinator.go("#/screen")
    page = as_coordinator.page
    page.get_by_label("Age", exact=True).fill("65")
    page.get_by_label("Disease", exact=True).select_option("LBCL")
    page.get_by_label("Histology").select_option("DLBCL_NOS")
    page.get_by_label("ECOG performance status").select_option("2")
    page.get_by_role("button", name="Add the first line").click()
    page.get_by_label("Regimen").fill("R-CHOP")
    page.get_by_label("Outcome").select_option("relapsed")
    page.get_by_label("Relapse or progression on").fill("2026-10-02")
    page.get_by_label("Anti-CD20").check()
    page.get_by_label("Anthracycline").check()
    compare(page)
    return page


def compare(page):
    """Ask, and wait for the answer to be about what is on the form now."""
    with page.expect_response(re.compile("/v1/screens$")):
        page.get_by_role("button", name="Compare with the labels").click()


def card(page, product):
    """What is said of one product."""
    heading = page.get_by_role("heading", name=product, exact=True)
    return page.locator(".eligibility-result").filter(has=heading)


def test_what_is_missing_leads_to_its_field_and_then_to_an_answer(eligibility_page):
    """Never a guess: the end of the first line decides, and is asked for."""
    yescarta = card(eligibility_page, "Yescarta")
    expect(yescarta.locator(".card-head")).to_contain_text("Information missing")

    yescarta.get_by_role("button", name="End of line 1").click()

    expect(eligibility_page.get_by_label("Ended on")).to_be_focused()
    eligibility_page.get_by_label("Ended on").fill("2026-05-20")
    expect(eligibility_page.get_by_text("Something was changed since")).to_be_visible()
    compare(eligibility_page)
    expect(yescarta.locator(".card-head")).to_contain_text("Label criteria appear met")
    expect(eligibility_page.get_by_text("Something was changed since")).to_have_count(0)


def test_an_answer_shows_its_rules_and_is_accessible(eligibility_page):
    """Each with what was entered, a source and a date."""
    row = card(eligibility_page, "Kymriah").get_by_role("group").first
    row.locator("summary").click()

    expect(row).to_contain_text("At least 2 prior lines of therapy")
    expect(row).to_contain_text("Lines of therapy: 1")
    expect(row).to_contain_text("as of May 1, 2018")
    expect(eligibility_page.get_by_text("ECOG performance status: 2.")).to_be_visible()
    assert violations(eligibility_page) == []


def test_entries_that_contradict_are_told_at_their_place(eligibility_page):
    """A relapse before the line began is not compared with anything."""
    eligibility_page.get_by_label("Started on").fill("2026-11-01")

    compare(eligibility_page)
    summary = eligibility_page.get_by_role("alert")
    summary.get_by_role("button", name="The relapse lies before the line began").click()

    expect(eligibility_page.get_by_label("Relapse or progression on")).to_be_focused()


def test_a_screen_becomes_the_clinical_part_of_a_referral(eligibility_page, as_coordinator):
    """What was typed once is not typed again; nothing is kept but what is referred."""
    as_coordinator.press("Start a referral with these entries").at_step("Patient")

    as_coordinator.go("#/new/therapy")

    expect(eligibility_page.get_by_label("Regimen")).to_have_value("R-CHOP")
    expect(eligibility_page.get_by_label("Anthracycline")).to_be_checked()
    as_coordinator.go("#/new/review").at_step("Review and send")
    expect(eligibility_page.get_by_text(re.compile("catalogue [0-9a-f]{12}"))).to_be_visible()
