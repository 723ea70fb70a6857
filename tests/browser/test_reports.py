"""What is reported beside the plain moves, and how each side sees it."""

from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.demo_world import CENTER_ADMIN, COORDINATOR
from tests.browser.page_driver import PageUser, keys_sent
from tests.browser.test_looks import violations

pytestmark = pytest.mark.browser


def test_a_decline_needs_a_reason_and_is_referred_again(as_center, as_coordinator, demo_world):
    """The practice reads why and what it may do, and goes on with what it wrote before."""
    path = demo_world.referral("Turneddown", reached="received")
    as_center.go(path).unfold("End the journey").press("Decline the referral")
    dialog = as_center.page.get_by_role("dialog")
    dialog.get_by_role("button", name="Decline the referral").click()
    expect(dialog.get_by_label("Reason")).to_be_focused()  # it is required
    dialog.get_by_label("Reason").select_option(label="Capacity full")
    dialog.get_by_role("button", name="Decline the referral").click()
    expect(as_center.stage).to_contain_text("Declined by the center")

    page = as_coordinator.go(path).page
    expect(page.get_by_text("No capacity at the center").first).to_be_visible()
    expect(page.get_by_text("Refer to another center. This one may reopen to new patients.")).to_be_visible()
    as_coordinator.press("Refer again").at_step("Patient")
    expect(page.get_by_label("Family name")).to_have_value("Turneddown")
    as_coordinator.press("Save draft")

    expect(page.get_by_label("Packet")).to_contain_text("consent to share")  # was for the other
    as_coordinator.go(as_coordinator.referral_path)
    page.get_by_role("link", name="The earlier referral").click()
    expect(page.get_by_role("link", name="The newer referral")).to_be_visible()
    expect(page.get_by_role("button", name="Refer again")).to_have_count(0)


def test_a_hold_is_on_the_page_and_on_the_list_until_it_ends(as_coordinator, demo_world):
    """With its reason; either side starts or ends it."""
    page = as_coordinator.go(demo_world.referral("Paused", reached="accepted")).page
    as_coordinator.unfold("Report something else").record("Put on hold", Reason="Infection hold")
    banner = page.get_by_text("On hold since")
    expect(banner).to_contain_text("as the practice says: infection hold")
    path = as_coordinator.referral_path
    as_coordinator.go("#/worklist/all").fill(Search="Paused")
    expect(page.get_by_role("row").filter(has_text="Paused")).to_contain_text("On hold")

    as_coordinator.go(path).unfold("Report something else").record("End the hold")

    expect(page.get_by_text("The hold has ended.").first).to_be_visible()
    expect(banner).to_have_count(0)


def test_a_practice_asks_to_withdraw_where_it_no_longer_can(as_coordinator, as_center, demo_world):
    """Once the center goes ahead, the next move is the center's."""
    path = demo_world.referral("Stopping", reached="center_proceed")
    as_coordinator.go(path).unfold("Report something else")

    as_coordinator.record("Ask to withdraw", Reason="Patient choice")

    expect(as_center.go(path).page.get_by_text("Withdrawal requested").first).to_be_visible()
    expect(as_center.page.get_by_label("Where it stands")).to_contain_text("Your team")
    reason = as_center.page.get_by_text("Reason: Patient's choice")
    expect(reason).to_be_visible()


def test_what_a_center_notices_after_infusion_reaches_the_practice(as_center, open_page, demo_world):
    """A toxicity with its grade, and a window that ends later."""
    path = demo_world.referral("Noticed", reached="infused")
    as_center.go(path).unfold("Report something else")
    as_center.record("Report a toxicity", What="Neurotoxicity (ICANS)", Grade="Grade 2")
    dialog = as_center.press("Extend the window").page.get_by_role("dialog")
    dialog.get_by_label("Hand-back on").fill("2099-01-31")
    dialog.get_by_role("button", name="Extend").click()
    expect(as_center.page.get_by_text("moved the hand-back to Jan 31, 2099")).to_be_visible()

    page = open_page(path, by=COORDINATOR)

    expect(page.get_by_text("Toxicity noticed by the center")).to_be_visible()
    timeline = page.get_by_role("region", name="Timeline")
    expect(timeline).to_contain_text("Neurotoxicity (ICANS), grade 2")
    expect(timeline).to_contain_text("Hand-back on Jan 31, 2099")
    expect(timeline.get_by_role("button", name="Correct")).to_have_count(0)  # not its own


def test_a_stage_that_was_reported_in_error_is_taken_back(as_center, demo_world):
    """It stays in the timeline, struck out, and counts no more."""
    page = as_center.go(demo_world.referral("Mistaken", reached="accepted")).page
    as_center.press("Correct: Accepted for evaluation")
    page.get_by_role("radio", name="It did not happen").check()

    page.get_by_role("dialog").get_by_role("button", name="Correct").click()

    expect(as_center.stage).to_contain_text("Submitted")
    timeline = page.get_by_role("region", name="Timeline")
    expect(timeline.get_by_role("listitem").filter(has_text="Corrected later")).to_have_count(1)
    expect(timeline).to_contain_text("Accepted for evaluation: it did not happen")


def test_what_is_late_or_missing_says_so_in_words(as_coordinator):
    """On the list of what is overdue every row has its word; a list is one of a select too."""
    page = as_coordinator.go("#/worklist/update_overdue").page
    expect(page.get_by_role("link", name="Update overdue")).to_have_attribute("aria-current", "page")
    expect(page.get_by_role("rowheader").first).to_be_visible()

    rows = page.get_by_role("row").filter(has=page.get_by_role("rowheader"))

    words = ("Late", "Very late", "Update missing")
    assert [row for row in rows.all_inner_texts() if not any(w in row for w in words)] == []
    page.set_viewport_size({"width": 390, "height": 800})
    page.get_by_label("Show").select_option("needs_my_action")
    expect(page.get_by_text("Your team").first).to_be_visible()


def test_an_administrator_reads_the_feed_and_makes_a_secret(open_page):
    """What waits is tried again once; the new secret is shown, copied and gone."""
    page = open_page(by=CENTER_ADMIN)
    page.route("**/deliveries", lambda route: route.fulfill(json=_log("parked")))
    page.route("**/msg_1/replay", lambda route: route.fulfill(json=_delivery("applied")))
    keys = keys_sent(page, "POST", "/replay")
    admin = PageUser(page)
    page.get_by_role("link", name="Feed", exact=True).click()
    expect(page.get_by_text("Waiting")).to_be_visible()
    assert violations(page) == []

    page.get_by_role("button", name="Try delivery msg_1 again").dblclick()

    expect(page.get_by_text("It moved the referral.")).to_be_visible()
    assert len(keys) == 1
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    admin.press("New webhook secret").press("Make the secret").press("Copy")
    expect(page.get_by_text("Copied.")).to_be_visible()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied.startswith("whsec_")
    admin.press("Done")
    expect(page.get_by_role("dialog")).to_have_count(0)
    assert copied not in page.content()


def _delivery(status: str) -> dict[str, Any]:
    return {
        "delivery_id": "msg_1",
        "received_at": "2026-11-20T15:00:00Z",
        "status": status,
        "referral_id": "ref_1",
        "event_id": "evt_1",
        "stage": "accepted",
        "code": None,
    }


def _log(status: str) -> dict[str, Any]:
    return {"items": [_delivery(status)], "next_cursor": None}
