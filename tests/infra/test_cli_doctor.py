"""The checks of `referrals doctor`, on a fake AWS that is healthy or has one fault."""

from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from chalicelib import settings
from chalicelib.domain.platform.jobs import JOB_PERIODS, ScheduledJob
from chalicelib.store.platform.dynamo import marshal
from chalicelib.store.platform.timestamps import to_timestamp
from infra.cli.doctor import run_checks
from infra.payers import setups
from tests.support import aws_fakes, tokens
from tests.support.factories import NOON


class UnknownIdentityError(Exception):
    """The error of SES for an identity that does not exist."""


class UnknownSecretError(Exception):
    """The error of Secrets Manager for a secret that does not exist."""


def raise_not_found(*_, **__):
    raise ClientError({"Error": {"Code": "ResourceNotFoundException"}}, "Describe")


class FakeAws:
    """A healthy AWS, until a test changes a response."""

    def __init__(self):
        self.status = "ACTIVE"
        self.key = {"Enabled": True, "KeyState": "Enabled"}
        self.client: dict[str, Any] = {"ExplicitAuthFlows": ["ALLOW_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"]}
        self.verified = {aws_fakes.SENDER.partition("@")[2]}
        self.sending_enabled = True
        self.describe_user_pool: Any = dict
        self.exceptions = SimpleNamespace(
            NotFoundException=UnknownIdentityError,
            ResourceNotFoundException=UnknownSecretError,
            InvalidRequestException=UnknownSecretError,
            ClientError=ClientError,
        )
        self.secrets = dict(setups.build_secrets("http://127.0.0.1:1"))
        self.ran_at = dict.fromkeys(ScheduledJob, NOON)
        self.failed_tasks: list[str] = []
        self.missing_buckets: set[str] = set()
        self.object_lock: dict[str, Any] = {"Rule": {"DefaultRetention": {"Mode": "COMPLIANCE", "Days": 2192}}}
        self.versioning: dict[str, str | None] = {}
        self.notifications: dict[str, Any] = {"EventBridgeConfiguration": {}}
        self.cors_rule: dict[str, Any] = {"AllowedMethods": ["POST"], "AllowedOrigins": ["https://dashboard.example"]}

    def __call__(self, _service):
        return self

    def get_secret_value(self, **request):
        if request["SecretId"] not in self.secrets:
            raise UnknownSecretError
        return {"SecretString": self.secrets[request["SecretId"]]}

    def describe_table(self, **_):
        return {"Table": {"TableStatus": self.status}}

    def batch_get_item(self, **_):
        rows = [{"job": job, "ran_at": to_timestamp(at)} for job, at in self.ran_at.items()]
        return {"Responses": {"cart-jobs": [marshal(row) for row in rows]}}

    def query(self, **_):
        row = {"referral_id": "ref_1", "rule": "submitted", "error": "E", "tries": 12, "lane_before": "event#0"}
        row |= {"due_at": to_timestamp(NOON)}
        return {"Items": [marshal(row | {"outbox_id": each}) for each in self.failed_tasks]}

    def describe_key(self, **_):
        return {"KeyMetadata": self.key}

    def get_bucket_versioning(self, *, Bucket):  # noqa: N803 the name of the API
        if Bucket in self.missing_buckets:
            raise ClientError({"Error": {"Code": "NoSuchBucket"}}, "GetBucketVersioning")
        return {"Status": self.versioning.get(Bucket, "Enabled")}

    def get_object_lock_configuration(self, **_):
        return {"ObjectLockConfiguration": self.object_lock}

    def get_bucket_notification_configuration(self, **_):
        return self.notifications

    def get_bucket_cors(self, **_):
        return {"CORSRules": [self.cors_rule]}

    def describe_user_pool_client(self, **_):
        return {"UserPoolClient": self.client}

    def get_email_identity(self, **request):
        if request["EmailIdentity"] not in self.verified:
            raise UnknownIdentityError
        return {"VerifiedForSendingStatus": True}

    def get_configuration_set(self, **_):
        return {"SendingOptions": {"SendingEnabled": self.sending_enabled}}


@pytest.fixture
def environment(tmp_path):
    """The settings of a healthy site."""
    return aws_fakes.build_environment(tokens.write_jwks(tmp_path / "jwks.json")) | {
        "IDENTITY_POOL_ID": tokens.ISSUER.rpartition("/")[2],
        "MAIL_CONFIGURATION_SET": "cart-mail",
        "PAYERS_SECRET": setups.PAYERS_SECRET,
    }


def find_failures(aws, environment):
    """Run all checks and return the failed ones with their details. No site listens at the address."""
    results = run_checks(settings.read_settings(environment), aws=aws, url="http://127.0.0.1:1", now=NOON)
    return {result.check: result.detail for result in results if not result.passed}


def test_a_healthy_aws_passes_every_check(environment):
    assert set(find_failures(FakeAws(), environment)) == {"site"}


@pytest.mark.parametrize(
    ("changes", "check", "detail"),
    [
        ({"status": "DELETING"}, "table referrals", "DELETING"),
        ({"describe_table": raise_not_found}, "table audit", "ResourceNotFoundException"),
        ({"key": {"Enabled": False, "KeyState": "PendingDeletion"}}, "key", "PendingDeletion"),
        ({"missing_buckets": {aws_fakes.QUARANTINE}}, "quarantine bucket", "NoSuchBucket"),
        ({"missing_buckets": {aws_fakes.DOCUMENTS}}, "documents bucket", "NoSuchBucket"),
        ({"versioning": {aws_fakes.QUARANTINE: None}}, "quarantine bucket", "versioning"),
        ({"versioning": {aws_fakes.DOCUMENTS: "Suspended"}}, "documents bucket", "versioning"),
        ({"notifications": {}}, "quarantine bucket", "EventBridge"),
        (
            {"cors_rule": {"AllowedMethods": ["POST"], "AllowedOrigins": ["https://other.example"]}},
            "quarantine bucket",
            "CORS",
        ),
        (
            {"cors_rule": {"AllowedMethods": ["GET"], "AllowedOrigins": ["https://dashboard.example"]}},
            "quarantine bucket",
            "CORS",
        ),
        ({"describe_user_pool": raise_not_found}, "user pool", "ResourceNotFoundException"),
        ({"client": {"ExplicitAuthFlows": []}}, "app client", "ALLOW_USER_PASSWORD_AUTH"),
        (
            {
                "client": {
                    "ExplicitAuthFlows": ["ALLOW_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"],
                    "ClientSecret": "s",
                }
            },
            "app client",
            "has a client secret",
        ),
        ({"verified": set()}, "mail sender", "or its domain in SES"),
        ({"sending_enabled": False}, "mail configuration", "sending is disabled"),
        ({"failed_tasks": ["out_1"]}, "outbox", "1 failed task. "),
        ({"failed_tasks": ["out_1", "out_2"]}, "outbox", "2 failed tasks. "),
    ],
    ids=[
        "table-is-being-deleted",
        "table-is-missing",
        "key-is-disabled",
        "quarantine-bucket-is-missing",
        "documents-bucket-is-missing",
        "uploads-have-no-versions",
        "documents-have-no-versions",
        "uploads-cause-no-events",
        "uploads-come-from-another-site",
        "uploads-are-not-allowed",
        "user-pool-is-missing",
        "auth-flow-is-missing",
        "client-has-a-secret",
        "sender-is-not-verified",
        "sending-is-disabled",
        "one-failed-task",
        "two-failed-tasks",
    ],
)
def test_a_failed_check_shows_its_reason(environment, changes, check, detail):
    aws = FakeAws()
    for name, value in changes.items():
        setattr(aws, name, value)

    assert detail in find_failures(aws, environment)[check]


@pytest.mark.parametrize("lock", [{}, {"Rule": {"DefaultRetention": {"Mode": "GOVERNANCE", "Days": 2192}}}])
def test_a_production_bucket_for_the_audit_trail_without_a_lock_fails_the_check(environment, lock):
    """A local deployment needs none, because its data is fictional."""
    aws = FakeAws()
    aws.object_lock = lock
    assert "audit bucket" not in find_failures(aws, environment)

    environment["DEPLOYMENT"] = "production"

    assert "not locked" in find_failures(aws, environment)["audit bucket"]
    assert "audit bucket" not in find_failures(FakeAws(), environment)


def test_a_job_without_a_successful_run_in_two_periods_fails_the_check(environment):
    aws = FakeAws()
    aws.ran_at[ScheduledJob.RELAY] = NOON - 2 * JOB_PERIODS[ScheduledJob.RELAY]
    aws.ran_at[ScheduledJob.NOTICES] = NOON - 2 * JOB_PERIODS[ScheduledJob.NOTICES] - timedelta(seconds=1)

    failures = find_failures(aws, environment)

    assert "job relay" not in failures
    assert failures["job notices"] == "no successful run since 2026-11-02 11:29 UTC"


def test_a_job_that_has_never_run_passes_the_check(environment):
    """A site that just started is healthy."""
    aws = FakeAws()
    aws.ran_at.clear()

    assert set(find_failures(aws, environment)) == {"site"}


def test_an_issuer_of_another_pool_fails_the_check(environment):
    """The API would reject every token, and no other check would show why."""
    environment["IDENTITY_POOL_ID"] = "us-east-1_other"

    assert "IDENTITY_ISSUER" in find_failures(FakeAws(), environment)["user pool"]


def test_an_issuer_without_keys_fails_the_check(environment, tmp_path):
    empty = tmp_path / "none.json"
    empty.write_text('{"keys": []}')
    environment["IDENTITY_JWKS_URL"] = empty.as_uri()

    assert "no keys" in find_failures(FakeAws(), environment)["token keys"]


def test_a_verified_sender_address_passes_the_check(environment):
    aws = FakeAws()
    aws.verified = {aws_fakes.SENDER}

    assert "mail sender" not in find_failures(aws, environment)


def test_mail_without_a_configuration_set_passes_the_check(environment):
    environment["MAIL_CONFIGURATION_SET"] = ""
    aws = FakeAws()
    aws.sending_enabled = False

    assert "mail configuration" not in find_failures(aws, environment)


@pytest.mark.parametrize(
    ("name", "text", "detail"),
    [
        (setups.PAYERS_SECRET, None, "PAYERS_SECRET names no secret"),
        (setups.PAYERS_SECRET, '[{"name": "A"}]', "payer 1: missing: address"),
        (setups.CORE_CREDENTIALS, None, "example-health: the secret does not exist"),
        (setups.JSON_CREDENTIALS, '{"authorization": "hidden\\n"}', "example-mutual: authorization"),
    ],
)
def test_a_payer_that_cannot_be_asked_fails_the_check(environment, name, text, detail):
    aws = FakeAws()
    aws.secrets.pop(name)
    if text:
        aws.secrets[name] = text

    failure = find_failures(aws, environment)["payers"]
    assert detail in failure
    assert "hidden" not in failure


def test_a_site_without_payers_passes_the_check(environment):
    environment["PAYERS_SECRET"] = ""
    aws = FakeAws()
    aws.secrets.clear()

    assert "payers" not in find_failures(aws, environment)
