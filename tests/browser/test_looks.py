"""Every page, wide and narrow, light and dark: accessible, within its width, never bare."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from tests.browser.demo_world import CENTER_COORDINATOR, COORDINATOR

pytestmark = pytest.mark.browser

VIEWS = (
    ("#/", "Worklist"),
    ("#/new/patient", "Patient"),
    ("#/new/diagnosis", "Diagnosis"),
    ("#/new/therapy", "Prior therapy"),
    ("#/new/center", "Treatment center"),
    ("#/new/coverage", "Coverage and consent"),
    ("#/new/review", "Review and send"),
    ("#/centers", "Find a center"),
    ("#/centers/compare", "Compare centers"),
    ("#/notices", "Notices"),
    ("#/preferences", "Notices and mail"),
    ("#/screen", "Screen"),
    ("#/catalogue", "Products"),
    ("#/resources", "Resources for patients"),
    ("#/no-such-page", "There is no such page"),
)

# The pages that between them show every colour.
IN_THE_DARK = ("#/", "#/centers", "#/new/center", "#/screen", "#/catalogue", "a referral", "a dialog")
# Those that are built otherwise where there is little room.
ON_A_PHONE = ("#/", "#/centers", "#/new/patient", "#/screen", "a referral")


@pytest.fixture(scope="module")
def monitored_referral_path(demo_world):
    """The address of a referral with all that a page can show."""
    path = demo_world.referral("Monitored", reached="monitoring")
    demo_world.report(path, "toxicity.noticed", kind="crs", grade=1)
    demo_world.report(path, "window.extended", ends_on="2099-01-31")
    demo_world.report(path, "hold.started", reason_code="infection_hold", by=COORDINATOR)
    demo_world.report(path, "withdrawal.requested", by=COORDINATOR)
    return path


def open_views(page, monitored):
    """Show one view after the other; yields what each is called."""
    expect(page.get_by_role("heading", level=1)).to_contain_text("Worklist")
    for path, heading in VIEWS:
        page.evaluate("path => { location.hash = path }", path)
        expect(page.get_by_role("heading", level=1)).to_contain_text(heading)
        expect(page.locator(".loading")).to_have_count(0)
        yield path
    page.evaluate("path => { location.hash = path }", monitored)
    expect(page.get_by_role("region", name="Timeline").get_by_role("listitem").first).to_be_visible()
    yield "a referral"
    page.get_by_text("End the journey").click()
    page.get_by_text("Report something else").click()
    page.get_by_role("button", name="Record the patient's death").click()
    yield "a dialog"


def violations(page, **options):
    """What axe finds on the page: by WCAG 2.0 to 2.2, A and AA, and its own best practices."""
    found = Axe().run(page, options=options).response["violations"]
    return [f"{rule['id']}: {node['html']}" for rule in found for node in rule["nodes"]]


def test_axe_finds_nothing_on_any_page(open_page, monitored_referral_path):
    """In the light; and no colour is too faint in the dark."""
    page = open_page(by=COORDINATOR)
    found = {}
    for name in open_views(page, monitored_referral_path):
        found[name] = violations(page)
        if name not in IN_THE_DARK:
            continue
        page.emulate_media(color_scheme="dark")
        found[f"{name}, dark"] = violations(page, runOnly=["color-contrast"])
        page.emulate_media(color_scheme="light")

    assert {name: rules for name, rules in found.items() if rules} == {}


def test_the_sign_in_is_accessible_and_carries_the_statements(open_page):
    """It is a page like the others, before anybody is known."""
    page = open_page(width=390)

    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    assert violations(page) == []
    assert page.locator(".statements > p").count() > 1
    expect(page.locator(".emergency")).to_contain_text("Not for emergencies")


def test_no_page_is_too_wide_or_lacks_the_statements(open_page, monitored_referral_path):
    """Rows become cards, columns one; 640 is left of 1280 at 200 %, 320 at 400 %."""
    page = open_page(by=COORDINATOR)
    troubles = []
    for name in open_views(page, monitored_referral_path):
        for width in (640, 320, 390):
            page.set_viewport_size({"width": width, "height": 900})
            if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
                troubles.append(f"{name} scrolls sideways at {width}")
        if name in ON_A_PHONE:
            troubles += violations(page)
        if page.locator(".statements > p").count() < 2 or not page.locator(".emergency").count():
            troubles.append(f"{name} lacks the statements or the emergency note")

    assert troubles == []


def test_the_keyboard_never_loses_its_place(open_page, demo_world):
    """The heading of each new view, the dialog, and back to the button that opened it."""
    path = demo_world.referral("Keyboard", reached="accepted")
    page = open_page(by=CENTER_COORDINATOR)
    expect(page.get_by_role("heading", level=1)).to_be_focused()
    page.get_by_role("rowheader").first.get_by_role("link").press("Enter")
    expect(page.get_by_role("heading", name="Timeline")).to_be_visible()
    expect(page.get_by_role("heading", level=1)).to_be_focused()
    page.evaluate("path => { location.hash = path }", path)
    opener = page.get_by_role("button", name="Schedule the consultation")

    opener.press("Enter")

    expect(page.get_by_label("When did it happen?")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(opener).to_be_focused()


def test_paper_carries_the_statements_and_nothing_to_press(open_page, monitored_referral_path):
    """What is printed stands for itself."""
    page = open_page(monitored_referral_path, by=COORDINATOR)
    expect(page.get_by_role("heading", name="Timeline")).to_be_visible()

    page.emulate_media(media="print")

    expect(page.locator(".statements > p").first).to_be_visible()
    expect(page.locator(".emergency")).to_be_visible()
    expect(page.locator(".on-paper", has_text="As of ")).to_be_visible()
    assert [b for b in page.get_by_role("button").all() if b.is_visible()] == []
