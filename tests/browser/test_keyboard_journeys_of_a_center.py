"""What a center does from a new referral to the patient's return, with the keyboard only."""

import re
import secrets
from datetime import timedelta

from playwright.sync_api import expect

from chalicelib import wiring
from tests.browser.demo_world import CENTER_COORDINATOR, PRACTICE, get_action, get_label
from tests.browser.keyboard_driver import KeyboardUser
from tests.browser.test_conversation import ask


def test_a_center_accepts_a_referral_and_asks_about_the_next(open_page, demo_world):
    """From the page of the sign-in to the list of new referrals, and from one patient to the next."""
    start = "Key" + "".join(secrets.choice("bcdfghjklmnpqrstvwxyz") for _ in range(6))
    for ending in ("aa", "bb"):
        demo_world.create_referral(f"{start}{ending}", stage="received")
    user = KeyboardUser(open_page()).sign_in(CENTER_COORDINATOR).expect_heading("Worklist")
    user.activate("link", re.compile(r"^New\b")).search(start, count=2)
    user.activate("link", re.compile(f"^{start}aa")).expect_heading(f"Ana {start}aa")
    expect(user.page.get_by_role("button", name="Accept and open next", disabled=False)).to_be_visible()

    user.activate("button", "Accept and open next")
    user.expect_heading(f"Ana {start}bb")
    user.expect_announced(f"Accepted Ana {start}aa. Next: Ana {start}bb.")
    user.activate("button", "Request information").expect_dialog("Request information")
    user.check("Echocardiogram with LVEF").fill("What do you need?", "Before Friday.")
    user.activate("button", "Request information")

    user.expect_closed_dialog().expect_announced(f"Information requested from {PRACTICE}.")
    user.expect_focused("button", "Request information")


def test_a_center_reports_leukapheresis(open_page, demo_world):
    """Scheduled, and then completed."""
    path = demo_world.create_referral("Keycells", stage="apheresis_scheduled")
    user = KeyboardUser(open_page(path, by=CENTER_COORDINATOR)).expect_heading("Keycells")

    user.activate("button", get_action("apheresis_completed")).expect_dialog(get_action("apheresis_completed"))
    user.activate("button", get_action("apheresis_completed"))

    user.expect_closed_dialog().expect_announced(f"Status updated to “{get_label('apheresis_completed')}.”")
    user.expect_heading("Keycells")


def test_a_center_reports_the_infusion(open_page, demo_world):
    """Which starts the monitoring window."""
    path = demo_world.create_referral("Keyinfusion", stage="lymphodepletion_started")
    user = KeyboardUser(open_page(path, by=CENTER_COORDINATOR)).expect_heading("Keyinfusion")

    user.activate("button", get_action("infused")).expect_dialog(get_action("infused"))
    user.choose("Product given optional", "Breyanzi").activate("button", get_action("infused"))

    user.expect_closed_dialog().expect_announced(f"Status updated to “{get_label('infused')}.”")
    expect(user.page.get_by_role("region", name="Monitoring window")).to_contain_text("Day 0")
    # A second part of the dose can follow, so the button stays.
    user.expect_focused("button", get_action("infused"))


def test_a_center_sends_the_return(open_page, demo_world):
    """It writes the summary, and then returns the patient."""
    path = demo_world.create_referral("Keyhome", stage="window_complete")
    user = KeyboardUser(open_page(path, by=CENTER_COORDINATOR)).expect_heading("Keyhome")

    user.activate("link", "Write summary").expect_heading("Transition-of-care summary")
    user.choose("CRS, worst grade", "Grade 1").fill("Current cytopenias", "Neutropenia, recovering")
    user.check("No prophylaxis").activate("button", "Remove care point 2").expect_focused("button", "Add a care point")
    user.activate("button", "Save summary").expect_heading("Keyhome").expect_announced("Summary saved")
    user.activate("button", get_action("handback_ready")).expect_dialog(get_action("handback_ready"))
    user.activate("button", get_action("handback_ready"))

    user.expect_closed_dialog().expect_announced(f"Status updated to “{get_label('handback_ready')}.”")
    user.expect_heading("Keyhome")


def test_a_center_closes_a_request_and_declines_the_referral(open_page, demo_world):
    """Both buttons are gone afterwards."""
    path = demo_world.create_referral("Keydecline", stage="received")
    ask(demo_world, path, "imaging")
    user = KeyboardUser(open_page(path, by=CENTER_COORDINATOR)).expect_heading("Keydecline")
    request = user.page.get_by_role("region", name="Information request")
    expect(request).to_be_visible()

    user.activate("button", "Close request")
    user.expect_announced(f"Information request closed. {PRACTICE} will be notified.")
    expect(request).to_have_count(0)
    user.expect_heading("Keydecline").activate("DisclosureTriangle", "Close this referral")
    user.activate("button", get_action("declined")).expect_dialog(get_action("declined"))
    user.choose("Reason", "Capacity full").activate("button", get_action("declined"))

    user.expect_closed_dialog().expect_announced(f"Status updated to “{get_label('declined')}.”")
    user.expect_heading("Keydecline")


def test_a_center_records_a_clearance(open_page, demo_world):
    """The button of this step is gone afterwards, and the focus stays at the coverage."""
    path = demo_world.create_referral("Keyclear", stage="accepted")
    user = KeyboardUser(open_page(path, by=CENTER_COORDINATOR)).expect_heading("Keyclear")
    expect(user.page.get_by_role("button", name="Record clearance")).to_be_visible()
    until = wiring.read_clock() + timedelta(days=60)

    user.activate("button", "Record clearance").expect_dialog("Record clearance")
    user.fill_date("Cleared until", f"{until:%m%d%Y}")
    user.choose("What does it rest on?", "No authorization required").activate("button", "Save")

    user.expect_closed_dialog().expect_announced("Saved. The coverage is up to date.")
    expect(user.page.get_by_role("region", name="Coverage")).to_contain_text("Cleared until")
    user.expect_focus_in_sight()
