"""The worklist of a practice with 10,000 referrals: what is on the page, and what the page asks the API for."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.demo_world import COORDINATOR
from tests.browser.keyboard_driver import KeyboardUser
from tests.browser.long_list import OPENED, PAGE_ROWS, LongList
from tests.browser.page_driver import choose_in_filter

ALL_OPEN = "#/worklist/all_open"
ROWS = "tbody th[scope=row] a"
WIDTHS = pytest.mark.parametrize("width", [1280, 390])

# A row has at most this many elements, and so has all that is around the rows.
ELEMENTS_OF_A_ROW = 45
ELEMENTS_AROUND = 400

_COUNT_ELEMENTS = "document.querySelectorAll('*').length"
_SUM_SHIFTS = """() => new Promise((resolve) => {
  new PerformanceObserver((list) => resolve(list.getEntries().reduce((sum, { value }) => sum + value, 0)))
    .observe({ type: "layout-shift", buffered: true });
  setTimeout(() => resolve(0), 500);
})"""


@pytest.fixture
def long_list(demo_world):
    """What the API answers."""
    return LongList(demo_world)


@pytest.fixture
def open_long_list(open_page, long_list):
    """A function that opens the list at an address, and waits for its rows."""

    def open_at(path=ALL_OPEN, *, width=1280):
        page = open_page("#/account", by=COORDINATOR, width=width)
        expect(page.get_by_role("heading", level=1)).to_have_text("Your account")
        long_list.answer(page)
        page.evaluate("path => history.replaceState(null, '', path)", path)
        page.reload()
        expect_rows(page)
        return page

    return open_at


def expect_rows(page):
    """Wait until the list that was asked for is on the page, and its counts."""
    expect(page.locator(".worklist-card")).to_have_attribute("aria-busy", "false")
    expect(page.locator(".view-count").first).to_be_visible()


def wait_until(page, expression):
    """Wait until an expression is true. The security policy of the page stops the ways that need `eval`."""
    for _ in range(150):
        if page.evaluate(expression):
            return
        page.wait_for_timeout(100)
    raise AssertionError(f"{expression} is still false.")


def test_a_page_has_a_hundred_rows_and_no_more_elements_after_many_pages(open_long_list):
    """Whatever the length of the list."""
    page = open_long_list()
    for number in (2, 3, 4):
        page.get_by_role("link", name="Next", exact=True).click()
        expect(page.get_by_text(f"Page {number} of 100")).to_be_visible()
        expect_rows(page)

    assert page.locator(ROWS).count() == PAGE_ROWS
    assert page.evaluate(_COUNT_ELEMENTS) <= PAGE_ROWS * ELEMENTS_OF_A_ROW + ELEMENTS_AROUND


def test_the_last_page_is_reached_and_says_where_it_is(open_long_list):
    """With separators in every number above 999, and no page after it."""
    page = open_long_list(f"{ALL_OPEN}?page=99")

    page.get_by_role("link", name="Next", exact=True).click()

    expect(page.get_by_role("table", name="9,901\u201310,000 of 10,000 referrals")).to_be_visible()
    expect(page.locator(".list-range")).to_have_text("9,901\u201310,000 of 10,000 referrals")
    expect(page.get_by_text("Page 100 of 100")).to_be_visible()
    expect(page.get_by_role("link", name="Next", exact=True)).to_have_count(0)


def test_back_returns_to_the_last_page_and_its_position(open_long_list):
    """From the page of a referral far down the list."""
    page = open_long_list(f"{ALL_OPEN}?page=100")
    row = page.locator(ROWS).nth(OPENED % PAGE_ROWS)
    row.scroll_into_view_if_needed()
    wait_until(page, "history.state?.top > 0")
    place = page.evaluate("scrollY")
    row.click()
    expect(page.get_by_role("region", name="Actions")).to_be_visible()

    page.go_back()

    expect(page.get_by_text("Page 100 of 100")).to_be_visible()
    wait_until(page, f"Math.abs(scrollY - {place}) < 2")


def test_a_page_starts_at_its_top_though_a_person_scrolls_before_its_rows_are_there(open_long_list, long_list):
    """The position in the rows before it is not a position in its own."""
    page = open_long_list()
    long_list.hold()
    page.get_by_role("link", name="Next", exact=True).click()
    page.mouse.wheel(0, -400)
    # Longer than the pause after which a position is kept.
    page.wait_for_timeout(300)

    long_list.release()

    expect_rows(page)
    wait_until(page, "scrollY === 0")


def test_a_list_is_asked_for_once_when_it_opens(open_long_list, long_list):
    """And so are the counts."""
    page = open_long_list()
    page.wait_for_load_state("networkidle")

    assert (len(long_list.queries), long_list.counted) == (1, 1)


def test_sorting_asks_for_one_list(open_long_list, long_list):
    """It begins on the first page again, and counts nothing again."""
    page = open_long_list(f"{ALL_OPEN}?page=100")

    page.get_by_role("columnheader", name="Patient").get_by_role("link").click()
    expect(page.get_by_text("Page 1 of 100")).to_be_visible()
    expect_rows(page)
    page.wait_for_load_state("networkidle")

    assert [(query["sort"], query["page"]) for query in long_list.queries[1:]] == [(["patient"], ["1"])]
    assert long_list.counted == 1


def test_a_filter_asks_for_one_list(open_long_list, long_list):
    """It counts nothing again."""
    page = open_long_list()

    choose_in_filter(page, "Urgency", "Urgent")
    expect_rows(page)
    page.wait_for_load_state("networkidle")

    assert [query["urgency"] for query in long_list.queries[1:]] == [["urgent"]]
    assert long_list.counted == 1


def test_a_search_asks_for_one_list_after_the_last_key(open_long_list, long_list):
    """Not for one after each letter."""
    page = open_long_list()
    page.get_by_role("searchbox").focus()
    page.clock.install()
    page.clock.pause_at(page.evaluate("Date.now()") / 1000 + 5)

    with page.expect_response(re.compile("q=Patient(&|$)")):
        for letter in "Patient":
            page.keyboard.press(letter)
            page.clock.run_for(200)
        page.clock.run_for(200)
    page.clock.resume()
    page.wait_for_load_state("networkidle")

    assert [query["q"] for query in long_list.queries[1:]] == [["Patient"]]


@WIDTHS
def test_nothing_moves_while_the_list_loads(open_long_list, width):
    """By the measure of the browser."""
    page = open_long_list(width=width)

    assert page.evaluate(_SUM_SHIFTS) < 0.1


def test_a_page_that_was_turned_by_keyboard_starts_at_its_heading(open_long_list):
    """The link that had the focus is gone, or far below."""
    user = KeyboardUser(open_long_list(f"{ALL_OPEN}?page=98"))

    # Backward, the pages come before the hundred rows.
    for number in (99, 100):
        user.activate("link", "Next", back=True)
        expect(user.page.get_by_text(f"Page {number} of 100")).to_be_visible()
        expect_rows(user.page)
        user.expect_heading("Worklist").expect_announced("10,000 referrals")


@WIDTHS
def test_large_counts_fit(open_long_list, width):
    """Each in its view, without scrolling sideways."""
    page = open_long_list(width=width)
    counts = page.locator(".view-count:visible")

    expect(counts.first).to_have_text("10,000")
    assert counts.evaluate_all("all => all.filter((each) => each.scrollWidth > each.offsetWidth).length") == 0
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_the_keys_reach_the_last_row_and_the_first_again(open_long_list):
    """Each time, the row that has the focus can be seen."""
    user = KeyboardUser(open_long_list(f"{ALL_OPEN}?page=2"))
    rows = user.page.locator(ROWS)

    user.press(*"j" * PAGE_ROWS)
    expect(rows.last).to_be_focused()
    user.expect_focus_in_sight()

    user.press(*"k" * (PAGE_ROWS - 1))
    expect(rows.first).to_be_focused()
    user.expect_focus_in_sight()
