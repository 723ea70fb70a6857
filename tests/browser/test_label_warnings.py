"""Boxed warnings and label dates on the pages where a clinician relies on a label."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.page_driver import find_violations

DAILYMED = re.compile(r"^https://dailymed\.nlm\.nih\.gov/")


@pytest.fixture(scope="module")
def infused_referral(demo_world):
    """An infused referral, which no test changes."""
    return demo_world.create_referral("Warned", stage="infused")


def test_the_monitoring_window_shows_boxed_warnings_and_the_current_label(as_coordinator, infused_referral):
    page = as_coordinator.go(infused_referral).page
    window = page.get_by_role("region", name="Monitoring window")

    window.get_by_text("Boxed warnings:").click()

    expect(window.get_by_text("CRS can be life-threatening.")).to_be_visible()
    expect(window.get_by_text("Monitoring after infusion as of")).to_be_visible()
    expect(window.get_by_role("link", name="Current prescribing information")).to_have_attribute("href", DAILYMED)
    assert find_violations(page) == []


def test_the_emergency_card_names_the_boxed_warnings(as_coordinator, infused_referral):
    page = as_coordinator.go(f"{infused_referral}/card").page
    card = page.get_by_role("article", name="Emergency card")

    expect(card.get_by_text("Neurologic toxicities")).to_be_visible()


def test_a_product_shows_its_boxed_warnings_and_what_to_check(as_coordinator):
    page = as_coordinator.go("#/catalogue").page
    product = page.locator("#product-kymriah")

    product.get_by_text("Boxed warnings:").click()

    expect(product.get_by_role("listitem").filter(has_text="Secondary blood cancers")).to_contain_text(
        "Check the current label"
    )
