"""The audit trail, for administrators: of their organization, and of one referral."""

import pytest
from playwright.sync_api import expect

from tests.browser.demo_world import CENTER_ADMIN, COORDINATOR
from tests.browser.page_driver import find_violations


@pytest.mark.parametrize("width", [1280, 390])
def test_an_administrator_reads_the_trail_of_the_organization_and_of_a_referral(open_page, demo_world, width):
    """Page by page, with the names of colleagues, and never wider than the window."""
    path = demo_world.create_referral("Trail", stage="accepted")
    referral_id = path.rpartition("/")[2]
    page = open_page("#/audit", by=CENTER_ADMIN)
    page.set_viewport_size({"width": width, "height": 900})
    expect(page.get_by_role("heading", name="Audit trail")).to_be_visible()

    page.evaluate(f"location.hash = '#/audit/{referral_id}'")

    expect(page.get_by_text("Event accepted").first).to_be_visible()
    expect(page.get_by_text(referral_id).first).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert find_violations(page) == []


def test_no_one_else_is_shown_a_trail(open_page):
    """A coordinator reads why."""
    page = open_page("#/audit", by=COORDINATOR)

    expect(page.get_by_text("Only an administrator can see the audit trail.")).to_be_visible()
