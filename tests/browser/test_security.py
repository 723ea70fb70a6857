"""Security of the pages: markup in data, the content security policy, sessions, and sign-in."""

from playwright.sync_api import expect

from tests.browser.demo_world import COORDINATOR, get_label
from tests.browser.page_driver import PageUser

# A sign-out ends all sessions of a member, so only these tests use this member.
PROVIDER = "provider@willow.example"

MARKUP = "<img src=x onerror='window.owned=1'><script>window.owned=1</script>{{7*7}}"
READ_STORAGE = "() => ({ session: Object.keys(sessionStorage), local: Object.keys(localStorage) })"


def test_markup_in_a_name_or_note_is_shown_as_text(as_coordinator, as_center):
    """On the form, the referral, and the worklist of both organizations. No part of it runs."""
    as_coordinator.fill_whole_form(MARKUP, note=f"Note {MARKUP}").press("Submit referral")
    expect(as_coordinator.current_step).to_contain_text(get_label("submitted"))
    as_center.go(as_coordinator.referral_path)

    for user in (as_coordinator, as_center):
        expect(user.page.get_by_role("heading", level=1)).to_contain_text(MARKUP)
        expect(user.page.get_by_text(f"Note {MARKUP}")).to_be_visible()
        user.go("#/worklist/referral")
        expect(user.page.get_by_role("link", name=MARKUP)).to_be_visible()
        assert user.page.evaluate("window.owned") is None
        assert user.page.locator("img, main script").count() == 0


def test_the_content_security_policy_blocks_markup_from_scripts(browser, local_site):
    """A script cannot write markup into the page, and the policy has no exceptions."""
    page = browser.new_page()
    page.goto(local_site)
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()

    error_name = page.evaluate(
        """() => { try { document.body.innerHTML = "<b>x</b>"; return "" }
                   catch (error) { return error.name } }"""
    )

    assert error_name == "TypeError"
    policy = page.request.get(local_site).headers["content-security-policy"]
    page.close()
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy


def test_a_sign_out_removes_all_data_from_the_browser(open_page, demo_world):
    """There is no token, and no name on the page or in its title, even after Back."""
    user = PageUser(open_page(demo_world.create_referral("Leftover"))).sign_in(PROVIDER)
    page = user.page
    expect(page.get_by_role("heading", level=1)).to_contain_text("Leftover")
    assert "Leftover" not in page.title()
    assert page.evaluate(READ_STORAGE) == {"session": ["cart-session"], "local": []}
    user.go("#/worklist/all")

    user.press("Sign out")

    expect(page.get_by_text("You are signed out.")).to_be_visible()
    assert page.evaluate(READ_STORAGE) == {"session": [], "local": []}
    page.go_back()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    assert "Leftover" not in page.content()


def test_an_idle_page_warns_and_then_signs_out(open_page):
    """The warning opens 2 minutes before the sign-out. The next sign-in returns to the same page."""
    page = open_page()
    page.clock.install()
    page.reload()
    user = PageUser(page).sign_in(PROVIDER).go("#/notices")
    expect(page.get_by_role("heading", name="Notices")).to_be_visible()
    page.clock.fast_forward("13:30")
    warning = page.get_by_role("alertdialog")
    expect(warning).to_contain_text("you will be signed out")
    warning.get_by_role("button", name="Stay signed in").click()
    expect(warning).to_have_count(0)

    page.clock.fast_forward("15:01")

    expect(page.get_by_text("You were signed out because of inactivity.")).to_be_visible()
    assert page.evaluate(READ_STORAGE) == {"session": [], "local": []}
    page.clock.resume()
    user.sign_in(PROVIDER)
    expect(page.get_by_role("heading", name="Notices")).to_be_visible()


def open_second_tab(page):
    """Open another tab of the same browser, and return it when it is signed in."""
    second = page.context.new_page()
    second.goto(page.url)
    expect(second.get_by_role("heading", name="Worklist")).to_be_visible()
    return second


def sign_in_and_open_second_tab(open_page):
    """Sign in on one tab, as a person does, and open another one."""
    page = open_page()
    page.clock.install()
    page.reload()
    PageUser(page).sign_in(PROVIDER)
    expect(page.get_by_role("heading", name="Worklist")).to_be_visible()
    return page, open_second_tab(page)


def test_one_sign_in_is_for_all_tabs(open_page):
    """And one sign-out, and the next sign-in."""
    page, second = sign_in_and_open_second_tab(open_page)

    second.get_by_role("button", name="Sign out").click()

    for tab in (page, second):
        expect(tab.get_by_label("Password")).to_be_visible()
        assert tab.evaluate(READ_STORAGE) == {"session": [], "local": []}
    PageUser(second).sign_in(PROVIDER)
    expect(page.get_by_role("heading", name="Worklist")).to_be_visible()


def test_a_new_tab_after_the_sign_out_is_not_signed_in(open_page):
    """No tab has a session that it could share."""
    page, second = sign_in_and_open_second_tab(open_page)
    second.get_by_role("button", name="Sign out").click()
    expect(page.get_by_label("Password")).to_be_visible()

    third = page.context.new_page()
    third.goto(page.url)

    expect(third.get_by_label("Password")).to_be_visible()


def test_work_in_one_tab_keeps_the_others_signed_in(open_page):
    """The clocks of both tabs go on, and only one of them is used."""
    page, second = sign_in_and_open_second_tab(open_page)
    for _ in range(3):
        page.clock.fast_forward("06:00")
        second.get_by_role("heading", name="Worklist").click()

    expect(page.get_by_role("alertdialog")).to_have_count(0)
    expect(page.get_by_role("button", name="Sign out")).to_be_visible()


def test_a_sign_in_after_an_expired_session_returns_to_the_same_page(as_coordinator):
    """A rejected token leads to the sign-in page."""
    page = as_coordinator.page
    for pattern in ("**/v1/notices?*", "**/v1/sessions/refresh"):
        page.route(pattern, lambda route: route.fulfill(status=401, json={"code": "x"}), times=2)

    as_coordinator.go("#/notices")

    expect(page.get_by_text("Your session ended.")).to_be_visible()
    page.unroute_all()
    as_coordinator.sign_in(COORDINATOR)
    expect(page.get_by_role("heading", name="Notices")).to_be_visible()


def test_a_failed_sign_in_does_not_show_which_part_was_wrong(open_page):
    """It also does not show whether the account exists."""
    page = open_page()
    page.get_by_label("Email").fill("nobody@willow.example")
    page.get_by_label("Password").fill("Not-The-Password-1")

    page.get_by_role("button", name="Sign in").click()

    expect(page.get_by_role("alert")).to_contain_text("The email or password is incorrect.")


def test_a_first_sign_in_asks_for_a_new_password(open_page):
    """The challenge of the identity service becomes a form, and the form sends the new password."""
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

    with page.expect_request("**/v1/sessions/challenge") as request:
        page.get_by_role("button", name="Continue").click()

    assert request.value.post_data_json == {
        "email": "coordinator@willow.example",
        "session": "s",
        "challenge": "NEW_PASSWORD_REQUIRED",
        "new_password": "A-Password-Of-My-Own-1",
    }
    expect(page.get_by_role("alert")).to_be_visible()


def test_no_page_is_shown_without_the_statements(open_page):
    """If they do not load, the page shows an error and the emergency note."""
    page = open_page()
    page.route("**/v1/statements", lambda route: route.abort())

    page.reload()

    expect(page.get_by_role("alert")).to_contain_text("You appear to be offline.")
    expect(page.get_by_label("Email")).to_have_count(0)
    expect(page.get_by_text("Not for emergencies.")).to_be_visible()
