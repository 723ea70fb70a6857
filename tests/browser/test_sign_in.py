"""The pages of sign-in: a first password, an authenticator app, a forgotten password, and the way back from each."""

import json
import re
import secrets
import time
import urllib.request

import pytest
from playwright.sync_api import expect

from tests.browser.page_driver import PageUser, find_violations
from tests.support.totp import compute_code, get_step

ADMIN = "admin@willow.example"
FIRST, SECOND, THIRD = "First-Horse-7-Battery", "Second-Horse-8-Stable", "Third-Horse-9-Meadow"


@pytest.fixture
def newcomer(demo_world):
    """The address of a person who was just invited."""
    email = f"{secrets.token_hex(6)}@willow.example"
    demo_world.call_api("POST", "members", {"name": "New Person", "email": email, "roles": ["coordinator"]}, by=ADMIN)
    return email


def find_in_email(site, to, label):
    """Wait for an email to an address, which also gets notices: what follows a label in the last one with it."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        with urllib.request.urlopen(f"{site}/mailbox.json") as response:
            mails = json.load(response)
        for mail in mails:
            if to in mail["to"] and label in mail["html"]:
                return str(mail["html"]).partition(label)[2].partition("<")[0]
        time.sleep(0.1)
    raise AssertionError(f"No email to {to} has {label!r}.")


def sign_in(page, email, password):
    page.get_by_label("Email").fill(email)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()


def sign_in_for_the_first_time(page, site, email):
    sign_in(page, email, find_in_email(site, email, "Temporary password: "))
    page.get_by_label("Choose a new password").fill(FIRST)
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("button", name="Sign out")).to_be_visible()


@pytest.mark.parametrize("width", [1280, 390])
def test_an_invited_person_sets_up_everything(open_page, local_site, newcomer, width):
    """From the invitation to an authenticator app, and back after both passwords were forgotten."""
    page = open_page(width=width)
    sign_in_for_the_first_time(page, local_site, newcomer)
    user = PageUser(page).go("#/account")
    expect(page.get_by_role("button", name="Set up an app")).to_be_visible()
    assert find_violations(page) == []

    box = page.locator("section", has=page.get_by_role("heading", name="Authenticator app"))
    box.get_by_label("Current password").fill(FIRST)
    box.get_by_role("button", name="Set up an app").click()
    secret = re.sub(r"\s", "", box.locator("code").inner_text())
    assert f"secret={secret}" in (box.get_by_role("link").get_attribute("href") or "")
    assert find_violations(page) == []
    box.get_by_label("Code from the app").fill(compute_code(secret))
    user.press("Finish setup")
    expect(page.get_by_text("Your authenticator app is set up. Sign in again.")).to_be_visible()

    page.get_by_role("button", name="Forgot your password?").click()
    page.get_by_label("Email").fill(newcomer)
    user.press("Send code")
    expect(page.get_by_text(f"If {newcomer} has an account, a code is on its way.")).to_be_visible()
    assert find_violations(page) == []
    page.get_by_label("Code from the email").fill(find_in_email(local_site, newcomer, "Your code: "))
    page.get_by_label("New password").fill(SECOND)
    user.press("Change password")
    expect(page.get_by_text("Your password has changed. Sign in with the new password.")).to_be_visible()

    sign_in(page, newcomer, SECOND)
    code = page.get_by_label("Code from your authenticator app")
    code.fill("000000")
    user.press("Continue")
    expect(page.get_by_role("alert")).to_contain_text("The code is incorrect")
    code.fill(compute_code(secret, step=get_step() + 1))
    user.press("Continue")
    expect(page.get_by_role("button", name="Sign out")).to_be_visible()


def test_a_person_changes_the_password(open_page, local_site, newcomer):
    """A weak one and a wrong current one are explained; after the change, the person signs in again."""
    page = open_page()
    sign_in_for_the_first_time(page, local_site, newcomer)
    user = PageUser(page).go("#/account")
    box = page.locator("section", has=page.get_by_role("heading", name="Password"))
    for current, new, text in (
        (FIRST, "all-lowercase-letters", "Use at least 12 characters"),
        ("Wrong-Horse-7-Battery", THIRD, "Your current password is incorrect."),
    ):
        box.get_by_label("Current password").fill(current)
        box.get_by_label("New password").fill(new)
        user.press("Change password")
        expect(box.get_by_role("alert")).to_contain_text(text)

    box.get_by_label("Current password").fill(FIRST)
    user.press("Change password")

    expect(page.get_by_text("Your password has changed.")).to_be_visible()
    sign_in(page, newcomer, THIRD)
    expect(page.get_by_role("button", name="Sign out")).to_be_visible()


def test_a_required_authenticator_is_set_up_on_the_sign_in_page(open_page):
    """As with `Mfa=ON`. When the time is over, the page asks for the password again."""
    page = open_page()
    link = "otpauth://totp/x?secret=JBSWY3DPEHPK3PXP"
    challenge = {"challenge": "MFA_SETUP", "session": "s", "secret": "JBSWY3DPEHPK3PXP", "otpauth_url": link}
    expired = {"code": "sign_in_expired", "detail": "This sign-in took too long."}
    page.route("**/v1/sessions", lambda route: route.fulfill(json=challenge))
    page.route("**/v1/sessions/challenge", lambda route: route.fulfill(status=401, json=expired))
    sign_in(page, "coordinator@willow.example", FIRST)

    expect(page.get_by_text("JBSW Y3DP EHPK 3PXP")).to_be_visible()
    assert find_violations(page) == []
    page.get_by_label("Code from your authenticator app").fill("123456")
    page.get_by_role("button", name="Continue").click()

    expect(page.get_by_text("This sign-in took too long.")).to_be_visible()
    expect(page.get_by_label("Password")).to_be_visible()


@pytest.mark.parametrize("width", [1280, 390])
def test_an_administrator_helps_a_member_who_cannot_sign_in(open_page, local_site, width):
    """Invites a person, sends the invitation again, and resets the sign-in, all from one page."""
    admin = PageUser(open_page("#/account", by=ADMIN, width=width))
    admin.page.get_by_role("link", name="People of Willow Bend Hematology Oncology").click()
    email = f"{secrets.token_hex(6)}@willow.example"
    name = f"Person {email[:6]}"
    admin.fill(Name=name, Work_email=email)
    admin.page.get_by_label("Coordinator").check()
    admin.press("Send invitation")
    expect(admin.page.get_by_role("rowheader", name=name)).to_be_visible()
    assert find_violations(admin.page) == []
    newcomer = open_page(width=width)
    sign_in_for_the_first_time(newcomer, local_site, email)

    for action in ("Send invitation again", "Reset sign-in"):
        admin.press(f"{action}: {name}")
        assert find_violations(admin.page) == []
        admin.press(action)
        expect(admin.page.get_by_role("dialog")).to_have_count(0)

    newcomer.reload()
    expect(newcomer.get_by_text("Your account does not have access to this organization.")).to_be_visible()
    newcomer.get_by_role("button", name="Sign out").click()
    sign_in_for_the_first_time(newcomer, local_site, email)
