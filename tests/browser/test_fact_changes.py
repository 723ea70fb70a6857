"""Each team corrects its own facts on the referral page, and both read what changed."""

import pytest
from playwright.sync_api import expect

from tests.browser.demo_world import CENTER, CENTER_COORDINATOR, COORDINATOR
from tests.browser.page_driver import PageUser, find_violations


@pytest.fixture
def accepted_path(demo_world):
    """The address of a referral that the center has accepted."""
    return demo_world.create_referral("Correctable", stage="accepted")


def open_dialog(user, section):
    user.press(f"Edit {section}")
    return user.page.get_by_role("dialog")


def test_a_corrected_phone_is_on_the_page_in_the_timeline_and_on_the_page_of_changes(
    as_coordinator, as_center, accepted_path
):
    """The timeline names the fact without its value. The other team reads the same."""
    dialog = open_dialog(as_coordinator.go(accepted_path), "patient")
    dialog.get_by_label("Phone", exact=True).fill("(806) 555-0177")
    dialog.get_by_role("button", name="Save changes").click()
    expect(dialog).to_have_count(0)

    page = as_center.go(accepted_path).page
    expect(page.get_by_role("region", name="Whom to call")).to_contain_text("(806) 555-0177")
    expect(page.get_by_role("region", name="Timeline")).to_contain_text("Patient's phone corrected")
    expect(page.get_by_role("region", name="Timeline")).not_to_contain_text("555-01")
    page.get_by_role("link", name="See what changed").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Changes")
    expect(page.locator("del")).to_contain_text("(806) 555-0142")
    expect(page.locator("ins")).to_contain_text("(806) 555-0177")


def test_a_refused_change_keeps_the_dialog_open_with_every_entry(as_coordinator, accepted_path):
    """The wrong field is marked, and its message leads to it."""
    dialog = open_dialog(as_coordinator.go(accepted_path), "patient")
    dialog.get_by_label("Alias for email").fill("Ana Correctable")
    dialog.get_by_label("ZIP code").fill("79107")
    dialog.get_by_role("button", name="Save changes").click()

    expect(dialog.get_by_role("alert")).to_contain_text("This alias contains a name")
    dialog.get_by_role("alert").get_by_role("button").click()
    expect(dialog.get_by_label("Alias for email")).to_be_focused()
    expect(dialog.get_by_label("Alias for email")).to_have_value("Ana Correctable")
    expect(dialog.get_by_label("ZIP code")).to_have_value("79107")
    dialog.get_by_label("Alias for email").fill("Corrected Crane")
    dialog.get_by_role("button", name="Save changes").click()
    expect(dialog).to_have_count(0)
    expect(as_coordinator.page.get_by_text("79107").first).to_be_visible()


def test_two_people_who_edit_at_once_lose_nothing(as_coordinator, demo_world, accepted_path):
    """The slower one reads what the other saved, and keeps the entries of the dialog."""
    dialog = open_dialog(as_coordinator.go(accepted_path), "insurance")
    dialog.get_by_label("Payer").fill("Slower Health")
    referral_id = accepted_path.removeprefix("#/referrals/")
    current = demo_world.call_api("GET", f"referrals/{referral_id}", by=COORDINATOR)
    demo_world.call_api(
        "PATCH", f"referrals/{referral_id}", {"note": "Saved first."}, by=COORDINATOR, version=current["version"]
    )

    dialog.get_by_role("button", name="Save changes").click()
    expect(dialog.get_by_role("alert")).to_contain_text("Someone else saved changes")
    expect(dialog.get_by_label("Payer")).to_have_value("Slower Health")
    dialog.get_by_role("button", name="Save changes").click()

    expect(dialog).to_have_count(0)
    stored = demo_world.call_api("GET", f"referrals/{referral_id}", by=COORDINATOR)
    assert (stored["note"], stored["insurance"]["payer"]) == ("Saved first.", "Slower Health")


def test_the_center_edits_only_its_own_contact(as_center, as_coordinator, accepted_path):
    """The practice reads whom to call."""
    page = as_center.go(accepted_path).page
    expect(page.get_by_role("button", name="Edit center contact")).to_be_visible()
    expect(page.get_by_role("button", name="Edit patient")).to_have_count(0)
    dialog = open_dialog(as_center, "center contact")
    dialog.get_by_label("Coordinator's name").fill("Jo Lund")
    dialog.get_by_label("Phone").fill("713 555 0177")
    dialog.get_by_role("button", name="Save changes").click()
    expect(dialog).to_have_count(0)

    contacts = as_coordinator.go(accepted_path).page.get_by_role("region", name="Whom to call")
    expect(contacts).to_contain_text("Jo Lund")
    expect(contacts.get_by_role("link", name="(713) 555-0177")).to_be_visible()


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "dark")])
def test_a_withdrawn_consent_is_at_the_top_for_both_teams(open_page, demo_world, width, scheme):
    """With what it means. Every page and dialog of it is accessible."""
    path = demo_world.create_referral(f"Withdrawn{width}", stage="accepted")
    user = PageUser(open_page(path, by=COORDINATOR, width=width, scheme=scheme))
    dialog = open_dialog(user, "consent to share records")
    dialog.get_by_label("Withdrawn on").fill("2026-11-20")
    assert find_violations(user.page) == []
    assert not user.page.evaluate("document.documentElement.scrollWidth > innerWidth")
    dialog.get_by_role("button", name="Save changes").click()

    expect(user.page.get_by_text("The patient withdrew consent to share").first).to_be_visible()
    expect(user.page.get_by_text(f"Do not share more records with {CENTER}")).to_be_visible()
    assert find_violations(user.page) == []
    center = open_page(path, by=CENTER_COORDINATOR, width=width, scheme=scheme)
    expect(center.get_by_text("You get no more routine email about this patient.")).to_be_visible()
    center.goto(center.url + "/changes")
    expect(center.get_by_role("heading", level=1)).to_have_text("Changes")
    expect(center.locator("ins").first).to_be_visible()
    assert find_violations(center) == []
    assert not center.evaluate("document.documentElement.scrollWidth > innerWidth")


def test_an_old_consent_is_asked_about_in_the_dialog(as_coordinator, accepted_path):
    """The question appears with the date, and saving without an answer names the field."""
    dialog = open_dialog(as_coordinator.go(accepted_path), "consent to share records")
    dialog.get_by_label("Date of consent").fill("2021-10-03")
    expect(dialog.get_by_text("This consent is more than a year old. Does it still apply?")).to_be_visible()
    dialog.get_by_role("button", name="Save changes").click()
    expect(dialog.get_by_role("alert")).to_contain_text("Check that it still applies, then confirm it.")

    dialog.get_by_role("radio", name="Yes, it still applies").check()
    dialog.get_by_role("button", name="Save changes").click()

    expect(dialog).to_have_count(0)
