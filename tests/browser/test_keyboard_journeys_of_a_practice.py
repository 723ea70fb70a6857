"""What a practice does from the sign-in to the patient's return, with the keyboard only."""

import re
from datetime import timedelta

from playwright.sync_api import expect

from chalicelib import wiring
from tests.browser.demo_world import CENTER, COORDINATOR, get_action, get_label
from tests.browser.keyboard_driver import KeyboardUser
from tests.browser.test_consultation import publish_slot
from tests.browser.test_conversation import ask


def test_a_practice_signs_in_and_submits_a_referral(open_page):
    """All steps of the form, from the page of the sign-in to the page of the submitted referral."""
    consented_on = wiring.read_clock() - timedelta(days=30)
    user = KeyboardUser(open_page()).sign_in(COORDINATOR).expect_heading("Worklist")
    user.activate("link", "New referral").expect_heading(": Patient")
    user.fill("First name", "Ana").fill("Last name", "Keyjourney").fill_date("Date of birth", "04021961")
    user.choose("Sex", "Female").fill("Phone", "(806) 555-0142").fill("ZIP code", "79106")
    user.activate("button", "Next").expect_heading(": Diagnosis")
    user.choose("Disease", "Large B-cell lymphoma").choose("Histology", "DLBCL, not otherwise specified")
    user.choose("ECOG performance status", "1 \u2013 Restricted in strenuous activity")
    user.activate("button", "Next").expect_heading(": Prior lines of therapy")
    user.activate("button", "Add first line").fill("Regimen", "R-CHOP").choose("Outcome", "Relapsed")
    user.check("Anti-CD20").activate("button", "Next").expect_heading(": Treatment center")
    user.choose(re.compile("^Planned product"), "Breyanzi (lisocabtagene maraleucel)")
    user.fill("Search by name or city", CENTER, role="searchbox").pick("Treatment center", re.compile(CENTER))
    user.activate("button", "Next").expect_heading(": Insurance and consent")
    user.fill("Payer", "Example Health", role="combobox").fill("Member ID", "XEX0001")
    user.pick("Has the patient consented", "Yes").fill_date("Date of consent", f"{consented_on:%m%d%Y}")
    user.activate("button", "Next").expect_heading(": Referring provider")
    user.fill("Name", "R. Provider", role="combobox").fill("NPI", "1234567893").fill("Phone", "806 555 0101")
    user.activate("button", "Next").expect_heading(": Review and submit")

    user.activate("button", "Submit referral")

    user.expect_heading("Keyjourney").expect_announced(f"Referral submitted to {CENTER}")
    expect(user.page.locator('.progress [aria-current="step"]')).to_contain_text(get_label("submitted"))


def test_a_practice_answers_an_information_request(open_page, demo_world):
    """From the worklist to the request, and to its answer."""
    path = demo_world.create_referral("Keyanswer", stage="accepted")
    ask(demo_world, path, "clinical_ecog", text="Before Friday, please.")
    user = KeyboardUser(open_page(by=COORDINATOR)).open_row("Keyanswer")

    user.activate("button", "Answer the information request (1 open)")
    user.expect_focused("heading", "Information request")
    user.pick("ECOG performance status", "Answer here").fill("Answer", "ECOG 1").activate("button", "Send answer")

    user.expect_announced("Answer sent. All items are answered.")
    expect(user.page.get_by_role("region", name="Information request")).to_have_count(0)
    user.expect_heading("Keyanswer")


def test_a_practice_reports_an_adverse_event(open_page, demo_world):
    """In a dialog, after which the focus is on the button that opened it."""
    demo_world.create_referral("Keyfever", stage="monitoring")
    user = KeyboardUser(open_page(by=COORDINATOR)).open_row("Keyfever")

    user.activate("DisclosureTriangle", "More actions").activate("button", "Report an adverse event")
    user.expect_dialog("Report an adverse event")
    user.choose("What did you observe?", "Infection").choose("Grade optional", "Grade 3")
    user.activate("button", "Report an adverse event")

    user.expect_closed_dialog().expect_announced(f"Adverse event reported. {CENTER} will be notified.")
    user.expect_focused("button", "Report an adverse event")


def test_a_practice_acknowledges_the_return(open_page, demo_world):
    """With the first visit, which the page then shows."""
    demo_world.create_referral("Keyreturn", stage="handback_ready")
    user = KeyboardUser(open_page(by=COORDINATOR)).open_row("Keyreturn")
    visit = wiring.read_clock() + timedelta(days=9)

    user.activate("button", get_action("handed_back")).expect_dialog(get_action("handed_back"))
    user.fill_date("First visit with your practice optional", f"{visit:%m%d%Y}")
    user.activate("button", get_action("handed_back"))

    user.expect_closed_dialog().expect_announced(f"Status updated to “{get_label('handed_back')}.”")
    user.expect_heading("Keyreturn")


def test_a_practice_books_a_consultation(open_page, demo_world):
    """A free time, which is held and then booked."""
    publish_slot(demo_world, minute=50)
    demo_world.create_referral("Keybooking", stage="accepted")
    user = KeyboardUser(open_page(by=COORDINATOR)).open_row("Keybooking")

    user.activate("link", "Book a time").expect_heading("Book the consultation")
    expect(user.page.get_by_role("radio", name=":50").first).to_be_visible()
    user.pick("", re.compile(":50"))
    user.expect_announced("is held for you.").activate("button", re.compile("^Book "))

    user.expect_heading("Keybooking").expect_announced("Consultation booked. Both teams will be notified.")
    expect(user.page.get_by_role("region", name="Consultation Booked")).to_be_visible()
