"""A dump of every table reveals no patient without AWS KMS."""

import re
from base64 import b64decode, b64encode
from dataclasses import replace
from itertools import product
from typing import Any

import pytest

from chalicelib.domain.referrals.events import EventStatus
from chalicelib.domain.referrals.referral import Referral
from chalicelib.domain.referrals.stages import Stage
from chalicelib.store.notices.notices import Notice
from chalicelib.store.platform.idempotency import IdempotentRequest, StoredResponse, hash_body
from chalicelib.store.referrals.items import ParkedDelivery
from chalicelib.store.webhooks.delivery_log import Delivery
from tests.support.factories import NOON
from tests.support.referral_values import build_audit_entry, build_referral, build_stage_change
from tests.support.stores import dump_tables, restart_stores

CANARY = "canary"


def fill_with_canaries(value: Any, path: str = "") -> Any:
    """The same structure with a unique canary word in every text."""
    if isinstance(value, dict):
        return {key: fill_with_canaries(inner, f"{path}_{key}") for key, inner in value.items()}
    if isinstance(value, list):
        return [fill_with_canaries(inner, f"{path}_{n}") for n, inner in enumerate(value)]
    return f"{CANARY}{path}" if isinstance(value, str) or value is None else value


def list_texts(value: Any) -> list[str]:
    """Every text in a value."""
    if isinstance(value, dict):
        return [text for inner in value.values() for text in list_texts(inner)]
    if isinstance(value, list):
        return [text for inner in value for text in list_texts(inner)]
    return [value] if isinstance(value, str) else []


@pytest.fixture
def patient(stores) -> Referral:
    """A referral, its note, a notice, a stored response and a parked delivery, all with canaries."""
    plain = build_referral(Stage.INFUSED)
    referral = replace(plain, details=fill_with_canaries(dict(plain.details)), alias=f"{CANARY}_alias")
    note = build_stage_change(Stage.INFUSED, note=f"{CANARY}_note")
    parked = ParkedDelivery(
        delivery=Delivery(center_id="ctr_harbor", webhook_id="m", body_hash=hash_body(b"{}"), received_at=NOON),
        event=build_stage_change(Stage.MONITORING, event_id="evt_2", note=f"{CANARY}_parked_note"),
    )
    request = IdempotentRequest(
        member_id="mem_1", tenant_id="prc_cedar", route="POST /v1/referrals", key="k", body=b"{}"
    )
    response = StoredResponse(status=201, headers={}, body={**referral.details, "alias": referral.alias})
    stores.transactions.commit(
        *stores.referrals.prepare_add(referral, build_audit_entry(referral)),
        stores.referrals.prepare_log_event(note, EventStatus.APPLIED, practice_id="prc_cedar"),
        stores.referrals.prepare_park(parked),
        stores.idempotency_records.prepare_record(request, response, now=NOON),
    )
    notice = Notice(
        notice_id="ntc_1",
        member_id="mem_1",
        tenant_id="prc_cedar",
        outbox_id="out_1",
        rule="handback_near",
        title="Hand-back in 7 days",
        referral_id=referral.referral_id,
        alias=referral.alias,
        created_at=NOON,
    )
    stores.transactions.commit(stores.notices.prepare_add(notice))
    return referral


def list_encodings(raw: bytes) -> set[bytes]:
    """The ways in which a text can be stored: reversed, in hexadecimal, in base64 at any offset."""
    inside = {b64encode(bytes(n) + raw + bytes(3))[-(-n * 8 // 6) : (n + len(raw)) * 8 // 6] for n in range(3)}
    return {raw, raw[::-1], raw.hex().encode(), raw.decode().encode("utf-16-le"), *inside}


def read_everything(row: dict[str, Any]) -> bytes:
    """Everything that a row has: names, texts and decoded binary values."""
    text = repr(row).encode()
    runs = re.findall(rb"[A-Za-z0-9+/]{16,}={0,2}", text)
    decoded = [b64decode(run + b"=" * (-len(run) % 4)) for run in runs if len(run) % 4 != 1]
    return b"\n".join([text, *decoded]).lower()


def test_a_dump_of_all_tables_reveals_no_patient(patient, stores):
    """In no attribute of any row, neither as stored nor with base64 decoded."""
    dump = dump_tables()
    filled = {table for table, rows in dump.items() if rows}
    revealed = [
        (table, encoding)
        for table, rows in dump.items()
        for row, encoding in product(rows, list_encodings(CANARY.encode()))
        if encoding.lower() in read_everything(row)
    ]

    assert filled == {"referrals", "keys", "idempotency", "notices", "audit"}
    assert revealed == []


def test_the_encrypted_canaries_can_be_decrypted(patient, stores):
    """Otherwise the test above would prove nothing."""
    fresh = restart_stores(stores)

    referral, parked = fresh.referrals.get_with_parked(patient.referral_id)
    events, _ = fresh.referrals.list_timeline(patient.referral_id, limit=10, start=None)

    assert referral is not None
    assert replace(referral, audit_chain_head=patient.audit_chain_head) == patient
    assert parked[0].event.note == "canary_parked_note"
    assert events[0].event.note == "canary_note"
    assert sum(CANARY in text for text in list_texts(dict(patient.details))) > 25


def test_the_search_finds_a_canary_that_is_not_encrypted(stores):
    """As text, as binary, and in base64 at every offset."""
    shapes: list[dict[str, Any]] = [
        {"a": {"S": "x canary_y"}},
        {"a": {"B": b64encode(b"x canary_y").decode()}},
        {"a": {"L": [{"S": "CANARY"}]}},
        {"canary": {"BOOL": True}},
        *({"a": {"S": b64encode(b"-" * n + b"--canary------").decode()}} for n in range(3)),
    ]

    assert all(any(e.lower() in read_everything(row) for e in list_encodings(CANARY.encode())) for row in shapes)
