"""Single-key shortcuts: which keys work on which page, and the intake of a center without a mouse."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.demo_world import CENTER_ADMIN, CENTER_COORDINATOR, COORDINATOR, NEW_REFERRALS, get_action
from tests.browser.page_driver import expect_referral, find_filter


def press(page, *keys):
    """Press keys one after the other, wherever the focus is."""
    for key in keys:
        page.keyboard.press(key)


def list_shown_keys(page):
    """The keys in the list of shortcuts, which is open afterwards."""
    page.get_by_role("button", name="Keyboard shortcuts").click()
    dialog = page.get_by_role("dialog", name="Keyboard shortcuts")
    expect(dialog).to_be_visible()
    return "".join(key for key in dialog.locator("kbd").all_inner_texts() if len(key) == 1)


def open_first_row(page, name):
    """Open the first row of the list with the keyboard."""
    page.get_by_role("heading", level=1).focus()
    press(page, "j", "Enter")
    return expect_referral(page, name)


def test_a_center_answers_its_list_by_keyboard(open_list, demo_world):
    """From the list to a patient, who is accepted, and to the next one, who is accepted too."""
    page, (first, second), paths = open_list("aa", "bb")
    open_first_row(page, first)
    press(page, "a")
    expect(page.get_by_role("dialog", name=f"Accept Ana {first} for evaluation?")).to_be_visible()
    press(page, "Tab", "Enter")
    expect(expect_referral(page, second)).to_be_focused()
    press(page, "a", "Tab", "Enter")

    expect(page.get_by_role("heading", level=1)).to_have_text("Worklist")
    assert [demo_world.read_stage(path) for path in paths] == ["accepted", "accepted"]


def test_the_key_to_accept_accepts_no_one_by_itself(open_list, demo_world):
    """Also if someone types a name and Enter, because the focus is not in the search as they think."""
    page, (first, _), (path, _) = open_list("aa", "bb")
    open_first_row(page, first)

    page.keyboard.type("aaron")
    press(page, "Enter")

    expect(page.get_by_role("dialog", name=f"Accept Ana {first} for evaluation?")).to_be_visible()
    assert demo_world.read_stage(path) == "received"


@pytest.mark.parametrize(
    ("key", "dialog"),
    [("i", "Request information"), ("d", get_action("declined")), ("r", get_action("accepted"))],
)
def test_a_key_opens_the_dialog_of_its_action(as_center, demo_world, key, dialog):
    """With the focus on the title, where the letters of a word and Enter send nothing."""
    as_center.go(demo_world.create_referral("Keyed", stage="received"))
    expect_referral(as_center.page, "Keyed")

    press(as_center.page, key)

    opened = as_center.page.get_by_role("dialog", name=dialog, exact=True)
    expect(opened.get_by_role("heading", name=dialog)).to_be_focused()


def test_a_dialog_that_a_key_opened_is_closed_with_escape(as_center, demo_world):
    """The focus returns to the name of the patient."""
    as_center.go(demo_world.create_referral("Escaped", stage="received"))
    heading = expect_referral(as_center.page, "Escaped")
    press(as_center.page, "d")
    expect(as_center.page.get_by_role("dialog")).to_be_visible()

    press(as_center.page, "Escape")

    expect(as_center.page.get_by_role("dialog")).to_have_count(0)
    expect(heading).to_be_focused()


def test_the_keys_of_a_list_lead_from_referral_to_referral(open_list):
    """Forward and back, and not beyond the ends."""
    page, (first, second), _ = open_list("aa", "bb")
    open_first_row(page, first)
    press(page, "j")
    expect_referral(page, second)
    press(page, "j")
    expect(page.locator("[aria-live=polite]")).to_have_text("This is the last referral of the list")

    press(page, "k")

    expect_referral(page, first)


def test_a_key_does_not_leave_a_page_with_typed_text(open_list):
    """The focus goes to the text."""
    page, (first, _), _ = open_list("aa", "bb")
    open_first_row(page, first)
    page.get_by_label("Message to").fill("Not sent yet.")
    page.get_by_role("heading", level=1).focus()

    press(page, "j")

    expect(page.get_by_label("Message to")).to_be_focused()


def test_the_first_filter_has_a_key(open_page):
    """On a page with filters."""
    page = open_page(by=COORDINATOR)
    expect(page.locator(".worklist-card")).to_be_visible()

    press(page, "f")

    expect(find_filter(page, "Status")).to_be_focused()


def test_a_practice_starts_a_referral_with_a_key(open_page):
    """From a page without a form."""
    page = open_page(by=COORDINATOR)
    expect(page.locator(".worklist-card")).to_be_visible()

    press(page, "n")

    page.wait_for_url(re.compile("#/new/patient"))


def test_the_list_of_a_center_has_no_key_that_only_a_practice_has(open_page):
    """It names the keys that work on this page."""
    page = open_page(NEW_REFERRALS, by=CENTER_COORDINATOR)
    expect(page.locator(".worklist-card")).to_be_visible()

    assert sorted(list_shown_keys(page)) == sorted("jkf/?")


def test_the_page_of_a_referral_lists_its_own_keys(open_list):
    """Those of a center that can answer it."""
    page, (first, _), _ = open_list("aa", "bb")
    open_first_row(page, first)

    assert sorted(list_shown_keys(page)) == sorted("jkaidr/?")


def test_the_page_of_an_accepted_referral_lists_no_key_to_accept(open_page, demo_world):
    """It was opened by its address, so it has no next one either."""
    page = open_page(demo_world.create_referral("Listed", stage="accepted"), by=CENTER_COORDINATOR)
    expect_referral(page, "Listed")

    assert sorted(list_shown_keys(page)) == sorted("idr/?")


def test_a_person_without_patients_has_no_key_for_the_search(open_page):
    """An administrator has no worklist."""
    page = open_page(by=CENTER_ADMIN)
    expect(page.get_by_role("heading", level=1)).to_be_visible()

    assert list_shown_keys(page) == "?"
