"""What the page lets in, keeps, and leaves behind."""

import pytest
from playwright.sync_api import expect

from tests.browser.demo_world import COORDINATOR
from tests.browser.page_driver import PageUser

pytestmark = pytest.mark.browser

# Signing out ends all sessions of a person, so whoever does it is nobody else's.
PROVIDER = "provider@willow.example"

MARKUP = "<img src=x onerror='window.owned=1'><script>window.owned=1</script>{{7*7}}"
KEPT = "() => ({ session: Object.keys(sessionStorage), local: Object.keys(localStorage) })"


def test_markup_in_a_name_or_note_is_shown_as_text(as_coordinator, as_center):
    """On the form, the referral and the worklist, for both sides; nothing of it runs."""
    as_coordinator.write_whole(MARKUP, note=f"Note {MARKUP}").press("Send the referral")
    expect(as_coordinator.stage).to_contain_text("Submitted")
    as_center.go(as_coordinator.referral_path)

    for person in (as_coordinator, as_center):
        expect(person.page.get_by_role("heading", level=1)).to_contain_text(MARKUP)
        expect(person.page.get_by_text(f"Note {MARKUP}")).to_be_visible()
        person.go("#/worklist/referral")
        expect(person.page.get_by_role("link", name=MARKUP)).to_be_visible()
        assert person.page.evaluate("window.owned") is None
        assert person.page.locator("img, main script").count() == 0


def test_the_policy_stops_what_a_mistake_would_let_through(browser, local_site):
    """Markup cannot be written into the page, and the policy knows no exception."""
    page = browser.new_page()
    page.goto(local_site)
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()

    stopped = page.evaluate(
        """() => { try { document.body.innerHTML = "<b>x</b>"; return "" }
                   catch (error) { return error.name } }"""
    )

    assert stopped == "TypeError"
    policy = page.request.get(local_site).headers["content-security-policy"]
    page.close()
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy


def test_signing_out_leaves_nothing_behind(open_page, demo_world):
    """No token, no name on the page or in its title, and Back does not bring it again."""
    person = PageUser(open_page(demo_world.referral("Leftover"))).sign_in(PROVIDER)
    page = person.page
    expect(page.get_by_role("heading", level=1)).to_contain_text("Leftover")
    assert "Leftover" not in page.title()
    assert page.evaluate(KEPT) == {"session": ["cart-session"], "local": []}
    person.go("#/worklist/all")

    person.press("Sign out")

    expect(page.get_by_text("You are signed out.")).to_be_visible()
    assert page.evaluate(KEPT) == {"session": [], "local": []}
    page.go_back()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    assert "Leftover" not in page.content()


def test_an_idle_page_warns_and_then_signs_out(open_page):
    """Two minutes before the end one may stay; nobody there means out, and back to the place."""
    page = open_page()
    page.clock.install()
    page.reload()
    person = PageUser(page).sign_in(PROVIDER).go("#/notices")
    expect(page.get_by_role("heading", name="Notices")).to_be_visible()
    page.clock.fast_forward("13:30")
    warning = page.get_by_role("alertdialog")
    expect(warning).to_contain_text("you will be signed out")
    warning.get_by_role("button", name="Stay signed in").click()
    expect(warning).to_have_count(0)

    page.clock.fast_forward("15:01")

    expect(page.get_by_text("You were signed out because")).to_be_visible()
    assert page.evaluate(KEPT) == {"session": [], "local": []}
    page.clock.resume()
    person.sign_in(PROVIDER)
    expect(page.get_by_role("heading", name="Notices")).to_be_visible()


def test_a_session_that_the_server_ended_comes_back_to_its_place(as_coordinator):
    """A refused token leads to the sign-in, and from there to where one was."""
    page = as_coordinator.page
    for pattern in ("**/v1/notices?*", "**/v1/sessions/refresh"):
        page.route(pattern, lambda route: route.fulfill(status=401, json={"code": "x"}), times=2)

    as_coordinator.go("#/notices")

    expect(page.get_by_text("Your session has ended.")).to_be_visible()
    page.unroute_all()
    as_coordinator.sign_in(COORDINATOR)
    expect(page.get_by_role("heading", name="Notices")).to_be_visible()


def test_a_wrong_password_says_no_more_than_that(open_page):
    """Neither which part was wrong nor whether the person exists."""
    page = open_page()
    page.get_by_label("Email").fill("nobody@willow.example")
    page.get_by_label("Password").fill("Not-The-Password-1")

    page.get_by_role("button", name="Sign in").click()

    expect(page.get_by_role("alert")).to_contain_text("That did not match")


def test_a_first_sign_in_asks_for_a_password_of_ones_own(open_page):
    """The question of the identity service becomes a form; its answer signs one in."""
    page = open_page()
    page.route(
        "**/v1/sessions",
        lambda route: route.fulfill(json={"challenge": "NEW_PASSWORD_REQUIRED", "session": "s"}),
        times=1,
    )
    page.get_by_label("Email").fill("coordinator@willow.example")
    page.get_by_label("Password").fill("Temporary-1")
    page.get_by_role("button", name="Sign in").click()
    field = page.get_by_label("Choose a new password")
    expect(field).to_be_focused()
    page.route("**/v1/sessions/challenge", lambda route: route.fulfill(status=401, json={}))
    field.fill("A-Password-Of-My-Own-1")

    with page.expect_request("**/v1/sessions/challenge") as asked:
        page.get_by_role("button", name="Continue").click()

    assert asked.value.post_data_json == {
        "email": "coordinator@willow.example",
        "session": "s",
        "challenge": "NEW_PASSWORD_REQUIRED",
        "new_password": "A-Password-Of-My-Own-1",
    }
    expect(page.get_by_role("alert")).to_be_visible()


def test_nothing_is_shown_without_the_statements(open_page):
    """While they cannot be read, the page says so instead of leaving them out."""
    page = open_page()
    page.route("**/v1/statements", lambda route: route.abort())

    page.reload()

    expect(page.get_by_role("alert")).to_contain_text("cannot be reached")
    expect(page.get_by_label("Email")).to_have_count(0)
    expect(page.get_by_text("not for emergencies")).to_be_visible()
