"""Write an export into a deployment that does not have the tenant.

The tenant's own row is written last, so a run that was interrupted can be repeated: rows that are there are left.

A member can belong to other organizations, in the old deployment, in the new one, or both. So a membership gets its
key here: it is the first one of a person whom the deployment does not know, and a further one of everyone else.
"""

from base64 import b64decode
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

from chalicelib.domain.identity.members import build_membership_key
from chalicelib.services.platform.run_context import RunContext
from chalicelib.store.audit.rows import AuditEntry
from chalicelib.store.identity.members import to_member
from chalicelib.store.platform.dynamo import Item
from infra.list_snapshots import forget_snapshots
from infra.tenant_export.container import ExportFileError, ExportHeader, Record
from infra.tenant_export.rows import decode_row

CreateAccount = Callable[[str], str]
"""Creates the account of an email address, and returns its subject."""


_KEY_BY_TABLE = {
    "referrals": "referral_id",
    "roster": "tenant_id",
    "tenants": "tenant_id",
    "webhook_secrets": "center_id",
    "deliveries": "center_id",
    "idempotency": "scope_key",
    "outbox": "outbox_id",
    "notices": "member_id",
    "audit": "referral_id",
    "looks": "member_id",
    "calendars": "member_id",
    "recipients": "member_id",
    "slots": "slots_of",
}
"""An attribute of the key of each table that an export has rows of."""


def require_new_tenant(header: ExportHeader, *, context: RunContext) -> None:
    """Check that a deployment does not have the tenant.

    Raises:
        ExportFileError: it does.
    """
    if context.stores.tenants.table.get({"kind": header.kind, "tenant_id": header.tenant_id}):
        raise ExportFileError(f"This deployment has {header.tenant_id} already. Nothing was changed.")


def write_records(
    records: Iterable[Record],
    header: ExportHeader,
    *,
    create_account: CreateAccount | None,
    actor_id: str,
    context: RunContext,
) -> Mapping[str, int]:
    """Write the records of an export. Return how many rows and files were written, by table.

    Args:
        records: The records, in order.
        header: What the file says about itself.
        create_account: If given, active members get new accounts; None keeps those of the same identity service.
        actor_id: Who does it.
        context: The tables and the time.

    Raises:
        ExportFileError: the deployment has other keys for the tenant, or the file is damaged.
    """
    stores, counts, subjects = context.stores, Counter[str](), dict[str, str]()
    tenant_row: Item | None = None
    for record in records:
        if "keys" in record:
            if not stores.encryption.rows.import_scope(record["keys"]):
                raise ExportFileError(f"This deployment has other keys for {header.tenant_id}. Nothing was changed.")
        elif "file" in record:
            _write_file(record["file"], header.tenant_id, context=context)
            counts["files"] += 1
        else:
            name, row = record["table"], decode_row(record["row"])
            if name == "tenants" and row["tenant_id"] == header.tenant_id:
                tenant_row = row
                continue
            if name == "members":
                subjects[row["subject"]], is_added = _add_membership(row, create_account, context=context)
                # With its row of the roster, which therefore exists already when it comes.
                counts.update(members=is_added, roster=is_added)
                continue
            if name != "audit" and row.get("subject") in subjects:
                row["subject"] = subjects[row["subject"]]
            counts[name] += _add_row(name, row, context=context)
    if tenant_row is None:
        raise ExportFileError("The file is damaged: it does not have the tenant.")
    # The lists of the centers have new rows with old times.
    forget_snapshots(stores)
    stores.audit_log.append(
        AuditEntry(
            referral_id=f"tenant#{header.tenant_id}",
            at=context.now,
            actor_id=actor_id,
            tenant_id="operator",
            action="tenant.import",
            reason=f"exported {header.exported_at}",
        )
    )
    counts["tenants"] += _add_row("tenants", tenant_row, context=context)
    return counts


def _add_membership(row: Item, create_account: CreateAccount | None, *, context: RunContext) -> tuple[str, bool]:
    """Add a membership of a person. Return its key, and whether it is new here."""
    stores, exported = context.stores, to_member(row)
    person = create_account(exported.email) if create_account and exported.active else exported.person
    memberships = stores.members.list_for_person(person)
    known = next((each for each in memberships if each.tenant_id == exported.tenant_id), None)
    if known:
        return known.subject, False
    key = build_membership_key(person, exported.member_id) if memberships else person
    member = replace(exported, subject=key)
    writes = stores.members.prepare_add_later(member) if memberships else stores.members.prepare_add(member)
    stores.transactions.commit(*writes)
    return key, True


def _add_row(table: str, row: Item, *, context: RunContext) -> bool:
    """Add a row unless there is one with its key."""
    when = f"attribute_not_exists({_KEY_BY_TABLE[table]})"
    return context.stores.erasures.get_table(table).put(row, when=when)


def _write_file(file: Mapping[str, Any], practice_id: str, *, context: RunContext) -> None:
    """Store a file, and the new version of its copy in the row of its document."""
    stores, referral_id, document_id = context.stores, file["referral_id"], file["document_id"]
    stored = stores.files.get_client("s3").put_object(
        Bucket=stores.files.documents.name,
        Key=f"{referral_id}/{document_id}",
        Body=b64decode(file["content"]),
        **file["headers"],
    )
    document = stores.documents.get(referral_id, document_id, scope=practice_id)
    if document is None or document.stored is None:
        raise ExportFileError("The file is damaged: it has a document without a row.")
    moved = replace(document, stored=replace(document.stored, version_id=str(stored["VersionId"])))
    stores.transactions.commit(stores.documents.prepare_save(referral_id, moved, read=document, scope=practice_id))
