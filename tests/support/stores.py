"""Stores on the tables of this process, for tests below the API."""

from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

from chalicelib import clients
from chalicelib.store.all_stores import TABLE_NAMES, Stores, open_stores
from chalicelib.store.audit.heads import AuditHeads
from chalicelib.store.documents.files import Bucket, DocumentFiles
from chalicelib.store.documents.signing import SigningIdentity
from chalicelib.store.notices.digests import DIGEST
from chalicelib.store.notices.overdue_alerts import OVERDUE_ALERT
from chalicelib.store.platform.dynamo import Item, unmarshal
from chalicelib.store.platform.transactions import Transactions
from tests.support.aws_fakes import AUDIT_HEADS, PREFIX, build_environment


@cache
def get_dynamodb_client() -> Any:
    """Return the product's own client. It outlives a test, because creating one costs more than most tests."""
    return clients.create_dynamodb_client()


@cache
def get_aws_client(service: str) -> Any:
    """Return a client of another service, which outlives a test too."""
    return clients.create_aws_client(service)


def create_cold_stores(kms_key_id: str) -> Stores:
    """Create stores with empty caches, as in a new function, that do not pause."""
    stores = open_stores(
        prefix=PREFIX,
        kms_key_id=kms_key_id,
        dynamodb=get_dynamodb_client,
        kms=lambda: get_aws_client("kms"),
        files=lambda: create_files(get_aws_client),
        audit_heads=lambda: create_audit_heads(get_aws_client),
    )
    return stores.replace(transactions=Transactions(get_dynamodb_client, pause=lambda _seconds: None))


def create_audit_heads(get_client: Callable[[str], Any]) -> AuditHeads:
    """Create the heads of the audit trail in the bucket of this process, or of the service that a client reaches."""
    return AuditHeads(bucket=AUDIT_HEADS, get_client=get_client)


def create_files(get_client: Callable[[str], Any]) -> DocumentFiles:
    """Create the files of documents in the buckets of this process, or of the services that a client reaches."""
    environment = build_environment("")
    return DocumentFiles(
        quarantine=Bucket(name=environment["QUARANTINE_BUCKET"], url=environment["QUARANTINE_URL"]),
        documents=Bucket(name=environment["DOCUMENTS_BUCKET"], url=environment["DOCUMENTS_URL"]),
        get_client=get_client,
        get_identity=lambda: SigningIdentity("testing", "testing", "", "us-east-1"),
    )


def restart_stores(stores: Stores) -> Stores:
    """Return the same tables as the next function sees them."""
    return create_cold_stores(stores.encryption.kms_key_id)


def list_raw_rows(table: str) -> Iterator[dict[str, Any]]:
    """Return every row of a table as it is stored."""
    pages = get_dynamodb_client().get_paginator("scan").paginate(TableName=f"{PREFIX}{table}")
    for page in pages:
        yield from page["Items"]


def list_rows(table: str) -> list[Item]:
    """Return every row of a table as plain values."""
    return [unmarshal(row) for row in list_raw_rows(table)]


def list_task_rows() -> list[Item]:
    """Return the outbox rows that are done once: all except overdue alerts, digests and emails."""
    return [row for row in list_rows("outbox") if row["rule"] not in {OVERDUE_ALERT, DIGEST, "mail"}]


def list_mail_rows() -> list[Item]:
    """Return the outbox rows of emails."""
    return [row for row in list_rows("outbox") if row["rule"] == "mail"]


def list_alert_rows() -> list[Item]:
    """Return the outbox rows of overdue alerts."""
    return [row for row in list_rows("outbox") if row["rule"] == OVERDUE_ALERT]


def list_digest_rows() -> list[Item]:
    """Return the outbox rows of weekly digests."""
    return [row for row in list_rows("outbox") if row["rule"] == DIGEST]


def dump_tables() -> dict[str, list[dict[str, Any]]]:
    """Return every row of every table as it is stored."""
    return {table: list(list_raw_rows(table)) for table in TABLE_NAMES}
