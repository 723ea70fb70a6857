"""Saved views of the worklist: save the list as it is shown, open it again, share it, remove it."""

from playwright.sync_api import expect

from tests.browser.demo_world import COORDINATOR, PROVIDER
from tests.browser.page_driver import choose_in_filter, find_filter, find_violations

FILTERED = "#/worklist/all_open?urgency=routine&sort=patient"


def open_menu(page):
    page.get_by_role("navigation", name="Views").locator("summary").click()


def save_view(page, name, *, is_shared=False):
    """Save the list that is shown."""
    page.get_by_role("button", name="Save view").click()
    dialog = page.get_by_role("dialog", name="Save this view")
    dialog.get_by_label("Name", exact=True).fill(name)
    if is_shared:
        dialog.get_by_label("Share with everyone at your practice").check()
    dialog.get_by_role("button", name="Save view").click()
    expect(dialog).to_have_count(0)


def test_a_saved_view_opens_the_same_list_again(open_page):
    """With its filters and its order."""
    page = open_page(FILTERED, by=COORDINATOR)
    save_view(page, "Routine by name")
    page.get_by_role("link", name="Needs action").click()
    expect(find_filter(page, "Urgency")).to_have_text("Urgency")

    open_menu(page)
    page.get_by_role("link", name="Routine by name").click()

    expect(find_filter(page, "Urgency")).to_have_text("Urgency: Routine")
    assert page.url.endswith(FILTERED)


def test_a_saved_view_stays_in_the_menu_when_an_older_response_arrives_late(open_page):
    """The menu and the dialog load the views at the same time, and one of the responses comes after the save."""
    page = open_page(FILTERED, by=COORDINATOR)
    reads = []

    def answer_first(route):
        if route.request.method != "GET":
            return route.continue_()
        reads.append((route, route.fetch()))
        return route.fulfill(response=reads[0][1]) if len(reads) == 1 else None

    page.route("**/v1/views*", answer_first)
    save_view(page, "Not forgotten")
    for route, older in reads[1:]:
        route.fulfill(response=older)
    open_menu(page)

    assert len(reads) == 2
    expect(page.get_by_role("link", name="Not forgotten")).to_be_visible()


def test_a_saved_view_keeps_several_values(open_page):
    page = open_page("#/worklist/all_open", by=COORDINATOR)
    choose_in_filter(page, "Status", "Submitted", "Accepted for evaluation")
    save_view(page, "Before the consultation")
    page.get_by_role("link", name="Needs action").click()
    expect(find_filter(page, "Status")).to_have_text("Status")

    open_menu(page)
    page.get_by_role("link", name="Before the consultation").click()

    expect(find_filter(page, "Status")).to_have_text("Status (2)")
    assert page.url.endswith("#/worklist/all_open?stage=accepted&stage=submitted")


def test_a_shared_view_is_in_the_menu_of_a_colleague(open_page):
    page = open_page(FILTERED, by=COORDINATOR)
    save_view(page, "For the morning huddle", is_shared=True)

    other = open_page(by=PROVIDER)
    open_menu(other)

    expect(other.get_by_text("Shared by your practice")).to_be_visible()
    expect(other.get_by_role("link", name="For the morning huddle")).to_be_visible()


def test_a_name_that_is_taken_keeps_the_dialog_open(open_page):
    """With what was typed, and the reason at the field."""
    page = open_page(FILTERED, by=COORDINATOR)
    save_view(page, "Taken")
    page.get_by_role("button", name="Save view").click()
    dialog = page.get_by_role("dialog", name="Save this view")

    dialog.get_by_label("Name", exact=True).fill("taken")
    dialog.get_by_role("button", name="Save view").click()

    expect(dialog.get_by_text("Two views have this name. Choose another one.")).to_be_visible()
    expect(dialog.get_by_label("Name", exact=True)).to_have_value("taken")


def test_a_view_can_be_removed(open_page):
    page = open_page(FILTERED, by=COORDINATOR)
    save_view(page, "Only for today")
    open_menu(page)
    page.get_by_role("button", name="Save or remove views").click()

    page.get_by_role("button", name="Remove Only for today").click()

    expect(page.get_by_role("button", name="Remove Only for today")).to_have_count(0)
    page.get_by_role("button", name="Close").click()
    open_menu(page)
    expect(page.get_by_role("link", name="Only for today")).to_have_count(0)


def test_the_dialog_and_the_menu_have_no_accessibility_violation(open_page):
    page = open_page(FILTERED, by=COORDINATOR)
    save_view(page, "For axe")
    open_menu(page)
    expect(page.get_by_role("link", name="For axe")).to_be_visible()
    assert find_violations(page) == []

    page.get_by_role("button", name="Save or remove views").click()
    expect(page.get_by_role("button", name="Remove For axe")).to_be_visible()
    assert find_violations(page) == []
