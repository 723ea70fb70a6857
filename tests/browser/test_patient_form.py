"""What the patient step of the form takes: partial dates of birth, extensions, languages and interpreters."""

import pytest
from playwright.sync_api import expect

from tests.browser.demo_world import COORDINATOR
from tests.browser.page_driver import PageUser, find_violations


@pytest.mark.parametrize("width", [1280, 390])
def test_what_is_known_of_a_patient_is_saved_and_shown(open_page, width):
    """The year of birth alone, an extension, a language of its own region, another sex, and an interpreter."""
    user = PageUser(open_page(by=COORDINATOR, width=width))
    page = user.page
    user.fill_required_fields(f"Partial{width}")

    page.get_by_label("Only the year, or year and month, is known").check()
    user.fill(Year_of_birth="1961", Phone="(806) 555-0142 x12").choose("Sex", "Other")
    user.choose("Preferred language", "Latin American Spanish")
    page.get_by_role("group", name="Interpreter needed").get_by_label("Yes").check()
    assert find_violations(page) == []
    user.press("Save draft")

    expect(page.get_by_role("status").filter(has_text="Saved")).to_be_visible()
    user.go(user.referral_path)
    patient = page.get_by_role("main")
    expect(patient.get_by_text("DOB 1961 (age about")).to_be_visible()
    expect(patient.get_by_text("Latin American Spanish")).to_be_visible()
    link = patient.get_by_role("link", name="(806) 555-0142 ext. 12").first
    assert link.get_attribute("href") == "tel:+18065550142;ext=12"
    expect(patient.locator("dt", has_text="Interpreter needed").locator("xpath=..")).to_contain_text("Yes")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_a_partial_date_of_birth_stays_in_the_form(open_page):
    """A person who edits the draft later sees what is known, and can enter the whole date."""
    user = PageUser(open_page(by=COORDINATOR))
    user.fill_required_fields("Later")
    user.page.get_by_label("Only the year, or year and month, is known").check()
    user.fill(Year_of_birth="1961-04").press("Save draft")
    expect(user.page.get_by_role("status").filter(has_text="Saved")).to_be_visible()

    user.page.reload()

    expect(user.page.get_by_label("Year of birth")).to_have_value("1961-04")
    user.page.get_by_label("Only the year, or year and month, is known").uncheck()
    user.fill(Date_of_birth="1961-04-02").press("Save draft")
    expect(user.page.get_by_label("Date of birth")).to_have_value("1961-04-02")
