"""People who sign in with a user pool: passwords, codes, and an identity service that accepts everything."""

import uuid

import pytest

from chalicelib import wiring
from chalicelib.services.identity.sign_in import SignedInSession, SignInChallenge
from tests.support import tokens
from tests.support.api_client import ApiAnswer, ApiClient

PASSWORD = "Correct-Horse-7-Battery"
NEW_PASSWORD = "Another-Horse-8-Stable"


def sign_in(site: ApiClient, email: str, password: str = PASSWORD, **headers: str) -> ApiAnswer:
    """Send a password."""
    return site.post("/v1/sessions", {"email": email, "password": password}, key=None, **headers)


def answer_challenge(site: ApiClient, email: str, session: str, challenge: str, **reply: str) -> ApiAnswer:
    """Answer a challenge of a sign-in."""
    body = {"email": email, "session": session, "challenge": challenge, **reply}
    return site.post("/v1/sessions/challenge", body, key=None)


def renew(site: ApiClient, refresh_token: str, **headers: str) -> ApiAnswer:
    """Exchange a refresh token for an access token."""
    return site.post("/v1/sessions/refresh", {"refresh_token": refresh_token}, key=None, **headers)


def accept_everything(patch: pytest.MonkeyPatch) -> None:
    """Let every password, code and account be good, until the patch ends."""
    patch.setattr(wiring, "get_identity_service", AcceptingIdentity)
    patch.setattr(wiring, "get_credential_service", AcceptingIdentity)


class AcceptingIdentity:
    """An identity service that accepts everything."""

    def sign_in(self, *_credentials):
        return SignedInSession(access_token=tokens.create_token("sub-signed-in"), refresh_token="r", expires_in=3600)

    def renew_session(self, *_credentials):
        return SignedInSession(access_token="a", refresh_token=None, expires_in=3600)

    def answer_challenge(self, **_credentials):
        return SignInChallenge(challenge="MFA_SETUP", session="s", secret="JBSWY3DPEHPK3PXP")

    def sign_out(self, _token):
        pass

    def create_account(self, _email, **_pool):
        return f"sub-{uuid.uuid4()}"

    def send_reset_code(self, _email):
        pass

    def reset_password(self, **_reset):
        return "sub-signed-in"

    def change_password(self, _token, **_passwords):
        pass

    def has_authenticator(self, _token):
        return True

    def has_second_step(self, _person):
        return True

    def start_authenticator(self, _token, **_credentials):
        return "JBSWY3DPEHPK3PXP"

    def confirm_authenticator(self, _token, _code):
        pass

    def send_invitation_again(self, _email):
        pass

    def delete_account(self, _subject):
        pass
