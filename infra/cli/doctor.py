"""Checks that everything the product depends on exists and is configured consistently."""

import json
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from botocore.exceptions import BotoCoreError, ClientError

from chalicelib.domain.platform.jobs import ScheduledJob, is_job_overdue
from chalicelib.errors import UnavailableError
from chalicelib.services.coverage.payer_secrets import CredentialsError, PayerSecrets
from chalicelib.services.coverage.payer_setups import PayerDirectory
from chalicelib.settings import Settings, SettingsError
from chalicelib.store.all_stores import TABLE_NAMES
from chalicelib.store.notices.outbox import Outbox
from chalicelib.store.platform.dynamo import DynamoTable
from chalicelib.store.platform.heartbeats import JobHeartbeats

TIMEOUT_S = 10
REQUIRED_AUTH_FLOWS = frozenset({"ALLOW_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"})

CreateClient = Callable[[str], Any]


class CheckFailedError(Exception):
    """A check failed. The message is shown to the user."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckResult:
    """The result of one check."""

    check: str
    passed: bool
    detail: str


def run_checks(settings: Settings, *, aws: CreateClient, url: str, now: datetime) -> Iterator[CheckResult]:
    """Run the checks in order. Yield each result as soon as it is available."""
    checks: list[tuple[str, Callable[[], str]]] = [
        ("settings", lambda: f"{settings.deployment} deployment at {settings.public_url}"),
        *((f"table {name}", _check_table(settings, aws, name)) for name in TABLE_NAMES),
        ("key", lambda: _check_key(settings, aws)),
        ("quarantine bucket", lambda: _check_quarantine(settings, aws)),
        ("documents bucket", lambda: _check_bucket(aws, settings.documents_bucket)),
        ("audit bucket", lambda: _check_audit_heads(settings, aws)),
        ("user pool", lambda: _check_user_pool(settings, aws)),
        ("app client", lambda: _check_app_client(settings, aws)),
        ("token keys", lambda: _check_jwks(settings)),
        ("mail sender", lambda: _check_sender(settings, aws)),
        ("mail configuration", lambda: _check_configuration_set(settings, aws)),
        ("payers", lambda: _check_payers(settings, aws)),
        *((f"job {job}", _check_job(settings, aws, job, now)) for job in ScheduledJob),
        ("outbox", lambda: _check_outbox(settings, aws)),
        ("site", lambda: _check_site(url)),
    ]
    for name, check in checks:
        yield _run_check(name, check)


def _run_check(name: str, check: Callable[[], str]) -> CheckResult:
    try:
        return CheckResult(check=name, passed=True, detail=check())
    except ClientError as error:
        return CheckResult(check=name, passed=False, detail=error.response["Error"]["Code"])
    except (BotoCoreError, OSError, UnavailableError, ValueError, CheckFailedError) as error:
        return CheckResult(check=name, passed=False, detail=str(error) or type(error).__name__)


def _check_table(settings: Settings, aws: CreateClient, name: str) -> Callable[[], str]:
    def check() -> str:
        description = aws("dynamodb").describe_table(TableName=f"{settings.table_prefix}{name}")
        _fail_unless(description["Table"]["TableStatus"] == "ACTIVE", description["Table"]["TableStatus"])
        return "active"

    return check


def _check_key(settings: Settings, aws: CreateClient) -> str:
    description = aws("kms").describe_key(KeyId=settings.kms_key_id)["KeyMetadata"]
    _fail_unless(description["Enabled"], f"the key is {description['KeyState']}")
    return "enabled"


def _check_bucket(aws: CreateClient, bucket: str) -> str:
    """Check that a bucket exists and keeps versions: a record names the exact version that was checked."""
    versioning = aws("s3").get_bucket_versioning(Bucket=bucket).get("Status")
    _fail_unless(versioning == "Enabled", "versioning is not enabled, so no file could be bound to its check")
    return bucket


def _check_quarantine(settings: Settings, aws: CreateClient) -> str:
    """Check the bucket of uploads: browsers of the dashboard can send to it, and its events start the checks."""
    bucket = _check_bucket(aws, settings.quarantine_bucket)
    client = aws("s3")
    notifications = client.get_bucket_notification_configuration(Bucket=bucket)
    _fail_unless(
        "EventBridgeConfiguration" in notifications, "sends no events to EventBridge, so no file would be checked"
    )
    rules = client.get_bucket_cors(Bucket=bucket)["CORSRules"]
    dashboard = urlsplit(settings.public_url)
    origins = {origin for rule in rules if "POST" in rule["AllowedMethods"] for origin in rule["AllowedOrigins"]}
    _fail_unless(
        f"{dashboard.scheme}://{dashboard.netloc}" in origins,
        "its CORS rules do not allow uploads from the dashboard",
    )
    return bucket


def _check_audit_heads(settings: Settings, aws: CreateClient) -> str:
    """Check the bucket for the ends of the audit trail: in production, no one can change or delete one."""
    bucket = settings.audit_heads_bucket
    if settings.deployment != "production":
        return _check_bucket(aws, bucket)
    lock = aws("s3").get_object_lock_configuration(Bucket=bucket)["ObjectLockConfiguration"]
    mode = lock.get("Rule", {}).get("DefaultRetention", {}).get("Mode")
    _fail_unless(mode == "COMPLIANCE", "its objects are not locked, so the end of the audit trail could be deleted")
    return bucket


def _check_user_pool(settings: Settings, aws: CreateClient) -> str:
    pool_id = settings.identity_pool_id
    aws("cognito-idp").describe_user_pool(UserPoolId=pool_id)
    is_issuer = settings.identity_issuer.rpartition("/")[2] == pool_id
    _fail_unless(is_issuer, "IDENTITY_ISSUER does not match this user pool. All tokens would be rejected.")
    return pool_id


def _check_app_client(settings: Settings, aws: CreateClient) -> str:
    description = aws("cognito-idp").describe_user_pool_client(
        UserPoolId=settings.identity_pool_id, ClientId=settings.identity_client_id
    )["UserPoolClient"]
    missing = REQUIRED_AUTH_FLOWS - set(description.get("ExplicitAuthFlows", ()))
    _fail_unless(not missing, f"missing auth flows: {', '.join(sorted(missing))}")
    _fail_unless(
        "ClientSecret" not in description,
        "has a client secret. Browser apps must not use one; create a client without a secret.",
    )
    return "sign-in enabled"


def _check_jwks(settings: Settings) -> str:
    with urllib.request.urlopen(settings.identity_jwks_url, timeout=TIMEOUT_S) as response:  # noqa: S310 a setting
        keys = json.load(response).get("keys", [])
    _fail_unless(bool(keys), "the issuer publishes no keys, so tokens cannot be verified")
    return f"{len(keys)} published"


def _check_sender(settings: Settings, aws: CreateClient) -> str:
    """Check that the sender address or, more commonly, its domain is verified."""
    client = aws("sesv2")
    for identity in (settings.mail_from, settings.mail_from.rpartition("@")[2]):
        try:
            description = client.get_email_identity(EmailIdentity=identity)
        except client.exceptions.NotFoundException:
            continue
        if description.get("VerifiedForSendingStatus"):
            return f"{identity} is verified"
    raise CheckFailedError(f"verify {settings.mail_from} or its domain in SES")


def _check_configuration_set(settings: Settings, aws: CreateClient) -> str:
    name = settings.mail_configuration_set
    if not name:
        return "not set"
    description = aws("sesv2").get_configuration_set(ConfigurationSetName=name)
    is_enabled = description.get("SendingOptions", {}).get("SendingEnabled", True)
    _fail_unless(is_enabled, f"sending is disabled for {name}")
    return name


def _check_payers(settings: Settings, aws: CreateClient) -> str:
    """Check the configuration of every payer and its credentials. Nothing is sent to a payer."""
    secrets = PayerSecrets(client=lambda: aws("secretsmanager"))
    directory = PayerDirectory(
        secrets=secrets,
        secret_name=settings.payers_secret,
        loopback=settings.deployment != "production",
        read_monotonic=time.monotonic,
    )
    try:
        payers = directory.list_all()
    except SettingsError as error:
        raise CheckFailedError(str(error)) from error
    for payer in payers:
        try:
            secrets.read_credentials(payer.credentials)
        except CredentialsError as error:
            raise CheckFailedError(f"{payer.payer_id}: {error}") from error
    return f"{len(payers)} configured" if payers else "none configured"


def _check_job(settings: Settings, aws: CreateClient, job: ScheduledJob, now: datetime) -> Callable[[], str]:
    """Check that the last successful run is at most two periods of the job old."""

    def check() -> str:
        last = (
            JobHeartbeats(DynamoTable(f"{settings.table_prefix}jobs", lambda: aws("dynamodb")))
            .list_last_successes()
            .get(job)
        )
        if last is None:
            return "has not run yet"
        last_run = f"{last:%Y-%m-%d %H:%M} UTC"
        _fail_unless(not is_job_overdue(job, last_success=last, now=now), f"no successful run since {last_run}")
        return f"on time as of {last_run}"

    return check


def _check_outbox(settings: Settings, aws: CreateClient) -> str:
    table = DynamoTable(f"{settings.table_prefix}outbox", lambda: aws("dynamodb"))
    failed = sum(1 for _ in Outbox(table).list_failed())
    noun = "failed task" if failed == 1 else "failed tasks"
    _fail_unless(failed == 0, f"{failed} {noun}. List them with `referrals outbox failed`.")
    return "no failed tasks"


def _check_site(url: str) -> str:
    """Check that the site itself reports that it is ready."""
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with direct.open(f"{url}/health/ready", timeout=TIMEOUT_S) as response:
        _fail_unless(response.status == 200, f"/health/ready returned {response.status}")
    return "ready"


def _fail_unless(condition: bool, message: str) -> None:  # noqa: FBT001 reads well as a positional argument
    if not condition:
        raise CheckFailedError(message)
