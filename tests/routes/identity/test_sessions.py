"""Signing in and out, with real passwords and a user pool that is as strict as Cognito."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from botocore.exceptions import ClientError

from chalicelib import wiring
from tests.support import factories
from tests.support.identity import PASSWORD
from tests.support.shared_clinic import open_shared_clinic
from tests.support.strict_pool import StrictPool
from tests.support.strict_pool_client import connect, read_settings
from tests.support.totp import compute_code

WRONG = "Wrong-Horse-7-Battery"
REQUEST_ID = {"X-Request-Id": "one-request-id-for-all"}


@pytest.fixture(scope="module")
def user_pool_world(tmp_path_factory):
    """A world whose people sign in themselves, and its user pool."""
    folder = tmp_path_factory.mktemp("house")
    with open_shared_clinic(folder) as clinic, connect(StrictPool(read_settings("OPTIONAL"))) as pool:
        yield clinic, pool


@pytest.fixture
def anonymous_client(user_pool_world):
    """A client without a signed-in member."""
    return user_pool_world[0].anyone


@pytest.fixture
def pool(user_pool_world):
    """The user pool."""
    return user_pool_world[1]


@pytest.fixture
def person(user_pool_world, request):
    """The email address of a coordinator with an account and a password."""
    clinic, pool = user_pool_world
    email = f"{request.node.name[:50].strip('[]').lower()}@cedar.example".replace(" ", "_")
    subject = pool.add(email, PASSWORD).username
    member = factories.build_member(subject=subject, email=email)
    clinic.stores.members.add(replace(member, member_id=f"mem_{subject.replace('-', '')}"))
    return email


def sign_in(anonymous_client, email, password=PASSWORD):
    result = {"email": email, "password": password}
    return anonymous_client.post("/v1/sessions", result, key=None, **REQUEST_ID)


def renew(anonymous_client, refresh_token):
    result = {"refresh_token": refresh_token}
    return anonymous_client.post("/v1/sessions/refresh", result, key=None, **REQUEST_ID)


def answer(anonymous_client, email, session, **reply):
    result = {"email": email, "session": session, **reply}
    return anonymous_client.post("/v1/sessions/challenge", result, key=None, **REQUEST_ID)


def test_a_password_opens_a_session(anonymous_client, person):
    """Every route accepts the pool's access token."""
    session = sign_in(anonymous_client, person)

    assert session.status == 200
    assert set(session.json) == {"access_token", "refresh_token", "expires_in"}
    assert session.json["expires_in"] == 3600
    me = anonymous_client.with_token(session.json["access_token"]).get("/v1/me")
    assert (me.status, me.json["email"]) == (200, person)


def test_every_failed_sign_in_gets_the_same_response(anonymous_client, pool, person):
    """A wrong password and an unknown address: no one learns who has an account."""
    gone = "gone@cedar.example"
    pool.add(gone, PASSWORD).enabled = False

    refusals = [
        sign_in(anonymous_client, person, WRONG),
        sign_in(anonymous_client, "nobody@cedar.example"),
        sign_in(anonymous_client, gone),
        sign_in(anonymous_client, person, "x"),
    ]

    assert refusals[0].status == 401
    assert refusals[0].json["code"] == "sign_in_refused"
    assert refusals == [refusals[0]] * 4


def test_a_session_is_renewed(anonymous_client, person):
    """A refresh token gives a new access token, and no new refresh token."""
    opened = sign_in(anonymous_client, person).json

    renewed = renew(anonymous_client, opened["refresh_token"])

    assert renewed.status == 200
    assert set(renewed.json) == {"access_token", "expires_in"}
    assert anonymous_client.with_token(renewed.json["access_token"]).get("/v1/me").status == 200


def test_a_made_up_refresh_token_is_refused(anonymous_client, person):
    """With the same response as a wrong password."""
    assert renew(anonymous_client, "made-up") == sign_in(anonymous_client, person, WRONG)


def test_signing_out_ends_the_session(anonymous_client, person):
    """No refresh token of the person works any more, on any device."""
    here, there = sign_in(anonymous_client, person).json, sign_in(anonymous_client, person).json

    out = anonymous_client.with_token(here["access_token"]).send("DELETE", "/v1/sessions")

    assert (out.status, out.text) == (204, "")
    assert renew(anonymous_client, here["refresh_token"]).status == 401
    assert renew(anonymous_client, there["refresh_token"]).status == 401


def test_an_access_token_of_the_pool_expires(anonymous_client, person):
    """After an hour it has to be renewed."""
    token = sign_in(anonymous_client, person).json["access_token"]

    with time_machine.travel(wiring.read_clock() + timedelta(minutes=61)):
        assert anonymous_client.with_token(token).get("/v1/me").status == 401


def test_an_account_without_a_membership_opens_nothing(anonymous_client, pool):
    """A person in the pool and not in our table can sign in, and do nothing."""
    pool.add("stranger@elsewhere.example", PASSWORD)
    session = sign_in(anonymous_client, "stranger@elsewhere.example")

    assert session.status == 200
    assert anonymous_client.with_token(session.json["access_token"]).get("/v1/me").json["code"] == "not_a_member"


def test_a_temporary_password_asks_for_a_new_one(anonymous_client, pool):
    """The first sign-in gets a challenge instead of a session; answering it opens one."""
    email = "newcomer@cedar.example"
    pool.add(email, PASSWORD, permanent=False)

    asked = sign_in(anonymous_client, email)
    opened = answer(
        anonymous_client,
        email,
        asked.json["session"],
        challenge="NEW_PASSWORD_REQUIRED",
        new_password="Another-Horse-8-Stable",
    )

    assert (asked.status, set(asked.json)) == (200, {"challenge", "session"})
    assert asked.json["challenge"] == "NEW_PASSWORD_REQUIRED"
    assert set(opened.json) == {"access_token", "refresh_token", "expires_in"}
    assert sign_in(anonymous_client, email, "Another-Horse-8-Stable").status == 200
    assert sign_in(anonymous_client, email, PASSWORD).status == 401


def test_a_new_password_that_is_too_weak_is_refused(anonymous_client, pool):
    """At the field, with the rules: the person has proven the temporary password."""
    email = "weak@cedar.example"
    pool.add(email, PASSWORD, permanent=False)
    session = sign_in(anonymous_client, email).json["session"]

    weak = answer(anonymous_client, email, session, challenge="NEW_PASSWORD_REQUIRED", new_password="weakweakweak")

    assert (weak.status, [error["pointer"] for error in weak.json["errors"]]) == (400, ["/new_password"])


def test_an_authenticator_app_is_asked_for_its_code(anonymous_client, pool, person):
    """With a second factor, the password alone opens nothing."""
    account = pool.find(person)
    account.secret, account.uses_totp = "JBSWY3DPEHPK3PXP", True

    asked = sign_in(anonymous_client, person)
    opened = answer(
        anonymous_client,
        person,
        asked.json["session"],
        challenge="SOFTWARE_TOKEN_MFA",
        code=compute_code(account.secret),
    )

    assert set(asked.json) == {"challenge", "session"}
    assert asked.json["challenge"] == "SOFTWARE_TOKEN_MFA"
    assert anonymous_client.with_token(opened.json["access_token"]).get("/v1/me").status == 200


@pytest.mark.parametrize(
    ("challenge", "needed"), [("NEW_PASSWORD_REQUIRED", "/new_password"), ("SOFTWARE_TOKEN_MFA", "/code")]
)
def test_a_challenge_without_its_answer_is_malformed(anonymous_client, challenge, needed):
    """The missing field is named, before the identity service is called."""
    result = answer(anonymous_client, "x@cedar.example", "session", challenge=challenge)

    assert result.status == 400
    assert [error["pointer"] for error in result.json["errors"]] == [needed]


@pytest.mark.parametrize(
    ("challenge", "reply"),
    [
        ("SMS_MFA", {"code": "123456"}),
        ("DEVICE_SRP_AUTH", {"code": "123456"}),
        ("SOFTWARE_TOKEN_MFA", {"code": "12345"}),
        ("SOFTWARE_TOKEN_MFA", {"code": "\u0661\u0662\u0663\u0664\u0665\u0666"}),
        ("NEW_PASSWORD_REQUIRED", {"new_password": "short"}),
        ("NEW_PASSWORD_REQUIRED", {"new_password": "x" * 257}),
        ("MFA_SETUP", {"code": "1234567"}),
        ("NEW_PASSWORD_REQUIRED", {"new_password": "Long-Enough-1", "userAttributes.email": "x"}),
    ],
)
def test_only_our_own_challenges_can_be_answered(anonymous_client, challenge, reply):
    """No other function of the identity service can be reached through us."""
    assert answer(anonymous_client, "x@cedar.example", "s", challenge=challenge, **reply).status == 400


class Stub:
    """An identity service with one answer for everything."""

    def __init__(self, outcome):
        self.outcome = outcome

    def initiate_auth(self, **_request):
        if isinstance(self.outcome, str):
            result: Any = {"Error": {"Code": self.outcome, "Message": "said the service"}}
            raise ClientError(result, "InitiateAuth")
        return self.outcome

    respond_to_auth_challenge = initiate_auth


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("NotAuthorizedException", 401),
        ("UserNotFoundException", 401),
        ("UserNotConfirmedException", 401),
        ("PasswordResetRequiredException", 401),
        ("CodeMismatchException", 401),
        ("ExpiredCodeException", 401),
        ("InvalidParameterException", 401),
        ("TooManyRequestsException", 429),
        ("LimitExceededException", 429),
        ("ServiceUnavailable", 503),
        ("ThrottlingException", 503),
        ("ResourceNotFoundException", 500),
    ],
)
def test_each_error_of_the_identity_service_has_one_response(anonymous_client, monkeypatch, code, status):
    """A person's mistake is 401, too many attempts 429, an outage 503, and our mistake 500."""
    identity = replace(wiring.get_identity_service(), client=lambda: Stub(code))
    monkeypatch.setattr(wiring, "get_identity_service", lambda: identity)

    answers = [
        sign_in(anonymous_client, "x@cedar.example"),
        renew(anonymous_client, "x"),
        answer(anonymous_client, "x@cedar.example", f"s.{'s' * 20}", challenge="SOFTWARE_TOKEN_MFA", code="123456"),
    ]

    assert [result.status for result in answers] == [status] * 3
    assert "said the service" not in answers[0].text
    assert ("retry-after" in answers[0].headers) is (status in {429, 503})


def test_an_unknown_challenge_is_refused(anonymous_client, monkeypatch):
    """A challenge that no one can answer here opens nothing."""
    asked = {"ChallengeName": "SMS_MFA", "Session": "s"}
    identity = replace(wiring.get_identity_service(), client=lambda: Stub(asked))
    monkeypatch.setattr(wiring, "get_identity_service", lambda: identity)

    assert sign_in(anonymous_client, "x@cedar.example").status == 401


def test_no_password_or_token_is_logged(anonymous_client, caplog, person):
    """At the most detailed level, neither by our loggers nor by the SDK's."""
    caplog.set_level("DEBUG")

    opened = sign_in(anonymous_client, person).json
    sign_in(anonymous_client, person, WRONG)
    renewed = renew(anonymous_client, opened["refresh_token"]).json
    anonymous_client.with_token(renewed["access_token"]).get("/v1/me")
    anonymous_client.with_token(renewed["access_token"]).send("DELETE", "/v1/sessions")

    logged = str([vars(record) for record in caplog.records])
    secrets = (PASSWORD, WRONG, person, *map(str, opened.values()), renewed["access_token"])
    assert "request" in logged
    assert not [secret for secret in secrets if len(secret) > 4 and secret in logged]


def test_a_response_with_tokens_is_not_cached(anonymous_client, person):
    """Neither by a browser nor by a proxy."""
    assert sign_in(anonymous_client, person).headers["cache-control"] == "no-store"


def test_a_form_of_another_site_cannot_sign_in(anonymous_client, person):
    """A plain form can send text across sites; it is refused by its media type."""
    result = f'{{"email": "{person}", "password": "{PASSWORD}"}}'

    assert anonymous_client.post("/v1/sessions", result, **{"Content-Type": "text/plain"}).status == 415
