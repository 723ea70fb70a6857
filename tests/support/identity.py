"""A user pool with the email addresses, passwords and codes that the tests know."""

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from botocore.session import Session
from moto.utilities.utils import load_resource

from chalicelib import wiring
from chalicelib.services.identity.sign_in import SignedInSession, SignInChallenge

PASSWORD = "Correct-Horse-7-Battery"
REGION = "us-east-1"


@dataclass(frozen=True)
class UserPool:
    """Amazon Cognito in this process, used through the product's own settings."""

    client: Any
    pool_id: str
    client_id: str

    def add(self, email: str, *, password: str = PASSWORD, permanent: bool = True) -> str:
        """Create a person's account, and return its subject."""
        user = self.client.admin_create_user(
            UserPoolId=self.pool_id,
            Username=email,
            TemporaryPassword=password,
            UserAttributes=[{"Name": "email", "Value": email}],
        )["User"]
        if permanent:
            self.client.admin_set_user_password(
                UserPoolId=self.pool_id, Username=email, Password=password, Permanent=True
            )
        return next(a["Value"] for a in user["Attributes"] if a["Name"] == "sub")

    def disable(self, email: str) -> None:
        """Disable an account."""
        self.client.admin_disable_user(UserPoolId=self.pool_id, Username=email)

    def require_totp(self, access_token: str) -> None:
        """Make a person's next sign-in ask for the code of an authenticator app."""
        self.client.associate_software_token(AccessToken=access_token)
        self.client.verify_software_token(AccessToken=access_token, UserCode="123456")
        self.client.set_user_mfa_preference(
            AccessToken=access_token, SoftwareTokenMfaSettings={"Enabled": True, "PreferredMfa": True}
        )


def open_user_pool(patch: pytest.MonkeyPatch, folder: Path) -> UserPool:
    """Create a pool as the template does, and let the product sign people in with it."""
    client: Any = Session().create_client("cognito-idp")
    pool_id = client.create_user_pool(
        PoolName="members",
        UsernameAttributes=["email"],
        UsernameConfiguration={"CaseSensitive": False},
        AdminCreateUserConfig={"AllowAdminCreateUserOnly": True},
        Policies={"PasswordPolicy": {"MinimumLength": 12, "RequireNumbers": True}},
    )["UserPool"]["Id"]
    client_id = client.create_user_pool_client(
        UserPoolId=pool_id,
        ClientName="dashboard",
        GenerateSecret=False,
        ExplicitAuthFlows=["ALLOW_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"],
    )["UserPoolClient"]["ClientId"]
    keys = folder / "pool-jwks.json"
    keys.write_text(json.dumps(load_resource("cognitoidp/resources/jwks-public.json")), "utf-8")
    patch.setitem(os.environ, "IDENTITY_POOL_ID", pool_id)
    patch.setitem(os.environ, "IDENTITY_CLIENT_ID", client_id)
    patch.setitem(os.environ, "IDENTITY_ISSUER", f"https://cognito-idp.{REGION}.amazonaws.com/{pool_id}")
    patch.setitem(os.environ, "IDENTITY_JWKS_URL", keys.as_uri())
    for made in (wiring.get_settings, wiring.get_identity_service, wiring.get_token_verifier):
        made.cache_clear()
    return UserPool(client, pool_id, client_id)


class AcceptingIdentity:
    """An identity service that accepts everything."""

    def sign_in(self, *_credentials):
        return SignedInSession(access_token="a", refresh_token="r", expires_in=3600)

    def renew_session(self, *_credentials):
        return SignedInSession(access_token="a", refresh_token=None, expires_in=3600)

    def answer_challenge(self, **_credentials):
        return SignInChallenge(challenge="SOFTWARE_TOKEN_MFA", session="s")

    def sign_out(self, _token):
        pass

    def create_account(self, email, **_pool):
        return f"sub-{email}"
