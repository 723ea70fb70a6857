"""Signing in and out against an identity service of the tests' own making."""

from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, ReadTimeoutError

from chalicelib.errors import RateLimitedError, UnauthenticatedError, UnavailableError
from chalicelib.services.identity.sign_in import CHALLENGES, IdentityService, SignedInSession, SignInChallenge

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
    """Answers with what it is given, and keeps what it was asked."""

    exceptions = SimpleNamespace(UsernameExistsException=UsernameExistsException)

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)
        self.asked: list[tuple[str, dict[str, Any]]] = []

    def __getattr__(self, call: str) -> Any:
        def answered(**asked: Any) -> Any:
            self.asked.append((call, asked))
            answer = self.answers.pop(0)
            if isinstance(answer, Exception):
                raise answer
            return answer

        return answered


def identity(cognito):
    """The identity service for one app client."""
    return IdentityService(client=lambda: cognito, client_id="dashboard-client")


def refusal(code, status=400, kind=ClientError):
    """A refusal as the service words it; its text is nobody's business."""
    answer = {
        "Error": {"Code": code, "Message": "User ana@cedar.example does not exist."},
        "ResponseMetadata": {"HTTPStatusCode": status},
    }
    return kind(answer, "InitiateAuth")


CALLS = {
    "sign in": lambda i: i.sign_in("ana@cedar.example", "Correct-Horse-7"),
    "answer": lambda i: i.answer_challenge(
        email="ana@cedar.example", challenge="NEW_PASSWORD_REQUIRED", session="s", reply="r"
    ),
    "renew": lambda i: i.renew_session("refresh"),
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
    """The tokens that a browser needs, and not the ID token."""
    cognito = Cognito(SESSION)

    session = identity(cognito).sign_in("ana@cedar.example", "Correct-Horse-7")

    assert session == SignedInSession(access_token="access", refresh_token="refresh", expires_in=3600)
    assert cognito.asked == [
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
    """Cognito sends none; the browser keeps its own."""
    without = {"AuthenticationResult": {"AccessToken": "next", "ExpiresIn": 3600}}
    cognito = Cognito(without)

    session = identity(cognito).renew_session("refresh")

    assert session == SignedInSession(access_token="next", refresh_token=None, expires_in=3600)
    assert cognito.asked[0][1]["AuthFlow"] == "REFRESH_TOKEN_AUTH"


@pytest.mark.parametrize("challenge", CHALLENGES)
def test_a_question_comes_before_the_session(challenge):
    """And its answer brings the session, under the name that Cognito wants for it."""
    question = {"ChallengeName": challenge, "Session": "s-1", "ChallengeParameters": {"x": "y"}}
    cognito = Cognito(question, SESSION)
    by = identity(cognito)

    asked = by.sign_in("ana@cedar.example", "Temporary-7")
    session = by.answer_challenge(email="ana@cedar.example", challenge=challenge, session="s-1", reply="r")

    assert asked == SignInChallenge(challenge=challenge, session="s-1")
    assert isinstance(session, SignedInSession)
    assert cognito.asked[1][1]["ChallengeResponses"] == {"USERNAME": "ana@cedar.example", CHALLENGES[challenge]: "r"}


def test_a_question_that_we_cannot_ask_is_a_refusal():
    """Nobody gets in by a way that we do not know."""
    cognito = Cognito({"ChallengeName": "SMS_MFA", "Session": "s"})

    with pytest.raises(UnauthenticatedError):
        identity(cognito).sign_in("ana@cedar.example", "Correct-Horse-7")


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
@pytest.mark.parametrize("code", REFUSALS)
def test_every_refusal_is_one_answer(call, code):
    """Whether the person is unknown, the password wrong or the code old cannot be told."""
    with pytest.raises(UnauthenticatedError) as error:
        call(identity(Cognito(refusal(code))))

    assert (error.value.code, error.value.errors) == ("sign_in_refused", ())
    assert error.value.detail == "You are not signed in, or your session ended. Sign in again."
    assert error.value.__cause__ is None
    assert "cedar" not in str(error.value)


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
@pytest.mark.parametrize("code", ["LimitExceededException", "TooManyRequestsException"])
def test_too_many_tries_are_told_to_slow_down(call, code):
    """A wait helps, and another password does not."""
    with pytest.raises(RateLimitedError):
        call(identity(Cognito(refusal(code))))


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
@pytest.mark.parametrize(
    "trouble",
    [
        refusal("InternalErrorException", 500),
        refusal("ServiceUnavailable", 503),
        refusal("ThrottlingException"),
        EndpointConnectionError(endpoint_url="https://cognito"),
        ReadTimeoutError(endpoint_url="https://cognito"),
    ],
)
def test_an_outage_is_no_refusal(call, trouble):
    """Nobody is told that the password is wrong while we cannot know."""
    with pytest.raises(UnavailableError):
        call(identity(Cognito(trouble)))


@pytest.mark.parametrize("code", ["ResourceNotFoundException", "AccessDeniedException"])
def test_a_wrong_setting_is_our_bug(code):
    """It shows as what it is, and not as a wrong password."""
    with pytest.raises(ClientError, match=code):
        identity(Cognito(refusal(code))).sign_in("ana@cedar.example", "Correct-Horse-7")


def test_signing_out_ends_every_session_of_the_person():
    """By the token that the person holds."""
    cognito = Cognito({})

    identity(cognito).sign_out("access")

    assert cognito.asked == [("global_sign_out", {"AccessToken": "access"})]


USER = [{"Name": "email", "Value": "ana@cedar.example"}, {"Name": "sub", "Value": "sub-1"}]


def test_an_invited_person_gets_an_account():
    """Cognito mails the temporary password; we never see one."""
    cognito = Cognito({"User": {"Attributes": USER}})

    subject = identity(cognito).create_account("ana@cedar.example", pool_id="pool")

    assert subject == "sub-1"
    ((call, asked),) = cognito.asked
    assert (call, asked["Username"]) == ("admin_create_user", "ana@cedar.example")
    assert not {"TemporaryPassword", "MessageAction"} & asked.keys()


def test_a_person_who_has_an_account_keeps_it():
    """Invited again after an answer that was lost: the same subject."""
    taken = refusal("UsernameExistsException", kind=UsernameExistsException)
    cognito = Cognito(taken, {"UserAttributes": USER})

    assert identity(cognito).create_account("ana@cedar.example", pool_id="pool") == "sub-1"
    assert [call for call, _ in cognito.asked] == ["admin_create_user", "admin_get_user"]
