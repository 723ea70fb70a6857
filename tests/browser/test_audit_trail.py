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


@pytest.fixture
def open_trail(open_page):
    """Open a trail with pages of our own."""

    def open_with(path, *pages, **options):
        page = open_page("#/account", by=CENTER_ADMIN, **options)
        member = {"member_id": PERSON, "name": "Petra Lund", "email": "petra@harbor.example"}
        answers = list(pages)
        page.route("**/v1/members", lambda route: route.fulfill(json={"items": [member]}))
        page.route("**/v1/audit*", lambda route: route.fulfill(json=answers.pop(0) if len(answers) > 1 else answers[0]))
        page.evaluate(f"location.hash = '{path}'")
        expect(page.get_by_role("heading", name="Audit trail")).to_be_visible()
        return page

    return open_with


PERSON = f"mem_{'a' * 26}"
ROW = {
    "at": "2026-11-20T15:00:00Z",
    "subject": "center#ctr_harbor",
    "actor_id": PERSON,
    "tenant_id": "ctr_harbor",
    "action": "webhook_secret.make",
    "outcome": "allowed",
    "version": None,
    "request_id": None,
}


def test_the_trail_of_one_person_says_so(open_trail):
    page = open_trail(f"#/audit/{PERSON}", {"items": [ROW], "next_cursor": None})

    expect(page.get_by_text("Only Petra Lund")).to_be_visible()


def test_the_server_is_asked_for_one_person(open_trail):
    page = open_trail("#/audit", {"items": [ROW], "next_cursor": None})

    with page.expect_request(f"**/v1/audit?actor_id={PERSON}"):
        page.get_by_role("link", name="Only what Petra Lund did").click()


def test_the_filter_can_be_removed(open_trail):
    page = open_trail(f"#/audit/{PERSON}", {"items": [ROW], "next_cursor": None})

    page.get_by_role("link", name="Show everyone").click()

    expect(page.get_by_text("Only Petra Lund")).to_have_count(0)


def test_a_part_without_entries_is_not_taken_for_the_end(open_trail):
    first, last = {"items": [], "next_cursor": "next"}, {"items": [ROW], "next_cursor": None}
    page = open_trail(f"#/audit/{PERSON}", first, last)
    expect(page.get_by_text("Older entries were not searched yet.")).to_be_visible()

    page.get_by_role("button", name="Search earlier entries").click()

    expect(page.get_by_role("table").get_by_text("Petra Lund")).to_be_visible()


@pytest.mark.parametrize("width", [1280, 390])
def test_the_trail_of_a_person_can_be_used_by_everyone(open_trail, width):
    page = open_trail(f"#/audit/{PERSON}", {"items": [ROW], "next_cursor": "next"}, width=width)

    expect(page.get_by_text("Only Petra Lund")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert find_violations(page) == []


def test_the_page_of_people_leads_to_what_a_person_did(open_page):
    page = open_page("#/members", by=CENTER_ADMIN)

    page.get_by_role("link", name="Activity of").first.click()

    expect(page.get_by_role("link", name="Show everyone")).to_be_visible()
