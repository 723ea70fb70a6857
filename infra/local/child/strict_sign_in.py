"""Makes the user pool of ministack as strict about challenges as Amazon Cognito.

ministack accepts the answer to a challenge without its session, sets up no authenticator during sign-in, and never
lets a temporary password expire. Here:

- A session belongs to one user and one challenge, expires, and ends when it is answered.
- The answer names the user by the id of the challenge (`USER_ID_FOR_SRP`), not by the email address.
- With `Mfa=ON`, someone without an authenticator gets `MFA_SETUP`; after a new password, the second factor follows.
- A temporary password expires. While MFA is `ON`, an administrator cannot remove an authenticator.

`install` replaces functions of ministack's module, which looks them up by name for each request.
"""

import base64
import json
import secrets
import time
from dataclasses import dataclass
from types import ModuleType
from typing import Any, TypeAlias

Json: TypeAlias = dict[str, Any]
Response: TypeAlias = Any
"""ministack's own: status, headers, body."""

ANSWERED_CHALLENGES = ("NEW_PASSWORD_REQUIRED", "SOFTWARE_TOKEN_MFA", "MFA_SETUP")
SECONDS_PER_DAY = 86_400


@dataclass
class OpenSession:
    """A challenge that is not answered yet. `secret` is of the new authenticator, and `is_set_up` says it works."""

    pool_id: str
    user: Json
    challenge: str
    expires_at: float
    secret: str = ""
    is_set_up: bool = False


class StrictSignIn:
    """The sessions of open challenges. They are lost when the local cloud stops, and then sign-in starts again."""

    def __init__(self, cognito: ModuleType) -> None:
        self._cognito = cognito
        self._sessions: dict[str, OpenSession] = {}
        self._respond = cognito._respond_to_auth_challenge  # noqa: SLF001 ministack has no public names
        self._sign_in = cognito._password_auth_result  # noqa: SLF001
        self._associate = cognito._associate_software_token  # noqa: SLF001
        self._verify = cognito._verify_software_token  # noqa: SLF001
        self._prefer = cognito._admin_set_user_mfa_preference  # noqa: SLF001

    def accept_password(self, pool: Json, pid: str, cid: str, user: Json, *rest: Any, **options: Any) -> Response:
        """Continue after a good password: with a challenge, or with tokens."""
        if user.get("UserStatus") == "FORCE_CHANGE_PASSWORD":
            days = pool.get("Policies", {}).get("PasswordPolicy", {}).get("TemporaryPasswordValidityDays", 7)
            if time.time() > user["UserLastModifiedDate"] + days * SECONDS_PER_DAY:
                return self._refuse("Temporary password has expired and must be reset by an administrator.")
            parameters = {"requiredAttributes": "[]", "userAttributes": "{}"}
            return self._open(pool, cid, user, "NEW_PASSWORD_REQUIRED", parameters)
        return self._ask_for_second_factor(pool, cid, user) or self._sign_in(pool, pid, cid, user, *rest, **options)

    def answer_challenge(self, data: Json) -> Response:
        """Check the session before ministack checks the answer."""
        challenge, responses = data.get("ChallengeName", ""), data.get("ChallengeResponses") or {}
        if challenge not in ANSWERED_CHALLENGES:
            return self._respond(data)
        token = data.get("Session", "")
        session = self._find(token, challenge)
        if session is None or responses.get("USERNAME") != session.user["Username"]:
            return self._refuse("Invalid session for the user.")
        pool = self._cognito._user_pools[session.pool_id]  # noqa: SLF001
        response = self._find_wrong_answer(pool, session, responses) or self._respond(data)
        if response[0] != 200:
            return response
        del self._sessions[token]
        if challenge == "NEW_PASSWORD_REQUIRED":
            return self._ask_for_second_factor(pool, data["ClientId"], session.user) or response
        return response

    def associate(self, data: Json) -> Response:
        """Make a secret for the user of a session, or of an access token."""
        if "Session" not in data:
            return self._associate(data)
        session = self._find(data["Session"], "MFA_SETUP")
        if session is None:
            return self._refuse("Invalid session for the user.")
        session.secret = base64.b32encode(secrets.token_bytes(32)).decode().rstrip("=")
        return self._cognito.json_response(
            {"SecretCode": session.secret, "Session": self._replace(data["Session"], session)}
        )

    def verify(self, data: Json) -> Response:
        """Check the first code of a new authenticator, and let the user of the session use it."""
        if "Session" not in data:
            return self._verify(data)
        session = self._find(data["Session"], "MFA_SETUP")
        if session is None or not session.secret:
            return self._refuse("Invalid session for the user.")
        if not self._cognito._totp_matches(session.secret, data.get("UserCode", "")):  # noqa: SLF001
            return self._error("EnableSoftwareTokenMFAException", "Code mismatch")
        session.is_set_up = True
        session.user |= {"_totp_secret": session.secret, "_preferred_mfa": "SOFTWARE_TOKEN_MFA"}
        session.user["_mfa_enabled"] = ["SOFTWARE_TOKEN_MFA"]
        return self._cognito.json_response({"Status": "SUCCESS", "Session": self._replace(data["Session"], session)})

    def set_preference(self, data: Json) -> Response:
        """Change nothing while everyone needs an authenticator."""
        pool = self._cognito._user_pools.get(data.get("UserPoolId")) or {}  # noqa: SLF001
        return self._cognito.json_response({}) if pool.get("MfaConfiguration") == "ON" else self._prefer(data)

    def _find_wrong_answer(self, pool: Json, session: OpenSession, responses: Json) -> Response | None:
        """What is wrong with an answer that ministack would accept; None if nothing is."""
        if session.challenge == "MFA_SETUP" and not session.is_set_up:
            return self._error("InvalidParameterException", "User has not verified software token mfa")
        if session.challenge == "NEW_PASSWORD_REQUIRED":
            return self._cognito._validate_password(pool, responses.get("NEW_PASSWORD", ""))  # noqa: SLF001
        return None

    def _ask_for_second_factor(self, pool: Json, cid: str, user: Json) -> Response | None:
        mfa, has_app = pool.get("MfaConfiguration", "OFF"), "SOFTWARE_TOKEN_MFA" in user.get("_mfa_enabled", [])
        if mfa == "OFF" or (mfa == "OPTIONAL" and not has_app):
            return None
        if has_app:
            return self._open(pool, cid, user, "SOFTWARE_TOKEN_MFA", {"FRIENDLY_DEVICE_NAME": "app"})
        return self._open(pool, cid, user, "MFA_SETUP", {"MFAS_CAN_SETUP": json.dumps(["SOFTWARE_TOKEN_MFA"])})

    def _open(self, pool: Json, cid: str, user: Json, challenge: str, parameters: Json) -> Response:
        minutes = pool["_clients"].get(cid, {}).get("AuthSessionValidity", 3)
        token = secrets.token_urlsafe(200)
        self._sessions[token] = OpenSession(pool["Id"], user, challenge, time.time() + minutes * 60)
        return self._cognito.json_response(
            {
                "ChallengeName": challenge,
                "Session": token,
                "ChallengeParameters": {"USER_ID_FOR_SRP": user["Username"], **parameters},
            }
        )

    def _find(self, token: str, challenge: str) -> OpenSession | None:
        now = time.time()
        self._sessions = {key: session for key, session in self._sessions.items() if session.expires_at > now}
        session = self._sessions.get(token)
        return session if session and session.challenge == challenge else None

    def _replace(self, token: str, session: OpenSession) -> str:
        """Continue a session under a new token. The old one ends."""
        del self._sessions[token]
        new = secrets.token_urlsafe(200)
        self._sessions[new] = session
        return new

    def _refuse(self, message: str) -> Response:
        return self._error("NotAuthorizedException", message)

    def _error(self, code: str, message: str) -> Response:
        return self._cognito.error_response_json(code, message, 400)


def install() -> None:
    """Replace the lenient functions of ministack."""
    from ministack.services import cognito  # noqa: PLC0415 it reads the environment at import

    strict = StrictSignIn(cognito)
    cognito._password_auth_result = strict.accept_password  # noqa: SLF001
    cognito._respond_to_auth_challenge = strict.answer_challenge  # noqa: SLF001
    cognito._associate_software_token = strict.associate  # noqa: SLF001
    cognito._verify_software_token = strict.verify  # noqa: SLF001
    cognito._admin_set_user_mfa_preference = strict.set_preference  # noqa: SLF001
