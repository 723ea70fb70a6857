"""Whoever gets hold of every table, without the key service, learns of no patient."""

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
from chalicelib.store.referrals.items import ParkedDelivery
from chalicelib.store.webhooks.idempotency import Delivery, IdempotentRequest, StoredResponse, hash_body
from tests.support import stores as shelves
from tests.support.factories import NOON
from tests.support.referral_values import build_audit_entry, build_referral, build_stage_change

CANARY = "canary"


def canaries(value: Any, path: str = "") -> Any:
    """The same sections with a word of its own in every text that can hold one."""
    if isinstance(value, dict):
        return {key: canaries(inner, f"{path}_{key}") for key, inner in value.items()}
    if isinstance(value, list):
        return [canaries(inner, f"{path}_{n}") for n, inner in enumerate(value)]
    return f"{CANARY}{path}" if isinstance(value, str) or value is None else value


def words(value: Any) -> list[str]:
    """Every text in it."""
    if isinstance(value, dict):
        return [word for inner in value.values() for word in words(inner)]
    if isinstance(value, list):
        return [word for inner in value for word in words(inner)]
    return [value] if isinstance(value, str) else []


@pytest.fixture
def patient(stores) -> Referral:
    """A referral, its note, a notice, a kept answer and a parked delivery, all of canaries."""
    plain = build_referral(Stage.INFUSED)
    referral = replace(plain, details=canaries(dict(plain.details)), alias=f"{CANARY}_alias")
    note = build_stage_change(Stage.INFUSED, note=f"{CANARY}_note")
    early = ParkedDelivery(
        delivery=Delivery(center_id="ctr_harbor", webhook_id="m", body_hash=hash_body(b"{}"), received_at=NOON),
        event=build_stage_change(Stage.MONITORING, event_id="evt_2", note=f"{CANARY}_parked_note"),
    )
    request = IdempotentRequest(
        member_id="mem_1", tenant_id="prc_cedar", route="POST /v1/referrals", key="k", body=b"{}"
    )
    answer = StoredResponse(status=201, headers={}, body={**referral.details, "alias": referral.alias})
    stores.transactions.commit(
        *stores.referrals.prepare_add(referral, build_audit_entry(referral)),
        stores.referrals.prepare_log_event(note, EventStatus.APPLIED, practice_id="prc_cedar"),
        stores.referrals.prepare_park(early),
        stores.idempotency_records.prepare_record(request, answer, now=NOON),
    )
    told = Notice(
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
    stores.transactions.commit(stores.notices.prepare_add(told))
    return referral


def spellings(raw: bytes) -> set[bytes]:
    """A text as it could lie about: reversed, in hexadecimal, in base64 at any offset."""
    inside = {b64encode(bytes(n) + raw + bytes(3))[-(-n * 8 // 6) : (n + len(raw)) * 8 // 6] for n in range(3)}
    return {raw, raw[::-1], raw.hex().encode(), raw.decode().encode("utf-16-le"), *inside}


def everything_in(row: dict[str, Any]) -> bytes:
    """All that a row holds: names, texts, and what its binary values decode to."""
    told = repr(row).encode()
    runs = re.findall(rb"[A-Za-z0-9+/]{16,}={0,2}", told)
    decoded = [b64decode(run + b"=" * (-len(run) % 4)) for run in runs if len(run) % 4 != 1]
    return b"\n".join([told, *decoded]).lower()


def test_no_table_shows_a_patient(patient, stores):
    """Every attribute of every row of every table, as it is and with its base64 opened."""
    dump = shelves.dump_tables()
    filled = {table for table, rows in dump.items() if rows}
    shown = [
        (table, spelling)
        for table, rows in dump.items()
        for row, spelling in product(rows, spellings(CANARY.encode()))
        if spelling.lower() in everything_in(row)
    ]

    assert filled == {"referrals", "keys", "idempotency", "notices", "audit"}
    assert shown == []


def test_what_is_hidden_was_really_there(patient, stores):
    """The canaries come back for who may open them; else the test above would prove nothing."""
    fresh = shelves.restart_stores(stores)

    referral, parked = fresh.referrals.get_with_parked(patient.referral_id)
    events, _ = fresh.referrals.list_timeline(patient.referral_id, limit=10, start=None)

    assert referral is not None
    assert replace(referral, audit_chain_head=patient.audit_chain_head) == patient
    assert parked[0].event.note == "canary_parked_note"
    assert events[0].event.note == "canary_note"
    assert sum(CANARY in word for word in words(dict(patient.details))) > 25


def test_a_canary_in_clear_would_be_found(stores):
    """The search itself: in clear, in binary, in base64 of base64's every offset."""
    shapes: list[dict[str, Any]] = [
        {"a": {"S": "x canary_y"}},
        {"a": {"B": b64encode(b"x canary_y").decode()}},
        {"a": {"L": [{"S": "CANARY"}]}},
        {"canary": {"BOOL": True}},
        *({"a": {"S": b64encode(b"-" * n + b"--canary------").decode()}} for n in range(3)),
    ]

    assert all(any(s.lower() in everything_in(row) for s in spellings(CANARY.encode())) for row in shapes)
