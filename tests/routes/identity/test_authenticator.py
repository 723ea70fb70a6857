"""An authenticator app that a signed-in person sets up."""

import pytest

from tests.support.identity import PASSWORD
from tests.support.sign_in_driver import open_sign_in_driver
from tests.support.totp import compute_code


def read(client):
    return client.get("/v1/sessions/authenticator").json


def start(client, password=PASSWORD):
    return client.post("/v1/sessions/authenticator", {"password": password}, key=None)


def confirm(client, code):
    return client.post("/v1/sessions/authenticator/confirm", {"code": code}, key=None)


def test_a_person_sets_up_an_authenticator(optional_mfa):
    """Every session ends, and each sign-in asks for a code from then on."""
    client = optional_mfa.open_session()
    before = read(client)

    key = start(client).json
    done = confirm(client, compute_code(key["secret"]))

    assert before == {"enrolled": False, "available": True, "required": False}
    assert set(key) == {"secret", "otpauth_url"}
    assert done.status == 204
    assert client.get("/v1/me").status == 401
    assert optional_mfa.sign_in().json["challenge"] == "SOFTWARE_TOKEN_MFA"
    assert read(optional_mfa.open_session())["enrolled"] is True


def test_a_person_replaces_an_authenticator(optional_mfa):
    """As for a new phone. The code of the old one opens nothing."""
    optional_mfa.enroll()
    old = optional_mfa.account.secret
    client = optional_mfa.open_session()

    key = start(client).json
    confirm(client, compute_code(key["secret"]))

    asked = optional_mfa.sign_in().json
    assert optional_mfa.answer(asked, code=compute_code(old)).status == 401
    assert optional_mfa.answer(asked, code=optional_mfa.compute_code()).status == 200


def test_an_open_browser_is_not_enough_to_set_one_up(optional_mfa):
    """The password is asked for again. A wrong one changes nothing."""
    client = optional_mfa.open_session()

    refused = start(client, "Wrong-Horse-7-Battery")

    assert (refused.status, [error["pointer"] for error in refused.json["errors"]]) == (400, ["/password"])
    assert "AssociateSoftwareToken" not in optional_mfa.pool.calls
    assert client.get("/v1/me").status == 200


def test_a_wrong_first_code_changes_nothing(optional_mfa):
    """An app that shows wrong codes would lock the person out."""
    client = optional_mfa.open_session()
    key = start(client).json

    wrong = confirm(client, "000000")

    assert (wrong.status, wrong.json["code"]) == (400, "code_incorrect")
    assert optional_mfa.sign_in().json.keys() >= {"access_token"}
    assert confirm(client, compute_code(key["secret"])).status == 204


def test_a_code_without_a_started_setup_is_refused(optional_mfa):
    """Nothing is half set up."""
    refused = confirm(optional_mfa.open_session(), "123456")

    assert (refused.status, refused.json["code"]) == (400, "code_incorrect")


@pytest.mark.parametrize(("mfa", "is_available", "is_required"), [("OFF", False, False), ("ON", True, True)])
def test_a_site_says_whether_it_uses_authenticators(sign_in_clinic, mfa, is_available, is_required):
    """So that the dashboard offers what is possible, and the API refuses the rest."""
    with open_sign_in_driver(sign_in_clinic, mfa) as driver:
        driver.enroll()
        client = driver.open_session()

        assert read(client) == {"enrolled": is_required, "available": is_available, "required": is_required}
        assert start(client).status == (200 if is_available else 409)


def test_a_setup_leaves_an_audit_row(optional_mfa):
    """When the second factor of a person changed."""
    client = optional_mfa.open_session()
    confirm(client, compute_code(start(client).json["secret"]))

    assert optional_mfa.list_actions()[-1] == ("authenticator.enroll", "allowed")
