"""Sign in and sign out with Amazon Cognito.

The dashboard calls us and we call Cognito, so the browser uses only one origin, and the code is the same
on a laptop and in the cloud. A password passes through and is stored nowhere.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from chalicelib.aws import translate_aws_errors
from chalicelib.errors import RateLimitedError, UnauthenticatedError

_REFUSED_CODES = frozenset(
    {
        "CodeMismatchException",
        "ExpiredCodeException",
        "InvalidParameterException",
        "InvalidPasswordException",
        "NotAuthorizedException",
        "PasswordResetRequiredException",
        "UserNotConfirmedException",
        "UserNotFoundException",
    }
)
_RATE_LIMIT_CODES = frozenset({"LimitExceededException", "TooManyRequestsException"})

CHALLENGES = {"NEW_PASSWORD_REQUIRED": "NEW_PASSWORD", "SOFTWARE_TOKEN_MFA": "SOFTWARE_TOKEN_MFA_CODE"}
"""The challenges that can follow a password, and the name of the response to each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedInSession:
    """What a browser keeps while a person is signed in. Times are in seconds."""

    access_token: str
    refresh_token: str | None
    expires_in: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SignInChallenge:
    """A challenge that the person must answer before the session starts."""

    challenge: str
    session: str


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentityService:
    """The identity service, for one app client."""

    client: Callable[[], Any]
    client_id: str

    def sign_in(self, email: str, password: str) -> SignedInSession | SignInChallenge:
        """Exchange a password for a session, or for a challenge.

        Raises:
            UnauthenticatedError: sign-in failed; the error does not reveal why.
            RateLimitedError: Cognito refuses more attempts for now.
        """
        return self._start_auth("USER_PASSWORD_AUTH", {"USERNAME": email, "PASSWORD": password})

    def answer_challenge(
        self, *, email: str, challenge: str, session: str, reply: str
    ) -> SignedInSession | SignInChallenge:
        """Answer a challenge from `sign_in`."""
        responses = {"USERNAME": email, CHALLENGES[challenge]: reply}
        with translate_aws_errors(), _translate_errors():
            result = self.client().respond_to_auth_challenge(
                ClientId=self.client_id, ChallengeName=challenge, Session=session, ChallengeResponses=responses
            )
        return _parse_auth_result(result)

    def renew_session(self, refresh_token: str) -> SignedInSession | SignInChallenge:
        """Exchange a refresh token for a new access token."""
        return self._start_auth("REFRESH_TOKEN_AUTH", {"REFRESH_TOKEN": refresh_token})

    def sign_out(self, access_token: str) -> None:
        """End the person's sessions on all devices: their refresh tokens stop working."""
        with translate_aws_errors(), _translate_errors():
            self.client().global_sign_out(AccessToken=access_token)

    def create_account(self, email: str, *, pool_id: str) -> str:
        """Create an account, send a temporary password by email, and return the account's subject.

        A repeat for the same address finds the existing account.
        """
        with translate_aws_errors():
            try:
                user = self.client().admin_create_user(
                    UserPoolId=pool_id,
                    Username=email,
                    UserAttributes=[{"Name": "email", "Value": email}, {"Name": "email_verified", "Value": "true"}],
                    DesiredDeliveryMediums=["EMAIL"],
                )["User"]
                attributes = user["Attributes"]
            except self.client().exceptions.UsernameExistsException:
                user = self.client().admin_get_user(UserPoolId=pool_id, Username=email)
                attributes = user["UserAttributes"]
        return next(str(a["Value"]) for a in attributes if a["Name"] == "sub")

    def _start_auth(self, flow: str, parameters: dict[str, str]) -> SignedInSession | SignInChallenge:
        with translate_aws_errors(), _translate_errors():
            result = self.client().initiate_auth(ClientId=self.client_id, AuthFlow=flow, AuthParameters=parameters)
        return _parse_auth_result(result)


class _translate_errors:  # noqa: N801 a context manager, used like a function
    """Turn Cognito's many refusals into our one error."""

    def __enter__(self) -> None:
        pass

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        # An error without a response, such as a timeout, also has the attribute `response`: None.
        response = getattr(error, "response", None) or {}
        code = response.get("Error", {}).get("Code")
        if code in _REFUSED_CODES:
            raise UnauthenticatedError("sign_in_refused") from None
        if code in _RATE_LIMIT_CODES:
            raise RateLimitedError(
                "slow_down", "Too many sign-in attempts. Wait a few minutes, then try again."
            ) from None


def _parse_auth_result(auth_result: dict[str, Any]) -> SignedInSession | SignInChallenge:
    if "AuthenticationResult" not in auth_result:
        if auth_result["ChallengeName"] not in CHALLENGES:
            raise UnauthenticatedError("sign_in_refused")
        return SignInChallenge(challenge=auth_result["ChallengeName"], session=auth_result["Session"])
    result = auth_result["AuthenticationResult"]
    return SignedInSession(
        access_token=result["AccessToken"], refresh_token=result.get("RefreshToken"), expires_in=result["ExpiresIn"]
    )
