"""Each page has the same layout on a fresh load and after a visit to every other page."""

import pytest
from playwright.sync_api import expect

from tests.browser.demo_world import CENTER_ADMIN, COORDINATOR
from tests.browser.test_accessibility import VIEWS

CENTER_ADMIN_VIEWS = (
    ("#/feed", "Connect your system"),
    ("#/audit", "Audit trail"),
    ("#/centers", "Find a center"),
    ("#/notices", "Notices"),
    ("#/preferences", "Notification settings"),
    ("#/catalogue", "Products"),
    ("#/resources", "Resources for patients"),
)

DELIVERIES = {
    "items": [
        {
            "delivery_id": f"msg_{status}",
            "received_at": "2026-11-20T15:00:00Z",
            "status": status,
            "referral_id": "ref_1",
            "event_id": "evt_1",
            "event_type": "stage.changed",
            "event_label": "Accepted for evaluation",
            "expires_at": None,
            "stage": "accepted",
            "stage_label": "Accepted for evaluation",
            "code": None,
            "waiting_for_labels": ["Received by the center"] if status == "parked" else [],
            "ignored": [],
        }
        for status in ("applied", "recorded", "parked", "failed")
    ],
    "next_cursor": None,
}

SETTLED_AFTER_READS = 2
MAX_READS = 50

# Every visible element, with its name, its box, and the style of its layout and colors. The number of unread
# notices is left out: a notice can arrive between two reads, and its badge is as wide as the number.
_READ_LAYOUT = """() => [...document.querySelectorAll("body, #app *")]
  .filter((element) => element.checkVisibility() && !element.matches(".unread-count"))
  .map((element) => {
    const { x, y, width, height } = element.getBoundingClientRect();
    const style = getComputedStyle(element);
    const name = [element.localName, ...element.classList].join(".");
    const box = [x, y + scrollY, width, height].map(Math.round).join(" ");
    const properties = ["display", "position", "gap", "padding", "fontSize", "color", "backgroundColor"];
    return [name, box, ...properties.map((property) => style[property])].join(" | ");
  })"""


@pytest.fixture(scope="module")
def referral_views(demo_world):
    """The pages of a referral whose patient is in the monitoring window."""
    path = demo_world.create_referral("Roundtrip", stage="monitoring")
    return (
        (path, "Roundtrip"),
        (f"{path}/notices", "Notices for this referral"),
        (f"{path}/handback", "Transition-of-care summary"),
        (f"{path}/card", "Emergency card"),
        (f"{path}/edit/patient", "Roundtrip"),
    )


def wait_until_shown(page, heading):
    """Wait until the page has its heading and has loaded everything."""
    expect(page.get_by_role("heading", level=1)).to_contain_text(heading)
    page.wait_for_load_state("networkidle")
    expect(page.locator(".loading")).to_have_count(0)
    page.evaluate("document.fonts.ready")


def show(page, path, heading):
    """Go to a page of the dashboard without a reload."""
    page.evaluate("path => { location.hash = path }", path)
    wait_until_shown(page, heading)


def load(page, path, heading):
    """Load a page of the dashboard, without showing it before."""
    page.evaluate("path => history.replaceState(null, '', path)", path)
    page.reload()
    wait_until_shown(page, heading)


def read_settled_layout(page):
    """The layout as soon as it no longer changes, since panels load one after the other."""
    layout, repeats = page.evaluate(_READ_LAYOUT), 0
    while repeats < SETTLED_AFTER_READS:
        page.wait_for_timeout(100)
        again = page.evaluate(_READ_LAYOUT)
        repeats = repeats + 1 if again == layout else 0
        layout = again
    return layout


def wait_for_layout(page, expected):
    """The layout, which is the expected one as soon as everything is loaded."""
    for _ in range(MAX_READS):
        layout = page.evaluate(_READ_LAYOUT)
        if layout == expected:
            break
        page.wait_for_timeout(100)
    return layout


def find_first_difference(before, after):
    """The first element whose layout differs, or an empty text."""
    for fresh, revisited in zip(before, after, strict=False):
        if fresh != revisited:
            return f"fresh: {fresh}; after a round trip: {revisited}"
    return "" if len(before) == len(after) else f"{len(before)} elements, then {len(after)}"


def list_changed_pages(page, views, *, first_visits=(), opened="Worklist"):
    """The pages whose layout depends on how the user got there, with what differs first.

    Args:
        page: A page, open.
        views: The pages to compare.
        first_visits: Pages to open before. The first visit marks a referral as viewed, and so changes the worklist.
        opened: The heading of the open page.
    """
    wait_until_shown(page, opened)
    page.clock.set_fixed_time(page.evaluate("Date.now()") / 1000)
    for path, heading in first_visits:
        show(page, path, heading)

    fresh = {}
    for path, heading in views:
        load(page, path, heading)
        fresh[path] = read_settled_layout(page)

    for path, heading in views:
        show(page, path, heading)
    revisited = {}
    for path, heading in views:
        show(page, path, heading)
        layout = wait_for_layout(page, fresh[path])
        if layout != fresh[path]:
            revisited[path] = layout

    changed = {}
    for path, heading in views:
        if path in revisited:
            # The content can have changed, such as the state of an email that was just delivered.
            load(page, path, heading)
            difference = find_first_difference(wait_for_layout(page, revisited[path]), revisited[path])
            if difference:
                changed[path] = difference
    return changed


@pytest.mark.parametrize("width", [1280, 390])
def test_a_page_has_the_same_layout_after_a_round_trip(open_page, referral_views, width):
    """The style sheets of the later pages load only once, and must not change earlier pages."""
    page = open_page(by=COORDINATOR, width=width)

    assert list_changed_pages(page, (*VIEWS, *referral_views), first_visits=referral_views[:1]) == {}


def test_the_connection_has_the_same_layout_after_a_round_trip(open_page):
    """Only an administrator of a center can open this page, and it has its own table."""
    page = open_page("#/account", by=CENTER_ADMIN)
    page.route("**/deliveries", lambda route: route.fulfill(json=DELIVERIES))

    assert list_changed_pages(page, CENTER_ADMIN_VIEWS, opened="Your account") == {}
    page.evaluate("location.hash = '#/feed'")
    expect(page.get_by_role("table")).to_have_css("display", "table")
