"""A form keeps its entries when the server refuses it, or does not respond."""

import pytest
from playwright.sync_api import expect

from tests.browser.demo_world import CENTER_ADMIN
from tests.browser.page_driver import PageUser, find_violations
from tests.browser.test_retries import lose_next_response

REFUSALS = [400, 409, 412, 429, 503]
CYTOPENIAS = "Neutropenia, recovering"


@pytest.fixture(scope="module")
def infused_path(demo_world):
    """The address of an infused referral."""
    return demo_world.create_referral("Refusedform", stage="infused")


def refuse_changes(page, pattern, status, pointer):
    """Answer each change with an error. A malformed one names its field."""
    errors = [{"pointer": pointer, "code": "malformed", "message": "Check this field."}] if status == 400 else []
    problem = {"code": "refused", "detail": "This was refused.", "errors": errors}

    def answer(route):
        if route.request.method == "GET":
            route.fallback()
        elif status == 0:
            route.abort()
        else:
            route.fulfill(status=status, json=problem)

    page.route(pattern, answer)


def open_summary(user, path):
    """The form of the summary, with one entry."""
    user.go(f"{path}/handback").fill(Current_cytopenias=CYTOPENIAS)
    return user.page


@pytest.mark.parametrize("status", [*REFUSALS, 0])
def test_a_refused_correction_keeps_the_dialog_and_its_entries(as_coordinator, infused_path, status):
    """Every kind of refusal, and no connection."""
    page = as_coordinator.go(infused_path).press("Edit patient").page
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("ZIP code").fill("79107")
    refuse_changes(page, "**/v1/referrals/ref_*", status, "/patient/zip")

    dialog.get_by_role("button", name="Save changes").click()

    expect(dialog.get_by_role("alert")).to_be_visible()
    expect(dialog.get_by_label("ZIP code")).to_have_value("79107")
    assert find_violations(page) == []


@pytest.mark.parametrize("status", [*REFUSALS, 0])
def test_a_refused_summary_keeps_its_entries(as_center, infused_path, status):
    """Every kind of refusal, and no connection."""
    page = open_summary(as_center, infused_path)
    refuse_changes(page, "**/handback", status, "/cytopenias")

    as_center.press("Save summary")

    expect(page.get_by_role("alert")).to_be_visible()
    expect(page.get_by_label("Current cytopenias")).to_have_value(CYTOPENIAS)
    assert find_violations(page) == []


def test_a_summary_with_a_lost_response_is_saved_once_and_blames_no_one(as_center, demo_world):
    """The second try finds what the first one saved."""
    path = demo_world.create_referral("Lostsummary", stage="infused")
    page = open_summary(as_center, path)
    lose_next_response(page, "**/handback", "PUT")
    as_center.press("Save summary")
    expect(page.get_by_role("alert")).to_contain_text("could not confirm that this was saved")

    as_center.press("Try again")

    summary = page.get_by_role("region", name="Transition-of-care summary")
    expect(summary).to_contain_text("version 1.")
    expect(summary).to_contain_text(CYTOPENIAS)


@pytest.mark.parametrize("status", [409, 429, 503, 0])
def test_a_refused_webhook_secret_keeps_the_question_open(open_page, status):
    """The administrator reads why, and can press the button again."""
    page = open_page("#/feed", by=CENTER_ADMIN)
    refuse_changes(page, "**/webhook-secrets", status, "")
    PageUser(page).press("New webhook secret").press("Create secret")

    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("alert")).to_be_visible()
    expect(dialog.get_by_role("button", name="Create secret")).to_be_enabled()
