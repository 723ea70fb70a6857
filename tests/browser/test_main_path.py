import pytest
from playwright.sync_api import expect

from tests.browser.demo_world import CENTER, CENTER_COORDINATOR, COORDINATOR
from tests.browser.page_driver import PageUser, keys_sent

pytestmark = pytest.mark.browser


def test_a_referral_goes_from_the_practice_to_the_center_and_on(open_page):
    """Written, sent, received and accepted: each side sees the same, with who acts next."""
    as_coordinator = PageUser(open_page()).sign_in(COORDINATOR)
    as_center = PageUser(open_page()).sign_in(CENTER_COORDINATOR)
    as_coordinator.write_whole("Mainpath", note="Prefers calls in the afternoon.")
    expect(as_coordinator.page.get_by_label("Packet")).to_contain_text("17 of 17")
    expect(as_coordinator.page.get_by_role("heading", name=f"Send to {CENTER}")).to_be_visible()

    as_coordinator.press("Send the referral")

    expect(as_coordinator.stage).to_contain_text("Submitted")
    path = as_coordinator.referral_path
    as_center.go(path).record("Confirm receipt")
    expect(as_center.stage).to_contain_text("Received by the center")
    as_center.record("Accept for evaluation")
    expect(as_center.stage).to_contain_text("Accepted for evaluation")
    expect(as_center.page.get_by_text("Prefers calls in the afternoon.")).to_be_visible()
    as_coordinator.page.reload()
    expect(as_coordinator.stage).to_contain_text("Accepted for evaluation")
    expect(as_coordinator.page.get_by_label("Where it stands")).to_contain_text(CENTER)
    expect(as_coordinator.page.get_by_role("button", name="Schedule")).to_have_count(0)


def test_a_recorded_infusion_opens_the_window_with_its_dates(as_center, demo_world):
    """Day 0 is the day that was entered; the milestones stand beside it."""
    as_center.go(demo_world.referral("Infusion", reached="lymphodepletion_started"))

    as_center.record("Record the infusion")

    expect(as_center.stage).to_contain_text("Infused")
    window = as_center.page.get_by_role("region", name="Monitoring window")
    expect(window).to_contain_text("Day 0")
    expect(window.get_by_role("listitem").filter(has_text="today")).to_contain_text("Infusion")


def test_a_centers_question_is_answered_and_the_referral_sent_again(as_coordinator, demo_world):
    """While the next move is the practice's, what it wrote can be changed."""
    path = demo_world.referral("Question", reached="received")
    demo_world.move(path, "info_requested")
    page = as_coordinator.go(path).page
    page.get_by_role("link", name="Edit").click()
    as_coordinator.at_step("Patient").fill(Email="ana@mail.example").press("Next")
    as_coordinator.at_step("Diagnosis")
    page.get_by_role("link", name="Review and send").click()

    as_coordinator.at_step("Review and send").press("Send the referral")

    expect(as_coordinator.stage).to_contain_text("Submitted")
    expect(page.get_by_text("ana@mail.example")).to_be_visible()
    expect(page.get_by_role("link", name="Edit")).to_have_count(0)


def test_an_incomplete_packet_is_not_sent_and_says_what_is_missing(as_coordinator):
    """The draft is kept; every missing item leads to its field."""
    as_coordinator.write_minimum("Unready").press("Save draft")
    expect(as_coordinator.page.get_by_label("Packet")).to_contain_text("of 17")

    as_coordinator.page.get_by_role("link", name="Review and send").click()
    as_coordinator.at_step("Review and send").press("Send the referral")

    summary = as_coordinator.page.get_by_role("alert")
    expect(summary).to_contain_text("Add: Insurance member ID")
    summary.get_by_role("button", name="Add: Insurance member ID").click()
    as_coordinator.at_step("Coverage and consent")
    expect(as_coordinator.page.get_by_label("Member id")).to_be_focused()


def test_a_draft_lacks_and_says_so_before_anything_is_sent(as_coordinator):
    """What a draft needs is named, and the first name of the list takes one to its field."""
    as_coordinator.go("#/new/patient").at_step("Patient").press("Save draft")

    summary = as_coordinator.page.get_by_role("alert")
    expect(summary).to_be_focused()
    summary.get_by_role("button", name="Enter the patient's family name.").click()
    expect(as_coordinator.page.get_by_label("Family name")).to_be_focused()


def test_the_worklist_searches_filters_and_grows(as_coordinator):
    """A search narrows it without touching the address; more of it comes on demand."""
    page = as_coordinator.page
    rows = page.get_by_role("row")
    expect(rows).to_have_count(26)  # the first page, and the head
    page.get_by_role("button", name="Show more").click()
    expect(rows).not_to_have_count(26)
    name = page.get_by_role("rowheader").first.get_by_role("link").inner_text().split(",")[0]

    page.get_by_role("searchbox").fill(name)

    expect(rows.filter(has_not_text=name)).to_have_count(1)
    assert name not in page.url
    page.get_by_role("searchbox").fill("nobody of that name")
    expect(page.get_by_text("No referral matches this search.")).to_be_visible()


def test_a_notice_is_read_once(as_coordinator):
    """The bell counts what is unread, and marking one as read asks the server once."""
    page = as_coordinator.page
    told = {
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
    page.route("**/v1/notices?*", lambda route: route.fulfill(json=_page_of(told)))
    page.route("**/v1/notices/ntc_1/read", lambda route: route.fulfill(status=204))
    keys = keys_sent(page, "POST", "/ntc_1/read")
    as_coordinator.go("#/notices")
    expect(page.get_by_text("Blue Heron").first).to_be_visible()

    page.get_by_role("button", name="Mark as read").dblclick()

    expect(page.get_by_role("button", name="Mark as read")).to_have_count(0)
    assert len(set(keys)) == 1


def _page_of(*items):
    return {"items": items, "unread": len(items), "next_cursor": None}


def test_a_members_side_decides_what_is_offered(open_page):
    """A center has an inbox, no form, and sees no drafts."""
    center = open_page(by=CENTER_COORDINATOR)

    expect(center.get_by_role("columnheader", name="Practice")).to_be_visible()
    expect(center.get_by_role("link", name="New referral")).to_have_count(0)
    expect(center.get_by_role("link", name="Drafts")).to_have_count(0)
