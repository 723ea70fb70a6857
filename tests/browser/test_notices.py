"""Notices: the member's list, the notification settings, and the history of a referral."""

import json

from playwright.sync_api import expect

from chalicelib.domain.notices.mail_timing import OPTIONAL_CATEGORIES
from chalicelib.domain.notices.notice_rules import STAGE_RULES
from chalicelib.domain.referrals.stages import Stage
from tests.browser.demo_world import COORDINATOR
from tests.browser.page_driver import find_violations

AT = "2026-11-20T15:00:00Z"


def build_notice(number, **changes):
    """A notice as the API returns it."""
    return {
        "notice_id": f"ntc_{number}",
        "rule": "stage_changed",
        "title": f"Title {number}",
        "referral_id": "ref_1",
        "alias": "Blue Heron",
        "category": "journey",
        "created_at": AT,
        "read_at": None,
        "mail": {"state": "not_wanted", "at": None, "why": None},
    } | changes


def serve_notices(page, *notices):
    """Let the server return these notices."""
    unread = sum(notice["read_at"] is None for notice in notices)
    body = {"items": notices, "unread": unread, "next_cursor": None}
    page.route("**/v1/notices?*", lambda route: route.fulfill(json=body))


def test_notices_can_be_filtered_and_all_marked_as_read(as_coordinator):
    """By type, and by unread. The request names the unread notices on the page."""
    page = as_coordinator.page
    bounced = {"state": "bounced", "at": AT, "why": None}
    serve_notices(
        page,
        build_notice(1, category="critical", mail=bounced),
        build_notice(2, read_at=AT),
        build_notice(3, category="window"),
    )
    requests = []

    def mark_read(route):
        requests.append(json.loads(route.request.post_data))
        route.fulfill(json={"unread": 0})

    page.route("**/v1/notices/read", mark_read)
    as_coordinator.go("#/notices")
    titles = page.locator(".notice-list a")
    expect(titles).to_have_text(["Title 1", "Title 2", "Title 3"])
    expect(page.get_by_text("email bounced")).to_be_visible()
    page.get_by_label("Unread (2)").check()
    expect(titles).to_have_text(["Title 1", "Title 3"])
    page.get_by_label("Type").select_option(label="Monitoring window")
    expect(titles).to_have_text(["Title 3"])
    page.get_by_label("Type").select_option(label="All types")

    as_coordinator.press("Mark all as read")

    expect(page.get_by_label("Unread (0)")).to_be_visible()
    expect(page.get_by_role("link", name="Notices", exact=True).first).to_be_visible()
    assert requests == [{"notice_ids": ["ntc_1", "ntc_3"]}]


def test_settings_are_saved_and_merged_with_changes_of_another_window(as_coordinator, demo_world):
    """Each window's changes are kept if the other window did not change the same setting."""
    page = as_coordinator.go("#/preferences").page
    expect(page.locator(".categories").get_by_role("group")).to_have_count(len(OPTIONAL_CATEGORIES))
    overdue = page.get_by_role("group", name="Overdue")
    overdue.get_by_label("Once a day").check()
    page.get_by_label("No email during quiet hours").check()
    page.get_by_label("Quiet hours start").fill("22:30")
    as_coordinator.press("Save settings")
    expect(page.get_by_text("Settings saved.")).to_be_visible()
    stored = demo_world.call_api("GET", "me/notification-preferences", by=COORDINATOR)
    assert stored["categories"]["overdue"] == "daily"
    assert stored["quiet_hours"] == {"from": "22:30", "to": "07:00"}
    elsewhere = stored | {"digest_hour": 16}
    body = {name: value for name, value in elsewhere.items() if name != "version"}
    demo_world.call_api("PUT", "me/notification-preferences", body, by=COORDINATOR, version=stored["version"])

    page.get_by_role("group", name="Status updates").get_by_label("Never").check()
    as_coordinator.press("Save settings")
    expect(page.get_by_text("changed in another window")).to_be_visible()
    expect(page.get_by_label("Send daily and weekly emails at")).to_have_value("16")
    as_coordinator.press("Save settings")

    expect(page.get_by_text("Settings saved.")).to_be_visible()
    merged = demo_world.call_api("GET", "me/notification-preferences", by=COORDINATOR)
    assert (merged["categories"]["journey"], merged["digest_hour"]) == ("never", 16)


def wait_until_sent(page, title, *, to):
    """The row of a notice sent to a member. It appears some moments after the event, and its recipients one by one."""
    sent = page.get_by_role("region", name="Sent")
    row = sent.get_by_role("listitem").filter(has_text=title).filter(has_text=to)
    for _ in range(120):
        expect(sent).to_be_visible()
        if row.count():
            break
        page.reload()
    return row


def test_the_notice_history_shows_sent_scheduled_and_skipped_notices(open_page, demo_world):
    """Wide and narrow, light and dark: each recipient, and why a notice was skipped."""
    referral = demo_world.create_referral("Notified", stage="infused")
    page = open_page(referral, by=COORDINATOR)
    page.get_by_role("link", name="Notices", exact=True).last.click()
    row = wait_until_sent(page, STAGE_RULES[Stage.INFUSED].title, to="Dana Whitlow").first
    expect(row).to_contain_text("not opened")
    expect(page.get_by_role("region", name="Scheduled")).to_contain_text("Only for the treatment center")

    for width, scheme in ((1280, "light"), (390, "dark")):
        page.set_viewport_size({"width": width, "height": 900})
        page.emulate_media(color_scheme=scheme)
        assert find_violations(page) == []
        assert not page.evaluate("document.documentElement.scrollWidth > innerWidth")
    demo_world.report_stage(referral, "deceased")
    page.reload()

    skipped = page.get_by_role("region", name="Skipped")
    expect(skipped).to_contain_text("Skipped: the referral was closed")


def test_every_page_warns_a_member_whose_email_bounces(open_page, demo_world):
    """An email could not deliver this warning."""
    page = open_page(by=COORDINATOR)
    me = demo_world.call_api("GET", "me", by=COORDINATOR)
    problem = {"mail_problem": {"reason": "bounced", "since": AT}}
    page.route("**/v1/me", lambda route: route.fulfill(json=me | problem))
    page.reload()

    for path, title in (("#/", "Worklist"), ("#/notices", "Notices"), ("#/catalogue", "Products")):
        page.evaluate("path => { location.hash = path }", path)
        expect(page.get_by_role("heading", level=1, name=title)).to_be_visible()
        expect(page.get_by_text(f"Email to {COORDINATOR} is bouncing")).to_be_visible()
    assert find_violations(page) == []
