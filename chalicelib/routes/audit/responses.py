"""Rows of the audit trail as the API returns them."""

from collections.abc import Mapping
from typing import Any

# pydantic needs this one on Python 3.11.
from typing_extensions import TypedDict


class AuditEntryResponse(TypedDict):
    """One read, change or refusal.

    `subject` is a referral, or what else the attempt was about, such as `member#` and the id of a member.
    """

    at: str
    subject: str
    actor_id: str
    tenant_id: str
    action: str
    outcome: str
    version: int | None
    request_id: str | None


class AuditTrailResponse(TypedDict):
    """A page of an audit trail, newest first."""

    items: list[AuditEntryResponse]
    next_cursor: str | None


def to_audit_entry_response(row: Mapping[str, Any]) -> AuditEntryResponse:
    """A row of the audit trail."""
    return {
        "at": row["at"],
        "subject": row["subject"],
        "actor_id": row["actor_id"],
        "tenant_id": row["tenant_id"],
        "action": row["action"],
        "outcome": row["outcome"],
        "version": row.get("version"),
        "request_id": row.get("request_id"),
    }
