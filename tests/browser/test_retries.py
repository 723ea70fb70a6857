"""A lost answer, a double click and a second writer: nothing doubles, nothing is overwritten."""

import pytest
from playwright.sync_api import expect

from tests.browser.demo_world import COORDINATOR
from tests.browser.page_driver import PageUser, keys_sent

pytestmark = pytest.mark.browser


def lose_the_answer_of(page, pattern, method):
    """Let the server do the work of the next such request, and lose its answer."""

    def lose(route):
        if route.request.method != method:
            route.fallback()
            return
        route.fetch()
        route.abort()
        page.unroute(pattern, lose)

    page.route(pattern, lose)


def expect_one_referral(person, name):
    """The worklist finds exactly one referral of that name."""
    person.go("#/worklist/all").page.get_by_role("searchbox").fill(name)
    expect(person.page.get_by_role("rowheader")).to_have_count(1)
    expect(person.page.get_by_role("rowheader")).to_contain_text(name)


def test_a_lost_answer_never_makes_two_referrals(as_coordinator):
    """The second try repeats the first, and what was typed in between follows as a change."""
    page = as_coordinator.page
    as_coordinator.write_minimum("Lostreply")
    keys = keys_sent(page, "POST", "/v1/referrals")
    lose_the_answer_of(page, "**/v1/referrals", "POST")
    as_coordinator.press("Save draft")
    expect(page.get_by_role("alert")).to_contain_text("cannot be reached")
    as_coordinator.fill(Given_name="Typed later")

    as_coordinator.press("Try again")

    expect(page.get_by_role("heading", level=1)).to_contain_text("Typed later Lostreply")
    assert len(keys) == 2
    assert len(set(keys)) == 1
    expect_one_referral(as_coordinator, "Lostreply")


def test_a_double_click_saves_once(as_coordinator):
    """The second click joins the first."""
    keys = keys_sent(as_coordinator.page, "POST", "/v1/referrals")
    as_coordinator.write_minimum("Doubleclick")

    as_coordinator.page.get_by_role("button", name="Save draft").dblclick()

    expect(as_coordinator.page.get_by_label("Packet")).to_be_visible()
    assert len(keys) == 1
    expect_one_referral(as_coordinator, "Doubleclick")


def test_a_lost_answer_to_an_action_is_asked_for_again(as_center, demo_world):
    """It says that the outcome is not known, lets nothing be changed, and repeats the same."""
    page = as_center.go(demo_world.referral("Lostaction")).page
    keys = keys_sent(page, "POST", "/events")
    lose_the_answer_of(page, "**/events", "POST")
    as_center.press("Confirm receipt")
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="Confirm receipt").click()
    expect(dialog.get_by_role("alert")).to_contain_text("not certain that this was recorded")
    expect(dialog.get_by_label("Note")).to_be_disabled()
    expect(as_center.stage).to_contain_text("Submitted")

    dialog.get_by_role("button", name="Try again").click()

    expect(as_center.stage).to_contain_text("Received by the center")
    assert len(set(keys)) == 1
    expect(page.get_by_role("region", name="Timeline").get_by_text("Received")).to_have_count(1)


def test_a_second_writer_is_told_and_nothing_is_overwritten(as_coordinator, open_page):
    """Both changes survive; the one who was second is told what was changed."""
    as_coordinator.write_minimum("Twowriters").press("Save draft")
    expect(as_coordinator.page.get_by_label("Packet")).to_be_visible()
    path = as_coordinator.referral_path
    other = PageUser(open_page(f"{path}/edit/diagnosis", by=COORDINATOR))
    other.at_step("Diagnosis").fill(Histology="DLBCL NOS").press("Save draft")
    expect(other.page.get_by_role("status").filter(has_text="Saved")).to_be_visible()

    as_coordinator.fill(Given_name="Ana").press("Save draft")

    told = as_coordinator.page.get_by_role("alert")
    expect(told).to_contain_text("Somebody else saved this referral meanwhile")
    expect(told).to_contain_text("Changed: clinical")
    as_coordinator.press("Save draft")
    expect(as_coordinator.page.get_by_role("heading", level=1)).to_contain_text("Ana Twowriters")
    as_coordinator.go(path)
    expect(as_coordinator.page.get_by_text("DLBCL NOS")).to_be_visible()


def test_a_service_that_is_away_says_when_to_try_again(as_coordinator):
    """It waits as long as the server asked, then one press brings the page."""
    page = as_coordinator.page
    page.route(
        "**/v1/referrals?*",
        lambda route: route.fulfill(status=503, headers={"Retry-After": "2"}, json={"code": "unavailable"}),
        times=1,
    )
    as_coordinator.go("#/worklist/referral")

    expect(page.get_by_role("alert")).to_contain_text("not available at the moment")
    expect(page.get_by_role("button", name="Try again in")).to_be_disabled()
    page.get_by_role("button", name="Try again", exact=True).click()

    expect(page.get_by_role("rowheader").first).to_be_visible()


def test_a_move_that_is_no_longer_legal_is_refused_and_shown(as_center, demo_world):
    """The one who was slower learns what the referral came to, and records nothing."""
    path = demo_world.referral("Slower", reached="consult_completed")
    as_center.go(path).press("Accept for CAR T")
    demo_world.move(path, "center_proceed")
    demo_world.move(path, "apheresis_scheduled")

    as_center.page.get_by_role("dialog").get_by_role("button", name="Accept for CAR T").click()

    expect(as_center.page.get_by_role("dialog")).to_have_count(0)
    expect(as_center.stage).to_contain_text("Leukapheresis scheduled")
