"""Forgotten and changed passwords, without revealing which accounts exist."""

from datetime import timedelta

import pytest
import time_machine

from chalicelib import wiring
from tests.support import aws_fakes
from tests.support.identity import NEW_PASSWORD, PASSWORD, renew

SAME_ID = {"X-Request-Id": "one-request-id-for-all"}
WRONG_CODE = "000000"


@pytest.fixture(autouse=True)
def _without_earlier_requests(sign_in_clinic):
    aws_fakes.forget_rate_limits()


def ask_for_code(driver, email=""):
    return driver.anyone.post("/v1/sessions/password-reset", {"email": email or driver.email}, key=None, **SAME_ID)


def reset(driver, *, email="", code="", new_password=NEW_PASSWORD):
    body = {
        "email": email or driver.email,
        "code": code or driver.pool.find_last_email(driver.email).secret,
        "new_password": new_password,
    }
    return driver.anyone.post("/v1/sessions/password-reset/confirm", body, key=None, **SAME_ID)


def change(client, current=PASSWORD, new=NEW_PASSWORD):
    return client.post("/v1/sessions/password", {"current_password": current, "new_password": new}, key=None)


def test_a_forgotten_password_is_replaced_with_a_code_from_an_email(every_mfa):
    """S4: the code arrives at the address of the account, and the new password works."""
    asked = ask_for_code(every_mfa)
    done = reset(every_mfa)

    assert (asked.status, asked.text, done.status) == (202, "", 204)
    assert every_mfa.sign_in(PASSWORD).status == 401
    with time_machine.travel(wiring.read_clock() + timedelta(seconds=1)):
        assert every_mfa.open_session().get("/v1/me").status == 200


def test_a_new_password_does_not_replace_the_authenticator(required_mfa):
    """Someone who reads a person's email still needs the code of the app."""
    required_mfa.enroll()
    ask_for_code(required_mfa)
    reset(required_mfa)

    assert required_mfa.sign_in(NEW_PASSWORD).json["challenge"] == "SOFTWARE_TOKEN_MFA"


def test_asking_for_a_code_reveals_no_account(optional_mfa):
    """Unknown, disabled, invited, and asked too often: the same bytes."""
    pool = optional_mfa.pool
    pool.add("off@cedar.example", PASSWORD).enabled = False
    pool.add("invited@cedar.example", PASSWORD, permanent=False)
    pool.add("often@cedar.example", PASSWORD).reset_requests = [wiring.read_clock().timestamp()] * 5

    answers = [ask_for_code(optional_mfa)]
    answers += [ask_for_code(optional_mfa, f"{name}@cedar.example") for name in ("nobody", "off", "invited", "often")]

    assert answers == [answers[0]] * 5
    assert [sent.to for sent in pool.emails] == [optional_mfa.email]


@pytest.mark.parametrize("has_account", [False, True])
def test_an_address_gets_few_codes(optional_mfa, has_account):
    """Three at once, with or without an account, so that no one can fill an inbox or learn from the refusal."""
    email = optional_mfa.email if has_account else "nobody-at-all@cedar.example"

    statuses = [ask_for_code(optional_mfa, address).status for address in (email, email.upper(), email, email)]

    assert statuses == [202, 202, 202, 429]


def test_a_wrong_code_reveals_no_account(optional_mfa):
    """Wrong, too old, none sent, and unknown: the same bytes."""
    optional_mfa.pool.add("no-code@cedar.example", PASSWORD)
    old = optional_mfa.pool.add("old-code@cedar.example", PASSWORD)
    old.start_reset("123456", wiring.read_clock().timestamp() - 1)
    ask_for_code(optional_mfa)

    answers = [
        reset(optional_mfa, code=WRONG_CODE),
        reset(optional_mfa, email=old.email, code="123456"),
        reset(optional_mfa, email="no-code@cedar.example", code="123456"),
        reset(optional_mfa, email="nobody@cedar.example", code="123456"),
    ]

    assert (answers[0].status, answers[0].json["code"]) == (400, "code_incorrect")
    assert answers == [answers[0]] * 4


def test_codes_cannot_be_guessed(optional_mfa):
    """After five wrong ones, the right one does not work either."""
    ask_for_code(optional_mfa)
    code = optional_mfa.pool.find_last_email(optional_mfa.email).secret
    guesses = [f"{(int(code) + n) % 10**6:06d}" for n in range(1, 6)]

    refused = [reset(optional_mfa, code=guess) for guess in (*guesses, code)]

    assert [answer.json["code"] for answer in refused] == ["code_incorrect"] * 6
    assert optional_mfa.sign_in(PASSWORD).status == 200


def test_a_code_works_once(optional_mfa):
    """And not again by someone who finds the email."""
    ask_for_code(optional_mfa)
    code = optional_mfa.pool.find_last_email(optional_mfa.email).secret

    statuses = [reset(optional_mfa, code=code).status for _ in range(2)]

    assert statuses == [204, 400]


@pytest.mark.parametrize("weak", ["Short-1", "no-uppercase-1", "NO-LOWERCASE-1", "No-Digit-At-All"])
def test_a_weak_password_is_refused_at_its_field(optional_mfa, weak):
    """Before the identity service is asked, so that the response is the same for every address."""
    ask_for_code(optional_mfa)
    client = optional_mfa.open_session()

    answers = [reset(optional_mfa, new_password=weak), change(client, new=weak)]

    for answer in answers:
        assert answer.status == 400
        assert [error["pointer"] for error in answer.json["errors"]] == ["/new_password"]
        assert "at least 12 characters" in answer.json["errors"][0]["message"]


def test_the_api_and_the_user_pool_have_the_same_rules(optional_mfa):
    """What the API lets through, Cognito accepts."""
    rules = {name: value for name, value in optional_mfa.pool.settings.password_rules.items() if value is not False}

    assert rules == {
        "MinimumLength": 12,
        "RequireLowercase": True,
        "RequireUppercase": True,
        "RequireNumbers": True,
        "TemporaryPasswordValidityDays": 7,
    }


def test_a_new_password_ends_every_session(optional_mfa):
    """Also the session of a person who knew the old one. A sign-in right after the response counts."""
    client, refresh = optional_mfa.open_session(), optional_mfa.sign_in().json["refresh_token"]
    ask_for_code(optional_mfa)

    reset(optional_mfa)

    assert client.get("/v1/me").status == 401
    assert renew(optional_mfa.anyone, refresh).status == 401
    assert optional_mfa.open_session().get("/v1/me").status == 200


def test_a_signed_in_person_changes_the_password(every_mfa):
    """With the current one. Then every session ends, and the new password works."""
    client = every_mfa.open_session()

    changed = change(client)

    assert changed.status == 204
    assert client.get("/v1/me").status == 401
    assert every_mfa.sign_in(PASSWORD).status == 401
    assert every_mfa.open_session().get("/v1/me").status == 200


def test_an_open_browser_is_not_enough_to_change_a_password(optional_mfa):
    """The current password is asked for, and a wrong one changes nothing and ends no session."""
    client = optional_mfa.open_session()

    refused = change(client, current="Wrong-Horse-7-Battery")

    assert (refused.status, refused.json["code"]) == (400, "password_incorrect")
    assert [error["pointer"] for error in refused.json["errors"]] == ["/current_password"]
    assert client.get("/v1/me").status == 200
    assert optional_mfa.sign_in(PASSWORD).status == 200


def test_passwords_leave_audit_rows(optional_mfa):
    """Who reset and who changed one, without either of them."""
    change(optional_mfa.open_session())
    ask_for_code(optional_mfa)
    reset(optional_mfa)

    assert optional_mfa.list_actions() == [
        ("session.start", "allowed"),
        ("password.change", "allowed"),
        ("password.reset", "allowed"),
    ]


def test_no_password_or_code_is_stored_or_logged(optional_mfa, caplog):
    """Neither in a table nor in a log at the most detailed level."""
    caplog.set_level("DEBUG")
    change(optional_mfa.open_session())
    ask_for_code(optional_mfa)
    code = optional_mfa.pool.find_last_email(optional_mfa.email).secret
    reset(optional_mfa, code=code, new_password="Third-Horse-9-Meadow")

    logged = str([vars(record) for record in caplog.records])
    tables = aws_fakes.dump_tables()
    secrets = (PASSWORD, NEW_PASSWORD, "Third-Horse-9-Meadow", f'"{code}"')
    assert not [secret for secret in secrets if secret in logged or secret in tables]
