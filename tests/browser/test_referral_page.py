"""The page of a referral answers first what comes next, until when, and whom to call."""

import re
from datetime import timedelta

import pytest
from playwright.sync_api import expect

from chalicelib import wiring
from tests.browser.demo_world import CENTER, CENTER_COORDINATOR, COORDINATOR
from tests.browser.page_driver import PageUser

AFTER_ACCEPTANCE = [
    "Next action",
    "Dates ahead",
    "Coverage",
    "Consultation",
    "Messages",
    "Documents",
    "Progress",
    "Timeline",
    "Patient",
]
IN_MONITORING = ["Next action", "Dates ahead", "Monitoring window", "Follow-up calendar", "Coverage", "Progress"]
AFTER_RETURN = ["Next action", "Transition-of-care summary", "Monitoring window", "Coverage"]
MIN_TARGET_PX = 44


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize(
    ("stage", "expected"),
    [("accepted", AFTER_ACCEPTANCE), ("monitoring", IN_MONITORING), ("handback_ready", AFTER_RETURN)],
)
def test_what_comes_next_is_before_what_was(open_page, demo_world, stage, expected, width):
    """In the document too, so that a screen reader and a phone have the same order."""
    page = open_page(demo_world.create_referral("Order", stage=stage), by=COORDINATOR, width=width)
    for title in expected:
        expect(page.get_by_role("heading", name=title).first).to_be_visible()

    titles = [text.strip() for text in page.get_by_role("heading").all_inner_texts()]
    places = [next(place for place, text in enumerate(titles) if text.startswith(title)) for title in expected]
    assert places == sorted(places), titles


@pytest.mark.parametrize(
    ("stage", "days_left", "expected"),
    [
        ("monitoring", 3, "Monitoring ends on"),
        ("monitoring", -3, "The center has not confirmed the end yet."),
        ("window_complete", 3, "Monitoring ends on"),
        ("window_complete", -3, "No dates are planned yet."),
    ],
)
def test_the_end_of_monitoring_is_ahead_until_it_is_over_or_confirmed(
    open_page, demo_world, stage, days_left, expected
):
    """After its last day the page does not call it a date ahead."""
    path = demo_world.create_referral("Window", stage=stage)
    page = open_page("#/worklist/all", by=COORDINATOR)

    def change_window(route):
        response = route.fetch()
        referral = response.json()
        referral["window"]["ends_on"] = (wiring.read_clock() + timedelta(days=days_left)).date().isoformat()
        route.fulfill(response=response, json=referral)

    page.route(re.compile(path.removeprefix("#/") + "$"), change_window)
    PageUser(page).go(path)

    expect(page.get_by_role("region", name="Dates ahead")).to_contain_text(expected)


def test_whom_to_call_is_at_the_top(open_page, demo_world):
    """The center's 24/7 line is the first number, and each can be touched."""
    page = open_page(demo_world.create_referral("Caller", stage="monitoring"), by=COORDINATOR, width=390)
    numbers = page.get_by_role("region", name="Whom to call about Ana Caller").get_by_role("listitem")

    expect(numbers.first).to_contain_text("Center's 24/7 line")
    box = numbers.first.get_by_role("link").bounding_box()
    assert box["height"] >= MIN_TARGET_PX
    assert box["y"] + box["height"] <= page.viewport_size["height"]


def test_the_center_calls_the_referring_provider(open_page, demo_world):
    page = open_page(demo_world.create_referral("Provider"), by=CENTER_COORDINATOR)
    numbers = page.get_by_role("region", name="Whom to call about Ana Provider").get_by_role("listitem")

    expect(numbers.first).to_contain_text("Referring provider: R. Provider")
    expect(numbers.filter(has_text=CENTER)).to_have_count(0)


def test_a_missing_number_can_be_entered(open_page, demo_world):
    """The caregiver's number is what a team misses at night."""
    page = open_page(demo_world.create_referral("Missing"), by=COORDINATOR)
    caregiver = page.get_by_role("region", name="Whom to call").get_by_role("listitem").filter(has_text="Caregiver")
    expect(caregiver).to_contain_text("None entered")

    caregiver.get_by_role("button", name="Enter the phone number: caregiver").click()

    expect(page.get_by_role("dialog")).to_contain_text("Caregiver")


def test_the_next_action_leads_to_the_open_request(open_page, demo_world):
    """The form for the answer is further down the page."""
    path = demo_world.create_referral("Asked", stage="accepted")
    referral = path.removeprefix("#/")
    asked = {"items": ["Pathology report of October"]}
    demo_world.call_api("POST", f"{referral}/information-requests", asked, by=CENTER_COORDINATOR)
    page = open_page(path, by=COORDINATOR)

    page.get_by_role("button", name="Answer the information request (1 open)").click()

    request = page.get_by_role("region", name="Information request")
    expect(request.locator(":focus")).to_have_count(1)


def test_each_step_has_its_day(open_page, demo_world):
    """The phases are one row; their steps are one press away."""
    page = open_page(demo_world.create_referral("Steps", stage="accepted"), by=COORDINATOR)
    progress = page.get_by_role("region", name="Progress")
    expect(progress.locator(".phases [aria-current=step]")).to_contain_text("Referral")
    expect(progress.get_by_text("Monitoring complete")).to_be_hidden()

    # The cards above move the row down while they load.
    page.wait_for_load_state("networkidle")
    progress.get_by_text("steps with their dates").click()

    expect(progress.get_by_text("Monitoring complete")).to_be_visible()
