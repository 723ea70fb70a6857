"""Stores over the tables of this process, for tests below the API."""

from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from typing import Any

from chalicelib import clients
from chalicelib.store.all_stores import TABLES, Stores, open_stores
from chalicelib.store.notices.digests import DIGEST
from chalicelib.store.notices.overdue_alerts import CLOCK
from chalicelib.store.platform.dynamo import Item, unmarshal
from chalicelib.store.platform.transactions import Ledger
from tests.support.cloud import PREFIX


@cache
def dynamodb() -> Any:
    """The product's own client. It outlives a test: making one costs more than most tests."""
    return clients.dynamodb()


@cache
def aws(service: str) -> Any:
    """A client of another service, as long-lived."""
    return clients.aws(service)


def cold_stores(kms_key_id: str) -> Stores:
    """Stores that remember nothing, as a new function has them, and that do not pause."""
    stores = open_stores(
        prefix=PREFIX, kms_key_id=kms_key_id, dynamodb=dynamodb, kms=lambda: aws("kms")
    )
    return replace(stores, ledger=Ledger(dynamodb, pause=lambda _seconds: None))


def forgotten(stores: Stores) -> Stores:
    """The same tables as the next function sees them."""
    return cold_stores(stores.vault.kms_key_id)


def raw_rows(table: str) -> Iterator[dict[str, Any]]:
    """Every row of a table as it is stored."""
    pages = dynamodb().get_paginator("scan").paginate(TableName=f"{PREFIX}{table}")
    for page in pages:
        yield from page["Items"]


def rows(table: str) -> list[Item]:
    """Every row of a table as plain values."""
    return [unmarshal(row) for row in raw_rows(table)]


def tasks() -> list[Item]:
    """The rows of the outbox that are to be done once: all but clocks, digests and mails."""
    return [row for row in rows("outbox") if row["rule"] not in {CLOCK, DIGEST, "mail"}]


def mails() -> list[Item]:
    """The rows of the outbox that are mails."""
    return [row for row in rows("outbox") if row["rule"] == "mail"]


def clocks() -> list[Item]:
    """The rows of the outbox that say when a referral's clock rings next."""
    return [row for row in rows("outbox") if row["rule"] == CLOCK]


def digests() -> list[Item]:
    """The rows of the outbox that say when a member's week is told next."""
    return [row for row in rows("outbox") if row["rule"] == DIGEST]


def dump() -> dict[str, list[dict[str, Any]]]:
    """Every row of every table as it is stored."""
    return {table: list(raw_rows(table)) for table in TABLES}
