"""The main path of a referral, from the form to the infusion, as both organizations see it."""

import re

from playwright.sync_api import expect

from tests.browser.demo_world import CENTER, CENTER_COORDINATOR, COORDINATOR, get_action, get_label
from tests.browser.page_driver import PageUser, record_idempotency_keys


def test_a_referral_goes_from_the_practice_to_the_center(open_page):
    """It is written, submitted, received, and accepted. Both organizations see the same status."""
    as_coordinator = PageUser(open_page()).sign_in(COORDINATOR)
    as_center = PageUser(open_page()).sign_in(CENTER_COORDINATOR)
    as_coordinator.fill_whole_form("Mainpath", note="Prefers calls in the afternoon.")
    expect(as_coordinator.page.get_by_label("Referral packet")).to_contain_text("17 of 17")
    expect(as_coordinator.page.get_by_role("heading", name=f"Submit to {CENTER}")).to_be_visible()

    as_coordinator.press("Submit referral")

    expect(as_coordinator.current_step).to_contain_text(get_label("submitted"))
    path = as_coordinator.referral_path
    as_center.go(path).record(get_action("received"))
    expect(as_center.current_step).to_contain_text(get_label("received"))
    message = f"Status updated to “{get_label('received')}.”"
    expect(as_center.page.get_by_text(message).first).to_be_visible()
    as_center.record(get_action("accepted"))
    expect(as_center.current_step).to_contain_text(get_label("accepted"))
    expect(as_center.page.get_by_text("Prefers calls in the afternoon.")).to_be_visible()
    as_coordinator.page.reload()
    expect(as_coordinator.current_step).to_contain_text(get_label("accepted"))
    expect(as_coordinator.page.get_by_label("Referral status")).to_contain_text(CENTER)
    expect(as_coordinator.page.get_by_text(f"Waiting for {CENTER}.")).to_be_visible()
    expect(as_coordinator.page.get_by_role("button", name="Schedule")).to_have_count(0)


def test_an_infusion_starts_the_monitoring_window(as_center, demo_world):
    """Day 0 is the infusion date, and the milestones have their dates."""
    as_center.go(demo_world.create_referral("Infusion", stage="lymphodepletion_started"))

    as_center.record(get_action("infused"))

    expect(as_center.current_step).to_contain_text(get_label("infused"))
    window = as_center.page.get_by_role("region", name="Monitoring window")
    expect(window).to_contain_text("Day 0")
    expect(window.get_by_role("listitem").filter(has_text="today")).to_contain_text("Infusion")


def test_a_practice_edits_and_resubmits_after_an_information_request(as_coordinator, demo_world):
    """The practice can edit the referral while the next action is its own."""
    path = demo_world.create_referral("Question", stage="received")
    demo_world.report_stage(path, "info_requested", note="Please add an email address.")
    page = as_coordinator.go(path).page
    page.get_by_role("link", name="Edit").click()
    as_coordinator.at_step("Patient").fill(Email="ana@mail.example").press("Next")
    as_coordinator.at_step("Diagnosis")
    page.get_by_role("link", name="Review and submit").click()

    as_coordinator.at_step("Review and submit").press("Submit referral")

    expect(as_coordinator.current_step).to_contain_text(get_label("submitted"))
    expect(page.get_by_text("ana@mail.example")).to_be_visible()
    expect(page.get_by_role("link", name="Edit")).to_have_count(0)


def test_an_incomplete_referral_is_not_submitted_and_lists_what_is_missing(as_coordinator):
    """The draft is saved. Every missing item links to its field."""
    as_coordinator.fill_required_fields("Unready").press("Save draft")
    expect(as_coordinator.page.get_by_label("Referral packet")).to_contain_text("of 17")

    as_coordinator.page.get_by_role("link", name="Review and submit").click()
    as_coordinator.at_step("Review and submit").press("Submit referral")

    summary = as_coordinator.page.get_by_role("alert")
    summary.get_by_role("button", name=re.compile("Insurance member ID", re.IGNORECASE)).click()
    as_coordinator.at_step("Insurance and consent")
    expect(as_coordinator.page.get_by_label("Member ID")).to_be_focused()


def test_an_untouched_form_is_not_saved(as_coordinator):
    """A draft without any entry helps no one."""
    as_coordinator.go("#/new/patient").at_step("Patient").press("Save draft")

    expect(as_coordinator.page.get_by_role("alert")).to_contain_text("Enter at least one field")
    assert as_coordinator.page.url.endswith("#/new/patient")


def test_wrong_fields_are_listed_and_each_leads_to_its_field(as_coordinator):
    """The page counts the errors of a save."""
    as_coordinator.go("#/new/patient").at_step("Patient").fill(Last_name="Listed", ZIP_code="1234", Phone="12")
    as_coordinator.press("Save draft")

    summary = as_coordinator.page.get_by_role("alert")
    expect(summary).to_be_focused()
    expect(summary).to_contain_text("Fix 2 fields to continue")
    summary.get_by_role("button").last.click()
    expect(as_coordinator.page.locator("input:focus")).to_have_attribute("aria-invalid", "true")


def test_the_worklist_can_be_searched(as_coordinator):
    """A search never changes the address."""
    page = as_coordinator.go("#/worklist/all").page
    rows = page.get_by_role("row")
    name = page.get_by_role("rowheader").get_by_role("link").first.inner_text().split(",")[0]

    page.get_by_role("searchbox").fill(name)

    expect(rows.filter(has_not_text=name)).to_have_count(1)
    assert name not in page.url
    page.get_by_role("searchbox").fill("no patient has this name")
    expect(page.get_by_text("No referrals match your search.")).to_be_visible()


def test_a_double_click_marks_a_notice_as_read_once(as_coordinator):
    """Both clicks send the same Idempotency-Key."""
    page = as_coordinator.page
    notice = {
        "notice_id": "ntc_1",
        "rule": "infusion",
        "title": "The monitoring window is open",
        "referral_id": "ref_1",
        "alias": "Blue Heron",
        "created_at": "2026-11-20T15:00:00Z",
        "read_at": None,
        "category": "window",
        "mail": {"state": "sent", "at": "2026-11-20T15:00:02Z", "why": None},
    }
    page.route("**/v1/notices?*", lambda route: route.fulfill(json=_build_page(notice)))
    page.route("**/v1/notices/ntc_1/read", lambda route: route.fulfill(status=204))
    keys = record_idempotency_keys(page, "POST", "/ntc_1/read")
    as_coordinator.go("#/notices")
    expect(page.get_by_text("Blue Heron").first).to_be_visible()

    page.get_by_role("button", name="Mark as read").dblclick()

    expect(page.get_by_role("button", name="Mark as read")).to_have_count(0)
    assert len(set(keys)) == 1


def _build_page(*items):
    return {"items": items, "unread": len(items), "next_cursor": None}


def test_a_center_has_no_referral_form_and_no_drafts(open_page):
    """Its worklist shows the practice of each referral."""
    center = open_page(by=CENTER_COORDINATOR)

    expect(center.get_by_role("columnheader", name="Practice")).to_be_visible()
    expect(center.get_by_role("link", name="New referral")).to_have_count(0)
    center.get_by_text("More views").click()
    expect(center.get_by_role("link", name="Drafts")).to_have_count(0)
