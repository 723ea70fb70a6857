"""What `referrals doctor` looks at, on an AWS that is well or is not."""

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
from tests.support import aws_fakes as cloud
from tests.support import tokens
from tests.support.factories import NOON


class MissingError(Exception):
    """What SES answers for an identity that it does not know."""


def not_there(*_, **__):
    raise ClientError({"Error": {"Code": "ResourceNotFoundException"}}, "Describe")


class Aws:
    """An AWS that is well, until a test changes an answer."""

    def __init__(self):
        self.status = "ACTIVE"
        self.key = {"Enabled": True, "KeyState": "Enabled"}
        self.client: dict[str, Any] = {"ExplicitAuthFlows": ["ALLOW_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"]}
        self.verified = {cloud.SENDER.partition("@")[2]}
        self.sends = True
        self.describe_user_pool: Any = dict
        self.exceptions = SimpleNamespace(NotFoundException=MissingError)
        self.ran_at = dict.fromkeys(ScheduledJob, NOON)
        self.parked: list[str] = []

    def __call__(self, _service):
        return self

    def describe_table(self, **_):
        return {"Table": {"TableStatus": self.status}}

    def batch_get_item(self, **_):
        rows = [{"job": job, "ran_at": to_timestamp(at)} for job, at in self.ran_at.items()]
        return {"Responses": {"cart-jobs": [marshal(row) for row in rows]}}

    def query(self, **_):
        row = {"referral_id": "ref_1", "rule": "submitted", "error": "E", "tries": 12}
        row |= {"due_at": to_timestamp(NOON)}
        return {"Items": [marshal(row | {"outbox_id": each}) for each in self.parked]}

    def describe_key(self, **_):
        return {"KeyMetadata": self.key}

    def describe_user_pool_client(self, **_):
        return {"UserPoolClient": self.client}

    def get_email_identity(self, **asked):
        if asked["EmailIdentity"] not in self.verified:
            raise MissingError
        return {"VerifiedForSendingStatus": True}

    def get_configuration_set(self, **_):
        return {"SendingOptions": {"SendingEnabled": self.sends}}


@pytest.fixture
def environment(tmp_path):
    """The settings of a site that is well."""
    return cloud.build_environment(tokens.write_jwks(tmp_path / "jwks.json")) | {
        "IDENTITY_POOL_ID": tokens.ISSUER.rpartition("/")[2],
        "MAIL_CONFIGURATION_SET": "cart-mail",
    }


def off(aws, environment):
    """What is off, and why. Nobody listens at the site's address."""
    known = settings.read_settings(environment)
    found = run_checks(known, aws=aws, url="http://127.0.0.1:1", now=NOON)
    return {finding.check: finding.detail for finding in found if not finding.passed}


def test_an_aws_that_is_well_is_well(environment):
    assert set(off(Aws(), environment)) == {"site"}


@pytest.mark.parametrize(
    ("changed", "check", "says"),
    [
        ({"status": "DELETING"}, "table referrals", "DELETING"),
        ({"describe_table": not_there}, "table audit", "ResourceNotFoundException"),
        ({"key": {"Enabled": False, "KeyState": "PendingDeletion"}}, "key", "PendingDeletion"),
        ({"describe_user_pool": not_there}, "user pool", "ResourceNotFoundException"),
        ({"client": {"ExplicitAuthFlows": []}}, "app client", "ALLOW_USER_PASSWORD_AUTH"),
        ({"verified": set()}, "mail sender", "verified"),
        ({"sends": False}, "mail configuration", "does not send"),
    ],
)
def test_what_is_off_is_named_with_its_reason(environment, changed, check, says):
    aws = Aws()
    for name, value in changed.items():
        setattr(aws, name, value)

    assert says in off(aws, environment)[check]


def test_a_job_that_has_not_run_for_two_periods_is_off(environment):
    aws = Aws()
    aws.ran_at[ScheduledJob.RELAY] = NOON - 2 * JOB_PERIODS[ScheduledJob.RELAY]
    aws.ran_at[ScheduledJob.NOTICES] = NOON - 2 * JOB_PERIODS[ScheduledJob.NOTICES] - timedelta(seconds=1)

    found = off(aws, environment)

    assert "job relay" not in found
    assert found["job notices"] == "no successful run since 2026-11-02 11:29 UTC"


def test_a_job_that_has_not_run_yet_is_not_off(environment):
    """A site that has just been started is well."""
    aws = Aws()
    aws.ran_at.clear()

    assert set(off(aws, environment)) == {"site"}


def test_what_is_parked_is_told(environment):
    aws = Aws()
    aws.parked = ["out_1", "out_2"]

    assert "2 parked" in off(aws, environment)["outbox"]


def test_a_client_with_a_secret_is_no_client_for_a_browser(environment):
    aws = Aws()
    aws.client["ClientSecret"] = "s"

    assert "secret" in off(aws, environment)["app client"]


def test_an_issuer_that_is_another_pool_is_found(environment):
    """Every token would be refused, and nothing else would tell why."""
    environment["IDENTITY_POOL_ID"] = "us-east-1_other"

    assert "IDENTITY_ISSUER" in off(Aws(), environment)["user pool"]


def test_an_issuer_without_keys_is_found(environment, tmp_path):
    empty = tmp_path / "none.json"
    empty.write_text('{"keys": []}')
    environment["IDENTITY_JWKS_URL"] = empty.as_uri()

    assert "no keys" in off(Aws(), environment)["token keys"]


def test_an_address_may_be_verified_by_itself(environment):
    aws = Aws()
    aws.verified = {cloud.SENDER}

    assert "mail sender" not in off(aws, environment)


def test_mail_without_a_configuration_set_is_fine(environment):
    environment["MAIL_CONFIGURATION_SET"] = ""
    aws = Aws()
    aws.sends = False

    assert "mail configuration" not in off(aws, environment)
