"""The figures of an organization's own referrals, each chart in the table with its numbers."""

import csv
import re

from playwright.sync_api import expect

from tests.browser.demo_world import CENTER_ADMIN, CENTER_COORDINATOR, COORDINATOR
from tests.browser.page_driver import find_violations


def open_insights(open_page, by=COORDINATOR, **options):
    page = open_page("#/insights", by=by, **options)
    expect(page.get_by_role("heading", level=1)).to_have_text("Insights")
    expect(page.locator(".loading")).to_have_count(0)
    return page


def test_the_menu_leads_to_the_figures(open_page):
    """Of the organization's own referrals, since the first day of a month."""
    page = open_page(by=COORDINATOR)
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Insights").click()

    expect(page.locator(".lead")).to_contain_text(re.compile(r"\d+ referrals since \w+ 1, \d{4}, from your own"))


def test_an_interval_has_its_median_next_to_the_published_one(open_page):
    """The fictional practice has enough referrals for it."""
    page = open_insights(open_page)

    table = page.get_by_role("table", name="How long each interval takes")
    # Which intervals are shown depends on all referrals of the practice, and other tests add some.
    medians = table.locator('[data-label="Median"]')
    expect(medians.filter(has_text=re.compile(r"^[\d.]+ days?$")).first).to_be_visible()
    row = table.get_by_role("row", name="Referral to consul")
    expect(row.get_by_role("cell").nth(4)).to_have_text("11 days")
    expect(page.get_by_role("link", name="Battiwalla et al., Blood Advances 9(2):429-435")).to_be_visible()


def test_what_is_not_shown_is_explained(open_page):
    """A practice whose groups are small reads why."""
    page = open_insights(open_page)

    expect(page.get_by_text("“Not shown” protects single patients")).to_be_visible()
    page.get_by_text("How these figures are counted").click()
    expect(page.get_by_text("Referrals that are still waiting are not in it")).to_be_visible()


def test_products_can_be_compared(open_page):
    """The table has the medians of each; the other tables show the one that is chosen."""
    page = open_insights(open_page)
    page.get_by_label("Compare by").select_option(label="Product")
    table = page.get_by_role("table", name="Median days of each interval, by product")
    expect(table.get_by_role("rowheader", name="Breyanzi")).to_be_visible()

    page.get_by_label("Figures of").select_option(label="Breyanzi")

    expect(page.get_by_role("table", name="How far referrals get: Breyanzi")).to_be_visible()
    assert find_violations(page) == []


def test_a_center_compares_products_only(open_page):
    """All of its referrals are its own."""
    page = open_insights(open_page, by=CENTER_COORDINATOR)

    expect(page.get_by_label("Compare by").get_by_role("option")).to_have_text(["Nothing", "Product"])


def test_the_tables_can_be_exported(open_page):
    """As a file that a spreadsheet opens as UTF-8."""
    page = open_insights(open_page)
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Export tables").click()

    with waiting.value.path().open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert waiting.value.suggested_filename == "insights-12_months-none.csv"
    assert {"Referral to consultation", "Infused"} <= {row["Row"] for row in rows}


def test_an_administrator_without_patients_has_no_insights(open_page):
    """The menu has no such page, and its address says why."""
    page = open_page("#/insights", by=CENTER_ADMIN)

    expect(page.get_by_text("Your role does not include patient records.")).to_be_visible()
    expect(page.get_by_role("navigation", name="Main").get_by_role("link", name="Insights")).to_have_count(0)


def test_a_phone_shows_the_tables_as_blocks(open_page):
    """Each figure with its name, and nothing wider than the screen."""
    page = open_insights(open_page, width=390)
    page.get_by_label("Compare by").select_option(label="Product")
    expect(page.get_by_role("table", name="Median days of each interval, by product")).to_be_visible()

    assert not page.evaluate("document.documentElement.scrollWidth > innerWidth")
    expect(page.get_by_role("table", name="How long each interval takes").get_by_role("rowheader")).to_have_count(7)
    assert find_violations(page) == []
