"""A lost response, a double click, and a second writer: no duplicates, and nothing is overwritten."""

from playwright.sync_api import expect

from tests.browser.demo_world import COORDINATOR, get_action, get_label
from tests.browser.page_driver import PageUser, record_idempotency_keys


def lose_next_response(page, pattern, method):
    """Let the server process the next matching request, but lose its response."""

    def lose(route):
        if route.request.method != method:
            route.fallback()
            return
        route.fetch()
        route.abort()
        page.unroute(pattern, lose)

    page.route(pattern, lose)


def expect_one_referral(user, name):
    """Check that the worklist has exactly one referral with this name."""
    user.go("#/worklist/all").page.get_by_role("searchbox").fill(name)
    expect(user.page.get_by_role("rowheader")).to_have_count(1)
    expect(user.page.get_by_role("rowheader")).to_contain_text(name)


def test_a_lost_response_never_creates_a_second_referral(as_coordinator):
    """The second try repeats the first request. Entries typed in between are saved as a change."""
    page = as_coordinator.page
    as_coordinator.fill_required_fields("Lostreply")
    keys = record_idempotency_keys(page, "POST", "/v1/referrals")
    lose_next_response(page, "**/v1/referrals", "POST")
    as_coordinator.press("Save draft")
    expect(page.get_by_role("alert")).to_contain_text("You appear to be offline.")
    as_coordinator.fill(First_name="Typed later")

    as_coordinator.press("Try again")

    expect(page.get_by_role("heading", level=1)).to_contain_text("Typed later Lostreply")
    assert len(keys) == 2
    assert len(set(keys)) == 1
    expect_one_referral(as_coordinator, "Lostreply")


def test_a_double_click_saves_once(as_coordinator):
    """The second click waits for the request of the first click."""
    keys = record_idempotency_keys(as_coordinator.page, "POST", "/v1/referrals")
    as_coordinator.fill_required_fields("Doubleclick")

    as_coordinator.page.get_by_role("button", name="Save draft").dblclick()

    expect(as_coordinator.page.get_by_label("Referral packet")).to_be_visible()
    assert len(keys) == 1
    expect_one_referral(as_coordinator, "Doubleclick")


def test_an_action_with_a_lost_response_can_be_repeated(as_center, demo_world):
    """The dialog says that the outcome is unknown, blocks changes, and repeats the same request."""
    page = as_center.go(demo_world.create_referral("Lostaction")).page
    keys = record_idempotency_keys(page, "POST", "/events")
    lose_next_response(page, "**/events", "POST")
    as_center.press(get_action("received"))
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name=get_action("received")).click()
    expect(dialog.get_by_role("alert")).to_contain_text("could not confirm that this was saved")
    expect(dialog.get_by_label("Note")).to_be_disabled()
    expect(as_center.current_step).to_contain_text(get_label("submitted"))

    dialog.get_by_role("button", name="Try again").click()

    expect(as_center.current_step).to_contain_text(get_label("received"))
    assert len(set(keys)) == 1
    expect(page.get_by_role("region", name="Timeline").get_by_text("Received")).to_have_count(1)


def test_a_second_writer_sees_the_changes_and_overwrites_nothing(as_coordinator, open_page):
    """Both changes are kept. The second writer sees what the first writer changed."""
    as_coordinator.fill_required_fields("Twowriters").press("Save draft")
    expect(as_coordinator.page.get_by_label("Referral packet")).to_be_visible()
    path = as_coordinator.referral_path
    other = PageUser(open_page(f"{path}/edit/diagnosis", by=COORDINATOR))
    other.at_step("Diagnosis").choose("Histology", "High-grade B-cell lymphoma").press("Save draft")
    expect(other.page.get_by_role("status").filter(has_text="Saved")).to_be_visible()

    as_coordinator.fill(First_name="Ana").press("Save draft")

    alert = as_coordinator.page.get_by_role("alert")
    expect(alert).to_contain_text("Someone else saved changes to this referral")
    expect(alert).to_contain_text("Changed: clinical")
    as_coordinator.press("Save draft")
    expect(as_coordinator.page.get_by_role("heading", level=1)).to_contain_text("Ana Twowriters")
    as_coordinator.go(path)
    expect(as_coordinator.page.get_by_text("High-grade B-cell lymphoma")).to_be_visible()


def test_an_unavailable_service_can_be_tried_again_after_its_wait_time(as_coordinator):
    """The button is disabled for the time that the server asked for. Then it loads the page."""
    page = as_coordinator.page
    page.route(
        "**/v1/referrals?*",
        lambda route: route.fulfill(status=503, headers={"Retry-After": "2"}, json={"code": "unavailable"}),
        times=1,
    )
    as_coordinator.go("#/worklist/referral")

    expect(page.get_by_role("alert")).to_contain_text("not available right now")
    expect(page.get_by_role("button", name="Try again in")).to_be_disabled()
    page.get_by_role("button", name="Try again", exact=True).click()

    expect(page.get_by_role("rowheader").first).to_be_visible()


def test_an_outdated_action_is_rejected_and_the_current_status_shown(as_center, demo_world):
    """The page shows what happened in the meantime, and saves nothing."""
    path = demo_world.create_referral("Slower", stage="consult_completed")
    as_center.go(path).press(get_action("center_proceed"))
    demo_world.report_stage(path, "center_proceed")
    demo_world.report_stage(path, "apheresis_scheduled")

    as_center.page.get_by_role("dialog").get_by_role("button", name=get_action("center_proceed")).click()

    expect(as_center.page.get_by_role("dialog")).to_have_count(0)
    expect(as_center.current_step).to_contain_text(get_label("apheresis_scheduled"))
