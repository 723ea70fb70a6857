"""What someone typed is still there after a reload, although the field refuses it."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.demo_world import COORDINATOR
from tests.browser.page_driver import PageUser, find_violations
from tests.browser.test_form_drafts import wait_until_saved

PROVIDER = "provider@willow.example"


def get_phone(page):
    return page.get_by_label("Phone", exact=True)


@pytest.fixture
def refused(as_coordinator):
    """A new referral with a name, and a phone number that is too short."""
    user = as_coordinator.go("#/new/patient").at_step("Patient").fill(Last_name="Unfinished", Phone="12")
    wait_until_saved(user.page)
    expect(user.page.get_by_role("status").filter(has_text="Correct before you submit: phone.")).to_be_visible()
    return user


def test_a_refused_value_and_its_error_are_there_after_a_reload(refused):
    """The browser has nothing to ask about, because nothing is lost."""
    page = refused.page

    page.reload()

    refused.at_step("Patient")
    expect(get_phone(page)).to_have_value("12")
    expect(get_phone(page)).to_have_attribute("aria-invalid", "true")
    expect(page.get_by_label("Last name")).to_have_value("Unfinished")
    assert find_violations(page) == []


def test_a_refused_value_is_there_on_another_computer(refused, open_page):
    """A colleague continues the draft on a phone."""
    colleague = PageUser(open_page(refused.page.evaluate("location.hash"), by=PROVIDER, width=390)).at_step("Patient")

    expect(get_phone(colleague.page)).to_have_value("12")
    expect(get_phone(colleague.page)).to_have_attribute("aria-invalid", "true")
    colleague.fill(Phone="806 555 0142")
    expect(colleague.page.get_by_role("status").filter(has_text=re.compile("^Saved [^.]*$"))).to_be_visible()
    colleague.page.reload()
    expect(get_phone(colleague.page)).to_have_value("+18065550142")
    expect(get_phone(colleague.page)).not_to_have_attribute("aria-invalid", "true")


def test_the_step_can_not_be_left_with_a_restored_error(refused):
    """As before the reload."""
    refused.page.reload()
    refused.at_step("Patient")
    expect(get_phone(refused.page)).to_have_attribute("aria-invalid", "true")

    refused.press("Next")

    expect(refused.page.get_by_role("alert").get_by_role("button")).to_have_count(1)
    refused.at_step("Patient").fill(Phone="").press("Next").at_step("Diagnosis")


def test_a_caregiver_and_a_line_of_therapy_that_are_not_complete_are_kept(as_coordinator):
    """A section that misses its first field is refused as a whole."""
    user = as_coordinator.go("#/new/patient").at_step("Patient")
    page = user.fill(Last_name="Halfway").page
    page.get_by_label("Caregiver's relationship").fill("sister")
    wait_until_saved(page)
    user.open_step("Prior lines").press("Add first line").choose("Outcome", "Relapsed")
    expect(page.get_by_role("status").filter(has_text="Saved")).to_contain_text("Correct before you submit")

    page.reload()

    user.at_step("Prior lines of therapy")
    expect(page.get_by_label("Outcome")).to_have_value("relapsed")
    expect(page.get_by_label("Regimen")).to_have_attribute("aria-invalid", "true")
    user.open_step("Patient")
    expect(page.get_by_label("Caregiver's relationship")).to_have_value("sister")
    expect(page.get_by_label("Last name")).to_have_value("Halfway")


def test_a_valid_value_keeps_its_place_while_a_wrong_one_replaces_it(demo_world, open_page):
    """The referral still has the number that was right, until the new one is."""
    path = demo_world.create_referral("Replacedphone", stage="draft")
    user = PageUser(open_page(f"{path}/edit/patient", by=COORDINATOR)).at_step("Patient").fill(Phone="12")

    expect(user.page.get_by_role("status").filter(has_text="Correct before you submit: phone.")).to_be_visible()

    stored = demo_world.call_api("GET", f"referrals/{path.removeprefix('#/referrals/')}", by=COORDINATOR)
    assert stored["patient"]["phone"] == "+18065550142"
    assert stored["unfinished"] == [{"pointer": "/patient/phone", "value": "12"}]
