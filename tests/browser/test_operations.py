"""The operator's page: what is stuck, in words, and nothing about a patient."""

import pytest
from playwright.sync_api import expect

from tests.browser.page_driver import find_violations

OPERATOR = "operator@cart.example"
TASK = {
    "outbox_id": "out_1",
    "label": "Email",
    "error": "MessageRejected",
    "attempts": 12,
    "failed_at": "2026-11-20T15:00:00Z",
}


def build_overview(**changed):
    """Build a response in which nothing is stuck."""
    job = {"job": "relay", "label": "Work that follows from changes", "every_minutes": 5, "late": False}
    center = {"center_id": "ctr_1", "name": "Cedar Kestrel", "last_delivery_at": None, "silent": False}
    return {
        "as_of": "2026-11-20T15:00:00Z",
        "jobs": [job | {"last_success_at": "2026-11-20T14:58:00Z"}],
        "backlog": {"due": 0, "oldest_minutes": 0},
        "failed_tasks": [],
        "connections": [center],
        "organizations": [{"tenant_id": "prc_1", "name": "Willow Bend", "kind": "practice", "locked_at": None}],
        **changed,
    }


@pytest.fixture
def open_operations(open_page):
    """Open the page with responses of our own."""

    def open_with(*overviews, **options):
        page = open_page("#/account", by=OPERATOR, **options)
        answers = list(overviews)
        page.route(
            "**/v1/operations",
            lambda route: route.fulfill(json=answers.pop(0) if len(answers) > 1 else answers[0]),
        )
        page.evaluate("location.hash = '#/operations'")
        expect(page.get_by_role("heading", name="Jobs")).to_be_visible()
        return page

    return open_with


def test_the_operator_starts_with_how_the_service_runs(open_page):
    """With the real service behind it."""
    page = open_page(by=OPERATOR)

    expect(page.get_by_role("heading", level=1)).to_have_text("Operations")
    expect(page.get_by_role("table", name="Jobs").get_by_role("row")).to_have_count(7)
    expect(page.get_by_role("heading", name="Email that does not arrive")).to_be_visible()
    expect(page.get_by_text("No patient data is on this page.")).to_be_visible()


def test_nothing_is_stuck(open_operations):
    """One sentence says so."""
    page = open_operations(build_overview())

    expect(page.get_by_text("Nothing is stuck.")).to_be_visible()
    expect(page.get_by_role("button", name="Retry")).to_have_count(0)


def test_what_is_stuck_comes_first_in_words(open_operations):
    """Late jobs before failed tasks before silent centers."""
    late = build_overview()["jobs"][0] | {"late": True}
    silent = build_overview()["connections"][0] | {"silent": True}
    page = open_operations(build_overview(jobs=[late], failed_tasks=[TASK], connections=[silent]))

    expect(page.locator("main .banner")).to_contain_text(
        ["1 job did not run in time", "1 task failed", "1 center sent nothing for 48 hours: Cedar Kestrel"]
    )


def test_all_failed_tasks_are_retried_with_one_click(open_operations):
    """One request names them all; then the page is read again."""
    two = [TASK, TASK | {"outbox_id": "out_2"}]
    page = open_operations(build_overview(failed_tasks=two), build_overview())
    sent = []

    def accept(route):
        sent.append(route.request.post_data_json)
        route.fulfill(json={"retried": 2})

    page.route("**/failed-tasks/retry", accept)
    page.get_by_role("button", name="Retry 2 failed tasks").click()

    expect(page.get_by_text("No failed tasks.")).to_be_visible()
    assert sent == [{"outbox_ids": ["out_1", "out_2"]}]


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (1280, "dark"), (390, "light"), (390, "dark")])
def test_the_page_is_accessible_and_fits(open_operations, width, scheme):
    """With everything on it that can be stuck."""
    late = build_overview()["jobs"][0] | {"late": True}
    page = open_operations(build_overview(jobs=[late], failed_tasks=[TASK]), width=width, scheme=scheme)
    expect(page.get_by_role("heading", name="Email that does not arrive")).to_be_visible()

    assert find_violations(page) == []
    assert not page.evaluate("document.documentElement.scrollWidth > innerWidth")
