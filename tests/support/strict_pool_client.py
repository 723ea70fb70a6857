"""Puts the strict double behind the product's own Cognito client, with the settings of the template.

The client stays real: it checks each request against the service's model, signs it, and parses the answer.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from botocore.awsrequest import AWSResponse

from chalicelib import wiring
from tests.support import tokens
from tests.support.strict_pool import StrictPool
from tests.support.strict_pool_people import PoolError, PoolSettings

POOL_ID = "us-east-1_Strict"
PUBLIC_URL = "https://dashboard.example"
_RESOURCES = Path(__file__).parents[2] / "infra" / "resources.json"


def read_settings(mfa: str) -> PoolSettings:
    """Read what the template says, for one value of its parameter `Mfa`."""
    resources = json.loads(_RESOURCES.read_text("utf-8"))["Resources"]
    pool = resources["UserPool"]["Properties"]
    client = resources["UserPoolClient"]["Properties"]
    rules = pool["Policies"]["PasswordPolicy"]
    # The second value is for Cognito's own sender, which has its own text.
    invitation = pool["AdminCreateUserConfig"]["InviteMessageTemplate"]["Fn::If"][1]
    verification = pool["VerificationMessageTemplate"]["Fn::If"][1]
    return PoolSettings(
        pool_id=POOL_ID,
        client_id=tokens.CLIENT_ID,
        mfa=mfa,
        flows=frozenset(client["ExplicitAuthFlows"]),
        access_s=client["AccessTokenValidity"] * 60,
        refresh_s=client["RefreshTokenValidity"] * 3600,
        session_s=client["AuthSessionValidity"] * 60,
        temporary_password_s=rules["TemporaryPasswordValidityDays"] * 86_400,
        password_rules=rules,
        invitation=(_resolve(invitation["EmailSubject"]), _resolve(invitation["EmailMessage"])),
        verification=(_resolve(verification["EmailSubject"]), _resolve(verification["EmailMessage"])),
    )


def _resolve(text: Any) -> str:
    value = text["Fn::Sub"] if isinstance(text, dict) else text
    return str(value).replace("${PublicUrl}", PUBLIC_URL)


@contextmanager
def connect(pool: StrictPool) -> Iterator[StrictPool]:
    """Let the product sign people in with this pool, until the block ends."""
    created = (wiring.get_settings, wiring.get_identity_service, wiring.get_credential_service)
    events = wiring.get_aws_client("cognito-idp").meta.events

    def answer(request: Any, **_: Any) -> AWSResponse:
        operation = request.headers["X-Amz-Target"].decode().partition(".")[2]
        try:
            return _build_response(200, pool.answer(operation, json.loads(request.body)))
        except PoolError as e:
            return _build_response(400, {"__type": e.code, "message": e.message})

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("IDENTITY_POOL_ID", POOL_ID)
        patch.setenv("IDENTITY_MFA", pool.settings.mfa)
        for create in created:
            create.cache_clear()
        events.register("before-send.cognito-identity-provider", answer)
        yield pool
        events.unregister("before-send.cognito-identity-provider", answer)
    for create in created:
        create.cache_clear()


class _Raw:
    def __init__(self, content: bytes) -> None:
        self.content = content

    def stream(self, **_: Any) -> Any:
        yield self.content


def _build_response(status: int, body: Any) -> AWSResponse:
    headers = {"Content-Type": "application/x-amz-json-1.1"}
    return AWSResponse("https://cognito", status, headers, _Raw(json.dumps(body).encode()))  # type: ignore[arg-type]
