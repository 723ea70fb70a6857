"""Encrypt what a tenant has again, with its current keys: after a rotation, or for rows of an earlier release.

Each row is one conditional write of its encrypted attributes, so people can work meanwhile, and a run that was
stopped can be started again: rows that are current are not written. Stored responses expire after 30 days and
are left as they are.
"""

from collections.abc import Iterator, Mapping

from chalicelib.store.all_stores import Stores
from chalicelib.store.platform.dynamo import DynamoTable, Item
from chalicelib.store.platform.envelope_encryption import EnvelopeEncryption
from infra.scanning import scan_table

_EXCHANGE_PARTS = ("sent", "received")


def reencrypt_tenant(tenant_id: str, *, stores: Stores) -> Iterator[tuple[str, bool]]:
    """Encrypt every row of a tenant that has older keys. Yields the table of each row, and whether it was written."""
    encryption, referrals = stores.encryption, stores.referrals.table
    for referral_id in list(stores.referrals.list_ids_for_practice(tenant_id)):
        for row in referrals.query_all("referral_id = :id", {"id": referral_id}):
            if row.get("scope", tenant_id) == tenant_id:
                contexts = _list_contexts(row)
                keys = ("referral_id", "item")
                yield "referrals", _reencrypt(row, contexts, keys, tenant_id, referral_id, referrals, encryption)
    for partition in (f"directory#{tenant_id}", f"views#{tenant_id}"):
        for row in referrals.query_all("referral_id = :id", {"id": partition}):
            contexts = {"content": f"{row['referral_id']}/{row['item']}"}
            yield "referrals", _reencrypt(row, contexts, ("referral_id", "item"), tenant_id, "", referrals, encryption)
    # What a center's system sent is encrypted for the center while it is parked.
    is_parked = "#scope = :tenant AND attribute_exists(webhook_id)"
    for row in scan_table(referrals, is_parked, {"tenant": tenant_id}, names={"#scope": "scope"}):
        contexts, keys = _list_contexts(row), ("referral_id", "item")
        yield "referrals", _reencrypt(row, contexts, keys, tenant_id, row["referral_id"], referrals, encryption)
    notices = stores.notices.table
    for row in scan_table(notices, "tenant_id = :tenant", {"tenant": tenant_id}):
        context = f"notice/{row['member_id']}/{row['notice_id']}"
        contexts, keys = {"alias": context, "detail": f"{context}/detail"}, ("member_id", "notice_id")
        yield (
            "notices",
            _reencrypt(row, contexts, keys, tenant_id, row.get("referral_id", ""), notices, encryption),
        )
    secrets = stores.secrets.table
    for row in secrets.query_all("center_id = :center", {"center": tenant_id}):
        contexts = {"sealed": f"webhook_secret/{tenant_id}/{row['secret_id']}"}
        yield (
            "webhook_secrets",
            _reencrypt(row, contexts, ("center_id", "secret_id"), tenant_id, "", secrets, encryption),
        )


def _list_contexts(row: Item) -> Mapping[str, str]:
    """The encrypted attributes of a row of a referral's partition, with what each one is bound to."""
    place = f"{row['referral_id']}/{row['item']}"
    if row["item"] == "referral":
        return {name: f"{row['referral_id']}/{name}" for name in ("summary", "details")}
    if "event_id" in row:
        return {"told": row["event_id"]}
    return {"told": place, **{name: f"{place}/{name}" for name in _EXCHANGE_PARTS}}


def _reencrypt(
    row: Item,
    contexts: Mapping[str, str],
    key_names: tuple[str, str],
    scope: str,
    referral_id: str,
    table: DynamoTable,
    encryption: EnvelopeEncryption,
) -> bool:
    """Encrypt a row again if it has older keys, unless someone changes it at this moment: that writes current keys."""
    old = {
        name: row[name]
        for name in contexts
        if isinstance(row.get(name), bytes)
        and not encryption.is_current(row[name], scope=scope, referral_id=referral_id)
    }
    if not old:
        return False
    new = {
        f"new_{name}": encryption.encrypt(
            encryption.decrypt(value, scope=scope, context=contexts[name]),
            scope=scope,
            context=contexts[name],
            referral_id=referral_id,
        )
        for name, value in old.items()
    }
    return table.update(
        {name: row[name] for name in key_names},
        "SET " + ", ".join(f"#{name} = :new_{name}" for name in old),
        when=" AND ".join(f"#{name} = :old_{name}" for name in old),
        values={**new, **{f"old_{name}": value for name, value in old.items()}},
        names={f"#{name}": name for name in old},
    )
