"""Signing in on the local cloud, with the user pool of the template and every value of `Mfa`, as `make run` does."""

import json
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from botocore.session import get_session

from chalicelib import wiring
from chalicelib.domain.identity.members import Role
from infra.local import cloud, environment, stack
from tests.support import factories, srp
from tests.support.api_client import ApiClient
from tests.support.api_driver import ApiDriver, open_api_driver
from tests.support.identity import NEW_PASSWORD, PASSWORD, answer_challenge, sign_in
from tests.support.totp import compute_code

DASHBOARD = "http://127.0.0.1:8000"


@dataclass
class LocalSite:
    """The product on a local cloud."""

    api: ApiDriver
    admin: ApiClient
    cognito: Any
    endpoint: str
    mail: Path

    def set_mfa(self, mfa: str) -> None:
        """Deploy again with another value of `Mfa`."""
        stack.deploy(self.endpoint, public_url=DASHBOARD, mail_from="notices@dashboard.example", mfa=mfa)

    def invite(self) -> str:
        """Invite a person as an administrator does, and return the address."""
        email = f"{secrets.token_hex(6)}@cedar.example"
        body = {"name": "New Person", "email": email, "roles": ["coordinator"]}
        assert self.admin.post("/v1/members", body).status == 201
        return email

    def find_email(self, to: str) -> dict[str, Any]:
        """The last email to an address."""
        mails = [json.loads(line) for line in self.mail.read_text("utf-8").splitlines()]
        return [mail for mail in mails if mail["to"] == [to]][-1]

    def find_temporary_password(self, to: str) -> str:
        """The password in an invitation."""
        return self.find_email(to)["html"].partition("Temporary password: ")[2].partition("<")[0]


@pytest.fixture(scope="module")
def local(tmp_path_factory):
    """A local cloud with the tables and the user pool of the template."""
    folder = tmp_path_factory.mktemp("cloud")
    with (
        pytest.MonkeyPatch.context() as patch,
        cloud.run_cloud(folder, saving=False) as local_cloud,
    ):
        for name, value in environment.build_product_environment(local_cloud.endpoint).items():
            patch.setenv(name, value)
        settings = stack.deploy(local_cloud.endpoint, public_url=DASHBOARD, mail_from="notices@dashboard.example")
        for name, value in settings.items():
            patch.setenv(name, value)
        api = open_api_driver()
        cognito = get_session().create_client("cognito-idp")
        admin = _add_admin(api, cognito, settings)
        yield LocalSite(api, admin, cognito, local_cloud.endpoint, folder / "mail.jsonl")
        wiring.reset()


def _add_admin(api, cognito, settings):
    """Create the first administrator, whose session outlasts the changes of `Mfa`."""
    key = {"UserPoolId": settings["IDENTITY_POOL_ID"], "Username": "admin@cedar.example"}
    user = cognito.admin_create_user(**key, MessageAction="SUPPRESS")["User"]
    cognito.admin_set_user_password(**key, Password=PASSWORD, Permanent=True)
    subject = next(each["Value"] for each in user["Attributes"] if each["Name"] == "sub")
    api.stores.members.add(factories.build_member(role=Role.ADMIN, n=7, subject=subject, email=key["Username"]))
    return api.anyone.with_token(sign_in(api.anyone, key["Username"]).json["access_token"])


@pytest.mark.parametrize("mfa", ["OFF", "OPTIONAL", "ON"])
def test_an_invited_person_gets_in_and_comes_back(local, mfa):
    """With the temporary password from the email, and an authenticator if the site requires one."""
    local.set_mfa(mfa)
    email, site = local.invite(), local.api.anyone

    asked = sign_in(site, email, local.find_temporary_password(email)).json
    opened = answer_challenge(site, email, asked["session"], asked["challenge"], new_password=NEW_PASSWORD).json
    if mfa == "ON":
        assert opened["challenge"] == "MFA_SETUP"
        secret = opened["secret"]
        opened = answer_challenge(site, email, opened["session"], "MFA_SETUP", code=compute_code(secret)).json
    again = sign_in(site, email, NEW_PASSWORD).json
    if mfa == "ON":
        assert again["challenge"] == "SOFTWARE_TOKEN_MFA"
        code = compute_code(secret)
        again = answer_challenge(site, email, again["session"], "SOFTWARE_TOKEN_MFA", code=code).json

    assert [site.with_token(each["access_token"]).get("/v1/me").status for each in (opened, again)] == [200, 200]


def test_a_challenge_cannot_be_answered_without_its_session(local):
    """As with Cognito: neither with a made-up session, nor twice, nor by another person."""
    local.set_mfa("OFF")
    email, other, site = local.invite(), local.invite(), local.api.anyone
    asked = sign_in(site, email, local.find_temporary_password(email)).json
    person, _, session = asked["session"].partition(".")
    stranger = sign_in(site, other, local.find_temporary_password(other)).json["session"].partition(".")[0]

    statuses = [
        answer_challenge(site, email, token, "NEW_PASSWORD_REQUIRED", new_password=NEW_PASSWORD).status
        for token in (f"{person}.made-up", f"{stranger}.{session}", asked["session"], asked["session"])
    ]

    assert statuses == [401, 401, 200, 401]


def test_a_wrong_code_opens_nothing(local):
    """At setup and at sign-in, the code is checked."""
    local.set_mfa("ON")
    email, site = local.invite(), local.api.anyone
    asked = sign_in(site, email, local.find_temporary_password(email)).json
    setup = answer_challenge(site, email, asked["session"], asked["challenge"], new_password=NEW_PASSWORD).json

    wrong = answer_challenge(site, email, setup["session"], "MFA_SETUP", code="000000")
    right = answer_challenge(site, email, setup["session"], "MFA_SETUP", code=compute_code(setup["secret"]))
    again = sign_in(site, email, NEW_PASSWORD).json
    wrong_again = answer_challenge(site, email, again["session"], "SOFTWARE_TOKEN_MFA", code="000000")

    assert [wrong.status, right.status, wrong_again.status] == [401, 200, 401]


def test_a_lost_authenticator_and_a_forgotten_password(local):
    """The administrator resets the sign-in, and the person sets up everything again with emails from our sender."""
    local.set_mfa("OPTIONAL")
    email, site = local.invite(), local.api.anyone
    asked = sign_in(site, email, local.find_temporary_password(email)).json
    opened = answer_challenge(site, email, asked["session"], asked["challenge"], new_password=NEW_PASSWORD).json
    client = site.with_token(opened["access_token"])
    member_id = client.get("/v1/me").json["member_id"]
    key = client.post("/v1/sessions/authenticator", {"password": NEW_PASSWORD}, key=None).json
    body = {"code": compute_code(key["secret"])}
    assert client.post("/v1/sessions/authenticator/confirm", body, key=None).status == 204
    assert sign_in(site, email, NEW_PASSWORD).json["challenge"] == "SOFTWARE_TOKEN_MFA"

    assert local.admin.post(f"/v1/members/{member_id}/sign-in-reset", None).status == 200
    asked = sign_in(site, email, local.find_temporary_password(email)).json
    answer_challenge(site, email, asked["session"], asked["challenge"], new_password=NEW_PASSWORD)
    assert site.post("/v1/sessions/password-reset", {"email": email}, key=None).status == 202
    mail = local.find_email(email)
    code = mail["html"].partition("Your code: ")[2].partition("<")[0]
    body = {"email": email, "code": code, "new_password": PASSWORD}
    assert site.post("/v1/sessions/password-reset/confirm", body, key=None).status == 204

    assert sign_in(site, email, PASSWORD).json.keys() >= {"access_token"}
    assert mail["from"] == "notices@dashboard.example"
    assert DASHBOARD in mail["html"]


def test_an_expired_invitation_opens_nothing(local, tmp_path):
    """The local cloud lets a temporary password expire, as Cognito does."""
    local.set_mfa("OFF")
    email = local.invite()
    password = local.find_temporary_password(email)
    pool_id = wiring.get_settings().identity_pool_id
    policy = local.cognito.describe_user_pool(UserPoolId=pool_id)["UserPool"]["Policies"]
    expired = {"PasswordPolicy": policy["PasswordPolicy"] | {"TemporaryPasswordValidityDays": 0}}
    local.cognito.update_user_pool(UserPoolId=pool_id, Policies=expired)

    refused = sign_in(local.api.anyone, email, password)

    local.cognito.update_user_pool(UserPoolId=pool_id, Policies=policy)
    assert refused.status == 401


def test_cognitos_own_libraries_sign_in_with_srp(local):
    """A5: the password never leaves the device, and the API accepts the token."""
    local.set_mfa("OFF")
    email, site, settings = local.invite(), local.api.anyone, wiring.get_settings()
    asked = sign_in(site, email, local.find_temporary_password(email)).json
    answer_challenge(site, email, asked["session"], asked["challenge"], new_password=NEW_PASSWORD)

    answered = srp.sign_in(
        local.cognito,
        client_id=settings.identity_client_id,
        pool_id=settings.identity_pool_id,
        email=email,
        password=NEW_PASSWORD,
        now=wiring.read_clock(),
    )

    token = answered["AuthenticationResult"]["AccessToken"]
    assert site.with_token(token).get("/v1/me").status == 200
    assert site.with_token(token).send("DELETE", "/v1/sessions").status == 204
    assert site.with_token(token).get("/v1/me").status == 401
