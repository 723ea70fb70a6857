"""The referral form saves a draft while the user types, and checks a step when the user leaves it."""

import pytest
from playwright.sync_api import expect

from tests.browser.demo_world import COORDINATOR
from tests.browser.page_driver import PageUser, find_violations, record_idempotency_keys
from tests.browser.test_retries import lose_next_response

PROVIDER = "provider@willow.example"


def wait_until_saved(page):
    """Wait for the first draft: it gives the form its address."""
    page.wait_for_url("**/referrals/ref_*/edit/*")
    expect(page.get_by_role("status").filter(has_text="Saved")).to_be_visible()


def test_a_reload_keeps_a_draft_with_one_field(as_coordinator):
    """It is saved from the first field, and the user is back at the same step."""
    page = as_coordinator.go("#/new/coverage").at_step("Insurance and consent").page
    as_coordinator.fill(Payer="Example Health")
    wait_until_saved(page)

    page.reload()

    as_coordinator.at_step("Insurance and consent")
    expect(page.get_by_label("Payer")).to_have_value("Example Health")
    as_coordinator.open_step("Patient").fill(Last_name="Payerfirst").press("Next").at_step("Diagnosis")


def test_the_focus_stays_in_the_field_while_a_draft_is_saved(as_coordinator):
    """The first save changes the address, and the user goes on typing."""
    page = as_coordinator.go("#/new/patient").at_step("Patient").page
    as_coordinator.fill(Last_name="Typing")
    wait_until_saved(page)

    expect(page.get_by_label("Last name")).to_be_focused()
    assert find_violations(page) == []


def test_a_field_stays_in_its_place_on_a_phone_while_a_draft_is_saved(open_page):
    """Nothing appears above it."""
    user = PageUser(open_page("#/new/patient", by=COORDINATOR, width=390)).at_step("Patient").fill(Last_name="Steady")
    field = user.page.get_by_label("ZIP code")
    field.fill("79106")
    before = field.bounding_box()
    wait_until_saved(user.page)

    after = field.bounding_box()

    assert before
    assert after
    assert abs(after["y"] - before["y"]) < 60  # the line about the save may wrap


def test_an_idle_sign_out_keeps_the_draft_and_leaves_nothing_in_the_browser(open_page):
    """After the next sign-in, the user is back at the same step of the draft."""
    page = open_page()
    page.clock.install()
    page.reload()
    user = PageUser(page).sign_in(PROVIDER).go("#/new/patient").at_step("Patient").fill(Last_name="Idlekept")
    page.clock.fast_forward("15:05")
    expect(page.get_by_text("You were signed out because of inactivity.")).to_be_visible()
    assert page.evaluate("[sessionStorage.length, localStorage.length]") == [0, 0]
    assert "Idlekept" not in page.content()
    page.clock.resume()

    user.sign_in(PROVIDER)

    user.at_step("Patient")
    expect(page.get_by_label("Last name")).to_have_value("Idlekept")


def test_a_session_that_ends_during_a_save_says_that_entries_were_lost(as_coordinator):
    """The tokens no longer work, so nothing can be saved. What was saved before is still there."""
    page = as_coordinator.go("#/new/patient").at_step("Patient").page
    as_coordinator.fill(Last_name="Expired")
    wait_until_saved(page)
    for pattern in ("**/v1/referrals/*", "**/v1/sessions/refresh"):
        page.route(pattern, lambda route: route.fulfill(status=401, json={"code": "x"}))
    as_coordinator.fill(First_name="Lost")

    expect(page.get_by_text("Your last entries in the referral form were not saved.")).to_be_visible()

    page.unroute_all()
    as_coordinator.sign_in(COORDINATOR).at_step("Patient")
    expect(page.get_by_label("Last name")).to_have_value("Expired")
    expect(page.get_by_label("First name")).to_have_value("")


def test_a_session_that_ends_without_unsaved_entries_says_nothing_about_the_form(as_coordinator):
    """The server has the whole draft."""
    page = as_coordinator.go("#/new/patient").at_step("Patient").page
    as_coordinator.fill(Last_name="Allsaved")
    wait_until_saved(page)
    for pattern in ("**/v1/notices?*", "**/v1/sessions/refresh"):
        page.route(pattern, lambda route: route.fulfill(status=401, json={"code": "x"}))

    as_coordinator.go("#/notices")

    expect(page.get_by_text("Your session ended.")).to_be_visible()
    expect(page.get_by_text("in the referral form")).to_have_count(0)


def test_a_step_is_checked_when_the_user_leaves_it(as_coordinator):
    """Each wrong field has its error in plain words. The valid field is saved."""
    page = as_coordinator.go("#/new/patient").at_step("Patient").page
    as_coordinator.fill(Last_name="Stepcheck", Date_of_birth="2031-01-01", ZIP_code="1234", Phone="12")

    as_coordinator.press("Next")

    for label in ("Date of birth", "ZIP code", "Phone"):
        expect(page.get_by_label(label).first).to_have_attribute("aria-invalid", "true")
    as_coordinator.at_step("Patient")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Stepcheck")
    expect(page.get_by_label("ZIP code")).to_have_value("1234")
    as_coordinator.fill(Date_of_birth="1961-04-02", ZIP_code="79106", Phone="(806) 555-0142").press("Next")
    as_coordinator.at_step("Diagnosis")


def test_the_provider_who_signs_in_is_filled_in(open_page):
    """A coordinator enters the name."""
    provider = PageUser(open_page("#/new/provider", by=PROVIDER)).at_step("Referring provider")
    coordinator = PageUser(open_page("#/new/provider", by=COORDINATOR)).at_step("Referring provider")

    expect(provider.page.get_by_label("Name")).not_to_have_value("")
    expect(coordinator.page.get_by_label("Name")).to_have_value("")


def test_a_failed_save_is_shown_and_made_up_for_when_the_connection_is_back(as_coordinator):
    """Nothing is lost meanwhile."""
    page = as_coordinator.go("#/new/patient").at_step("Patient").page
    page.context.set_offline(True)
    as_coordinator.fill(Last_name="Nonetwork")
    expect(page.get_by_role("status").filter(has_text="Your entries stay on this page")).to_be_visible()

    page.context.set_offline(False)

    wait_until_saved(page)


def list_stages(demo_world, name):
    """The stages of the referrals with this name, as the practice sees them."""
    listed = demo_world.call_api("GET", f"referrals?q={name}", by=COORDINATOR)["items"]
    return [item["stage"] for item in listed]


def test_a_discarded_referral_is_not_saved_when_the_form_closes(as_coordinator, demo_world):
    """Leaving the form saves it, but not after a discard."""
    page = as_coordinator.go("#/new/patient").at_step("Patient").page
    saves = record_idempotency_keys(page, "POST", "/v1/referrals")
    as_coordinator.fill(Last_name="Thrownaway").press("Discard referral").press("Discard")
    expect(page.get_by_role("heading", name="Worklist")).to_be_visible()

    page.wait_for_timeout(2500)  # longer than the pause after which the form saves

    assert saves == []
    assert list_stages(demo_world, "Thrownaway") == []


def test_a_save_that_is_under_way_leaves_no_draft_behind(as_coordinator, demo_world):
    """The server has created the draft by the time that the user discards it, so it is withdrawn."""
    page = as_coordinator.go("#/new/patient").at_step("Patient").page
    held = []

    def hold(route):
        held.append(route)

    page.route("**/v1/referrals", hold)
    as_coordinator.fill(Last_name="Underway")
    expect(page.get_by_role("status").filter(has_text="Saving")).to_be_visible()
    as_coordinator.press("Discard referral").press("Discard")

    held[0].continue_()

    expect(page.get_by_role("heading", name="Worklist")).to_be_visible()
    assert list_stages(demo_world, "Underway") == ["withdrawn"]


def test_a_save_with_a_lost_response_leaves_no_draft_behind(as_coordinator, demo_world):
    """The form repeats the save to learn which draft it created."""
    page = as_coordinator.go("#/new/patient").at_step("Patient").page
    lose_next_response(page, "**/v1/referrals", "POST")
    as_coordinator.fill(Last_name="Lostdraft")
    expect(page.get_by_role("status").filter(has_text="Not saved.")).to_be_visible()
    assert list_stages(demo_world, "Lostdraft") == ["draft"]

    as_coordinator.press("Discard referral").press("Discard")

    expect(page.get_by_role("heading", name="Worklist")).to_be_visible()
    assert list_stages(demo_world, "Lostdraft") == ["withdrawn"]


def test_a_discard_without_a_connection_keeps_the_question_and_the_entries(as_coordinator):
    """No one is told that a draft is gone that the server may have."""
    page = as_coordinator.go("#/new/patient").at_step("Patient").page
    page.context.set_offline(True)
    as_coordinator.fill(Last_name="Stillhere")
    expect(page.get_by_role("status").filter(has_text="Your entries stay on this page")).to_be_visible()

    as_coordinator.press("Discard referral").press("Discard")

    dialog = page.get_by_role("alertdialog")
    expect(dialog.get_by_role("alert")).to_contain_text("could not confirm that this was discarded")
    as_coordinator.press("Keep editing")
    expect(page.get_by_label("Last name")).to_have_value("Stillhere")
    page.context.set_offline(False)
    wait_until_saved(page)


@pytest.mark.parametrize("width", [1280, 390])
def test_the_question_stays_open_while_the_draft_is_saved(open_page, demo_world, width):
    """The save gives the draft its address. The question then says what happens to a saved draft."""
    name = f"Asked{width}"
    user = PageUser(open_page("#/new/patient", by=COORDINATOR, width=width)).at_step("Patient").fill(Last_name=name)
    user.press("Discard referral")
    dialog = user.page.get_by_role("alertdialog", name="Discard this referral?")
    expect(dialog).to_contain_text("will be lost")
    expect(dialog.get_by_role("button", name="Keep editing")).to_be_focused()

    user.page.wait_for_url("**/referrals/ref_*/edit/*")

    expect(dialog).to_contain_text("moves to the closed referrals")
    assert find_violations(user.page) == []
    assert list_stages(demo_world, name) == ["draft"]
    user.press("Discard")
    expect(user.page.get_by_role("heading", name="Worklist")).to_be_visible()
    assert list_stages(demo_world, name) == ["withdrawn"]


def test_a_saved_draft_can_be_discarded_after_more_edits(as_coordinator, demo_world):
    """Also after a reload. Until the user confirms, nothing happens to it."""
    page = as_coordinator.go("#/new/patient").at_step("Patient").page
    as_coordinator.fill(Last_name="Keptfirst")
    wait_until_saved(page)
    as_coordinator.press("Discard referral").press("Keep editing")
    expect(page.get_by_label("Last name")).to_have_value("Keptfirst")
    assert list_stages(demo_world, "Keptfirst") == ["draft"]
    page.reload()

    as_coordinator.at_step("Patient").press("Discard referral").press("Discard")

    expect(page.get_by_role("heading", name="Worklist")).to_be_visible()
    assert list_stages(demo_world, "Keptfirst") == ["withdrawn"]


def test_a_draft_that_a_colleague_submitted_is_not_discarded(as_coordinator, demo_world):
    """The center already has it. The question stays open and says why."""
    path = demo_world.create_referral("Submittedfirst", stage="draft")
    as_coordinator.go(f"{path}/edit/patient").at_step("Patient").press("Discard referral")
    demo_world.report_event(path, "stage.changed", by=COORDINATOR, stage="submitted")

    as_coordinator.press("Discard")

    expect(as_coordinator.page.get_by_role("alertdialog").get_by_role("alert")).to_contain_text("Someone submitted")
    assert list_stages(demo_world, "Submittedfirst") == ["submitted"]


def test_a_submitted_referral_is_saved_as_changes_and_cannot_be_discarded(as_coordinator, demo_world):
    """The center has it and sees each change, so it is no draft any more."""
    path = demo_world.create_referral("Asksmore")
    demo_world.report_event(path, "information.requested", items=["clinical_ecog"])

    page = as_coordinator.go(f"{path}/edit/patient").at_step("Patient").page

    expect(page.get_by_role("button", name="Save changes")).to_be_visible()
    expect(page.get_by_role("button", name="Save draft")).to_have_count(0)
    expect(page.get_by_role("button", name="Discard referral")).to_have_count(0)
