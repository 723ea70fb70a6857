"""National resources, and the codes that the form offers."""

import pytest
from playwright.sync_api import expect

from tests.browser.demo_world import COORDINATOR

pytestmark = pytest.mark.browser


def test_resources_are_narrowed_by_topic_and_words(open_page):
    """Each with its phone, its link, the day of the check and what to confirm."""
    page = open_page("#/resources", by=COORDINATOR)
    expect(page.get_by_role("heading", name="MedWatch")).to_be_visible()

    page.get_by_label("Help with").select_option(label="Lodging")
    page.get_by_label("Words").fill("Puerto Rico")

    expect(page.get_by_role("heading", level=2)).to_have_text(["Hope Lodge"])
    only = page.get_by_role("listitem").filter(has_text="Hope Lodge").first
    expect(only.get_by_role("link", name="(800) 227-2345")).to_have_attribute("href", "tel:+18002272345")
    expect(only).to_contain_text("Confirm first.")
    expect(only).to_contain_text("Last checked Nov 22, 2026")


def test_the_form_offers_the_billable_codes_of_the_disease(open_page):
    """And says in words what a code that was typed means."""
    page = open_page("#/new/diagnosis", by=COORDINATOR)
    page.get_by_label("Disease", exact=True).select_option(label="Multiple myeloma")

    expect(page.locator("#codes option")).to_have_count(3)
    page.get_by_label("ICD-10-CM code").fill("c90.02")
    expect(page.locator(".hint", has_text="Multiple myeloma in relapse")).to_be_visible()
