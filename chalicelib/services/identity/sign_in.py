"""Sign in and sign out with Amazon Cognito.

The dashboard calls us and we call Cognito, so the browser uses only one origin, and the code is the same
on a laptop and in the cloud. A password passes through and is stored nowhere.

The way to a session:

    password ──▶ NEW_PASSWORD_REQUIRED ──▶ MFA_SETUP or SOFTWARE_TOKEN_MFA ──▶ session
                 (first sign-in)           (set up, or a code)

Each step may be left out. Our session token of a challenge contains Cognito's own and the id of the person,
because Cognito accepts the answer only with that id, never with the email address.
"""

import base64
import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from chalicelib.aws import translate_aws_errors
from chalicelib.errors import ApiError, UnauthenticatedError
from chalicelib.services.identity.cognito_errors import build_weak_password_error, translate_refusals

ISSUER_NAME = "CAR T Referral Dashboard"
"""What an authenticator app shows above the code."""

MIN_SESSION_CHARS = 20
"""Length of the shortest session of Cognito. The SDK sends no shorter one. Source: its API reference."""

TOTP = "SOFTWARE_TOKEN_MFA"
NEW_PASSWORD = "NEW_PASSWORD_REQUIRED"  # noqa: S105 the name of a challenge
MFA_SETUP = "MFA_SETUP"
_MFA_CHOICE = "SELECT_MFA_TYPE"

CHALLENGES = {NEW_PASSWORD: "NEW_PASSWORD", TOTP: "SOFTWARE_TOKEN_MFA_CODE", MFA_SETUP: "SOFTWARE_TOKEN_MFA_CODE"}
"""The challenges that a person answers, and what the answer is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedInSession:
    """What a browser keeps while a person is signed in. Times are in seconds."""

    access_token: str
    refresh_token: str | None
    expires_in: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SignInChallenge:
    """A challenge that the person must answer before the session starts.

    `secret` is the base32 key of the new authenticator for `MFA_SETUP`, and empty otherwise.
    """

    challenge: str
    session: str
    secret: str = ""


def build_otpauth_url(secret: str, email: str) -> str:
    """Build the address that an authenticator app reads from a link or a QR code."""
    query = urlencode({"secret": secret, "issuer": ISSUER_NAME}, quote_via=quote)
    return f"otpauth://totp/{quote(ISSUER_NAME)}:{quote(email)}?{query}"


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

    def answer_challenge(self, *, challenge: str, session: str, reply: str) -> SignedInSession | SignInChallenge:
        """Answer a challenge from `sign_in`.

        Args:
            challenge: One of `CHALLENGES`.
            session: The session of the challenge, which is valid for 15 minutes and can be used once.
            reply: The new password, or the code of the authenticator.

        Raises:
            UnauthenticatedError: `code_incorrect`, or `sign_in_expired`: start again with the password.
            MalformedError: Cognito does not accept the new password.
        """
        person, cognito_session = _unpack_session(session)
        expired = UnauthenticatedError(
            "sign_in_expired", "This sign-in took too long or was used already. Enter your email and password again."
        )
        wrong = UnauthenticatedError(
            "code_incorrect", "The code is incorrect or was used already. Enter the code that the app shows now."
        )
        if len(cognito_session) < MIN_SESSION_CHARS:
            raise expired
        errors: dict[str, ApiError] = {"wrong_code": wrong, "weak_password": build_weak_password_error()}
        responses = {"USERNAME": person}
        with translate_refusals(expired, **errors):
            if challenge == MFA_SETUP:
                cognito_session = self._verify_authenticator(cognito_session, reply)
            else:
                responses[CHALLENGES[challenge]] = reply
            result = self.client().respond_to_auth_challenge(
                ClientId=self.client_id, ChallengeName=challenge, Session=cognito_session, ChallengeResponses=responses
            )
        return self._parse_auth_result(result)

    def renew_session(self, refresh_token: str) -> SignedInSession | SignInChallenge:
        """Exchange a refresh token for a new access token."""
        return self._start_auth("REFRESH_TOKEN_AUTH", {"REFRESH_TOKEN": refresh_token})

    def sign_out(self, access_token: str) -> None:
        """End the person's sessions on all devices: their refresh tokens stop working.

        A repeat after a lost response does nothing.
        """
        # A token that we verified and Cognito refuses was revoked by an earlier try.
        with translate_aws_errors(), suppress(UnauthenticatedError), translate_refusals():
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
        with translate_refusals():
            result = self.client().initiate_auth(ClientId=self.client_id, AuthFlow=flow, AuthParameters=parameters)
        return self._parse_auth_result(result)

    def _verify_authenticator(self, session: str, code: str) -> str:
        """Check the first code of a new authenticator, and return the session in which it is set up."""
        verified = self.client().verify_software_token(Session=session, UserCode=code, FriendlyDeviceName="app")
        return str(verified["Session"])

    def _parse_auth_result(self, auth_result: Mapping[str, Any]) -> SignedInSession | SignInChallenge:
        if "AuthenticationResult" in auth_result:
            result = auth_result["AuthenticationResult"]
            return SignedInSession(
                access_token=result["AccessToken"],
                refresh_token=result.get("RefreshToken"),
                expires_in=result["ExpiresIn"],
            )
        challenge, session = auth_result["ChallengeName"], auth_result["Session"]
        parameters = auth_result.get("ChallengeParameters", {})
        person = parameters.get("USER_ID_FOR_SRP", "")
        if challenge == _MFA_CHOICE and TOTP in _parse_list(parameters.get("MFAS_CAN_CHOOSE")):
            return self._choose_authenticator(person, session)
        if challenge == MFA_SETUP and TOTP in _parse_list(parameters.get("MFAS_CAN_SETUP")):
            return self._set_up_authenticator(person, session)
        if challenge not in {NEW_PASSWORD, TOTP}:
            # A challenge that no one can answer here opens nothing.
            raise UnauthenticatedError("sign_in_refused")
        return SignInChallenge(challenge=challenge, session=_pack_session(person, session))

    def _choose_authenticator(self, person: str, session: str) -> SignedInSession | SignInChallenge:
        with translate_refusals():
            result = self.client().respond_to_auth_challenge(
                ClientId=self.client_id,
                ChallengeName=_MFA_CHOICE,
                Session=session,
                ChallengeResponses={"USERNAME": person, "ANSWER": TOTP},
            )
        return self._parse_auth_result(result)

    def _set_up_authenticator(self, person: str, session: str) -> SignInChallenge:
        with translate_refusals():
            new = self.client().associate_software_token(Session=session)
        return SignInChallenge(
            challenge=MFA_SETUP, session=_pack_session(person, new["Session"]), secret=new["SecretCode"]
        )


def _parse_list(text: str | None) -> frozenset[str]:
    """The methods in a challenge parameter, which is a JSON list in a text."""
    try:
        values = json.loads(text or "[]")
    except ValueError:
        return frozenset()
    return frozenset(map(str, values)) if isinstance(values, list) else frozenset()


def _pack_session(person: str, session: str) -> str:
    return f"{base64.urlsafe_b64encode(person.encode()).decode()}.{session}"


def _unpack_session(packed: str) -> tuple[str, str]:
    person, _, session = packed.partition(".")
    try:
        return base64.urlsafe_b64decode(person.encode()).decode(), session
    except ValueError:
        return "", packed
