"""The center's intake: accept a referral, open the next one of the same list, and take an acceptance back."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.demo_world import CENTER_COORDINATOR, COORDINATOR, NEW_REFERRALS, PRACTICE
from tests.browser.page_driver import expect_referral, find_violations, record_idempotency_keys

ACCEPT = "Accept and open next"
UNDO = re.compile("^Undo the acceptance of Ana ")


def open_referral(page, name):
    """Open a row of the list, and wait for the page."""
    page.get_by_role("rowheader").get_by_role("link", name=name).click()
    return expect_referral(page, name)


def test_accepting_opens_the_next_referral_of_the_list(open_list, demo_world):
    """One press, also if receipt was not confirmed before."""
    page, (first, second), (path, _) = open_list("aa", "bb", stage="submitted")
    open_referral(page, first)

    page.get_by_role("button", name=ACCEPT).click()

    expect_referral(page, second)
    assert demo_world.read_stage(path) == "accepted"


def test_the_focus_moves_to_the_name_of_the_next_patient(open_list):
    """So that the next key or the screen reader starts there."""
    page, (first, second), _ = open_list("aa", "bb")
    open_referral(page, first)

    page.get_by_role("button", name=ACCEPT).click()

    expect(expect_referral(page, second)).to_be_focused()


def test_a_live_region_says_who_was_accepted_and_who_is_next(open_list):
    """In one sentence each."""
    page, (first, second), _ = open_list("aa", "bb")
    open_referral(page, first)

    page.get_by_role("button", name=ACCEPT).click()

    expect(page.locator("[aria-live=polite]")).to_have_text(f"Accepted Ana {first}. Next: Ana {second}.")


def test_after_the_last_referral_of_the_list_comes_an_earlier_one_that_waits(open_list):
    """A person who starts in the middle of the list still sees every referral."""
    page, (first, second), _ = open_list("aa", "bb")
    open_referral(page, second)

    page.get_by_role("button", name=ACCEPT).click()

    expect_referral(page, first)


def test_a_second_click_accepts_no_second_patient(open_list, demo_world):
    """The button of the page that opened waits a moment."""
    page, (first, second), (_, path) = open_list("aa", "bb")
    open_referral(page, first)
    page.get_by_role("button", name=ACCEPT).click()
    expect_referral(page, second)

    page.get_by_role("button", name=ACCEPT).click(force=True)

    expect(page.get_by_role("button", name=ACCEPT, disabled=False)).to_be_visible()
    assert demo_world.read_stage(path) == "received"


def test_a_referral_that_a_colleague_answered_is_skipped(open_list, demo_world):
    """The list is read again before the next one opens."""
    page, (first, _, third), (_, path, _) = open_list("aa", "bb", "cc")
    open_referral(page, first)
    demo_world.report_stage(path, "accepted")

    page.get_by_role("button", name=ACCEPT).click()

    expect_referral(page, third)


def test_without_another_one_the_list_opens_and_says_so(open_list):
    """With what was accepted, and the way to take it back."""
    page, (only,), _ = open_list("aa")
    open_referral(page, only)

    page.get_by_role("button", name=ACCEPT).click()

    text = f"Accepted Ana {only} for evaluation. {PRACTICE} will be notified. No other referral in this list waits"
    expect(page.get_by_text(text)).to_be_visible()
    assert page.url.endswith(NEW_REFERRALS)


def test_the_list_reads_aloud_what_was_accepted(open_list):
    """Together with its count, because only one message is read."""
    page, (only,), _ = open_list("aa")
    open_referral(page, only)

    page.get_by_role("button", name=ACCEPT).click()

    expect(page.locator("[aria-live=polite]")).to_contain_text(
        f"Accepted Ana {only}. No other referral in this list waits for your decision. 0 referrals"
    )


def test_back_leads_to_the_list_and_not_to_what_was_accepted(open_list):
    """The next referral takes the place of the accepted one."""
    page, (first, second), _ = open_list("aa", "bb")
    open_referral(page, first)
    page.get_by_role("button", name=ACCEPT).click()
    expect_referral(page, second)

    page.go_back()

    expect(page.get_by_role("heading", level=1)).to_have_text("Worklist")
    expect(page.get_by_role("rowheader").get_by_role("link")).to_have_text(re.compile(second))


def test_a_refused_acceptance_stays_on_the_page_with_the_reason(open_list):
    """In plain words."""
    page, (first, _), _ = open_list("aa", "bb")
    open_referral(page, first)
    problem = {"code": "refused", "detail": "The practice withdrew this referral."}
    page.route("**/events", lambda route: route.fulfill(status=409, json=problem))

    page.get_by_role("button", name=ACCEPT).click()

    expect(page.get_by_text("Not accepted. The practice withdrew this referral.").first).to_be_visible()
    expect(page.get_by_role("heading", level=1, name=first)).to_be_visible()


def test_a_referral_that_changed_while_it_was_open_is_not_accepted(open_list, demo_world):
    """The page shows the new facts first."""
    page, (first, _), (path, _) = open_list("aa", "bb")
    open_referral(page, first)
    referral = demo_world.call_api("GET", path.removeprefix("#/"), by=COORDINATOR)
    change = {"note": "The daughter drives."}
    demo_world.call_api("PATCH", path.removeprefix("#/"), change, by=COORDINATOR, version=referral["version"])

    page.get_by_role("button", name=ACCEPT).click()

    expect(page.get_by_text("Not accepted. Check what changed, then accept the referral.").first).to_be_visible()
    assert demo_world.read_stage(path) == "received"


def test_a_lost_answer_is_tried_again_with_the_same_key(open_list):
    """So that the acceptance is recorded once."""
    page, (first, second), _ = open_list("aa", "bb")
    open_referral(page, first)
    keys = record_idempotency_keys(page, "POST", "/events")
    page.route(
        "**/events", lambda route: route.abort() if route.request.method == "POST" else route.fallback(), times=1
    )
    page.get_by_role("button", name=ACCEPT).click()

    page.get_by_role("button", name="Try again").click()

    expect_referral(page, second)
    assert len(keys) == 2
    assert len(set(keys)) == 1


def test_a_typed_message_is_not_lost(open_list, demo_world):
    """Nothing is accepted until it is sent or cleared."""
    page, (first, _), (path, _) = open_list("aa", "bb")
    open_referral(page, first)
    message = page.get_by_label("Message to")
    message.fill("Is the pathology report on its way?")

    page.get_by_role("button", name=ACCEPT).click()

    expect(message).to_be_focused()
    expect(message).to_have_value("Is the pathology report on its way?")
    assert demo_world.read_stage(path) == "received"


def accept_and_undo(page, first, second):
    """Accept the first referral, and undo it on the page of the second one."""
    open_referral(page, first)
    page.get_by_role("button", name=ACCEPT).click()
    expect_referral(page, second)
    page.get_by_role("button", name=UNDO).click()
    expect_referral(page, first)


def test_undo_corrects_the_acceptance(open_list, demo_world):
    """The referral waits for the decision again."""
    page, (first, second), (path, _) = open_list("aa", "bb")

    accept_and_undo(page, first, second)

    assert demo_world.read_stage(path) == "received"


def test_after_undo_the_referral_can_be_accepted_again(open_list, demo_world):
    """It is in the list as before."""
    page, (first, second), (path, _) = open_list("aa", "bb")
    accept_and_undo(page, first, second)

    page.get_by_role("button", name=ACCEPT).click()

    expect_referral(page, second)
    assert demo_world.read_stage(path) == "accepted"


def test_undo_says_that_the_practice_is_notified(open_list):
    """It was already notified of the acceptance."""
    page, (only,), _ = open_list("aa")
    open_referral(page, only)
    page.get_by_role("button", name=ACCEPT).click()

    page.get_by_role("button", name=UNDO).click()

    expect(page.locator("[aria-live=polite]")).to_have_text(
        f"Acceptance of Ana {only} undone. {PRACTICE} will be notified."
    )


def test_an_acceptance_with_a_later_step_is_not_undone(open_list, demo_world):
    """The page says where to correct it."""
    page, (first, second), (path, _) = open_list("aa", "bb")
    open_referral(page, first)
    page.get_by_role("button", name=ACCEPT).click()
    expect_referral(page, second)
    demo_world.report_stage(path, "consult_scheduled")

    page.get_by_role("button", name=UNDO).click()

    expect(page.get_by_role("alert")).to_contain_text("Not undone. A later step is already recorded.")
    assert demo_world.read_stage(path) == "consult_scheduled"


def test_a_referral_that_was_not_opened_from_a_list_has_no_next_one(open_page, demo_world):
    """It is accepted in its dialog, as before."""
    page = open_page(demo_world.create_referral("Linked", stage="received"), by=CENTER_COORDINATOR)
    expect_referral(page, "Linked")

    expect(page.get_by_role("button", name=ACCEPT)).to_have_count(0)


def test_a_practice_cannot_accept(open_page, demo_world):
    """Its list has the referral too."""
    demo_world.create_referral("Practiceview", stage="received")
    page = open_page("#/worklist/all_open", by=COORDINATOR)
    page.get_by_role("searchbox").fill("Practiceview")
    open_referral(page, "Practiceview")

    expect(page.get_by_role("button", name=ACCEPT)).to_have_count(0)


def test_the_page_of_a_referral_leads_through_its_list(open_list):
    """With the place in the list, and in the order of the list."""
    page, (first, second), _ = open_list("aa", "bb")
    open_referral(page, first)
    of_list = page.get_by_role("navigation", name="Referrals of the list")
    expect(of_list).to_contain_text("1 of 2")

    of_list.get_by_role("button", name="Next").click()

    expect_referral(page, second)
    expect(of_list).to_contain_text("2 of 2")


@pytest.mark.parametrize("width", [1280, 390])
def test_the_page_after_an_acceptance_is_accessible(open_list, width):
    """With the way to undo it, in both themes."""
    page, (first, second), _ = open_list("aa", "bb", width=width)
    open_referral(page, first)
    page.get_by_role("button", name=ACCEPT).click()
    expect_referral(page, second)
    expect(page.get_by_role("button", name=UNDO)).to_be_visible()

    assert find_violations(page) == []
    page.emulate_media(color_scheme="dark")
    assert find_violations(page, runOnly=["color-contrast"]) == []


def test_the_buttons_of_intake_are_large_enough_for_a_thumb(open_list):
    """44 pixels high on a phone."""
    page, (first, second, _), _ = open_list("aa", "bb", "cc", width=390)
    open_referral(page, first)
    page.get_by_role("button", name=ACCEPT).click()
    expect_referral(page, second)

    buttons = [page.get_by_role("button", name=name, exact=True) for name in (ACCEPT, "Next")]
    buttons.append(page.get_by_role("button", name=UNDO))

    assert min(button.bounding_box()["height"] for button in buttons) >= 44
