"""What belongs to a tenant: its keys, its rows of every table, and the files of its documents.

A practice has its referrals with everything in their partitions, and what its members see of them. A center has
its organization, its log of updates, its consultation times and its webhook secrets; referrals are the practices'
records, so a center's export has none. The directory of centers is public and is always part of an export.

Not exported: what a center's system sent and waits for an earlier update, because it is encrypted for the center
(the center sends it again); rate limits; heartbeats; accounts of the identity service; which other organizations
a member belongs to.
"""

from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from typing import Any

from chalicelib.domain.identity.members import TenantKind
from chalicelib.store.all_stores import Stores
from chalicelib.store.platform.dynamo import Item
from chalicelib.store.platform.idempotency import open_response
from chalicelib.store.referrals.erasures import ERASED_ITEM
from chalicelib.store.webhooks.delivery_log import DeliveryStatus
from infra.scanning import scan_table

PUBLIC_KINDS = (TenantKind.CENTER.value, "directory")


def list_records(tenant_id: str, kind: TenantKind, *, stores: Stores) -> Iterator[dict[str, Any]]:
    """List the records of an export: the keys first, then members, then everything else, the tenant itself last."""
    yield {"keys": stores.encryption.rows.export_scope(tenant_id)}
    members = {row["member_id"] for row in stores.members.roster.query_all("tenant_id = :t", {"t": tenant_id})}
    for name, row in _list_rows(tenant_id, kind, members, stores=stores):
        yield {"table": name, "row": encode_row(row)}
    if kind is TenantKind.PRACTICE:
        yield from _list_files(tenant_id, stores=stores)
    own = stores.tenants.table.get({"kind": kind, "tenant_id": tenant_id})
    if own:
        yield {"table": "tenants", "row": encode_row(own)}


def encode_row(row: Item) -> dict[str, Any]:
    """Convert a row to JSON: bytes become {"bytes": base64}."""
    return {name: _encode(value) for name, value in row.items()}


def decode_row(row: Mapping[str, Any]) -> Item:
    """Convert what `encode_row` returned."""
    return {name: _decode(value) for name, value in row.items()}


def _list_rows(
    tenant_id: str, kind: TenantKind, members: AbstractSet[str], *, stores: Stores
) -> Iterator[tuple[str, Item]]:
    ids = set(stores.referrals.list_ids_for_practice(tenant_id)) if kind is TenantKind.PRACTICE else set[str]()
    rules: Mapping[str, Callable[[Item], bool]] = {
        "members": lambda row: row.get("tenant_id") == tenant_id,
        "roster": lambda row: row["tenant_id"] == tenant_id,
        "referrals": lambda row: _is_in_practice(row, tenant_id, ids),
        "outbox": lambda row: _is_task_of(row, ids, members),
        "notices": lambda row: row["tenant_id"] == tenant_id,
        "deliveries": lambda row: _is_delivery_of(row, tenant_id, ids),
        "idempotency": lambda row: _can_open(row, tenant_id, stores=stores),
        "looks": lambda row: row["member_id"] in members,
        "calendars": lambda row: row["member_id"] in members,
        "recipients": lambda row: row["member_id"] in members,
        "webhook_secrets": lambda row: row["center_id"] == tenant_id,
        "slots": lambda row: row["slots_of"].startswith(f"{tenant_id}#") or row["item"].startswith(f"{tenant_id}#"),
        "tenants": lambda row: row["tenant_id"] != tenant_id and row["kind"].partition("#")[0] in PUBLIC_KINDS,
    }
    for name, is_own in rules.items():
        yield from ((name, row) for row in scan_table(stores.erasures.get_table(name)) if is_own(row))
    yield from _list_audit_rows(tenant_id, ids, stores=stores)


def _is_in_practice(row: Item, tenant_id: str, ids: AbstractSet[str]) -> bool:
    partition = row["referral_id"]
    if partition in ids:
        return "webhook_id" not in row
    if row["item"] == ERASED_ITEM:
        return bool(row["practice_id"] == tenant_id)
    is_directory_or_views = partition in {f"directory#{tenant_id}", f"views#{tenant_id}"}
    return is_directory_or_views or str(partition).startswith(f"alias#{tenant_id}#")


def _is_task_of(row: Item, ids: AbstractSet[str], members: AbstractSet[str]) -> bool:
    """Whether an email or a digest is for one of the members, or a task is about one of the referrals."""
    return row["member_id"] in members if "member_id" in row else row.get("referral_id") in ids


def _is_delivery_of(row: Item, tenant_id: str, ids: AbstractSet[str]) -> bool:
    is_own = row["center_id"] == tenant_id or row["referral_id"] in ids
    return is_own and row["status"] != DeliveryStatus.PARKED


def _can_open(row: Item, tenant_id: str, *, stores: Stores) -> bool:
    """Whether a stored response is the tenant's: only then its key opens it."""
    from cryptography.exceptions import InvalidTag  # noqa: PLC0415 as in `commands`

    from chalicelib.errors import ReferralErasedError  # noqa: PLC0415 as in `commands`

    if "answer" not in row:
        return False
    try:
        open_response(row, tenant_id=tenant_id, encryption=stores.encryption)
    except (InvalidTag, ReferralErasedError):
        return False
    return True


def _list_audit_rows(tenant_id: str, ids: AbstractSet[str], *, stores: Stores) -> Iterator[tuple[str, Item]]:
    """List whole chains: of the referrals, and of other subjects that only this tenant has touched."""
    tenants_by_chain: dict[str, set[str]] = {}
    for row in scan_table(stores.audit_log.table):
        tenants_by_chain.setdefault(row["referral_id"], set()).add(str(row.get("tenant_id")))
    for chain, tenants in tenants_by_chain.items():
        if chain.removesuffix("/reads") in ids or tenants == {tenant_id}:
            yield from (("audit", row) for row in stores.audit_log.list_stored_rows(chain))


def _list_files(practice_id: str, *, stores: Stores) -> Iterator[dict[str, Any]]:
    client, bucket = stores.files.get_client("s3"), stores.files.documents.name
    headers = ("CacheControl", "ContentDisposition", "ContentType")
    for referral_id in list(stores.referrals.list_ids_for_practice(practice_id)):
        for document in stores.documents.list_for_referral(referral_id, scope=practice_id):
            if document.stored is None:
                continue
            key = f"{referral_id}/{document.document_id}"
            found = client.get_object(Bucket=bucket, Key=key, VersionId=document.stored.version_id)
            yield {
                "file": {
                    "referral_id": referral_id,
                    "document_id": document.document_id,
                    "content": b64encode(found["Body"].read()).decode(),
                    "headers": {name: found[name] for name in headers if name in found},
                }
            }


def _encode(value: Any) -> Any:
    if isinstance(value, bytes):
        return {"bytes": b64encode(value).decode()}
    return value


def _decode(value: Any) -> Any:
    return b64decode(value["bytes"]) if isinstance(value, dict) else value
