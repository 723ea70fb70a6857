"""Require an audit row in every transaction that changes a referral.

The stores return both writes together. This check enforces that a service also commits them
together: it looks at the requests that are sent to DynamoDB.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from chalicelib.store.platform.dynamo import TransactionWrite

_REFERRALS, _AUDIT = "referrals", "audit"
"""The ends of the two table names; the prefix depends on the deployment."""

_STATE = "referral"
"""The sort key of a referral's current state. Its events are the history of this item and are written with it."""


class MissingAuditRowError(Exception):
    """A transaction would change a referral without an audit row. This is our bug; nothing is written."""


def require_audit_row(writes: Iterable[TransactionWrite]) -> None:
    """Refuse a transaction that changes a referral and has no audit row about it.

    Raises:
        MissingAuditRowError: no audit row has the referral's id as its subject.
    """
    requests = [request for write in writes for request in _list_changes(write)]
    changed = {_read_key(r, "referral_id") for r in requests if _is_referral_item(r)}
    audited = {_read_key(r, "subject") for r in requests if r["TableName"].endswith(_AUDIT)}
    if not changed <= audited:
        raise MissingAuditRowError


def _list_changes(write: TransactionWrite) -> Iterable[Mapping[str, Any]]:
    return (request for kind, request in write.request.items() if kind != "ConditionCheck")


def _is_referral_item(request: Mapping[str, Any]) -> bool:
    return request["TableName"].endswith(_REFERRALS) and _read_key(request, "item") == _STATE


def _read_key(request: Mapping[str, Any], name: str) -> str:
    attributes = request.get("Item") or request.get("Key") or {}
    return str(attributes.get(name, {}).get("S", ""))
