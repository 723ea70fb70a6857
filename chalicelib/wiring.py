"""Where real things are made: clients, stores, clock, ids. Each once, when first needed.

A test may replace a function of this module, and nothing else of the product.
"""

import json
import secrets
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING, Any, TypedDict

from chalicelib import budget
from chalicelib import settings as settings_module
from chalicelib.domain.platform.rate_limit import Limit
from chalicelib.domain.referrals.events import spelled
from chalicelib.mail.ses import SesMailer
from chalicelib.services.identity.access_tokens import TokenVerifier
from chalicelib.services.identity.sign_in import Identity
from chalicelib.settings import Settings
from chalicelib.store.all_stores import Stores, open_stores

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

    from chalicelib.services.centers.search import Finder
    from chalicelib.services.ehr.cds_tokens import EhrVerifier
    from chalicelib.services.notices.sns_verifier import PostVerifier

KEYS_TIMEOUT_S = 2

MOST_FETCHED = 64 * 1024
"""Bytes of a certificate, which has some 2,000."""

LAST_TASK_MS = 45_000
"""A run begins no task that it might not end. A call that is not answered takes some 20 s with
its repeats, and then the task ends."""


def now() -> datetime:
    """The time. The only reader of the clock."""
    return datetime.now(UTC)


def monotonic() -> float:
    """Seconds of a clock that only measures."""
    return time.perf_counter()


def new_id(prefix: str) -> str:
    """A new id of 128 random bits; nobody can guess one."""
    return f"{prefix}_{spelled(secrets.token_bytes(16))}"


@cache
def settings() -> Settings:
    """The environment, read once."""
    return settings_module.from_environment()


@cache
def feed_limit() -> Limit | None:
    """How often one center's system may deliver."""
    return Limit.read(settings().feed_limit)


@cache
def member_limit() -> Limit | None:
    """How often one member may ask."""
    return Limit.read(settings().member_limit)


@cache
def dynamodb() -> "DynamoDBClient":
    """The DynamoDB client."""
    from chalicelib import clients  # noqa: PLC0415 botocore is most of a cold start

    return clients.dynamodb()


@cache
def aws(service: str) -> Any:
    """The client of another AWS service."""
    from chalicelib import clients  # noqa: PLC0415 botocore is most of a cold start

    return clients.aws(service)


@cache
def stores() -> Stores:
    """All tables."""
    return open_stores(
        prefix=settings().table_prefix,
        kms_key_id=settings().kms_key_id,
        dynamodb=dynamodb,
        kms=lambda: aws("kms"),
    )


@cache
def finder() -> "Finder":
    """What finds centers."""
    from chalicelib.services.centers.search import Finder  # noqa: PLC0415 few requests look for a center

    return Finder(stores().tenants)


@cache
def mailer() -> SesMailer:
    """What sends mail."""
    return SesMailer(
        client=lambda: aws("sesv2"),
        sender=settings().mail_from,
        configuration_set=settings().mail_configuration_set,
    )


@cache
def identity() -> Identity:
    """What signs people in."""
    return Identity(client=lambda: aws("cognito-idp"), client_id=settings().identity_client_id)


@cache
def tokens() -> TokenVerifier:
    """What tells whose token it is."""
    return TokenVerifier(
        issuer=settings().identity_issuer,
        client_id=settings().identity_client_id,
        fetch_keys=_fetch_keys,
    )


@cache
def ehrs() -> "EhrVerifier":
    """What tells which health record system is asking."""
    from chalicelib.services.ehr.cds_tokens import EhrVerifier, allow_list  # noqa: PLC0415 few requests

    return EhrVerifier(systems=allow_list(settings().ehr_clients), fetch_keys=_fetched_keys)


@cache
def posts() -> "PostVerifier":
    """What tells whether a post is of our own topic."""
    from chalicelib.services.notices.sns_verifier import PostVerifier  # noqa: PLC0415 few requests

    return PostVerifier(topic=settings().mail_topic, fetch=_fetched)


def _fetch_keys() -> Any:
    return _fetched_keys(settings().identity_jwks_url)


def _fetched_keys(address: str) -> Any:
    # HTTP and TLS are a tenth of a cold start that needs no AWS client.
    from urllib.request import urlopen  # noqa: PLC0415

    timeout = max(0.1, min(KEYS_TIMEOUT_S, budget.left_s()))
    # The address is a setting of ours, never one that a token names.
    with urlopen(address, timeout=timeout) as answer:  # noqa: S310
        return json.load(answer)


def _fetched(address: str) -> bytes:
    """What is at an address of Amazon SNS, and nowhere else: redirects are not followed.

    Raises:
        OSError: it is not there, or nobody answers.
    """
    from http.client import HTTPException, HTTPSConnection  # noqa: PLC0415 as above
    from urllib.parse import urlsplit  # noqa: PLC0415 as above

    parts = urlsplit(address)
    timeout = max(0.1, min(KEYS_TIMEOUT_S, budget.left_s()))
    connection = HTTPSConnection(parts.netloc, timeout=timeout)
    try:
        connection.request("GET", f"{parts.path}?{parts.query}" if parts.query else parts.path)
        answer = connection.getresponse()
        if answer.status != 200:
            raise ConnectionError(f"answered {answer.status}")
        return answer.read(MOST_FETCHED)
    except HTTPException as e:
        raise ConnectionError from e
    finally:
        connection.close()


class Job(TypedDict):
    """What a function that works off tasks works with."""

    stores: Stores
    mailer: SesMailer
    link: str
    now: datetime
    has_time: Callable[[], bool]


def job(at: datetime | None = None, *, context: Any = None) -> Job:
    """The collaborators of a function that works off tasks, for now or for a rehearsed time.

    Args:
        context: Lambda's context of the run, which knows how long it may still take.
    """
    return Job(
        stores=stores(),
        mailer=mailer(),
        link=settings().public_url,
        now=at or now(),
        has_time=lambda: context is None or context.get_remaining_time_in_millis() > LAST_TASK_MS,
    )


def on_lambda() -> bool:
    """Whether this process is a Lambda function."""
    return settings_module.on_lambda()


def warm() -> None:
    """Make what almost every request needs, while a new function still starts.

    Lambda gives a starting function a whole processor, whatever its memory.
    """
    settings()
    dynamodb()
    stores()


def forget() -> None:
    """Let go of everything that was made, as a new function would start."""
    for made in (
        settings,
        feed_limit,
        member_limit,
        dynamodb,
        aws,
        stores,
        finder,
        mailer,
        identity,
        tokens,
        ehrs,
        posts,
    ):
        made.cache_clear()
