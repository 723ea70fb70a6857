"""A dialog stays open with its entries when the server refuses, and shows one plain sentence."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.demo_world import get_action
from tests.browser.page_driver import find_violations

NOTE = "Call the daughter first."
REFUSALS = [(409, "This was already reported."), (412, "Someone changed it."), (422, "This cannot be processed.")]
PASSING = [(429, "Too many requests"), (503, "could not confirm that this was saved")]


def open_infusion_dialog(center, demo_world, name):
    """The dialog of an infusion, with a note."""
    center.go(demo_world.create_referral(name, stage="lymphodepletion_started")).press(get_action("infused"))
    dialog = center.page.get_by_role("dialog")
    dialog.get_by_label("Note").fill(NOTE)
    return dialog


@pytest.mark.parametrize(("status", "text"), REFUSALS + PASSING)
def test_a_refused_report_keeps_the_dialog_and_its_note(as_center, demo_world, status, text):
    """Every kind of refusal."""
    dialog = open_infusion_dialog(as_center, demo_world, f"Refused{status}")
    problem = {"code": "refused", "detail": text}
    as_center.page.route("**/events", lambda route: route.fulfill(status=status, json=problem))

    dialog.get_by_role("button", name=get_action("infused")).click()

    expect(dialog.get_by_role("alert")).to_contain_text(text)
    expect(dialog.get_by_label("Note")).to_have_value(NOTE)
    assert find_violations(as_center.page) == []


def test_a_report_without_a_connection_keeps_the_dialog_and_its_note(as_center, demo_world):
    """The same request can be sent again."""
    dialog = open_infusion_dialog(as_center, demo_world, "Offline")
    as_center.page.route("**/events", lambda route: route.abort(), times=1)
    dialog.get_by_role("button", name=get_action("infused")).click()
    expect(dialog.get_by_label("Note")).to_have_value(NOTE)

    dialog.get_by_role("button", name="Try again").click()

    expect(dialog).to_have_count(0)


def test_a_time_in_the_future_is_marked_in_plain_words(as_center, demo_world):
    """The server's own answer names the field, and no name of the API is on the page."""
    dialog = open_infusion_dialog(as_center, demo_world, "Tomorrow")
    when = dialog.get_by_label("When did it happen?")
    when.fill("2099-01-01T10:00")

    dialog.get_by_role("button", name=get_action("infused")).click()

    expect(when).to_have_attribute("aria-invalid", "true")
    expect(dialog.get_by_label("Note")).to_have_value(NOTE)
    assert not re.search(r"[a-z]_[a-z]", dialog.inner_text())


def test_the_infusion_day_at_the_center_follows_the_time(as_center, demo_world):
    """No one enters the day a second time."""
    dialog = open_infusion_dialog(as_center, demo_world, "Derived")

    dialog.get_by_label("When did it happen?").fill("2026-01-31T10:00")

    expect(dialog.get_by_text("Day 0 at")).to_contain_text("Jan 31, 2026")
    expect(dialog.locator("input[type=date]")).to_have_count(0)
