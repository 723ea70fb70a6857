"""A small history that any release can write through its API, and its rows as one JSON document.

`tests/releases` keeps such a document for each release. This module imports nothing of the product, so that the code of
an older release can run it: a driver of that release has `practice`, `center`, `refer`, `move_to` and `deliver`.
"""

import base64
import datetime as dt
import json
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any

Row = dict[str, Any]

STAGES = (
    *("received", "accepted", "consult_scheduled", "consult_completed", "center_proceed", "apheresis_scheduled"),
    *("apheresis_completed", "manufacturing_started", "lymphodepletion_started", "infused"),
)
"""The required steps."""


def write_history(driver: Any) -> dict[str, str]:
    """Write referrals at several points of their way, and what belongs to them. Return their ids by name.

    A step that a release does not have is skipped.
    """
    ids = {
        name: driver.refer(**_name_patient(number), **more)["referral_id"]
        for number, (name, more) in enumerate(
            {
                "draft": {"submit": False},
                "submitted": {},
                "parked": {},
                "infused": {},
                "withdrawn": {},
                "corrected": {},
            }.items()
        )
    }
    driver.move_to(ids["parked"], *STAGES[:2])
    _expect(driver.deliver(ids["parked"], "infused"), 202)
    driver.move_to(ids["infused"], *STAGES)
    driver.move_to(ids["corrected"], *STAGES[:3])
    _report(driver.center, ids["infused"], "toxicity.noticed", {}, optional=True)
    _report(driver.center, ids["infused"], "adverse_event.reported", {"kind": "crs", "grade": 1}, optional=True)
    _report(driver.practice, ids["withdrawn"], "stage.changed", {"stage": "withdrawn"})
    _report(driver.center, ids["corrected"], "hold.started", {"reason_code": "patient_choice"}, optional=True)
    _report(driver.practice, ids["corrected"], "message.sent", {}, optional=True)
    _write_about(driver, ids["corrected"])
    _write_own_settings(driver)
    return ids


def _name_patient(number: int) -> dict[str, Any]:
    return {
        "patient__alias": f"{('Amber', 'Birch', 'Cedar', 'Dune', 'Ember', 'Fjord')[number]} Heron",
        "patient__family_name": f"Sample{chr(ord('a') + number)}",
        "patient__birth_date": f"19{60 + number}-04-02",
    }


def _write_about(driver: Any, referral_id: str) -> None:
    path = f"/v1/referrals/{referral_id}"
    request = {"items": ["Pathology report"], "text": "Please send it."}
    sent = {"channel": "fax", "sent_on": _today(), "to": "+14105550188", "pages": 12}
    # A route that a release does not have raises LookupError in its client.
    with suppress(LookupError):
        _expect(driver.practice.post(f"{path}/messages", {"text": "Hello."}), 201)
        _expect(driver.center.post(f"{path}/information-requests", request), 201)
    with suppress(LookupError):
        _expect(driver.practice.post(f"{path}/documents", {"kind": "pathology_report", "sent": sent}), 201)
    with suppress(LookupError):
        _expect(
            driver.practice.patch(f"{path}/coverage", {"move": "authorization_required", "how": "portal"}, version=0),
            200,
        )
    with suppress(LookupError):
        _publish_times(driver)
    version = driver.practice.get(path).json["version"]
    driver.practice.put(f"{path}/look", {}, version=version)


def _publish_times(driver: Any) -> None:
    center = f"/v1/centers/{driver.members['center'].tenant_id}"
    starts_at = (dt.datetime.now(dt.UTC) + dt.timedelta(days=30)).replace(second=0, microsecond=0)
    slot = {"starts_at": starts_at.isoformat(), "minutes": 60, "mode": "in_person", "capacity": 1}
    pattern = {"weekdays": ["monday"], "starts": ["09:00"], "minutes": 45, "mode": "telehealth"}
    _expect(driver.center.post(f"{center}/slots", slot), 201)
    _expect(driver.center.post(f"{center}/slot-patterns", pattern), 201)


def _write_own_settings(driver: Any) -> None:
    path = "/v1/me/notification-preferences"
    answer = driver.practice.get(path)
    settings = {name: answer.json[name] for name in ("categories", "digest_hour", "quiet_hours", "time_zone")}
    _expect(driver.practice.put(path, settings | {"digest_hour": 9}, version=0), 200)
    _expect(driver.practice.post("/v1/me/calendar", None), 201)


def _report(site: Any, referral_id: str, kind: str, data: Mapping[str, Any], *, optional: bool = False) -> None:
    body = {"type": kind, "occurred_at": dt.datetime.now(dt.UTC).isoformat(), "data": dict(data)}
    answer = site.post(f"/v1/referrals/{referral_id}/events", body)
    if not optional:
        _expect(answer, 200)


def _expect(answer: Any, status: int) -> None:
    if answer.status != status:
        raise AssertionError(answer.text)


def _today() -> str:
    return dt.datetime.now(dt.UTC).date().isoformat()


def list_paths(side: str, referrals: Mapping[str, str]) -> list[str]:
    """List what a team reads of the history. A center sees no drafts."""
    paths = ["/v1/me", "/v1/notices", "/v1/referrals", "/v1/me/notification-preferences"]
    for name, referral_id in referrals.items():
        if side == "practice" or name != "draft":
            paths += [f"/v1/referrals/{referral_id}", f"/v1/referrals/{referral_id}/events"]
    return [*paths, f"/v1/referrals/{referrals['infused']}/window"]


def list_failed_reads(sites: Mapping[str, Any], referrals: Mapping[str, str]) -> list[str]:
    """Read everything that each team sees of the history. Return what was not answered with 200, with its answer."""
    failed = []
    for side, site in sites.items():
        paths = list_paths(side, referrals)
        answers = {path: site.get(path) for path in paths}
        failed += [f"{side} {path}: {answer.text}" for path, answer in answers.items() if answer.status != 200]
        listed = {row["referral_id"] for row in answers["/v1/referrals"].json.get("items", ())}
        visible = {each for name, each in referrals.items() if side == "practice" or name != "draft"}
        failed += [f"{side} does not see {missing}" for missing in sorted(visible - listed)]
    return failed


def dump_rows(*, release: str, prefix: str, dynamodb: Any, kms: Any, referrals: Mapping[str, str]) -> dict[str, Any]:
    """Read every row of every table, and the decrypted data keys, as JSON values."""
    names = [name for name in dynamodb.list_tables()["TableNames"] if name.startswith(prefix)]
    tables = {name.removeprefix(prefix): _scan(dynamodb, name) for name in sorted(names)}
    data_keys = {
        row["scope"]["S"]: kms.decrypt(
            CiphertextBlob=_to_bytes(row["data_key"]["B"]), EncryptionContext={"scope": row["scope"]["S"]}
        )["Plaintext"]
        for row in tables["keys"]
        if "data_key" in row
    }
    return {
        "release": release,
        "referrals": dict(referrals),
        "data_keys": {scope: base64.b64encode(key).decode() for scope, key in data_keys.items()},
        "tables": json.loads(json.dumps(tables, default=lambda raw: base64.b64encode(raw).decode())),
    }


def load_rows(document: Mapping[str, Any], *, prefix: str, dynamodb: Any, kms: Any, kms_key_id: str) -> None:
    """Write the rows of a document into empty tables. The data keys are encrypted with another key."""
    for name, rows in document["tables"].items():
        for row in rows:
            item = {attribute: _decode(value) for attribute, value in row.items()}
            if name == "keys" and "data_key" in item:
                scope = item["scope"]["S"]
                item["data_key"]["B"] = kms.encrypt(
                    KeyId=kms_key_id,
                    Plaintext=base64.b64decode(document["data_keys"][scope]),
                    EncryptionContext={"scope": scope},
                )["CiphertextBlob"]
            dynamodb.put_item(TableName=f"{prefix}{name}", Item=item)


def find_subjects(document: Mapping[str, Any], kind: str) -> Iterable[str]:
    """Find the coordinators of the practices or centers, as ids of the identity service."""
    for row in document["tables"]["members"]:
        if row["kind"]["S"] == kind and {"S": "coordinator"} in row["roles"]["L"]:
            yield row["subject"]["S"]


def _scan(dynamodb: Any, table: str) -> list[Row]:
    pages = dynamodb.get_paginator("scan").paginate(TableName=table)
    return [row for page in pages for row in page["Items"]]


def _to_bytes(raw: bytes | str) -> bytes:
    """The product's client leaves bytes as DynamoDB sends them."""
    return raw if isinstance(raw, bytes) else base64.b64decode(raw)


def _decode(value: Mapping[str, Any]) -> dict[str, Any]:
    ((kind, raw),) = value.items()
    if kind == "B":
        return {"B": base64.b64decode(raw)}
    if kind == "L":
        return {"L": [_decode(each) for each in raw]}
    return {kind: raw}
