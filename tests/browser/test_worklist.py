"""The worklist: the worst first, sorted, filtered, exported, and used with the keyboard."""

import io
import re

import pytest
from openpyxl import load_workbook
from playwright.sync_api import expect

from tests.browser.demo_world import CENTER_COORDINATOR, COORDINATOR
from tests.browser.page_driver import choose_in_filter, find_filter, find_violations

READ_SCROLL = "scrollY"


def list_patients(page):
    """The names in the rows, in their order."""
    return page.locator("tbody th[scope=row] a").all_inner_texts()


def test_the_worklist_opens_on_what_needs_action_with_the_late_ones_at_the_top(open_page):
    """The latest is the first row."""
    page = open_page(by=COORDINATOR)

    views = page.get_by_role("navigation", name="Views")
    expect(views.get_by_role("link", name="Needs action")).to_have_attribute("aria-current", "page")
    expect(page.get_by_role("row").nth(1)).to_contain_text("Late, latest first")
    late = " ".join(page.locator(".due-cell:has(.late-text)").all_inner_texts())
    days = [int(number) for number in re.findall(r"(\d+) days? late", late)]
    assert days
    assert days == sorted(days, reverse=True)


def test_a_column_sorts_in_both_directions_and_due_brings_the_groups_back(open_page):
    """The title of the column says how."""
    page = open_page("#/worklist/all_open", by=COORDINATOR)
    header = page.get_by_role("columnheader", name="Patient")

    header.get_by_role("link").click()
    expect(header).to_have_attribute("aria-sort", "ascending")
    expect(page.get_by_text("Late, latest first")).to_have_count(0)
    expect(page.locator(".worklist-card")).to_have_attribute("aria-busy", "false")
    names = [name.casefold() for name in list_patients(page)]
    assert names == sorted(names)
    header.get_by_role("link").click()
    expect(header).to_have_attribute("aria-sort", "descending")

    page.get_by_role("columnheader", name="Due").get_by_role("link").click()
    expect(page.get_by_text("Late, latest first")).to_be_visible()


def test_filters_combine_and_are_in_the_address(open_page):
    """A second one narrows the list, and both can be removed together."""
    page = open_page("#/worklist/all", by=COORDINATOR)
    choose_in_filter(page, "Urgency", "Urgent")
    choose_in_filter(page, "Coverage", "Cleared")

    assert page.url.endswith("#/worklist/all?urgency=urgent&coverage=cleared")
    expect(page.locator(".worklist-card, .empty-state")).to_be_visible()
    page.get_by_role("button", name="Clear 2 filters").click()
    expect(find_filter(page, "Urgency")).to_have_text("Urgency")
    assert page.url.endswith("#/worklist/all")


def test_a_filter_takes_several_values(open_page):
    """The list has the referrals of each, the address has all, and Back undoes what one visit of the menu changed."""
    page = open_page("#/worklist/all", by=COORDINATOR)

    choose_in_filter(page, "Status", "Submitted", "Accepted for evaluation")

    expect(find_filter(page, "Status")).to_have_text("Status (2)")
    assert page.url.endswith("#/worklist/all?stage=accepted&stage=submitted")
    expect(
        page.locator("tbody .stage").filter(has_not_text=re.compile("Submitted|Accepted for evaluation"))
    ).to_have_count(0)
    expect(page.locator("tbody .stage").filter(has_text="Submitted").first).to_be_visible()
    expect(page.locator("tbody .stage").filter(has_text="Accepted for evaluation").first).to_be_visible()
    page.go_back()
    expect(find_filter(page, "Status")).to_have_text("Status")


def test_a_filter_is_chosen_and_cleared_by_keyboard(open_page):
    """Its name, its values and what is chosen are in the accessibility tree."""
    page = open_page("#/worklist/all", by=COORDINATOR)
    expect(page.locator(".worklist-card")).to_be_visible()
    page.get_by_role("heading", level=1).focus()

    page.keyboard.press("f")
    expect(find_filter(page, "Status")).to_be_focused()
    page.keyboard.press("Enter")
    choices = page.get_by_role("group", name="Status", exact=True)
    expect(choices).to_be_visible()
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    page.keyboard.press("Tab")
    page.keyboard.press("Space")

    expect(choices.get_by_role("checkbox", checked=True)).to_have_count(2)
    assert find_violations(page) == []
    page.keyboard.press("Escape")
    expect(find_filter(page, "Status")).to_be_focused()
    expect(find_filter(page, "Status")).to_have_text("Status (2)")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Clear status").press("Enter")
    expect(find_filter(page, "Status")).to_be_focused()
    expect(find_filter(page, "Status")).to_have_text("Status")


def test_a_link_with_one_value_and_one_with_unknown_values_open(open_page):
    """As bookmarks of earlier releases have it; what the list does not know is shown and can be cleared."""
    page = open_page("#/worklist/all?urgency=routine&product_id=examplecel&late=true", by=COORDINATOR)

    expect(find_filter(page, "Urgency")).to_have_text("Urgency: Routine")
    expect(find_filter(page, "Late or not")).to_have_text("Late or not: Late")
    expect(find_filter(page, "Product")).to_have_text("Product: Not in your referrals")
    expect(page.get_by_role("button", name="Clear 3 filters")).to_be_visible()


def test_a_filter_has_only_values_that_find_something(open_page):
    """By the names that the list shows."""
    page = open_page("#/worklist/all", by=COORDINATOR)
    find_filter(page, "Center").click()
    first = page.get_by_role("group", name="Center", exact=True).locator("label").first
    name = first.inner_text().strip()

    first.click()

    expect(page.locator("tbody .partner-cell").filter(has_not_text=name)).to_have_count(0)
    expect(page.locator("tbody .partner-cell").first).to_contain_text(name)


def test_back_returns_to_the_same_list_and_row(open_page):
    """With its order and its position."""
    page = open_page("#/worklist/all?sort=-patient", by=COORDINATOR)
    row = page.locator("tbody th[scope=row] a:not([href*=edit])").nth(12)
    row.scroll_into_view_if_needed()
    page.wait_for_timeout(300)
    place = page.evaluate(READ_SCROLL)
    assert place > 0
    row.click()
    expect(page.get_by_role("region", name="Timeline")).to_be_visible()

    page.go_back()

    expect(page.get_by_role("columnheader", name="Patient")).to_have_attribute("aria-sort", "descending")
    page.wait_for_function(f"Math.abs({READ_SCROLL} - {place}) < 2")


def test_a_phone_can_call_the_center_of_each_patient(open_page):
    """With a target of 44 pixels, and no call from a draft."""
    page = open_page("#/worklist/all_open", by=COORDINATOR, width=390)
    call = page.locator(".call a").first

    expect(call).to_have_attribute("href", re.compile(r"tel:\+1\d{10}"))
    assert call.bounding_box()["height"] >= 44
    assert page.locator("tbody tr:has-text('Finish and submit the draft') .call").count() == 0
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.parametrize("width", [1280, 900, 390])
def test_the_worklist_is_accessible_with_its_menu_open(open_page, width):
    """As a table and as cards, in both themes."""
    page = open_page(by=CENTER_COORDINATOR, width=width)
    page.get_by_text("More views").click()
    expect(page.get_by_role("link", name="Drafts")).to_have_count(0)

    assert find_violations(page) == []
    page.emulate_media(color_scheme="dark")
    assert find_violations(page, runOnly=["color-contrast"]) == []
    page.keyboard.press("Escape")
    expect(page.get_by_role("link", name="All, also closed")).to_have_count(0)


def open_export(page):
    """Open the dialog that exports the list."""
    expect(page.locator(".worklist-card")).to_be_visible()
    page.get_by_role("button", name="Export").click()
    return page.get_by_role("dialog", name=re.compile("^Export [0-9,]+ referral"))


def test_a_list_is_exported_with_its_filters(open_page):
    """The file has the referrals of the list, and no others."""
    page = open_page("#/worklist/all_open?urgency=urgent", by=COORDINATOR)
    dialog = open_export(page)
    with page.expect_download() as download:
        dialog.get_by_role("button", name="CSV file").click()

    lines = download.value.path().read_text("utf-8-sig").splitlines()
    assert len(lines) - 1 == page.locator("tbody th[scope=row]").count()
    expect(dialog).to_have_count(0)


def test_a_list_is_exported_as_a_workbook(open_page):
    """Another program opens it, and finds the patients of the list in their order."""
    page = open_page("#/worklist/all_open?urgency=urgent&sort=patient", by=COORDINATOR)
    dialog = open_export(page)
    with page.expect_download() as download:
        dialog.get_by_role("button", name="Excel workbook").click()

    assert download.value.suggested_filename == "referrals.xlsx"
    _, *rows = load_workbook(io.BytesIO(download.value.path().read_bytes())).active.values
    shown = page.locator("tbody th[scope=row] a").all_inner_texts()
    assert [f"{row[0]}, {row[1]}" for row in rows] == shown


@pytest.mark.parametrize("width", [1280, 390])
def test_the_export_says_what_the_file_has_and_can_be_canceled(open_page, width):
    """By keyboard; the focus returns to its button."""
    page = open_page("#/worklist/all_open", by=COORDINATOR, width=width)
    expect(page.locator(".worklist-card")).to_be_visible()
    page.get_by_role("button", name="Export").press("Enter")
    dialog = page.get_by_role("dialog")

    expect(dialog).to_contain_text("Keep it as safely as a chart.")
    assert find_violations(page) == []
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    expect(page.get_by_role("button", name="Export")).to_be_focused()


def test_the_keyboard_moves_through_the_list(open_page):
    """To the search from any page, from row to row, and into one."""
    page = open_page("#/catalogue", by=COORDINATOR)
    expect(page.get_by_role("link", name="Worklist", exact=True)).to_be_visible()
    page.keyboard.press("/")
    expect(page.get_by_role("searchbox")).to_be_focused()
    with page.expect_response(re.compile(r"/v1/referrals\?.*q=")):
        page.keyboard.type("jk?")
    expect(page.get_by_role("searchbox")).to_have_value("jk?")
    with page.expect_response(re.compile(r"/v1/referrals\?(?!.*q=)")):
        page.get_by_role("searchbox").fill("")
    rows = page.locator("tbody th[scope=row] a")
    # Before the rows are there, the keys have nowhere to go.
    expect(rows.nth(1)).to_be_visible()
    expect(page.locator(".worklist-card")).to_have_attribute("aria-busy", "false")
    page.get_by_role("heading", level=1).focus()

    page.keyboard.press("j")
    page.keyboard.press("j")
    expect(rows.nth(1)).to_be_focused()
    page.keyboard.press("k")
    expect(rows.first).to_be_focused()
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("#/referrals/ref_"))


def test_the_shortcuts_are_listed_and_can_be_turned_off(open_page):
    """In this browser, and turned on again in the same place."""
    page = open_page(by=COORDINATOR)
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    page.keyboard.press("?")
    dialog = page.get_by_role("dialog", name="Keyboard shortcuts")
    expect(dialog).to_be_visible()
    assert find_violations(page) == []
    page.keyboard.press("j")
    dialog.get_by_label("Use single-key shortcuts").uncheck()
    dialog.get_by_role("button", name="Close").click()

    page.keyboard.press("?")
    expect(dialog).to_have_count(0)

    page.get_by_role("button", name="Keyboard shortcuts").click()
    dialog.get_by_label("Use single-key shortcuts").check()
    dialog.get_by_role("button", name="Close").click()
    page.keyboard.press("?")
    expect(dialog).to_be_visible()


@pytest.mark.parametrize("who", [COORDINATOR, CENTER_COORDINATOR])
def test_a_phone_shows_four_patients_without_scrolling(open_page, who):
    """Each with who it is, the next action, when it is due, and a button to call; the filters are behind one button."""
    page = open_page("#/worklist/all_open", by=who, width=390)
    page.set_viewport_size({"width": 390, "height": 844})
    rows = page.locator("tbody tr:not(.group-row)")
    expect(rows.nth(3)).to_be_visible()
    expect(page.locator(".worklist-card")).to_have_attribute("aria-busy", "false")

    top_of_statements = page.get_by_role("complementary", name="Statements").bounding_box()["y"]
    parts = rows.nth(3).locator(":is(th, .next-action, .due-cell, .call a)")
    # A practice calls the intake of the center.
    expect(parts).to_have_count(4 if who == COORDINATOR else 3)
    assert max(box["y"] + box["height"] for box in (part.bounding_box() for part in parts.all())) <= top_of_statements
    assert page.evaluate(READ_SCROLL) == 0
    expect(find_filter(page, "Status")).to_be_hidden()


def test_a_phone_opens_the_filters_with_one_button(open_page):
    """It says how many are in use. Every target is 44 pixels high."""
    page = open_page("#/worklist/all_open?urgency=routine", by=COORDINATOR, width=390)
    button = page.get_by_role("button", name="Filter and sort (1)")
    expect(button).to_have_attribute("aria-expanded", "false")

    button.click()

    expect(button).to_have_attribute("aria-expanded", "true")
    find_filter(page, "Status").click()
    choices = page.get_by_role("group", name="Status", exact=True)
    choices.get_by_label("Submitted").check()
    expect(page.get_by_role("button", name="Filter and sort (2)")).to_be_visible()
    targets = page.locator(
        "#filters :is(summary, select, label:not(.visually-hidden), button):visible, .title-row button:visible"
    )
    assert [box for box in (each.bounding_box() for each in targets.all()) if box["height"] < 44] == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert find_violations(page) == []
    page.emulate_media(color_scheme="dark")
    assert find_violations(page, runOnly=["color-contrast"]) == []


def test_a_phone_does_not_move_what_is_on_the_page_while_it_loads(open_page):
    """The sum of all layout shifts, as the browser measures it, is that of the counts in the views at most."""
    page = open_page("#/worklist/all_open", by=COORDINATOR, width=390)
    expect(page.locator(".worklist-card")).to_be_visible()
    expect(page.locator(".view-count").first).to_be_visible()

    shifts = page.evaluate(
        """() => new Promise((resolve) => new PerformanceObserver((list) =>
             resolve(list.getEntries().map(({ value }) => value)))
             .observe({ type: "layout-shift", buffered: true }) || setTimeout(() => resolve([]), 500))"""
    )
    assert sum(shifts) < 0.1
