"""A date long before the referral is asked about in the dialog, which stays open."""

import pytest
from playwright.sync_api import expect

from tests.browser.demo_world import COORDINATOR, get_label
from tests.browser.page_driver import PageUser, find_violations


@pytest.mark.parametrize("width", [1280, 390])
def test_an_old_date_is_saved_after_the_user_confirms_it(open_page, demo_world, width):
    user = PageUser(open_page(by=COORDINATOR, width=width))
    page = user.go(demo_world.create_referral(f"Olden{width}", stage="accepted")).page
    user.open_details("More actions").press("Put the referral on hold")
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Reason").select_option(label="Infection hold")
    dialog.get_by_label("When did it happen?").fill("1999-01-05T12:00")
    save = dialog.get_by_role("button", name="Put the referral on hold")
    save.click()

    expect(dialog.get_by_text("Is that the right date?")).to_contain_text("1999")
    expect(dialog.get_by_label("Reason")).to_have_value("infection_hold")
    assert find_violations(page) == []
    save.click()
    expect(dialog.get_by_text("Is that the right date?")).to_be_visible()
    dialog.get_by_label("Yes, the date is right").check()
    save.click()

    expect(dialog).to_have_count(0)
    expect(page.get_by_text("On hold since")).to_be_visible()


def test_another_old_date_is_asked_about_again(open_page, demo_world):
    """The confirmation counts for the date that was shown."""
    user = PageUser(open_page(by=COORDINATOR))
    page = user.go(demo_world.create_referral("Twice", stage="accepted")).page
    user.open_details("More actions").press("Put the referral on hold")
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Reason").select_option(label="Infection hold")
    dialog.get_by_label("When did it happen?").fill("1999-01-05T12:00")
    save = dialog.get_by_role("button", name="Put the referral on hold")
    save.click()
    dialog.get_by_label("Yes, the date is right").check()
    dialog.get_by_label("When did it happen?").fill("1998-01-05T12:00")

    expect(dialog.get_by_label("Yes, the date is right")).not_to_be_checked()
    save.click()
    expect(dialog.get_by_text("1998")).to_be_visible()


def test_a_correction_to_an_old_date_marks_the_date_in_the_dialog(as_center, demo_world):
    """The message leads to the field, not to the form of the referral. That it did not happen needs no question."""
    page = as_center.go(demo_world.create_referral("Oldcorrected", stage="accepted")).page
    as_center.press(f"Correct the entry “{get_label('accepted')}”")
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("When did it happen?").fill("1999-01-05T12:00")
    dialog.get_by_role("button", name="Correct").click()

    dialog.get_by_role("alert").get_by_role("button").click()
    expect(dialog.get_by_label("When did it happen?")).to_be_focused()
    expect(dialog.get_by_text("Is that the right date?")).to_be_visible()
    dialog.get_by_role("radio", name="It did not happen").check()
    expect(dialog.get_by_text("Is that the right date?")).to_have_count(0)
    dialog.get_by_role("button", name="Correct").click()
    expect(as_center.current_step).to_contain_text(get_label("submitted"))
