"""Every challenge between a password and a session, with a user pool that is as strict as Cognito."""

from datetime import timedelta
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
import time_machine

from chalicelib import wiring
from tests.support.identity import NEW_PASSWORD, PASSWORD
from tests.support.sign_in_driver import open_sign_in_driver
from tests.support.totp import compute_code, get_step

WRONG = "Wrong-Horse-7-Battery"


def test_a_required_authenticator_is_set_up_during_sign_in(required_mfa):
    """S4: with `Mfa=ON`, a password leads to a key, and its first code to a session."""
    setup = required_mfa.sign_in().json

    opened = required_mfa.answer(setup, code=compute_code(setup["secret"]))

    assert (setup["challenge"], set(setup)) == ("MFA_SETUP", {"challenge", "session", "secret", "otpauth_url"})
    assert opened.status == 200
    assert required_mfa.anyone.with_token(opened.json["access_token"]).get("/v1/me").status == 200


def test_the_link_for_an_authenticator_names_the_site_and_the_account(required_mfa):
    """In the format that authenticator apps read."""
    setup = required_mfa.sign_in().json

    link = urlsplit(setup["otpauth_url"])

    assert (link.scheme, link.netloc) == ("otpauth", "totp")
    assert unquote(link.path) == f"/CAR T Referral Dashboard:{required_mfa.email}"
    assert parse_qs(link.query) == {"secret": [setup["secret"]], "issuer": ["CAR T Referral Dashboard"]}


def test_the_authenticator_is_asked_for_at_the_next_sign_in(required_mfa):
    """And only its code opens a session."""
    setup = required_mfa.sign_in().json
    required_mfa.answer(setup, code=compute_code(setup["secret"]))

    asked = required_mfa.sign_in().json
    opened = required_mfa.answer(asked, code=compute_code(setup["secret"], step=get_step() + 1))

    assert asked["challenge"] == "SOFTWARE_TOKEN_MFA"
    assert "secret" not in asked
    assert opened.status == 200


@pytest.mark.parametrize("mfa", ["OFF", "OPTIONAL", "ON"])
def test_an_invited_person_gets_in(sign_in_clinic, mfa):
    """O12: the first sign-in, with a temporary password and whatever `Mfa` asks for."""
    with open_sign_in_driver(sign_in_clinic, mfa, permanent=False) as driver:
        response = driver.answer(driver.sign_in().json, new_password=NEW_PASSWORD)
        if mfa == "ON":
            assert response.json["challenge"] == "MFA_SETUP"
            response = driver.answer(response.json, code=compute_code(response.json["secret"]))

        assert driver.anyone.with_token(response.json["access_token"]).get("/v1/me").status == 200
        assert driver.sign_in(PASSWORD).status == 401


@pytest.mark.parametrize("ends", [False, True])
@pytest.mark.parametrize("is_enrolled", [False, True])
def test_a_wrong_code_is_reported_as_such(sign_in_clinic, ends, is_enrolled):
    """The person has proven the password, so no account is revealed. A session that ended needs the password again."""
    with open_sign_in_driver(sign_in_clinic, "ON", wrong_code_ends_session=ends) as driver:
        if is_enrolled:
            driver.enroll()
        asked = driver.sign_in().json

        wrong = driver.answer(asked, code="000000")
        again = driver.answer(asked, code=driver.compute_code())

    assert (wrong.status, wrong.json["code"]) == (401, "code_incorrect")
    assert (again.status, again.json.get("code")) == ((401, "sign_in_expired") if ends else (200, None))


def test_a_code_works_once(required_mfa):
    """Someone who saw a code over a shoulder cannot use it."""
    required_mfa.enroll()
    code = required_mfa.compute_code()
    assert required_mfa.answer(required_mfa.sign_in().json, code=code).status == 200

    again = required_mfa.answer(required_mfa.sign_in().json, code=code)

    assert (again.status, again.json["code"]) == (401, "code_incorrect")


@pytest.mark.parametrize("is_enrolled", [False, True])
def test_a_challenge_can_be_answered_once(required_mfa, is_enrolled):
    """A session of a challenge that leaked after its use opens nothing."""
    if is_enrolled:
        required_mfa.enroll()
    asked = required_mfa.sign_in().json
    assert required_mfa.answer(asked, code=required_mfa.compute_code()).status == 200

    again = required_mfa.answer(asked, code=required_mfa.compute_code())

    assert (again.status, again.json["code"]) == (401, "sign_in_expired")


@pytest.mark.parametrize(("minutes", "status"), [(14, 200), (16, 401)])
def test_setting_up_an_authenticator_can_take_a_quarter_of_an_hour(required_mfa, minutes, status):
    """Someone has to install an app first. After that, the person starts again with the password."""
    with time_machine.travel(wiring.read_clock(), tick=False) as clock:
        setup = required_mfa.sign_in().json
        clock.shift(timedelta(minutes=minutes))

        answered = required_mfa.answer(setup, code=compute_code(setup["secret"]))

    assert (answered.status, answered.json.get("code")) == (status, "sign_in_expired" if status == 401 else None)


def test_a_challenge_belongs_to_one_person(required_mfa):
    """A session with another person's id in it opens nothing."""
    stranger = required_mfa.pool.add("stranger@elsewhere.example", PASSWORD)
    own = required_mfa.sign_in().json["session"]
    other = required_mfa.sign_in(email=stranger.email).json
    mixed = {**other, "session": own.partition(".")[0] + "." + other["session"].partition(".")[2]}

    refused = required_mfa.answer(mixed, code=compute_code(other["secret"]))

    assert (refused.status, refused.json["code"]) == (401, "sign_in_expired")


def test_a_choice_of_second_factors_leads_to_the_authenticator(optional_mfa):
    """The only one that this site can ask for."""
    optional_mfa.enroll()
    optional_mfa.account.second_factors, optional_mfa.account.prefers_totp = 2, False

    asked = optional_mfa.sign_in().json
    opened = optional_mfa.answer(asked, code=optional_mfa.compute_code())

    assert asked["challenge"] == "SOFTWARE_TOKEN_MFA"
    assert opened.status == 200


def test_whatever_is_wrong_before_the_password_is_proven_looks_alike(optional_mfa):
    """Unknown, wrong, disabled, locked and expired: no one learns which accounts exist."""
    pool, same = optional_mfa.pool, {"X-Request-Id": "one-request-id-for-all"}
    pool.add("disabled@cedar.example", PASSWORD).enabled = False
    pool.add("expired@cedar.example", PASSWORD, permanent=False).created_at -= timedelta(days=8).total_seconds()
    pool.add("locked@cedar.example", PASSWORD).locked_until = wiring.read_clock().timestamp() + 60
    attempts = [
        (optional_mfa.email, WRONG),
        *((f"{name}@cedar.example", PASSWORD) for name in ("nobody", "disabled", "expired", "locked")),
    ]

    answers = [
        optional_mfa.anyone.post("/v1/sessions", {"email": email, "password": password}, key=None, **same)
        for email, password in attempts
    ]

    assert answers[0].status == 401
    assert answers == [answers[0]] * len(attempts)


def test_guessing_passwords_locks_the_account(optional_mfa):
    """After five wrong passwords, the right one is refused too, and works again after the pause."""
    for _ in range(6):
        optional_mfa.sign_in(WRONG)

    assert optional_mfa.sign_in().status == 401
    with time_machine.travel(wiring.read_clock() + timedelta(seconds=5)):
        assert optional_mfa.sign_in().status == 200


def test_guessing_codes_locks_the_account(required_mfa):
    """A million codes cannot be tried, even by someone who has the password."""
    required_mfa.enroll()
    asked = required_mfa.sign_in().json
    for guess in range(6):
        required_mfa.answer(asked, code=f"00000{guess}")

    assert required_mfa.answer(asked, code=required_mfa.compute_code()).status == 401


def test_signing_in_leaves_an_audit_row(optional_mfa):
    """Who began a session, and when."""
    optional_mfa.open_session()

    assert optional_mfa.list_actions() == [("session.start", "allowed")]


def test_a_disabled_members_sign_in_leaves_an_audit_row(optional_mfa):
    """The account works, and the membership does not."""
    disabled = optional_mfa.clinic.get_client_for(optional_mfa.clinic.members["practice_admin"])
    disabled.patch(f"/v1/members/{optional_mfa.member.member_id}", {"active": False}, version=1)

    optional_mfa.open_session()

    assert optional_mfa.list_actions()[-1] == ("session.start", "not_a_member")
