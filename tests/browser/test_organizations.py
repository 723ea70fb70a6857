"""One person with two organizations: chooses one after sign-in, and switches without a new password."""

import pytest
from playwright.sync_api import expect

from tests.browser.demo_world import CENTER, PRACTICE
from tests.browser.page_driver import find_violations

PERSON = "provider@larch.example"
FIRST = "Larch Valley Community Oncology"
INVITER = "admin@willow.example"


@pytest.fixture(scope="module")
def person(demo_world):
    """Someone of one practice whom another practice has invited, too."""
    invitation = {"name": "R. Larch", "email": PERSON, "roles": ["coordinator"]}
    demo_world.call_api("POST", "members", invitation, by=INVITER)
    return PERSON


@pytest.mark.parametrize("width", [1280, 390])
def test_a_person_chooses_an_organization_and_switches(open_page, person, width):
    """At both widths, with the page that was opened first, and without a new sign-in."""
    page = open_page("#/notices", by=person, width=width)
    expect(page.get_by_role("heading", level=1)).to_have_text("Choose an organization")
    assert find_violations(page) == []
    expect(page.get_by_role("navigation", name="Main")).to_have_count(0)

    page.get_by_role("button", name=f"Work in {PRACTICE}").click()

    expect(page.get_by_role("heading", level=1)).to_have_text("Notices")
    expect(page.locator(".signed-in-as")).to_have_text(f"R. Larch{PRACTICE}")

    page.get_by_role("link", name="Switch organization").click()
    expect(page.get_by_text("You are working here now.")).to_have_count(1)
    assert find_violations(page) == []
    page.get_by_role("button", name=f"Work in {FIRST}").click()

    expect(page.locator(".signed-in-as")).to_contain_text(FIRST)
    expect(page.get_by_role("link", name="Switch organization")).to_be_visible()


def test_a_person_with_one_organization_sees_no_choice(as_center):
    as_center.go("#/")

    expect(as_center.page.locator(".signed-in-as")).to_contain_text(CENTER)
    expect(as_center.page.get_by_role("link", name="Switch organization")).to_have_count(0)
