"""Looks whether everything that the product depends on is there and fits together."""

import json
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from chalicelib.domain.platform.jobs import Job, overdue
from chalicelib.errors import UnavailableError
from chalicelib.settings import Settings
from chalicelib.store.all_stores import TABLES
from chalicelib.store.notices.outbox import Outbox
from chalicelib.store.platform.dynamo import Table
from chalicelib.store.platform.heartbeats import Jobs

TIMEOUT_S = 10
FLOWS = frozenset({"ALLOW_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"})

Aws = Callable[[str], Any]


class UnwellError(Exception):
    """What is wrong with one thing. The text is for a person."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that was looked at."""

    check: str
    ok: bool
    detail: str


def examine(settings: Settings, *, aws: Aws, url: str, now: datetime) -> Iterator[Finding]:
    """Look at one thing after the other; each is told as soon as it is known."""
    checks: list[tuple[str, Callable[[], str]]] = [
        ("settings", lambda: f"{settings.deployment} deployment at {settings.public_url}"),
        *((f"table {name}", _table(settings, aws, name)) for name in TABLES),
        ("key", lambda: _key(settings, aws)),
        ("user pool", lambda: _pool(settings, aws)),
        ("app client", lambda: _client(settings, aws)),
        ("token keys", lambda: _token_keys(settings)),
        ("mail sender", lambda: _sender(settings, aws)),
        ("mail configuration", lambda: _configuration(settings, aws)),
        *((f"job {job}", _job(settings, aws, job, now)) for job in Job),
        ("outbox", lambda: _outbox(settings, aws)),
        ("site", lambda: _site(url)),
    ]
    for name, check in checks:
        yield _finding(name, check)


def _finding(name: str, check: Callable[[], str]) -> Finding:
    try:
        return Finding(check=name, ok=True, detail=check())
    except ClientError as error:
        return Finding(check=name, ok=False, detail=error.response["Error"]["Code"])
    except (BotoCoreError, OSError, UnavailableError, ValueError, UnwellError) as error:
        return Finding(check=name, ok=False, detail=str(error) or type(error).__name__)


def _table(settings: Settings, aws: Aws, name: str) -> Callable[[], str]:
    def check() -> str:
        told = aws("dynamodb").describe_table(TableName=f"{settings.table_prefix}{name}")
        _require(told["Table"]["TableStatus"] == "ACTIVE", told["Table"]["TableStatus"])
        return "active"

    return check


def _key(settings: Settings, aws: Aws) -> str:
    told = aws("kms").describe_key(KeyId=settings.kms_key_id)["KeyMetadata"]
    _require(told["Enabled"], f"the key is {told['KeyState']}")
    return "enabled"


def _pool(settings: Settings, aws: Aws) -> str:
    pool_id = settings.identity_pool_id
    aws("cognito-idp").describe_user_pool(UserPoolId=pool_id)
    issued_by_it = settings.identity_issuer.rpartition("/")[2] == pool_id
    _require(issued_by_it, "IDENTITY_ISSUER is not this pool: no token would be taken")
    return pool_id


def _client(settings: Settings, aws: Aws) -> str:
    told = aws("cognito-idp").describe_user_pool_client(
        UserPoolId=settings.identity_pool_id, ClientId=settings.identity_client_id
    )["UserPoolClient"]
    missing = FLOWS - set(told.get("ExplicitAuthFlows", ()))
    _require(not missing, f"it lacks {', '.join(sorted(missing))}")
    _require("ClientSecret" not in told, "it has a secret, which a browser cannot keep")
    return "signs people in"


def _token_keys(settings: Settings) -> str:
    with urllib.request.urlopen(settings.identity_jwks_url, timeout=TIMEOUT_S) as answer:  # noqa: S310 a setting
        keys = json.load(answer).get("keys", [])
    _require(bool(keys), "the issuer publishes no keys: no token can be verified")
    return f"{len(keys)} published"


def _sender(settings: Settings, aws: Aws) -> str:
    """The address itself or, as usual, its domain has to be verified."""
    client = aws("sesv2")
    for identity in (settings.mail_from, settings.mail_from.rpartition("@")[2]):
        try:
            told = client.get_email_identity(EmailIdentity=identity)
        except client.exceptions.NotFoundException:
            continue
        if told.get("VerifiedForSendingStatus"):
            return f"{identity} may send"
    raise UnwellError(f"neither {settings.mail_from} nor its domain is verified")


def _configuration(settings: Settings, aws: Aws) -> str:
    name = settings.mail_configuration_set
    if not name:
        return "none is set"
    told = aws("sesv2").get_configuration_set(ConfigurationSetName=name)
    sends = told.get("SendingOptions", {}).get("SendingEnabled", True)
    _require(sends, f"{name} does not send")
    return name


def _job(settings: Settings, aws: Aws, job: Job, now: datetime) -> Callable[[], str]:
    """Whether it had a successful run within two of its periods."""

    def check() -> str:
        last = Jobs(Table(f"{settings.table_prefix}jobs", lambda: aws("dynamodb"))).last().get(job)
        if last is None:
            return "has not run yet"
        told = f"{last:%Y-%m-%d %H:%M} UTC"
        _require(not overdue(job, last=last, now=now), f"no successful run since {told}")
        return f"on time as of {told}"

    return check


def _outbox(settings: Settings, aws: Aws) -> str:
    table = Table(f"{settings.table_prefix}outbox", lambda: aws("dynamodb"))
    parked = sum(1 for _ in Outbox(table).parked())
    _require(parked == 0, f"{parked} parked: `referrals outbox parked` lists them")
    return "nothing is parked"


def _site(url: str) -> str:
    """Whether the site finds what it depends on, as it sees it itself."""
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with direct.open(f"{url}/health/ready", timeout=TIMEOUT_S) as answer:
        _require(answer.status == 200, f"/health/ready says {answer.status}")
    return "ready"


def _require(fact: bool, else_say: str) -> None:  # noqa: FBT001 reads as: require that, else say
    if not fact:
        raise UnwellError(else_say)
