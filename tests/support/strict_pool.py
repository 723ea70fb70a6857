"""A strict double of an Amazon Cognito user pool: it refuses what Cognito refuses.

The local cloud and moto accept answers to challenges without a session, any code, and the email address in
place of the user's id. Cognito does not, so a sign-in that only works there must fail in a test. Where
Cognito's documents leave something open, the double takes the stricter side. Sources: its developer guide and
API reference as of 2026-11, and public reports of its client libraries (`aws-amplify/amplify-js` issues 1226,
2824, 4722):

- A session belongs to one user and one challenge, is valid for `AuthSessionValidity`, and ends when it is
  answered. A wrong code leaves it open, unless `wrong_code_ends_session`.
- The answer to a challenge names the user by `USER_ID_FOR_SRP`, never by the email address.
- Five wrong passwords or codes lock the user for a second, and each further one twice as long, up to 15 minutes.
- A code is valid for its own step of 30 s and one before and after, and only once.
- A temporary password expires; only a repeated invitation makes a new one.
- A new `AssociateSoftwareToken` invalidates the earlier authenticator. `AdminSetUserMFAPreference` does not remove
  an authenticator, and changes nothing while MFA is `ON`.
- `PreventUserExistenceErrors`: an unknown user looks like a wrong password, and gets a code that never arrives.
- A refreshed token keeps `auth_time` and `origin_jti` of its session.
"""

import json
import secrets
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.support import tokens, totp
from tests.support.strict_pool_people import (
    Account,
    PoolError,
    PoolSession,
    PoolSettings,
    RefreshToken,
    SentEmail,
    check_password_rules,
)

RESET_CODE_S = 3600
MAX_RESET_FAILURES = 5
MAX_RESETS_PER_HOUR = 5

Request = Mapping[str, Any]


@dataclass
class StrictPool:
    """The pool's people and open sessions.

    Attributes:
        settings: What the template says about the pool and its client.
        wrong_code_ends_session: Whether a session also ends with a wrong answer.
        emails: Every email that the pool sent.
    """

    settings: PoolSettings
    wrong_code_ends_session: bool = False
    accounts: dict[str, Account] = field(default_factory=dict)
    sessions: dict[str, PoolSession] = field(default_factory=dict)
    refresh_tokens: dict[str, RefreshToken] = field(default_factory=dict)
    emails: list[SentEmail] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)

    def answer(self, operation: str, request: Request) -> Mapping[str, Any]:
        """Answer one call of the API.

        Raises:
            PoolError: Cognito would refuse the call.
        """
        operations: dict[str, Callable[[Request], Mapping[str, Any]]] = {
            "InitiateAuth": self._initiate_auth,
            "RespondToAuthChallenge": self._respond_to_auth_challenge,
            "AssociateSoftwareToken": self._associate_software_token,
            "VerifySoftwareToken": self._verify_software_token,
            "SetUserMFAPreference": lambda r: self._set_preference(self._find_by_access_token(r), r),
            "AdminSetUserMFAPreference": lambda r: self._set_preference(self._find_for_admin(r), r),
            "ForgotPassword": self._forgot_password,
            "ConfirmForgotPassword": self._confirm_forgot_password,
            "ChangePassword": self._change_password,
            "GlobalSignOut": lambda r: self._end_sessions(self._find_by_access_token(r)),
            "AdminUserGlobalSignOut": lambda r: self._end_sessions(self._find_for_admin(r)),
            "AdminCreateUser": self._admin_create_user,
            "AdminDeleteUser": self._admin_delete_user,
            "AdminGetUser": self._admin_get_user,
            "GetUser": lambda r: _describe(self._find_by_access_token(r)),
        }
        self.calls.append(operation)
        return operations[operation](request)

    # -- what a test does as a person or an administrator of AWS ------------------------------------------

    def add(self, email: str, password: str, *, permanent: bool = True) -> Account:
        """Create an account without an email; a temporary password unless `permanent`."""
        account = Account(email=email, password=password, created_at=time.time())
        account.status = "CONFIRMED" if permanent else "FORCE_CHANGE_PASSWORD"
        self.accounts[account.username] = account
        return account

    def find(self, name: str) -> Account | None:
        """Find an account by its id or its email address, in upper or lower case."""
        by_email = {a.email.casefold(): a for a in self.accounts.values()}
        return self.accounts.get(name) or by_email.get(name.casefold())

    def find_last_email(self, email: str) -> SentEmail:
        """The last email to an address."""
        return [sent for sent in self.emails if sent.to == email][-1]

    # -- sign-in ------------------------------------------------------------------------------------------

    def _initiate_auth(self, request: Request) -> Mapping[str, Any]:
        self._require_client(request)
        flow, given = request["AuthFlow"], request.get("AuthParameters", {})
        if f"ALLOW_{flow}" not in self.settings.flows:
            raise PoolError("InvalidParameterException", f"{flow} flow not enabled for this client")
        if flow == "REFRESH_TOKEN_AUTH":
            return self._refresh(given.get("REFRESH_TOKEN", ""))
        if flow != "USER_PASSWORD_AUTH":
            raise PoolError("InvalidParameterException", "The double has no such flow")
        account = self.find(given.get("USERNAME", ""))
        if account is None:
            raise PoolError("NotAuthorizedException", "Incorrect username or password.")
        if not account.enabled:
            raise PoolError("NotAuthorizedException", "User is disabled.")
        self._require_unlocked(account)
        if not secrets.compare_digest(given.get("PASSWORD", "").encode(), account.password.encode()):
            account.fail(time.time())
            raise PoolError("NotAuthorizedException", "Incorrect username or password.")
        if account.status == "FORCE_CHANGE_PASSWORD":
            if time.time() > account.created_at + self.settings.temporary_password_s:
                message = "Temporary password has expired and must be reset by an administrator."
                raise PoolError("NotAuthorizedException", message)
            return self._open_challenge(account, "NEW_PASSWORD_REQUIRED", requiredAttributes="[]", userAttributes="{}")
        return self._continue(account)

    def _continue(self, account: Account) -> Mapping[str, Any]:
        """What follows a good password: a challenge of the second factor, or tokens."""
        if self.settings.mfa == "OFF":
            return self._open_session(account)
        if account.has_authenticator and account.second_factors > 1 and not account.prefers_totp:
            choice = json.dumps(["EMAIL_OTP", "SOFTWARE_TOKEN_MFA"])
            return self._open_challenge(account, "SELECT_MFA_TYPE", MFAS_CAN_CHOOSE=choice)
        if account.has_authenticator and (self.settings.mfa == "ON" or account.uses_totp):
            return self._open_challenge(account, "SOFTWARE_TOKEN_MFA", FRIENDLY_DEVICE_NAME="phone")
        if self.settings.mfa == "ON":
            return self._open_challenge(account, "MFA_SETUP", MFAS_CAN_SETUP=json.dumps(["SOFTWARE_TOKEN_MFA"]))
        return self._open_session(account)

    def _respond_to_auth_challenge(self, request: Request) -> Mapping[str, Any]:
        self._require_client(request)
        challenge, given = request["ChallengeName"], request.get("ChallengeResponses", {})
        session = self._find_session(request.get("Session", ""), challenge)
        account = session.account
        if given.get("USERNAME") != account.username:
            raise PoolError("NotAuthorizedException", "Invalid session for the user.")
        self._require_unlocked(account)
        if challenge == "NEW_PASSWORD_REQUIRED":
            check_password_rules(given.get("NEW_PASSWORD", ""), self.settings)
            account.password, account.status = given["NEW_PASSWORD"], "CONFIRMED"
        elif challenge == "SOFTWARE_TOKEN_MFA":
            self._check_code(account, given.get("SOFTWARE_TOKEN_MFA_CODE", ""), account.secret, session)
        elif challenge == "SELECT_MFA_TYPE":
            if given.get("ANSWER") != "SOFTWARE_TOKEN_MFA":
                raise PoolError("InvalidParameterException", "The double sends no codes by email")
            del self.sessions[session.token]
            return self._open_challenge(account, "SOFTWARE_TOKEN_MFA", FRIENDLY_DEVICE_NAME="phone")
        elif not session.is_set_up:
            raise PoolError("InvalidParameterException", "User has not verified software token mfa")
        del self.sessions[session.token]
        return self._continue(account) if challenge == "NEW_PASSWORD_REQUIRED" else self._open_session(account)

    def _refresh(self, token: str) -> Mapping[str, Any]:
        found = self.refresh_tokens.get(token)
        if found is None or found.account.username not in self.accounts or not found.account.enabled:
            raise PoolError("NotAuthorizedException", "Invalid Refresh Token")
        if time.time() > found.auth_time + self.settings.refresh_s:
            raise PoolError("NotAuthorizedException", "Refresh Token has expired")
        return {"AuthenticationResult": self._create_tokens(found.account, found.origin, found.auth_time)}

    # -- the authenticator --------------------------------------------------------------------------------

    def _associate_software_token(self, request: Request) -> Mapping[str, Any]:
        secret = "".join(secrets.choice("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567") for _ in range(52))
        if "Session" not in request:
            account = self._find_by_access_token(request)
            account.secret, account.pending_secret, account.uses_totp = "", secret, False
            return {"SecretCode": secret}
        session = self._find_session(request["Session"], "MFA_SETUP")
        session.account.pending_secret = secret
        return {"SecretCode": secret, "Session": self._replace(session).token}

    def _verify_software_token(self, request: Request) -> Mapping[str, Any]:
        session = self._find_session(request["Session"], "MFA_SETUP") if "Session" in request else None
        account = session.account if session else self._find_by_access_token(request)
        if not account.pending_secret:
            raise PoolError("InvalidParameterException", "No software token was associated")
        self._check_code(
            account, request["UserCode"], account.pending_secret, session, code="EnableSoftwareTokenMFAException"
        )
        account.secret, account.pending_secret = account.pending_secret, ""
        if session is None:
            return {"Status": "SUCCESS"}
        account.uses_totp = account.prefers_totp = True
        new = self._replace(session)
        new.is_set_up = True
        return {"Status": "SUCCESS", "Session": new.token}

    def _set_preference(self, account: Account, request: Request) -> Mapping[str, Any]:
        wanted = request.get("SoftwareTokenMfaSettings", {})
        if wanted.get("Enabled") and not account.secret:
            raise PoolError("InvalidParameterException", "User has not verified software token mfa")
        if self.settings.mfa != "ON":
            account.uses_totp = wanted.get("Enabled", account.uses_totp)
            account.prefers_totp = wanted.get("PreferredMfa", account.prefers_totp)
        return {}

    def _check_code(
        self,
        account: Account,
        given: str,
        secret: str,
        session: PoolSession | None,
        *,
        code: str = "CodeMismatchException",
    ) -> None:
        self._require_unlocked(account)
        now = totp.get_step()
        step = next((s for s in (now - 1, now, now + 1) if totp.compute_code(secret, step=s) == given), None)
        if step is not None and (secret, step) in account.used_codes:
            raise PoolError("ExpiredCodeException", "Your software token has already been used once.")
        if step is None:
            account.fail(time.time())
            if session and self.wrong_code_ends_session:
                del self.sessions[session.token]
            raise PoolError(code, "Code mismatch")
        account.used_codes.add((secret, step))

    # -- passwords ----------------------------------------------------------------------------------------

    def _forgot_password(self, request: Request) -> Mapping[str, Any]:
        self._require_client(request)
        account = self.find(request["Username"])
        details = {"Destination": "a***@c***", "DeliveryMedium": "EMAIL", "AttributeName": "email"}
        if account is None:
            return {"CodeDeliveryDetails": details}
        if not account.enabled:
            raise PoolError("NotAuthorizedException", "User is disabled.")
        if account.status == "FORCE_CHANGE_PASSWORD":
            raise PoolError("NotAuthorizedException", "User password cannot be reset in the current state.")
        account.reset_requests = [at for at in account.reset_requests if at > time.time() - 3600]
        if len(account.reset_requests) >= MAX_RESETS_PER_HOUR:
            raise PoolError("LimitExceededException", "Attempt limit exceeded, please try after some time.")
        account.reset_requests.append(time.time())
        account.start_reset(f"{secrets.randbelow(10**6):06d}", time.time() + RESET_CODE_S)
        self.emails.append(self.settings.write_code(account.email, account.reset_code))
        return {"CodeDeliveryDetails": details}

    def _confirm_forgot_password(self, request: Request) -> Mapping[str, Any]:
        self._require_client(request)
        account = self.find(request["Username"])
        check_password_rules(request["Password"], self.settings)
        if account is None or not account.reset_code:
            raise PoolError("ExpiredCodeException", "Invalid code provided, please request a code again.")
        if account.reset_failures >= MAX_RESET_FAILURES:
            raise PoolError("LimitExceededException", "Attempt limit exceeded, please try after some time.")
        if time.time() > account.reset_expires_at:
            raise PoolError("ExpiredCodeException", "Invalid code provided, please request a code again.")
        if request["ConfirmationCode"] != account.reset_code:
            account.reset_failures += 1
            raise PoolError("CodeMismatchException", "Invalid verification code provided, please try again.")
        account.password, account.status, account.reset_code = request["Password"], "CONFIRMED", ""
        return {}

    def _change_password(self, request: Request) -> Mapping[str, Any]:
        account = self._find_by_access_token(request)
        self._require_unlocked(account)
        if request.get("PreviousPassword") != account.password:
            account.fail(time.time())
            raise PoolError("NotAuthorizedException", "Incorrect username or password.")
        check_password_rules(request["ProposedPassword"], self.settings)
        account.password = request["ProposedPassword"]
        return {}

    # -- accounts -----------------------------------------------------------------------------------------

    def _admin_create_user(self, request: Request) -> Mapping[str, Any]:
        account = self.find(request["Username"])
        resends = request.get("MessageAction") == "RESEND"
        if resends and account is None:
            raise PoolError("UserNotFoundException", "User does not exist.")
        if resends and account and account.status != "FORCE_CHANGE_PASSWORD":
            message = f"Resend not possible. {account.status} status not expected"
            raise PoolError("UnsupportedUserStateException", message)
        if not resends and account is not None:
            raise PoolError("UsernameExistsException", "User account already exists.")
        password = request.get("TemporaryPassword") or f"Tmp-{secrets.token_hex(6)}-A1"
        if account is None:
            account = self.add(request["Username"], password, permanent=False)
        account.password, account.created_at = password, time.time()
        if request.get("MessageAction") != "SUPPRESS" and "EMAIL" in request.get("DesiredDeliveryMediums", ()):
            self.emails.append(self.settings.write_invitation(account.email, password))
        attributes = [{"Name": "email", "Value": account.email}, {"Name": "sub", "Value": account.username}]
        return {"User": {"Username": account.username, "Attributes": attributes, "UserStatus": account.status}}

    def _admin_delete_user(self, request: Request) -> Mapping[str, Any]:
        account = self._find_for_admin(request)
        del self.accounts[account.username]
        return {}

    def _admin_get_user(self, request: Request) -> Mapping[str, Any]:
        return _describe(self._find_for_admin(request))

    def _end_sessions(self, account: Account) -> Mapping[str, Any]:
        account.issued.clear()
        self.refresh_tokens = {t: r for t, r in self.refresh_tokens.items() if r.account is not account}
        return {}

    # -- sessions and tokens ------------------------------------------------------------------------------

    def _require_client(self, request: Request) -> None:
        if request["ClientId"] != self.settings.client_id:
            raise PoolError("ResourceNotFoundException", "User pool client does not exist.")

    def _require_unlocked(self, account: Account) -> None:
        if time.time() < account.locked_until:
            raise PoolError("NotAuthorizedException", "Password attempts exceeded")

    def _open_challenge(self, account: Account, challenge: str, **parameters: str) -> Mapping[str, Any]:
        session = PoolSession(secrets.token_urlsafe(300), account, challenge, time.time() + self.settings.session_s)
        self.sessions[session.token] = session
        return {
            "ChallengeName": challenge,
            "Session": session.token,
            "ChallengeParameters": {"USER_ID_FOR_SRP": account.username, **parameters},
        }

    def _find_session(self, token: str, challenge: str) -> PoolSession:
        session = self.sessions.get(token)
        if session is None or session.challenge != challenge:
            raise PoolError("NotAuthorizedException", "Invalid session for the user.")
        if time.time() > session.expires_at:
            raise PoolError("NotAuthorizedException", "Invalid session for the user, session is expired.")
        return session

    def _replace(self, old: PoolSession) -> PoolSession:
        """The same session under a new token. The old token ends."""
        del self.sessions[old.token]
        new = PoolSession(secrets.token_urlsafe(300), old.account, old.challenge, old.expires_at)
        self.sessions[new.token] = new
        return new

    def _open_session(self, account: Account) -> Mapping[str, Any]:
        account.failures, account.locked_until = 0, 0.0
        token, origin, now = secrets.token_urlsafe(600), str(uuid.uuid4()), int(time.time())
        self.refresh_tokens[token] = RefreshToken(account, origin, now)
        return {"AuthenticationResult": {**self._create_tokens(account, origin, now), "RefreshToken": token}}

    def _create_tokens(self, account: Account, origin: str, auth_time: int) -> dict[str, Any]:
        now = int(time.time())
        claims: dict[str, Any] = {
            "auth_time": auth_time,
            "event_id": str(uuid.uuid4()),
            "exp": now + self.settings.access_s,
            "iat": now,
            "jti": str(uuid.uuid4()),
            "origin_jti": origin,
            "scope": "aws.cognito.signin.user.admin",
            "username": account.username,
        }
        access = tokens.create_token(account.username, **claims)
        account.issued[access] = now
        return {"AccessToken": access, "ExpiresIn": self.settings.access_s, "TokenType": "Bearer", "IdToken": "unused"}

    def _find_by_access_token(self, request: Request) -> Account:
        token = request.get("AccessToken", "")
        account = next((a for a in self.accounts.values() if token in a.issued), None)
        if account is None:
            raise PoolError("NotAuthorizedException", "Invalid Access Token")
        if time.time() > account.issued[token] + self.settings.access_s:
            raise PoolError("NotAuthorizedException", "Access Token has expired")
        return account

    def _find_for_admin(self, request: Request) -> Account:
        account = self.find(request["Username"])
        if request["UserPoolId"] != self.settings.pool_id:
            raise PoolError("ResourceNotFoundException", "User pool does not exist.")
        if account is None:
            raise PoolError("UserNotFoundException", "User does not exist.")
        return account


def _describe(account: Account) -> Mapping[str, Any]:
    used = ["SOFTWARE_TOKEN_MFA"] if account.uses_totp else []
    return {
        "Username": account.username,
        "UserStatus": account.status,
        "Enabled": account.enabled,
        "UserAttributes": [{"Name": "email", "Value": account.email}, {"Name": "sub", "Value": account.username}],
        "UserMFASettingList": used,
    }
