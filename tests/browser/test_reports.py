"""Reports other than the main path, and how each organization sees them."""

from typing import Any

import pytest
from playwright.sync_api import expect

from chalicelib.domain.referrals.reason_codes import REASON_FACTS, ReasonCode
from tests.browser.demo_world import CENTER_ADMIN, COORDINATOR, PRACTICE, get_action, get_label
from tests.browser.page_driver import PageUser, find_violations, record_idempotency_keys


def test_a_declined_referral_can_be_the_basis_of_a_new_one(as_center, as_coordinator, demo_world):
    """A decline requires a reason. The practice reads it with the next step, and reuses its entries."""
    path = demo_world.create_referral("Turneddown", stage="received")
    as_center.go(path).open_details("Close this referral").press(get_action("declined"))
    dialog = as_center.page.get_by_role("dialog")
    dialog.get_by_role("button", name=get_action("declined")).click()
    expect(dialog.get_by_label("Reason")).to_be_focused()  # it is required
    dialog.get_by_label("Reason").select_option(label="Capacity full")
    dialog.get_by_role("button", name=get_action("declined")).click()
    expect(as_center.current_step).to_contain_text(get_label("declined"))

    page = as_coordinator.go(path).page
    reason = REASON_FACTS[ReasonCode.CAPACITY_FULL]
    expect(page.get_by_text(reason.label).first).to_be_visible()
    expect(page.get_by_text(f"What you can do next: {reason.next_step}")).to_be_visible()
    as_coordinator.press("Start a new referral for this patient").at_step("Patient")
    expect(page.get_by_label("Last name")).to_have_value("Turneddown")
    as_coordinator.press("Save draft")

    expect(page.get_by_label("Referral packet")).to_contain_text("consent to share")  # only for the earlier referral
    as_coordinator.go(as_coordinator.referral_path)
    page.get_by_role("link", name="Earlier referral").click()
    expect(page.get_by_role("link", name="Newer referral")).to_be_visible()
    expect(page.get_by_role("button", name="Start a new referral")).to_have_count(0)


def test_a_hold_is_on_the_page_and_in_the_worklist_until_it_ends(as_coordinator, demo_world):
    """With its reason and who placed it."""
    page = as_coordinator.go(demo_world.create_referral("Paused", stage="accepted")).page
    as_coordinator.open_details("More actions").record("Put the referral on hold", Reason="Infection hold")
    banner = page.get_by_text("On hold since")
    expect(banner).to_contain_text(f"placed by {PRACTICE}")
    expect(banner).to_contain_text("Reason: infection hold.")
    path = as_coordinator.referral_path
    as_coordinator.go("#/worklist/all").fill(Search="Paused")
    expect(page.get_by_role("row").filter(has_text="Paused")).to_contain_text("On hold")

    as_coordinator.go(path).open_details("More actions").record("Resume the referral")

    expect(page.get_by_text("The referral is active again.").first).to_be_visible()
    expect(banner).to_have_count(0)


def test_a_practice_can_only_request_withdrawal_after_the_center_proceeds(as_coordinator, as_center, demo_world):
    """After the request, the next action is the center's."""
    path = demo_world.create_referral("Stopping", stage="center_proceed")
    as_coordinator.go(path).open_details("More actions")

    as_coordinator.record("Request withdrawal", Reason="Patient choice")

    banner = as_center.go(path).page.get_by_text(f"{PRACTICE} asked to withdraw this referral")
    expect(banner).to_be_visible()
    expect(as_center.page.get_by_label("Referral status")).to_contain_text("Your team")
    reason = REASON_FACTS[ReasonCode.PATIENT_CHOICE].label
    expect(as_center.page.get_by_text(f"Reason: {reason}")).to_be_visible()


def test_a_practice_sees_an_adverse_event_and_an_extension_of_monitoring(as_center, open_page, demo_world):
    """The adverse event has its grade, and the extension has the new return date."""
    path = demo_world.create_referral("Adverse", stage="infused")
    as_center.go(path).open_details("More actions")
    as_center.record("Report an adverse event", What="Neurotoxicity (ICANS)", Grade="Grade 2")
    expect(as_center.page.get_by_text(f"Adverse event reported. {PRACTICE} will be notified.").first).to_be_visible()
    dialog = as_center.press("Extend monitoring").page.get_by_role("dialog")
    dialog.get_by_label("Return to referring provider on").fill("2099-01-31")
    dialog.get_by_role("button", name="Extend monitoring").click()
    expect(as_center.page.get_by_text("New return date: Jan 31, 2099")).to_be_visible()

    page = open_page(path, by=COORDINATOR)

    expect(page.get_by_text("Open adverse events").first).to_be_visible()
    timeline = page.get_by_role("region", name="Timeline")
    expect(timeline).to_contain_text("Neurotoxicity (ICANS), grade 2")
    expect(timeline).to_contain_text("Return to referring provider on Jan 31, 2099")
    expect(timeline.get_by_role("button", name="Correct")).to_have_count(0)  # only the center can correct its events


def test_a_status_reported_by_mistake_can_be_removed(as_center, demo_world):
    """It stays in the timeline as corrected, and no longer counts."""
    page = as_center.go(demo_world.create_referral("Mistaken", stage="accepted")).page
    as_center.press(f"Correct the entry “{get_label('accepted')}”")
    page.get_by_role("radio", name="It did not happen").check()

    page.get_by_role("dialog").get_by_role("button", name="Correct").click()

    expect(as_center.current_step).to_contain_text(get_label("submitted"))
    timeline = page.get_by_role("region", name="Timeline")
    expect(timeline.get_by_role("listitem").filter(has=page.get_by_text("Corrected", exact=True))).to_have_count(1)
    expect(timeline).to_contain_text(f"“{get_label('accepted')}” removed: it did not happen")


@pytest.mark.parametrize(
    ("worklist", "name", "badges"),
    [
        ("late", "Late", ("days late", "day late")),
        ("update_missing", "Update missing", ("Update missing from center",)),
    ],
)
def test_every_row_of_a_list_says_why_it_is_there(as_coordinator, worklist, name, badges):
    """A late step and a gap in the updates of a center's system are two things."""
    page = as_coordinator.go(f"#/worklist/{worklist}").page
    expect(page.get_by_role("link", name=name)).to_have_attribute("aria-current", "page")
    rows = page.get_by_role("row").filter(has=page.get_by_role("rowheader").get_by_role("link"))
    expect(rows.first).to_be_visible()

    assert [row for row in rows.all_inner_texts() if not any(badge in row for badge in badges)] == []


def test_a_phone_has_all_views_in_a_menu(as_coordinator):
    """The first two stay outside of it."""
    page = as_coordinator.go("#/worklist/late").page
    page.set_viewport_size({"width": 390, "height": 800})
    page.get_by_text("More views").click()
    page.get_by_role("link", name="All open").last.click()
    expect(page.get_by_text("Your team").first).to_be_visible()
    assert page.url.endswith("#/worklist/all_open")


def test_an_administrator_retries_an_update_and_creates_a_secret(open_page):
    """A double click retries once. The page shows the new secret once, to copy it."""
    page = open_page("#/account", by=CENTER_ADMIN)
    page.route("**/deliveries", lambda route: route.fulfill(json=_build_log("parked")))
    page.route("**/msg_1/replay", lambda route: route.fulfill(json=_build_delivery("applied")))
    keys = record_idempotency_keys(page, "POST", "/replay")
    admin = PageUser(page)
    page.get_by_role("link", name="Connect your system", exact=True).click()
    expect(page.get_by_role("table").get_by_text("Waiting for an earlier update", exact=True)).to_be_visible()
    expect(page.get_by_text("Send “Accepted for evaluation” first.")).to_be_visible()
    expect(page.get_by_text("/data/product_lot, /schema_version")).to_be_visible()
    assert find_violations(page) == []

    page.get_by_role("button", name="Retry update msg_1").dblclick()

    expect(page.get_by_text("The referral is updated.")).to_be_visible()
    assert len(keys) == 1
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    admin.press("New webhook secret").press("Create secret").press("Copy")
    expect(page.get_by_text("Copied.")).to_be_visible()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied.startswith("whsec_")
    admin.press("Done")
    expect(page.get_by_role("dialog")).to_have_count(0)
    assert copied not in page.content()


def _build_delivery(status: str) -> dict[str, Any]:
    return {
        "delivery_id": "msg_1",
        "received_at": "2026-11-20T15:00:00Z",
        "status": status,
        "referral_id": "ref_1",
        "event_id": "evt_1",
        "event_type": "stage.changed",
        "event_label": "Accepted for evaluation",
        "expires_at": "2026-11-21T15:00:00Z" if status == "parked" else None,
        "stage": "accepted",
        "stage_label": "Accepted for evaluation",
        "code": None,
        "ignored": ["/data/product_lot", "/schema_version"],
        "waiting_for": ["accepted"] if status == "parked" else [],
        "waiting_for_labels": ["Accepted for evaluation"] if status == "parked" else [],
    }


def _build_log(status: str) -> dict[str, Any]:
    return {"items": [_build_delivery(status)], "next_cursor": None}
