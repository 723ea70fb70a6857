"""Notices: what one is told, how one is mailed, and what is told of a referral."""

import json

import pytest
from playwright.sync_api import expect

from chalicelib.domain.notices.mail_timing import OPTIONAL_CATEGORIES
from tests.browser.demo_world import COORDINATOR
from tests.browser.test_looks import violations

pytestmark = pytest.mark.browser

AT = "2026-11-20T15:00:00Z"


def a_notice(number, **changed):
    """A notice as the API tells it."""
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
    } | changed


def tell(page, *notices):
    """Let the server tell these notices."""
    unread = sum(each["read_at"] is None for each in notices)
    body = {"items": notices, "unread": unread, "next_cursor": None}
    page.route("**/v1/notices?*", lambda route: route.fulfill(json=body))


def test_notices_are_sifted_and_all_that_is_shown_is_read_at_once(as_coordinator):
    """By kind, and those that are unread; the server is told which ones were on the page."""
    page = as_coordinator.page
    bounced = {"state": "bounced", "at": AT, "why": None}
    tell(page, a_notice(1, category="critical", mail=bounced), a_notice(2, read_at=AT), a_notice(3, category="window"))
    asked = []

    def read(route):
        asked.append(json.loads(route.request.post_data))
        route.fulfill(json={"unread": 0})

    page.route("**/v1/notices/read", read)
    as_coordinator.go("#/notices")
    titles = page.locator(".notice-list a")
    expect(titles).to_have_text(["Title 1", "Title 2", "Title 3"])
    expect(page.get_by_text("mail came back")).to_be_visible()
    page.get_by_label("Unread (2)").check()
    expect(titles).to_have_text(["Title 1", "Title 3"])
    page.get_by_label("Kind").select_option(label="Monitoring window")
    expect(titles).to_have_text(["Title 3"])
    page.get_by_label("Kind").select_option(label="All kinds")

    as_coordinator.press("Mark all as read")

    expect(page.get_by_label("Unread (0)")).to_be_visible()
    expect(page.get_by_role("link", name="Notices", exact=True).first).to_be_visible()
    assert asked == [{"notice_ids": ["ntc_1", "ntc_3"]}]


def test_preferences_are_saved_and_a_change_elsewhere_is_joined(as_coordinator, demo_world):
    """What only one of two windows changed is kept from each."""
    page = as_coordinator.go("#/preferences").page
    expect(page.locator(".categories").get_by_role("group")).to_have_count(len(OPTIONAL_CATEGORIES))
    overdue = page.get_by_role("group", name="Overdue")
    overdue.get_by_label("Once a day").check()
    page.get_by_label("Hold back mail").check()
    page.get_by_label("Quiet hours begin").fill("22:30")
    as_coordinator.press("Save")
    expect(page.get_by_text("Saved.")).to_be_visible()
    kept = demo_world.ask("GET", "me/notification-preferences", by=COORDINATOR)
    assert kept["categories"]["overdue"] == "daily"
    assert kept["quiet_hours"] == {"from": "22:30", "to": "07:00"}
    elsewhere = kept | {"digest_hour": 16}
    body = {name: value for name, value in elsewhere.items() if name != "version"}
    demo_world.ask("PUT", "me/notification-preferences", body, by=COORDINATOR, version=kept["version"])

    page.get_by_role("group", name="Journey").get_by_label("Never").check()
    as_coordinator.press("Save")
    expect(page.get_by_text("changed in another window")).to_be_visible()
    expect(page.get_by_label("Daily and weekly mail comes at")).to_have_value("16")
    as_coordinator.press("Save")

    expect(page.get_by_text("Saved.")).to_be_visible()
    joined = demo_world.ask("GET", "me/notification-preferences", by=COORDINATOR)
    assert (joined["categories"]["journey"], joined["digest_hour"]) == ("never", 16)


def once_told(page, title):
    """The line of what was told, which is some moments after what it tells of."""
    told = page.get_by_role("region", name="Told")
    line = told.get_by_role("listitem").filter(has_text=title)
    for _ in range(120):
        expect(told).to_be_visible()
        if line.count():
            break
        page.reload()
    return line


def test_a_referral_says_what_is_planned_told_and_left_out(open_page, demo_world):
    """Wide and narrow, light and dark: each person's line, and why something was not told."""
    referral = demo_world.referral("Told", reached="infused")
    page = open_page(referral, by=COORDINATOR)
    page.get_by_role("link", name="Notices", exact=True).last.click()
    line = once_told(page, "The patient was infused")
    expect(line).to_contain_text("Dana Whitlow")
    expect(line).to_contain_text("not opened yet")
    expect(page.get_by_role("region", name="Planned")).to_contain_text("For the treatment center")

    for width, scheme in ((1280, "light"), (390, "dark")):
        page.set_viewport_size({"width": width, "height": 900})
        page.emulate_media(color_scheme=scheme)
        assert violations(page) == []
        assert not page.evaluate("document.documentElement.scrollWidth > innerWidth")
    demo_world.move(referral, "deceased")
    page.reload()

    left_out = page.get_by_role("region", name="Left out")
    expect(left_out).to_contain_text("Not told: the journey had ended")


def test_a_member_whose_mail_comes_back_is_told_on_every_page(open_page, demo_world):
    """No mail could say it."""
    page = open_page(by=COORDINATOR)
    me = demo_world.ask("GET", "me", by=COORDINATOR)
    problem = {"mail_problem": {"reason": "bounced", "since": AT}}
    page.route("**/v1/me", lambda route: route.fulfill(json=me | problem))
    page.reload()

    for path, title in (("#/", "Worklist"), ("#/notices", "Notices"), ("#/catalogue", "Products")):
        page.evaluate("path => { location.hash = path }", path)
        expect(page.get_by_role("heading", level=1, name=title)).to_be_visible()
        expect(page.get_by_text(f"Mail to your address comes back: {COORDINATOR}")).to_be_visible()
    assert violations(page) == []
