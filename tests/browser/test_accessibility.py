"""Every page, wide and narrow, light and dark: accessible, never too wide, and always with the statements."""

import pytest
from playwright.sync_api import expect

from chalicelib.routes.site_texts import PAGES
from tests.browser.demo_world import CENTER_COORDINATOR, COORDINATOR, get_action
from tests.browser.page_driver import find_violations

VIEWS = (
    ("#/", "Worklist"),
    ("#/new/patient", "Patient"),
    ("#/new/diagnosis", "Diagnosis"),
    ("#/new/therapy", "Prior lines of therapy"),
    ("#/new/center", "Treatment center"),
    ("#/new/coverage", "Insurance and consent"),
    ("#/new/review", "Review and submit"),
    ("#/centers", "Find a center"),
    ("#/centers/compare", "Compare centers"),
    ("#/notices", "Notices"),
    ("#/preferences", "Notification settings"),
    ("#/screen", "Eligibility check"),
    ("#/catalogue", "Products"),
    ("#/resources", "Resources for patients"),
    ("#/insights", "Insights"),
    ("#/no-such-page", "Page not found"),
)

# Together, these pages show every color.
PAGES_WITH_ALL_COLORS = (
    "#/",
    "#/centers",
    "#/new/center",
    "#/screen",
    "#/catalogue",
    "#/insights",
    "a referral",
    "a dialog",
)
# These pages have a different layout in a narrow window.
PAGES_WITH_PHONE_LAYOUT = ("#/", "#/centers", "#/new/patient", "#/screen", "#/insights", "a referral")


@pytest.fixture(scope="module")
def monitored_referral_path(demo_world):
    """The address of a referral whose page has every section and most banners."""
    path = demo_world.create_referral("Monitored", stage="monitoring")
    demo_world.report_event(path, "toxicity.noticed", kind="crs", grade=1)
    demo_world.report_event(path, "window.extended", ends_on="2099-01-31")
    demo_world.report_event(path, "hold.started", reason_code="infection_hold", by=COORDINATOR)
    demo_world.report_event(path, "withdrawal.requested", by=COORDINATOR)
    return path


def open_views(page, monitored):
    """Show one view after the other, and yield the name of each."""
    expect(page.get_by_role("heading", level=1)).to_contain_text("Worklist")
    for path, heading in VIEWS:
        page.evaluate("path => { location.hash = path }", path)
        expect(page.get_by_role("heading", level=1)).to_contain_text(heading)
        expect(page.locator(".loading")).to_have_count(0)
        yield path
    page.evaluate("path => { location.hash = path }", monitored)
    expect(page.get_by_role("region", name="Timeline").get_by_role("listitem").first).to_be_visible()
    yield "a referral"
    page.get_by_text("Close this referral").click()
    page.get_by_text("More actions").click()
    page.get_by_role("button", name=get_action("deceased")).click()
    yield "a dialog"


def test_every_page_is_accessible(open_page, monitored_referral_path):
    """All checks in the light theme, and color contrast in the dark theme."""
    page = open_page(by=COORDINATOR)
    violations = {}
    for name in open_views(page, monitored_referral_path):
        violations[name] = find_violations(page)
        if name not in PAGES_WITH_ALL_COLORS:
            continue
        page.emulate_media(color_scheme="dark")
        violations[f"{name}, dark"] = find_violations(page, runOnly=["color-contrast"])
        page.emulate_media(color_scheme="light")

    assert {name: rules for name, rules in violations.items() if rules} == {}


def test_the_sign_in_page_is_accessible_and_has_the_statements(open_page):
    """Also on a phone, before anyone is signed in."""
    page = open_page(width=390)

    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    assert find_violations(page) == []
    assert page.locator(".statements > .in-full > p").count() > 1
    expect(page.locator(".emergency")).to_contain_text("Not for emergencies")


@pytest.mark.parametrize("text", PAGES)
@pytest.mark.parametrize("color_scheme", ["light", "dark"])
def test_a_text_of_the_operator_is_accessible(open_page, text, color_scheme):
    """From the link at the bottom of the sign-in page, on a phone."""
    page = open_page(width=390)
    page.emulate_media(color_scheme=color_scheme)
    page.goto(page.locator(f".about a[href$='legal/{text}']").evaluate("link => link.href"))

    expect(page.get_by_role("heading", level=1)).to_have_count(1)
    assert find_violations(page) == []
    assert not page.evaluate("document.documentElement.scrollWidth > innerWidth")


def test_no_page_is_too_wide_or_lacks_the_statements(open_page, monitored_referral_path):
    """In a narrow window, rows become cards and columns become one. 1280 px is 640 at 200% zoom, and 320 at 400%."""
    page = open_page(by=COORDINATOR)
    problems = []
    for name in open_views(page, monitored_referral_path):
        for width in (640, 320, 390):
            page.set_viewport_size({"width": width, "height": 900})
            if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
                problems.append(f"{name} scrolls sideways at {width}")
        if name in PAGES_WITH_PHONE_LAYOUT:
            problems += find_violations(page)
        if page.locator(".statements > .in-full > p").count() < 2 or not page.locator(".emergency").count():
            problems.append(f"{name} lacks the statements or the emergency note")

    assert problems == []


@pytest.mark.parametrize(("width", "form"), [(1280, "in-full"), (390, "in-short")])
def test_the_statements_are_in_view_on_every_page(open_page, monitored_referral_path, width, form):
    """At the top of a page and in the middle of it. On a phone in short, and one tap opens them."""
    page = open_page(by=COORDINATOR, width=width)
    lines = page.locator(f".statements > .{form}")
    hidden = []
    for name in open_views(page, monitored_referral_path):
        for part in (0, 0.5):
            page.evaluate("part => scrollTo(0, document.documentElement.scrollHeight * part)", part)
            box = lines.bounding_box()
            if not box or box["y"] < 0 or box["y"] + box["height"] > page.viewport_size["height"] + 1:
                hidden.append(f"{name} at {part}: {box}")
    assert hidden == []

    page.reload()
    if form == "in-short":
        page.get_by_text("Full text").click()
    expect(lines.get_by_text("Only a treatment center authorized for the therapy can decide")).to_be_in_viewport()


def test_the_keyboard_focus_follows_the_user(open_page, demo_world):
    """To the heading of each new view, into the dialog, and back to the button that opened it."""
    path = demo_world.create_referral("Keyboard", stage="accepted")
    page = open_page(by=CENTER_COORDINATOR)
    expect(page.get_by_role("heading", level=1)).to_be_focused()
    page.get_by_role("rowheader").get_by_role("link").first.press("Enter")
    expect(page.get_by_role("heading", name="Timeline")).to_be_visible()
    expect(page.get_by_role("heading", level=1)).to_be_focused()
    page.evaluate("path => { location.hash = path }", path)
    opener = page.get_by_role("button", name=get_action("consult_scheduled"))

    opener.press("Enter")

    expect(page.get_by_label("When did it happen?")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(opener).to_be_focused()


def test_a_printed_page_has_the_statements_and_no_buttons(open_page, monitored_referral_path):
    """It also has the date and the emergency note."""
    page = open_page(monitored_referral_path, by=COORDINATOR)
    expect(page.get_by_role("heading", name="Timeline")).to_be_visible()

    page.emulate_media(media="print")

    expect(page.locator(".statements > .in-full > p").first).to_be_visible()
    expect(page.locator(".emergency")).to_be_visible()
    expect(page.locator(".on-paper", has_text="As of ")).to_be_visible()
    assert [button for button in page.get_by_role("button").all() if button.is_visible()] == []
