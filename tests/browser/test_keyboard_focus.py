"""The focus when a button goes away because it was pressed."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.demo_world import COORDINATOR
from tests.browser.keyboard_driver import KeyboardUser


@pytest.fixture
def open_by_keyboard(open_page):
    """A function that opens a page of a practice, for the keyboard only."""

    def open_at(path, heading):
        return KeyboardUser(open_page(path, by=COORDINATOR)).expect_heading(heading)

    return open_at


def test_clearing_the_filters_moves_the_focus_to_the_heading(open_by_keyboard):
    """The list is below it."""
    user = open_by_keyboard("#/worklist/all?urgency=urgent", "Worklist")
    expect(user.page.locator(".worklist-card, .empty-state")).to_be_visible()

    user.activate("button", "Clear 1 filter")

    expect(user.page.get_by_role("button", name="Clear 1 filter")).to_have_count(0)
    user.expect_heading("Worklist")


def test_marking_a_notice_as_read_moves_the_focus_to_the_notice(open_by_keyboard):
    """So that the next one is one key away."""
    user = open_by_keyboard("#/notices", "Notices")
    expect(user.page.locator(".notice-list")).to_be_visible()

    user.activate("button", re.compile("^Mark as read"))

    user.expect_announced("Marked as read")
    expect(user.page.get_by_role("listitem").locator("a:focus")).to_have_count(1)
    user.expect_focus_in_sight()


def test_turning_off_the_calendar_link_moves_the_focus_to_the_next_button(open_by_keyboard, demo_world):
    """Which creates a new link."""
    path = demo_world.create_referral("Keycalendar", stage="infused")
    user = open_by_keyboard(path, "Keycalendar")
    expect(user.page.get_by_text("Subscribe from your calendar app")).to_be_visible()
    user.activate("DisclosureTriangle", "Subscribe from your calendar app").activate(
        "button", re.compile("^Create (a new )?link")
    )
    expect(user.page.get_by_role("button", name="Turn off link")).to_be_visible()

    user.activate("button", "Turn off link")

    user.expect_announced("Calendar link turned off").expect_focused("button", "Create link")
