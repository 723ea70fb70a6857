"""Creates the real collaborators: clients, stores, clock, ids. Each is created once, when first needed.

A test can replace a function of this module, and nothing else in the product.
"""

import secrets
import time
from datetime import UTC, datetime
from functools import cache, partial
from threading import Lock
from typing import TYPE_CHECKING, Any

from chalicelib import clients, fetching
from chalicelib import settings as settings_module
from chalicelib.domain.platform.ids import encode_id
from chalicelib.domain.platform.rate_limit import RateLimit
from chalicelib.services.identity.access_tokens import AccessTokenVerifier
from chalicelib.services.platform.run_context import JobContext, RunContext
from chalicelib.settings import Settings
from chalicelib.store.all_stores import Stores, open_stores

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence
    from concurrent.futures import Executor

    from mypy_boto3_dynamodb import DynamoDBClient

    from chalicelib.domain.coverage.payers import PayerConnection, PayerSetup
    from chalicelib.mail.pace import MailPace
    from chalicelib.mail.ses import SesMailer
    from chalicelib.services.centers.search import CenterSearch
    from chalicelib.services.coverage.payer_secrets import PayerSecrets
    from chalicelib.services.coverage.payer_setups import PayerDirectory
    from chalicelib.services.ehr.cds_tokens import CdsTokenVerifier
    from chalicelib.services.identity.credentials import CredentialService
    from chalicelib.services.identity.memberships import LastMembers
    from chalicelib.services.identity.sign_in import IdentityService
    from chalicelib.services.notices.sns_verifier import SnsVerifier
    from chalicelib.store.audit.heads import AuditHeads
    from chalicelib.store.documents.files import DocumentFiles
    from chalicelib.store.documents.signing import SigningIdentity
    from chalicelib.store.referrals.packet_renderer import LambdaPacketRenderer

CALL_THREADS = 8
"""How many calls the requests of a process make at once by default. A request of a Lambda function, which is alone
there, starts at most four. On a laptop, more requests wait for each other."""

LOAD_AHEAD_S = 2
"""How long a function that starts waits for what it reads ahead, in seconds."""

MIN_REMAINING_MS = 45_000
"""A run does not begin a task that it might not finish. A call without a response takes about 20 s with its
repeats, and then the task ends."""


def read_clock() -> datetime:
    """The time. Nothing else reads the clock."""
    return datetime.now(UTC)


def read_monotonic() -> float:
    """Seconds of a clock that only measures durations."""
    return time.perf_counter()


def generate_id(prefix: str) -> str:
    """Generate an id of 128 random bits, which no one can guess."""
    return f"{prefix}_{encode_id(secrets.token_bytes(16))}"


@cache
def get_settings() -> Settings:
    """The settings from the environment, read once."""
    return settings_module.read_settings()


@cache
def get_webhook_rate_limit() -> RateLimit | None:
    """How often one center's system can deliver events."""
    return RateLimit.parse(get_settings().feed_limit)


@cache
def get_member_rate_limit() -> RateLimit | None:
    """How often one member can send a request."""
    return RateLimit.parse(get_settings().member_limit)


@cache
def get_dynamodb_client() -> "DynamoDBClient":
    """The DynamoDB client."""
    return clients.create_dynamodb_client()


@cache
def get_call_threads() -> "Executor":
    """What makes the calls that a request starts at the same time."""
    threads = int(get_settings().call_threads or CALL_THREADS)
    if threads == 0:
        from chalicelib.services.platform.parallel_calls import OneAfterAnother  # noqa: PLC0415 for tests

        return OneAfterAnother()
    from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415 `OneAfterAnother` does not need it

    get_dynamodb_client()  # Threads that created it at once would create several.
    return ThreadPoolExecutor(threads, thread_name_prefix="call")


@cache
def get_last_members() -> "LastMembers":
    """Which membership each person used last in this function."""
    return {}


def get_aws_client(service: str) -> Any:
    """The client of another AWS service. Threads that need one at the same moment wait for one that is created."""
    with _creating_client:
        return _create_aws_client(service)


_creating_client = Lock()


@cache
def _create_aws_client(service: str) -> Any:
    return clients.create_aws_client(service)


@cache
def get_stores() -> Stores:
    """All tables."""
    return open_stores(
        prefix=get_settings().table_prefix,
        kms_key_id=get_settings().kms_key_id,
        dynamodb=get_dynamodb_client,
        kms=lambda: get_aws_client("kms"),
        files=get_document_files,
        audit_heads=_open_audit_heads,
    )


def _open_audit_heads() -> "AuditHeads":
    from chalicelib.store.audit.heads import AuditHeads  # noqa: PLC0415 only the jobs of the audit trail need it

    return AuditHeads(bucket=get_settings().audit_heads_bucket, get_client=get_aws_client)


@cache
def get_document_files() -> "DocumentFiles":
    """The files of documents, in their two buckets."""
    from chalicelib.store.documents.files import Bucket, DocumentFiles  # noqa: PLC0415 few requests need it

    settings = get_settings()
    return DocumentFiles(
        quarantine=Bucket(name=settings.quarantine_bucket, url=settings.quarantine_url),
        documents=Bucket(name=settings.documents_bucket, url=settings.documents_url),
        get_client=get_aws_client,
        get_identity=_load_signing_identity,
    )


def list_trusted_scanners() -> frozenset[str]:
    """The sources of malware results that count: in production only AWS itself."""
    from chalicelib.domain.documents.check_events import GUARDDUTY, SCANNER_SOURCES  # noqa: PLC0415 no request needs it

    return frozenset({GUARDDUTY}) if get_settings().deployment == "production" else SCANNER_SOURCES


def _load_signing_identity() -> "SigningIdentity":
    from chalicelib.store.documents.signing import SigningIdentity  # noqa: PLC0415 few requests need it

    return SigningIdentity(*clients.load_signing_identity())


@cache
def get_center_search() -> "CenterSearch":
    """The search of the center directory."""
    from chalicelib.services.centers.search import CenterSearch  # noqa: PLC0415 few requests search for a center

    return CenterSearch(get_stores().tenants)


@cache
def get_mailer() -> "SesMailer":
    """The sender of email."""
    from chalicelib.mail.ses import SesMailer  # noqa: PLC0415 few requests need it

    return SesMailer(
        client=lambda: get_aws_client("sesv2"),
        sender=get_settings().mail_from,
        configuration_set=get_settings().mail_configuration_set,
    )


@cache
def get_packet_renderer() -> "LambdaPacketRenderer":
    """What sets a referral as a PDF."""
    from chalicelib.store.referrals.packet_renderer import LambdaPacketRenderer  # noqa: PLC0415 few requests need it

    return LambdaPacketRenderer(client=lambda: get_aws_client("lambda"), function_name=get_settings().packet_function)


@cache
def get_identity_service() -> "IdentityService":
    """The identity service, which signs people in."""
    from chalicelib.services.identity.sign_in import IdentityService  # noqa: PLC0415 few requests need it

    return IdentityService(client=lambda: get_aws_client("cognito-idp"), client_id=get_settings().identity_client_id)


@cache
def get_credential_service() -> "CredentialService":
    """The identity service, for passwords and authenticators."""
    from chalicelib.services.identity.credentials import CredentialService  # noqa: PLC0415 few requests need it

    return CredentialService(
        client=lambda: get_aws_client("cognito-idp"),
        client_id=get_settings().identity_client_id,
        pool_id=get_settings().identity_pool_id,
    )


@cache
def get_token_verifier() -> AccessTokenVerifier:
    """The verifier of members' access tokens."""
    return AccessTokenVerifier(
        issuer=get_settings().identity_issuer,
        client_id=get_settings().identity_client_id,
        fetch_keys=_fetch_issuer_keys,
    )


@cache
def get_cds_token_verifier() -> "CdsTokenVerifier":
    """The verifier of health record systems' tokens."""
    from chalicelib.services.ehr.cds_tokens import CdsTokenVerifier, parse_allow_list  # noqa: PLC0415 few requests

    return CdsTokenVerifier(systems=parse_allow_list(get_settings().ehr_clients), fetch_keys=fetching.fetch_jwks)


@cache
def get_sns_verifier() -> "SnsVerifier":
    """The verifier of SNS messages from our own topic."""
    from chalicelib.services.notices.sns_verifier import SnsVerifier  # noqa: PLC0415 few requests

    return SnsVerifier(topic=get_settings().mail_topic, fetch=fetching.fetch_from_sns)


@cache
def get_payer_secrets() -> "PayerSecrets":
    """The secrets of payer connections."""
    from chalicelib.services.coverage.payer_secrets import PayerSecrets  # noqa: PLC0415 few requests ask a payer

    return PayerSecrets(client=lambda: get_aws_client("secretsmanager"))


@cache
def get_payer_directory() -> "PayerDirectory":
    """The payers that can be asked electronically."""
    from chalicelib.services.coverage.payer_setups import PayerDirectory  # noqa: PLC0415 as above

    return PayerDirectory(
        secrets=get_payer_secrets(),
        secret_name=get_settings().payers_secret,
        loopback=get_settings().deployment != "production",
        read_monotonic=read_monotonic,
    )


class ConfiguredPayers:
    """The payers of the configuration, for jobs. Nothing is read before a payer is asked."""

    def list_payers(self) -> "Sequence[PayerSetup]":
        """List the payers that can be asked electronically."""
        return get_payer_directory().list_all()

    def open_connection(self, payer: "PayerSetup") -> "PayerConnection":
        """Open the connection to a payer."""
        return open_payer_connection(payer)


def open_payer_connection(payer: "PayerSetup") -> "PayerConnection":
    """The connection to one payer. Nothing is sent yet."""
    from chalicelib.services.coverage.connections import open_connection  # noqa: PLC0415 as above

    return open_connection(payer, secrets=get_payer_secrets(), read_clock=read_clock)


def _fetch_issuer_keys() -> Any:
    return fetching.fetch_jwks(get_settings().identity_jwks_url)


def build_run_context() -> RunContext:
    """The tables and the time, for one run."""
    return RunContext(get_stores(), read_clock())


def build_job_context(
    at: datetime | None = None, *, lambda_context: Any = None, shards: "Collection[int] | None" = None
) -> JobContext:
    """What a job works with, now or at a rehearsed time.

    Args:
        at: The rehearsed time.
        lambda_context: Lambda's context of the run, which knows how much time is left.
        shards: The shards of the outbox that the run processes; None for all.
    """
    from chalicelib.store.notices.outbox import ALL_SHARDS  # noqa: PLC0415 only jobs read the outbox

    threads = int(get_settings().job_threads or 1)
    if threads > 1:
        get_dynamodb_client()  # Threads that created it at once would create several.
    return JobContext(
        get_stores(),
        at or read_clock(),
        mailer=get_mailer(),
        sign_in_url=get_settings().public_url,
        sender=get_settings().mail_from,
        payers=ConfiguredPayers(),
        has_time=lambda: lambda_context is None or lambda_context.get_remaining_time_in_millis() > MIN_REMAINING_MS,
        threads=threads,
        shards=ALL_SHARDS if shards is None else shards,
        mail_pace=_build_mail_pace(),
    )


def _build_mail_pace() -> "MailPace":
    from chalicelib.mail.pace import NoLimit, SharedPace  # noqa: PLC0415 only jobs send email at a pace

    per_second = float(get_settings().mail_rate or 0)
    if not per_second:
        return NoLimit()
    return SharedPace(get_stores().mail_turns, per_second, read_clock=read_clock, pause=time.sleep)


def build_time_check(seconds: float) -> "Callable[[], bool]":
    """Build a check whether less than this time has passed since now."""
    ends_at = read_monotonic() + seconds
    return lambda: read_monotonic() < ends_at


def is_on_lambda() -> bool:
    """Whether this process is a Lambda function."""
    return settings_module.is_on_lambda()


def require_own_packager() -> None:
    """Refuse the commands of the framework; `make package` is the way."""
    settings_module.require_own_packager()


def warm_up() -> None:
    """Create what almost every request needs, while a new function still starts.

    Lambda gives a starting function a whole processor, whatever its memory.
    """
    get_settings()
    get_dynamodb_client()
    get_stores()
    if settings_module.is_api_on_lambda():
        load_ahead()


def load_ahead() -> None:
    """Read at the same time what the first request would wait for, over the connections that it uses.

    A failure is left to that request, which reads again. Whatever takes longer than `LOAD_AHEAD_S` goes on without us,
    because Lambda ends a start after 10 s.
    """
    from concurrent.futures import wait  # noqa: PLC0415 only the function of the API needs it

    threads = get_call_threads()
    reads = (get_token_verifier().list_key_ids, get_stores().tenants.list_centers, partial(get_aws_client, "kms"))
    wait([threads.submit(read) for read in reads], timeout=LOAD_AHEAD_S)


def reset() -> None:
    """Forget everything that was created, as in a function that has just started."""
    if get_call_threads.cache_info().currsize:
        get_call_threads().shutdown()
    for create in (
        get_call_threads,
        get_last_members,
        get_settings,
        get_webhook_rate_limit,
        get_member_rate_limit,
        get_dynamodb_client,
        _create_aws_client,
        get_stores,
        get_document_files,
        get_center_search,
        get_mailer,
        get_packet_renderer,
        get_identity_service,
        get_credential_service,
        get_token_verifier,
        get_cds_token_verifier,
        get_sns_verifier,
        get_payer_secrets,
        get_payer_directory,
    ):
        create.cache_clear()
