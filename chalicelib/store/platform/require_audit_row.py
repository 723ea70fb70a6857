"""No referral changes without a row of its audit trail in the same transaction.

The stores hand out both writes together; that a service commits them together is held here, on
what goes over the wire.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from chalicelib.store.platform.dynamo import TransactionWrite

_REFERRALS, _AUDIT = "referrals", "audit"
"""What the names of the two tables end with, whatever the prefix."""

_STATE = "referral"
"""The sort key of a referral as it stands. Its events are history of this, and written with it."""


class MissingAuditRowError(Exception):
    """A transaction would change a referral and leave no trace: our bug, and nothing is written."""


def require_audit_row(writes: Iterable[TransactionWrite]) -> None:
    """Refuse a transaction that changes a referral and says so in no audit row about it.

    Raises:
        UnauditedError: the referral's id is in none of the audit rows.
    """
    requests = [request for write in writes for request in _changes_referral(write)]
    changed = {_read_key(r, "referral_id") for r in requests if _is_referral_item(r)}
    audited = {_read_key(r, "subject") for r in requests if r["TableName"].endswith(_AUDIT)}
    if not changed <= audited:
        raise MissingAuditRowError


def _changes_referral(write: TransactionWrite) -> Iterable[Mapping[str, Any]]:
    return (request for kind, request in write.request.items() if kind != "ConditionCheck")


def _is_referral_item(request: Mapping[str, Any]) -> bool:
    return request["TableName"].endswith(_REFERRALS) and _read_key(request, "item") == _STATE


def _read_key(request: Mapping[str, Any], name: str) -> str:
    attributes = request.get("Item") or request.get("Key") or {}
    return str(attributes.get(name, {}).get("S", ""))
