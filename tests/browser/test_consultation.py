"""Booking a consultation, and publishing times, at the width of a desk and of a phone, and by keyboard."""

from datetime import timedelta

import pytest
from playwright.sync_api import expect

from chalicelib import wiring
from tests.browser.demo_world import CENTER_COORDINATOR, COORDINATOR
from tests.browser.page_driver import PageUser, find_violations

WIDTHS = pytest.mark.parametrize("width", [1280, 390])


def publish_slot(demo_world, *, days=3, minute):
    """Publish a time of the center, and return it."""
    starts_at = (wiring.read_clock() + timedelta(days=days)).replace(hour=16, minute=minute, second=0, microsecond=0)
    center = demo_world.call_api("GET", "me", by=CENTER_COORDINATOR)["tenant"]["tenant_id"]
    body = {"starts_at": starts_at.isoformat(), "minutes": 45, "mode": "telehealth"}
    return demo_world.call_api("POST", f"centers/{center}/slots", body, by=CENTER_COORDINATOR)["items"][0]


@WIDTHS
def test_a_practice_books_moves_and_cancels_a_consultation(open_page, demo_world, width):
    minute = 5 if width == 390 else 10
    publish_slot(demo_world, minute=minute)
    publish_slot(demo_world, days=4, minute=minute)
    path = demo_world.create_referral(f"Booked{width}", stage="accepted")
    page = open_page(path, by=COORDINATOR, width=width)
    page.get_by_role("link", name="Book a time").click()
    expect(page.get_by_role("heading", name="Book the consultation")).to_be_visible()

    page.get_by_role("radio", name=f":{minute:02d}").first.check()
    expect(page.get_by_role("timer")).to_contain_text("Held for you until")
    page.get_by_label("Note to the center").fill("Needs an interpreter.")
    assert find_violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.get_by_role("button", name="Book ").click()

    card = page.get_by_role("region", name="Consultation Booked")
    expect(card).to_contain_text("Video · 45 minutes")
    expect(card).to_contain_text("Needs an interpreter.")
    assert find_violations(page) == []
    page.get_by_role("link", name="Reschedule").click()
    page.get_by_role("radio", name=f":{minute:02d}").last.check()
    expect(page.get_by_role("timer")).to_be_visible()
    page.get_by_role("button", name="Move to").click()
    expect(card).to_be_visible()

    card.get_by_role("button", name="Cancel consultation").click()
    dialog = page.get_by_role("dialog", name="Cancel the consultation?")
    dialog.get_by_role("button", name="Cancel consultation").click()
    expect(dialog).to_contain_text("Choose a reason.")
    dialog.get_by_role("radio", name="The patient is unwell").check()
    assert find_violations(page) == []
    dialog.get_by_role("button", name="Cancel consultation").click()
    expect(page.get_by_role("region", name="Consultation Canceled")).to_be_visible()


def test_times_are_chosen_by_arrow_keys_and_booked_by_keyboard(open_page, demo_world):
    publish_slot(demo_world, minute=20)
    publish_slot(demo_world, minute=25)
    path = demo_world.create_referral("Keyboard", stage="accepted")
    page = open_page(f"{path}/consultation", by=COORDINATOR)
    first = page.get_by_role("radio", name=":20").first
    first.focus()
    page.keyboard.press("Space")
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("timer")).to_contain_text("Held for you until")
    page.get_by_role("button", name="Book ").focus()
    page.keyboard.press("Enter")

    expect(page.get_by_role("region", name="Consultation Booked")).to_be_visible()


def test_a_practice_asks_the_center_when_no_time_fits(open_page, demo_world):
    path = demo_world.create_referral("Asking", stage="accepted")
    page = open_page(f"{path}/consultation", by=COORDINATOR, width=390)
    page.get_by_role("checkbox", name="Mon").check()
    page.get_by_role("radio", name="Morning").check()
    page.get_by_role("button", name="Ask the center").click()

    card = page.get_by_role("region", name="Consultation Center asked for a time")
    expect(card).to_contain_text("Days that work: Mon. Morning.")
    center = open_page(path, by=CENTER_COORDINATOR)
    expect(center.get_by_role("region", name="Consultation Center asked for a time")).to_be_visible()


def test_a_time_that_was_just_taken_says_so_and_shows_the_free_ones(open_page, demo_world):
    slot = publish_slot(demo_world, minute=35)
    first = demo_world.create_referral("Faster", stage="accepted")
    path = demo_world.create_referral("Slower", stage="accepted")
    page = open_page(f"{path}/consultation", by=COORDINATOR)
    radio = page.get_by_role("radio", name=":35").first
    expect(radio).to_be_visible()
    body = {"slot_id": slot["slot_id"], "state": "booked"}
    consultation = f"{first.removeprefix('#/')}/consultation"
    demo_world.call_api("PUT", consultation, body, by=COORDINATOR, version=0)
    radio.check()

    expect(page.get_by_role("alert")).to_contain_text("This time was just taken. Choose another one.")
    expect(page.get_by_role("radio", name=":35")).to_have_count(0)


@WIDTHS
def test_a_center_publishes_changes_and_removes_its_times(open_page, demo_world, width):
    user = PageUser(open_page("#/times", by=CENTER_COORDINATOR, width=width))
    page = user.page
    expect(page.get_by_role("heading", name="Consultation times")).to_be_visible()
    user.press("Add weekly times")
    dialog = page.get_by_role("dialog", name="Add weekly times")
    dialog.get_by_role("button", name="Save weekly times").click()
    expect(dialog.get_by_role("alert")).to_contain_text("Fix 1 field to continue")
    dialog.get_by_role("checkbox", name="Tue").check()
    start = "07:10" if width == 390 else "07:20"
    dialog.get_by_label("Times", exact=True).fill(start)
    assert find_violations(page) == []
    dialog.get_by_role("button", name="Save weekly times").click()
    expect(dialog).to_be_hidden()

    weekly = page.get_by_role("region", name="Weekly times")
    expect(weekly).to_contain_text(f"Tue {start}")
    assert find_violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.get_by_role("button", name=f"Change Tue {start}").click()
    dialog = page.get_by_role("dialog", name="Change weekly times")
    dialog.get_by_label("Extra times").fill("2030-01-02 25:00")
    dialog.get_by_role("button", name="Save weekly times").click()
    expect(dialog.get_by_role("alert")).to_contain_text("Fix 1 field to continue")
    extra_day = (wiring.read_clock() + timedelta(days=20)).date().isoformat()
    dialog.get_by_label("Extra times").fill(f"{extra_day} 7:05")
    dialog.get_by_role("button", name="Save weekly times").click()
    expect(weekly).to_contain_text("Extra times: ")
    expect(weekly).to_contain_text(", 07:05.")
    page.get_by_role("button", name=f"Remove Tue {start}").click()
    expect(weekly).not_to_contain_text(f"Tue {start}")


@WIDTHS
def test_a_center_adds_one_time_next_to_its_weekly_ones_and_removes_it(open_page, demo_world, width):
    user = PageUser(open_page("#/times", by=CENTER_COORDINATOR, width=width))
    page = user.page
    user.press("Add one time")
    dialog = page.get_by_role("dialog", name="Add one time")
    dialog.get_by_role("button", name="Publish time").click()
    expect(dialog.get_by_role("alert")).to_contain_text("Fix 2 fields to continue")
    day = (wiring.read_clock() + timedelta(days=18)).date().isoformat()
    dialog.get_by_label("Day").fill(day)
    dialog.get_by_label("Time", exact=True).fill("06:05" if width == 390 else "06:10")
    dialog.get_by_label("Patients at the same time").fill("3")
    dialog.get_by_label("Place").fill("Clinic 4")
    assert find_violations(page) == []
    dialog.get_by_role("button", name="Publish time").click()
    expect(dialog).to_be_hidden()

    page.get_by_role("button", name="Later").click()
    row = page.get_by_role("listitem").filter(has_text="6:05 AM" if width == 390 else "6:10 AM")
    expect(row).to_contain_text("Video · Clinic 4 · 3 of 3 free")
    assert find_violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    row.get_by_role("button", name="Remove").click()
    expect(row).to_have_count(0)
