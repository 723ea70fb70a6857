"""The settings from the environment, as one value. No other module reads `os.environ`."""

import os
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass


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


_OPTIONAL = frozenset(
    {
        *("MAIL_CONFIGURATION_SET", "MAIL_TOPIC", "FEED_LIMIT", "MEMBER_LIMIT", "COMMIT", "EHR_CLIENTS"),
        *("PAYERS_SECRET", "IDENTITY_MFA", "APP_ORIGINS", "CALL_THREADS", "JOB_THREADS", "MAIL_RATE"),
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
    return Settings(**{field: environment.get(name, "") for field, name in names.items()})


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
