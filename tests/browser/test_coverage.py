"""The coverage card on the page of a referral, for both sides, at the width of a desk and of a phone."""

import re
from datetime import timedelta

import pytest
from playwright.sync_api import expect

from chalicelib import wiring
from tests.browser.demo_world import CENTER_COORDINATOR, COORDINATOR
from tests.browser.page_driver import PageUser, choose_in_filter, find_violations

WIDTHS = pytest.mark.parametrize("width", [1280, 390])


@WIDTHS
def test_a_result_by_phone_is_entered_and_both_sides_see_it(open_page, demo_world, width):
    """With a field that was left out named in its place, and the disclaimer always there."""
    path = demo_world.create_referral(f"Covered{width}", stage="accepted")
    practice = PageUser(open_page(path, by=COORDINATOR, width=width))
    card = practice.page.get_by_role("region", name="Coverage")
    expect(card).to_contain_text("Referring practice: request a benefits check")
    expect(card).to_contain_text("Not a guarantee of coverage.")
    practice.press("Enter a result")
    dialog = practice.page.get_by_role("dialog", name="Enter a result")
    dialog.get_by_label("How did you learn it?").select_option(label="Phone call")
    dialog.get_by_label("When was the call?").fill(f"{wiring.read_clock() - timedelta(days=1):%Y-%m-%dT10:00}")
    dialog.get_by_label("Representative").fill("J. Rivera")
    dialog.get_by_label("Result", exact=True).select_option(label="Verified")
    dialog.get_by_label("Benefits").select_option(label="Active")
    dialog.get_by_label("Authorization").select_option(label="Required")
    dialog.get_by_role("button", name="Save").click()
    expect(dialog.get_by_text("Enter the reference number of the call.").first).to_be_visible()
    assert find_violations(practice.page) == []

    dialog.get_by_label("Reference number").fill("GP-48213")
    dialog.get_by_role("button", name="Save").click()

    expect(dialog).to_be_hidden()
    expect(card).to_contain_text("Authorization to submit")
    expect(card).to_contain_text("ref. GP-48213")
    assert find_violations(practice.page) == []
    assert practice.page.evaluate("document.documentElement.scrollWidth") <= width
    center = open_page(path, by=CENTER_COORDINATOR, width=width)
    expect(center.get_by_role("region", name="Coverage")).to_contain_text("Authorization to submit")
    expect(center.get_by_role("region", name="Timeline")).to_contain_text("Result of the benefits check")


def test_a_center_clears_the_coverage_by_keyboard(open_page, demo_world):
    """Tab, Enter and the date field; the practice reads until when, and has no such button."""
    path = demo_world.create_referral("Cleared", stage="accepted")
    center = open_page(path, by=CENTER_COORDINATOR)
    until = (wiring.read_clock() + timedelta(days=60)).date().isoformat()
    center.get_by_role("button", name="Record clearance").focus()
    center.keyboard.press("Enter")
    dialog = center.get_by_role("dialog", name="Record clearance")
    dialog.get_by_label("Cleared until").fill(until)
    dialog.get_by_label("What does it rest on?").select_option(label="No authorization required")
    dialog.get_by_role("button", name="Save").focus()
    center.keyboard.press("Enter")
    expect(center.get_by_role("region", name="Coverage")).to_contain_text("Cleared until")

    practice = open_page(path, by=COORDINATOR)

    card = practice.get_by_role("region", name="Coverage")
    expect(card).to_contain_text("Cleared until")
    expect(card.get_by_role("button", name="Record clearance")).to_have_count(0)
    PageUser(practice).go("#/worklist/all")
    choose_in_filter(practice, "Coverage", "Cleared")
    expect(practice.get_by_role("row").filter(has_text="Cleared").first).to_contain_text("until")
    expect(practice.get_by_role("row").filter(has_text="Payer reviewing")).to_have_count(0)
    assert find_violations(practice) == []


def test_leukapheresis_without_a_clearance_shows_a_warning_to_both_sides(open_page, demo_world):
    """It was accepted, and it stays visible."""
    path = demo_world.create_referral("Uncleared", stage="apheresis_scheduled")

    for by in (COORDINATOR, CENTER_COORDINATOR):
        card = open_page(path, by=by).get_by_role("region", name="Coverage")
        expect(card.locator(".banner")).to_contain_text("has not recorded a coverage clearance")


def test_a_letter_is_filled_and_saved(open_page, demo_world):
    """One with blanks cannot be marked as final."""
    path = demo_world.create_referral("Letter", stage="accepted")
    page = open_page(path, by=COORDINATOR)
    page.get_by_text("Letter of medical necessity").click()
    letter = page.get_by_role("textbox", name="Letter").first
    expect(letter).to_have_value(re.compile("To the medical director"))
    page.get_by_role("button", name="Save as final").click()
    expect(page.get_by_text("Fill in the blanks").first).to_be_visible()
    page.get_by_role("button", name="Save letter").click()
    expect(page.get_by_text("Version 1, saved by").first).to_be_visible()
    assert find_violations(page) == []


def test_the_saved_letter_is_among_the_documents_and_opens_from_there(open_page, demo_world):
    """At once after it was saved, with the focus at the letter, and for the center as well."""
    path = demo_world.create_referral("Enclosed", stage="accepted")
    page = open_page(path, by=COORDINATOR, width=390)
    documents = page.get_by_role("region", name="Documents")
    expect(documents).to_contain_text("No documents yet")
    page.get_by_text("Letter of medical necessity").click()
    page.get_by_role("button", name="Save letter").click()
    expect(documents).to_contain_text("Version 1, saved by")
    expect(page.get_by_role("region", name="Coverage").get_by_label("Letter")).to_be_visible()
    assert find_violations(page) == []

    center = open_page(path, by=CENTER_COORDINATOR, width=390)
    center.get_by_role("button", name="Open Letter of medical necessity").click()

    letter = center.get_by_role("region", name="Coverage").get_by_label("Letter")
    expect(letter).to_have_value(re.compile("To the medical director"))
    expect(center.get_by_text("Letter of medical necessity").first).to_be_focused()


def test_the_button_of_the_next_step_comes_first_and_what_has_ended_says_so(call):
    """A person who reads "record the clearance" finds its button without a search."""
    allowed = [{"move": name} for name in ("result_recorded", "authorization_required", "cleared", "plan_changed")]

    approved = call("coverage/move_order", "arrangeMoves", "approved", allowed)
    started = call("coverage/move_order", "arrangeMoves", "verified", allowed)

    assert [each["move"] for each in approved["common"]] == ["cleared", "result_recorded"]
    assert [each["move"] for each in approved["rare"]] == ["authorization_required", "plan_changed"]
    assert [each["move"] for each in started["common"]] == ["authorization_required", "result_recorded", "cleared"]


@pytest.mark.parametrize(
    ("coverage", "text"),
    [
        ({"state": "cleared", "next_actor": "none"}, "until Dec 4, 2099"),
        ({"state": "verified", "next_actor": "practice"}, "verified until Dec 4, 2099"),
        ({"state": "approved", "next_actor": "center"}, "approved until Dec 4, 2099"),
        ({"state": "submitted", "next_actor": "payer"}, "expected by Dec 4, 2099"),
        ({"state": "denied", "next_actor": "practice"}, "by Dec 4, 2099"),
    ],
)
def test_only_a_deadline_is_called_one(call, coverage, text):
    """The end of an approval is no time limit for the clearance, and a payer's date is an expectation."""
    assert call("coverage/coverage_words", "describeUntil", {**coverage, "until": "2099-12-04"}) == text


def test_a_fact_that_has_ended_says_so(call):
    """A reader does not compare dates."""
    texts = [
        call("coverage/coverage_words", "describeValidity", day, "valid until")
        for day in ("2020-01-31", "2099-01-31", None)
    ]

    assert texts == ["ended Jan 31, 2020", "valid until Jan 31, 2099", None]


def test_a_check_of_an_earlier_plan_leaves_the_button_for_a_new_one(call):
    """The old check waits up to a day for an answer that will only be filed."""
    changed = {"verification": "stale", "stale_reason": "plan_changed"}

    awaited = [
        call("coverage/electronic_check", "isAwaited", {"state": "requested"}, coverage)
        for coverage in (changed, {"verification": "requested", "stale_reason": None})
    ]

    assert awaited == [False, True]
