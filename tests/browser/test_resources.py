"""National resources, and the diagnosis codes that the form suggests."""

from playwright.sync_api import expect

from tests.browser.demo_world import COORDINATOR


def test_resources_can_be_filtered_by_topic_and_text(open_page):
    """Each has its phone number, its link, the date of the last check, and what to check first."""
    page = open_page("#/resources", by=COORDINATOR)
    expect(page.get_by_role("heading", name="MedWatch")).to_be_visible()

    page.get_by_label("Help with").select_option(label="Lodging")
    page.get_by_label("Search").fill("Puerto Rico")

    expect(page.get_by_role("heading", level=2)).to_have_text(["Hope Lodge"])
    resource = page.get_by_role("listitem").filter(has_text="Hope Lodge").first
    expect(resource.get_by_role("link", name="(800) 227-2345")).to_have_attribute("href", "tel:+18002272345")
    expect(resource).to_contain_text("Check before you rely on this.")
    expect(resource).to_contain_text("Last checked Nov 22, 2026")


def test_the_form_suggests_the_billable_codes_of_the_disease(open_page):
    """The hint of the field describes the typed code."""
    page = open_page("#/new/diagnosis", by=COORDINATOR)
    page.get_by_label("Disease", exact=True).select_option(label="Multiple myeloma")

    expect(page.locator("#codes option")).to_have_count(3)
    page.get_by_label("ICD-10-CM code").fill("c90.02")
    expect(page.locator(".hint", has_text="Multiple myeloma in relapse")).to_be_visible()
