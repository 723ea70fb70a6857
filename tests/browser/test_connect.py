"""Connecting a center's system: copy the code from the page, run it, and see the delivery in the log."""

import os
import shutil
from datetime import UTC, datetime
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.demo_world import CENTER_ADMIN
from tests.browser.page_driver import PageUser, find_violations
from tests.support.webhook_samples import COMMANDS, run_sample

LABELS = {"curl": "curl and openssl", "python": "Python", "javascript": "JavaScript"}


@pytest.fixture
def admin(open_page):
    """An administrator of a center, on the page that comes first."""
    page = open_page(by=CENTER_ADMIN)
    expect(page.get_by_role("heading", level=1)).to_have_text("Connect your system")
    return PageUser(page)


def create_secret(admin):
    """Create a secret on the page, and return it."""
    admin.press("New webhook secret").press("Create secret")
    secret = admin.page.get_by_label("Secret", exact=True).input_value()
    admin.press("Done")
    return secret


def get_log(page):
    return page.get_by_role("region", name="Delivery log")


@pytest.mark.parametrize("language", LABELS)
def test_the_code_on_the_page_sends_a_delivery_that_is_accepted(admin, language, tmp_path):
    """A person pastes the secret, and changes nothing else."""
    if not shutil.which(COMMANDS[language][0]) and not os.environ.get("CI"):
        pytest.skip(f"{COMMANDS[language][0]} is not installed")
    page = admin.page
    secret = create_secret(admin)
    page.get_by_role("radio", name=LABELS[language]).check()
    code = page.get_by_role("region", name=f"Code: {LABELS[language]}").inner_text()

    printed = run_sample(language, code, secret=secret, folder=tmp_path)

    assert '"status":"tested"' in printed
    page.get_by_role("button", name="Refresh the delivery log").click()
    expect(get_log(page).get_by_role("row").nth(1)).to_contain_text("Test event")


def test_a_test_event_needs_one_click(admin):
    """The answer is on the page, and the delivery is in the log."""
    create_secret(admin)
    admin.press("Send test event")

    page = admin.page
    expect(page.get_by_role("region", name="Send a test event")).to_contain_text("The signature is right.")
    expect(get_log(page).get_by_role("row").nth(1)).to_contain_text("Test accepted")
    assert find_violations(page) == []


def test_a_wrong_signature_is_refused_as_it_must_be(admin):
    """And adds nothing to the log."""
    create_secret(admin)
    admin.page.get_by_label("With a wrong signature").check()
    admin.press("Send test event")

    expect(admin.page.get_by_role("region", name="Send a test event")).to_contain_text("401")
    expect(admin.page.get_by_role("region", name="Send a test event")).to_contain_text("Refused, as it must be")


def test_the_page_shows_when_the_earlier_secret_ends(admin):
    """It works for 24 more hours."""
    create_secret(admin)
    create_secret(admin)
    secrets = admin.page.get_by_role("region", name="2. Sign with a secret").get_by_role("listitem")

    expect(secrets.first).to_contain_text("In use")
    expect(secrets.nth(1)).to_contain_text("Ends ")


def test_a_parked_update_says_what_to_send_first(admin, demo_world, tmp_path):
    """In words, and until when it waits."""
    page = admin.page
    secret = create_secret(admin)
    referral = demo_world.create_referral("Parkington").removeprefix("#/referrals/")
    page.get_by_role("radio", name=LABELS["python"]).check()
    code = page.get_by_role("region", name="Code: Python").inner_text()
    now = datetime.now(UTC).isoformat()
    update = {"type": "stage.changed", "referral_id": referral, "occurred_at": now, "data": {"stage": "infused"}}
    run_sample("python", code.replace('{"type": "test.sent"}', repr(update)), secret=secret, folder=tmp_path)
    page.get_by_role("button", name="Refresh the delivery log").click()
    row = get_log(page).get_by_role("row").filter(has_text=referral)

    expect(row).to_contain_text("Infused")
    expect(row).to_contain_text("“Accepted for evaluation”")
    expect(row).to_contain_text("It waits until")


@pytest.mark.parametrize(("width", "scheme"), [(390, "light"), (390, "dark"), (1280, "dark")])
def test_the_page_is_accessible_and_fits(open_page, width, scheme):
    """Also on a phone, without sideways scroll."""
    page = open_page("#/feed", by=CENTER_ADMIN, width=width, scheme=scheme)
    expect(page.get_by_role("region", name="Code: curl and openssl")).to_be_visible()

    assert find_violations(page) == []
    assert not page.evaluate("document.documentElement.scrollWidth > innerWidth")


@pytest.fixture
def open_log(open_page):
    """Open the page with a log of our own, and keep what the server is asked for."""

    def open_with(*pages, **options):
        page = open_page("#/account", by=CENTER_ADMIN, **options)
        answers, asked = list(pages), []

        def answer(route):
            asked.append(route.request.url.partition("?")[2])
            route.fulfill(**(answers.pop(0) if len(answers) > 1 else answers[0]))

        page.route("**/deliveries*", answer)
        page.evaluate("location.hash = '#/feed'")
        expect(page.get_by_role("form", name="Filter the delivery log")).to_be_visible()
        return page, asked

    return open_with


EMPTY: dict[str, Any] = {"json": {"items": [], "next_cursor": None}}


def test_the_log_is_filtered_by_result_and_referral(open_log):
    page, asked = open_log(EMPTY)
    referral_id = f"ref_{'a' * 26}"
    page.get_by_label("Result").select_option("Expired")
    page.get_by_label("Referral ID").fill(referral_id)

    page.get_by_role("button", name="Filter").click()

    expect(page.get_by_text("No delivery matches.")).to_be_visible()
    assert asked[-1] == f"status=failed&referral_id={referral_id}"


def test_the_filter_of_the_log_can_be_removed(open_log):
    page, asked = open_log(EMPTY)
    page.get_by_label("Result").select_option("Rejected")
    page.get_by_role("button", name="Filter").click()

    page.get_by_role("button", name="Show all deliveries").click()

    expect(page.get_by_text("No deliveries yet.")).to_be_visible()
    expect(page.get_by_label("Result")).to_be_focused()
    assert asked[-1] == ""


def test_a_part_of_the_log_without_matches_is_not_taken_for_the_end(open_log):
    page, asked = open_log(EMPTY, {"json": {"items": [], "next_cursor": "next"}}, EMPTY)
    page.get_by_label("Result").select_option("Rejected")
    page.get_by_role("button", name="Filter").click()
    expect(page.get_by_text("Older deliveries were not searched yet.")).to_be_visible()

    page.get_by_role("button", name="Search earlier deliveries").click()

    expect(page.get_by_text("No delivery matches. Change the filter")).to_be_visible()
    assert asked[-1] == "status=refused&cursor=next"


def test_a_referral_id_that_is_none_is_marked_at_its_field(open_page):
    """With the real service behind it."""
    page = open_page("#/feed", by=CENTER_ADMIN)
    page.get_by_label("Referral ID").fill("Lund")

    page.get_by_role("button", name="Filter").click()

    expect(page.get_by_label("Referral ID")).to_have_accessible_description("Send the ID of a referral.")


def test_a_new_secret_has_no_use_recorded(admin):
    create_secret(admin)

    secrets = admin.page.get_by_role("region", name="2. Sign with a secret").get_by_role("listitem")
    expect(secrets.first).to_contain_text("No use recorded")
