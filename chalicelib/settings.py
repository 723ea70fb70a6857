"""The settings from the environment, as one value. No other module reads `os.environ`."""

import os
import re
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple


class SettingsError(Exception):
    """A setting is missing or not valid, so the function must not start."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What differs between a laptop, a test and production.

    Attributes:
        table_prefix: The prefix of each table's name.
        identity_issuer: The exact `iss` that an access token must carry.
        identity_jwks_url: Where the issuer's public keys are.
        identity_client_id: The only app client whose tokens are accepted.
        identity_mfa: Whether people can or must use an authenticator: `OFF`, `OPTIONAL` or `ON`.
        app_origins: The web origins of other apps that can call the API (CORS), separated by spaces; empty for none.
        mail_configuration_set: SES configuration set; empty for none.
        mail_topic: The SNS topic that publishes what happened to emails; empty for none.
        feed_limit: The rate limit of one center's system, as `burst/per second`; empty for no limit.
        member_limit: The rate limit of one member, in the same format.
        job_threads: How many tasks, or emails, a run of a job works on at once; empty for one.
        mail_rate: How many emails all runs together send each second at most; empty for no limit.
        public_url: The address of the dashboard, for links in emails.
        deployment: `local`, `test` or `production`.
        commit: The revision that is running; empty if unknown.
        ehr_clients: The health record systems that can request cards, as JSON (see
            `services.ehr.cds_tokens`); empty for none.
        payers_secret: The secret in AWS Secrets Manager that lists the payers for electronic benefits checks
            (see `services.coverage.payer_setups`); empty for none.
        quarantine_bucket: Where people upload files, until they are checked.
        quarantine_url: The address to which browsers upload.
        audit_heads_bucket: Where the ends of the audit trail are written once.
        documents_bucket: Where the files are that passed their checks.
        documents_url: The address from which browsers download.
        packet_function: The name of the function that sets a referral as a PDF.
        call_threads: How many calls the requests of a process can make at once, besides the one that each request
            makes itself. `0`: one after another, as tests need it; empty: as many as a request can use.
        direct_calls: `off` calls DynamoDB and KMS only with botocore's clients; empty: without them where it can.
    """

    table_prefix: str
    kms_key_id: str
    identity_pool_id: str
    identity_client_id: str
    identity_issuer: str
    identity_jwks_url: str
    identity_mfa: str
    app_origins: str
    mail_from: str
    mail_configuration_set: str
    mail_topic: str
    feed_limit: str
    member_limit: str
    job_threads: str
    mail_rate: str
    public_url: str
    deployment: str
    commit: str
    ehr_clients: str
    payers_secret: str
    audit_heads_bucket: str
    quarantine_bucket: str
    quarantine_url: str
    documents_bucket: str
    documents_url: str
    packet_function: str
    call_threads: str
    direct_calls: str


_OPTIONAL = frozenset(
    {
        *("MAIL_CONFIGURATION_SET", "MAIL_TOPIC", "FEED_LIMIT", "MEMBER_LIMIT", "COMMIT", "EHR_CLIENTS"),
        *("PAYERS_SECRET", "IDENTITY_MFA", "APP_ORIGINS", "CALL_THREADS", "JOB_THREADS", "MAIL_RATE"),
        "DIRECT_CALLS",
    }
)
_DEPLOYMENTS = frozenset({"local", "test", "production"})


def read_settings(environment: Mapping[str, str] = os.environ) -> Settings:
    """Read the settings.

    Raises:
        SettingsError: a setting is missing or not valid. The message names every missing variable, not
            only the first one.
    """
    names = {field: field.upper() for field in Settings.__dataclass_fields__}
    missing = [name for name in names.values() if not environment.get(name) and name not in _OPTIONAL]
    if missing:
        raise SettingsError(f"Not set in the environment: {', '.join(sorted(missing))}")
    if environment["DEPLOYMENT"] not in _DEPLOYMENTS:
        raise SettingsError(f"DEPLOYMENT must be one of {', '.join(sorted(_DEPLOYMENTS))}")
    if not (environment.get("CALL_THREADS") or "0").isdecimal():
        raise SettingsError("CALL_THREADS must be a number of threads, or 0")
    if environment.get("DIRECT_CALLS", "") not in {"", "off"}:
        raise SettingsError("DIRECT_CALLS must be off or empty")
    return Settings(**{field: environment.get(name, "") for field, name in names.items()})


@dataclass(frozen=True, slots=True)
class DirectEndpoint:
    """Where a service of AWS is called without a client of botocore.

    `ca_bundle` is the file of the certificates to trust; empty for the usual ones.
    """

    url: str
    region: str
    ca_bundle: str = ""


class AwsCredentials(NamedTuple):
    """The credentials of this process. `token` is None if they have none."""

    access_key: str
    secret_key: str
    token: str | None


_DIRECT_SERVICES = frozenset({"dynamodb", "kms"})
_NEEDS_SDK_CLIENT = (
    *("AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_CREDENTIAL_EXPIRATION", "AWS_ACCOUNT_ID"),
    *("AWS_ACCOUNT_ID_ENDPOINT_MODE", "AWS_USE_FIPS_ENDPOINT", "AWS_USE_DUALSTACK_ENDPOINT"),
    "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
)
"""What only botocore knows how to obey."""

_DIRECT_REGION = re.compile(r"(?!cn-|us-iso|eu-iso|eusc-)[a-z]{2}(-[a-z]+)+-\d+")
"""Without the regions whose addresses end in another domain.
Source: the partitions of botocore's endpoint rules (1.44)."""


def find_direct_endpoint(service: str, environment: Mapping[str, str] = os.environ) -> DirectEndpoint | None:
    """Find where to call a service directly. None if it needs botocore's client.

    A Lambda function has its region and its credentials in the environment. Where any of it comes from somewhere
    else, such as a profile on a laptop, or where the environment asks for what only botocore knows, its client is used.
    """
    if service not in _DIRECT_SERVICES or environment.get("DIRECT_CALLS") == "off":
        return None
    regions = {environment[name] for name in ("AWS_REGION", "AWS_DEFAULT_REGION") if environment.get(name)}
    region = regions.pop() if len(regions) == 1 else ""
    if not _DIRECT_REGION.fullmatch(region) or read_credentials(environment) is None:
        return None
    if _has_config_file(environment) or any(environment.get(name) for name in _NEEDS_SDK_CLIENT):
        return None
    configured = environment.get(f"AWS_ENDPOINT_URL_{service.upper()}") or environment.get("AWS_ENDPOINT_URL")
    url = configured or f"https://{service}.{region}.amazonaws.com"
    ca_bundle = environment.get("AWS_CA_BUNDLE") or environment.get("REQUESTS_CA_BUNDLE", "")
    return DirectEndpoint(f"{url.rstrip('/')}/", region, ca_bundle)


def _has_config_file(environment: Mapping[str, str]) -> bool:
    """Whether a file may say more about how AWS is called, as on a laptop."""
    home = environment.get("HOME")
    path = environment.get("AWS_CONFIG_FILE") or (f"{home}/.aws/config" if home else "")
    return path not in {"", os.devnull} and os.path.exists(path)  # noqa: PTH110 pathlib costs more in a cold start


def read_credentials(environment: Mapping[str, str] = os.environ) -> AwsCredentials | None:
    """Read the credentials of the environment. None if it has none."""
    access_key, secret_key = environment.get("AWS_ACCESS_KEY_ID"), environment.get("AWS_SECRET_ACCESS_KEY")
    if not access_key or not secret_key:
        return None
    # As botocore reads them. The first one is an older name, which some runtimes set too.
    token = environment.get("AWS_SECURITY_TOKEN") or environment.get("AWS_SESSION_TOKEN")
    return AwsCredentials(access_key, secret_key, token or None)


def is_on_lambda(environment: Mapping[str, str] = os.environ) -> bool:
    """Whether this process is a Lambda function."""
    return "AWS_LAMBDA_FUNCTION_NAME" in environment


def is_api_on_lambda(environment: Mapping[str, str] = os.environ) -> bool:
    """Whether this process is the Lambda function that responds to requests. Lambda names what it will call."""
    return is_on_lambda(environment) and environment.get("_HANDLER") == "app.app"


_USE_OWN_COMMANDS = (
    "Use `make package`: chalice alone leaves out the libraries and the tables. To run the product here, use "
    "`make run`; to deploy it, see docs/deploy.md."
)


def require_own_packager(environment: Mapping[str, str] = os.environ) -> None:
    """Refuse the commands of the framework, which would package no libraries and no tables, and say so nowhere.

    Raises:
        SystemExit: the framework's command line runs, and infra/bundle did not start it.
    """
    if "AWS_CHALICE_CLI_MODE" not in environment or "CART_BUNDLE" in environment:
        return
    if threading.current_thread() is not threading.main_thread():
        # `chalice local` loads the app in a thread. SystemExit would end only this thread, without a word.
        sys.stderr.write(_USE_OWN_COMMANDS + "\n")
        sys.stderr.flush()
        os._exit(1)
    raise SystemExit(_USE_OWN_COMMANDS)
