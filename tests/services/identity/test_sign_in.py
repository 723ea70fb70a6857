"""Sign in and sign out with a fake identity service."""

from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, ReadTimeoutError

from chalicelib.errors import RateLimitedError, UnauthenticatedError, UnavailableError
from chalicelib.services.identity.sign_in import IdentityService, SignedInSession, SignInChallenge

SESSION = {
    "AuthenticationResult": {
        "AccessToken": "access",
        "RefreshToken": "refresh",
        "IdToken": "id",
        "ExpiresIn": 3600,
        "TokenType": "Bearer",
    }
}


class UsernameExistsException(ClientError):  # noqa: N818 the service's name for it
    pass


class Cognito:
    """Returns the given responses, and records the calls."""

    exceptions = SimpleNamespace(UsernameExistsException=UsernameExistsException)

    def __init__(self, *responses: Any) -> None:
        self.responses = list(responses)
        self.calls: list[tuple[str, dict[str, Any]]] = []

    def __getattr__(self, call: str) -> Any:
        def respond(**arguments: Any) -> Any:
            self.calls.append((call, arguments))
            response = self.responses.pop(0)
            if isinstance(response, Exception):
                raise response
            return response

        return respond


def identity(cognito):
    """The identity service for one app client."""
    return IdentityService(client=lambda: cognito, client_id="dashboard-client")


def refusal(code, status=400, kind=ClientError):
    """A refusal with the service's own text, which must not reach the caller."""
    response = {
        "Error": {"Code": code, "Message": "User ana@cedar.example does not exist."},
        "ResponseMetadata": {"HTTPStatusCode": status},
    }
    return kind(response, "InitiateAuth")


CALLS = {
    "sign in": lambda i: i.sign_in("ana@cedar.example", "Correct-Horse-7"),
    "renew": lambda i: i.renew_session("refresh"),
}
ALL_CALLS = CALLS | {
    "answer challenge": lambda i: i.answer_challenge(
        challenge="NEW_PASSWORD_REQUIRED", session="YQ==.a-session-of-cognito", reply="r"
    ),
    "sign out": lambda i: i.sign_out("access"),
}

REFUSALS = [
    "CodeMismatchException",
    "ExpiredCodeException",
    "InvalidParameterException",
    "InvalidPasswordException",
    "NotAuthorizedException",
    "PasswordResetRequiredException",
    "UserNotConfirmedException",
    "UserNotFoundException",
]


def test_a_password_is_exchanged_for_a_session():
    """With the tokens that a browser needs, without the ID token."""
    cognito = Cognito(SESSION)

    session = identity(cognito).sign_in("ana@cedar.example", "Correct-Horse-7")

    assert session == SignedInSession(access_token="access", refresh_token="refresh", expires_in=3600)
    assert cognito.calls == [
        (
            "initiate_auth",
            {
                "ClientId": "dashboard-client",
                "AuthFlow": "USER_PASSWORD_AUTH",
                "AuthParameters": {"USERNAME": "ana@cedar.example", "PASSWORD": "Correct-Horse-7"},
            },
        )
    ]


def test_a_session_is_renewed_without_a_new_refresh_token():
    """Cognito sends none, so the browser keeps its own."""
    response = {"AuthenticationResult": {"AccessToken": "next", "ExpiresIn": 3600}}
    cognito = Cognito(response)

    session = identity(cognito).renew_session("refresh")

    assert session == SignedInSession(access_token="next", refresh_token=None, expires_in=3600)
    assert cognito.calls[0][1]["AuthFlow"] == "REFRESH_TOKEN_AUTH"


@pytest.mark.parametrize(
    ("challenge", "name"),
    [("NEW_PASSWORD_REQUIRED", "NEW_PASSWORD"), ("SOFTWARE_TOKEN_MFA", "SOFTWARE_TOKEN_MFA_CODE")],
)
def test_a_challenge_comes_before_the_session(challenge, name):
    """The response to it names the person by the id of the challenge, and never by the email address."""
    challenge_response = {
        "ChallengeName": challenge,
        "Session": "a-session.of-cognito",
        "ChallengeParameters": {"USER_ID_FOR_SRP": "sub-1"},
    }
    cognito = Cognito(challenge_response, SESSION)
    service = identity(cognito)

    first = service.sign_in("ana@cedar.example", "Temporary-7")
    assert isinstance(first, SignInChallenge)
    session = service.answer_challenge(challenge=challenge, session=first.session, reply="r")

    assert isinstance(session, SignedInSession)
    assert cognito.calls[1][1]["Session"] == "a-session.of-cognito"
    assert cognito.calls[1][1]["ChallengeResponses"] == {"USERNAME": "sub-1", name: "r"}


@pytest.mark.parametrize(
    ("challenge", "parameters"),
    [
        ("SMS_MFA", {}),
        ("SELECT_MFA_TYPE", {"MFAS_CAN_CHOOSE": '["SMS_MFA", "EMAIL_OTP"]'}),
        ("SELECT_MFA_TYPE", {"MFAS_CAN_CHOOSE": "not JSON"}),
        ("MFA_SETUP", {"MFAS_CAN_SETUP": '["SMS_MFA"]'}),
        ("MFA_SETUP", {"MFAS_CAN_SETUP": "7"}),
    ],
)
def test_an_unsupported_challenge_is_refused(challenge, parameters):
    """No one gets in by a way that we do not know."""
    cognito = Cognito({"ChallengeName": challenge, "Session": "s", "ChallengeParameters": parameters})

    with pytest.raises(UnauthenticatedError):
        identity(cognito).sign_in("ana@cedar.example", "Correct-Horse-7")


@pytest.mark.parametrize("session", ["", ".", "no-dot", "YQ==.short", f"not base64!.{'s' * 20}", f"gA==.{'s' * 20}"])
def test_a_made_up_session_of_a_challenge_has_expired(session):
    """Cognito decides about its content, and refuses it."""
    cognito = Cognito(refusal("NotAuthorizedException"))

    with pytest.raises(UnauthenticatedError) as error:
        identity(cognito).answer_challenge(challenge="SOFTWARE_TOKEN_MFA", session=session, reply="123456")

    assert error.value.code == "sign_in_expired"


def test_a_repeated_sign_out_does_nothing():
    """After a lost response, Cognito refuses the token that the first try revoked."""
    identity(Cognito(refusal("NotAuthorizedException"))).sign_out("access")


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
@pytest.mark.parametrize("code", REFUSALS)
def test_every_refusal_is_the_same_error(call, code):
    """It does not reveal whether the person is unknown, the password is wrong or the code is old."""
    with pytest.raises(UnauthenticatedError) as error:
        call(identity(Cognito(refusal(code))))

    assert (error.value.code, error.value.errors) == ("sign_in_refused", ())
    assert error.value.detail == "You are not signed in, or your session ended. Sign in again."
    assert error.value.__cause__ is None
    assert "cedar" not in str(error.value)


@pytest.mark.parametrize("call", ALL_CALLS.values(), ids=ALL_CALLS)
@pytest.mark.parametrize("code", ["LimitExceededException", "TooManyRequestsException"])
def test_too_many_attempts_are_rate_limited(call, code):
    """Waiting helps; another password does not."""
    with pytest.raises(RateLimitedError):
        call(identity(Cognito(refusal(code))))


@pytest.mark.parametrize("call", ALL_CALLS.values(), ids=ALL_CALLS)
@pytest.mark.parametrize(
    "outage",
    [
        refusal("InternalErrorException", 500),
        refusal("ServiceUnavailable", 503),
        refusal("ThrottlingException"),
        refusal("AccessDeniedException"),
        refusal("ExpiredTokenException"),
        EndpointConnectionError(endpoint_url="https://cognito"),
        ReadTimeoutError(endpoint_url="https://cognito"),
    ],
)
def test_an_outage_is_not_a_refusal(call, outage):
    """During an outage, no one gets the error that the password is wrong."""
    with pytest.raises(UnavailableError):
        call(identity(Cognito(outage)))


def test_a_wrong_setting_is_an_internal_error():
    """It does not look like a wrong password."""
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        identity(Cognito(refusal("ResourceNotFoundException"))).sign_in("ana@cedar.example", "Correct-Horse-7")


def test_sign_out_ends_every_session_of_the_person():
    """With the access token that the person has."""
    cognito = Cognito({})

    identity(cognito).sign_out("access")

    assert cognito.calls == [("global_sign_out", {"AccessToken": "access"})]


USER = [{"Name": "email", "Value": "ana@cedar.example"}, {"Name": "sub", "Value": "sub-1"}]


def test_an_invited_person_gets_an_account():
    """Cognito sends the temporary password by email; we never see it."""
    cognito = Cognito({"User": {"Attributes": USER}})

    subject = identity(cognito).create_account("ana@cedar.example", pool_id="pool")

    assert subject == "sub-1"
    ((call, arguments),) = cognito.calls
    assert (call, arguments["Username"]) == ("admin_create_user", "ana@cedar.example")
    assert not {"TemporaryPassword", "MessageAction"} & arguments.keys()


def test_an_existing_account_is_kept():
    """After a repeat because the response was lost: the same subject."""
    account_exists = refusal("UsernameExistsException", kind=UsernameExistsException)
    cognito = Cognito(account_exists, {"UserAttributes": USER})

    assert identity(cognito).create_account("ana@cedar.example", pool_id="pool") == "sub-1"
    assert [call for call, _ in cognito.calls] == ["admin_create_user", "admin_get_user"]
