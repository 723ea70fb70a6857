"""The day of a referral that was made earlier is entered in the form, and both sides see it."""

import pytest
from playwright.sync_api import expect

from tests.browser.demo_world import CENTER_COORDINATOR, COORDINATOR
from tests.browser.page_driver import PageUser, find_violations


@pytest.mark.parametrize("width", [1280, 390])
def test_the_day_is_entered_and_shown_to_both_sides(open_page, demo_world, width):
    user = PageUser(open_page(by=COORDINATOR, width=width))
    path = demo_world.create_referral(f"Earlier{width}", stage="draft")

    user.go(f"{path}/edit/center")
    user.page.get_by_label("Already referred on").fill("2026-05-04")
    assert find_violations(user.page) == []
    user.go(f"{path}/edit/review").at_step("Review and submit")
    user.press("Submit referral")

    expect(user.page.get_by_text("Referred on May 4, 2026").first).to_be_visible()
    center = PageUser(open_page(by=CENTER_COORDINATOR, width=width))
    expect(center.go(path).page.get_by_text("Referred on May 4, 2026").first).to_be_visible()
    assert center.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
