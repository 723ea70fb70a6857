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
    """When it happened (RFC 3339, UTC)."""
    subject: str
    """What the row is about: the ID of a referral, or a kind and an ID such as `member#mem_…`."""
    actor_id: str
    """Who did it: a member's ID, `feed:` and a center's ID, `payer`, or `system`."""
    tenant_id: str
    """The organization of the actor."""
    action: str
    """What was done, such as `referral.read`."""
    outcome: str
    """`allowed`, or the code of the reason why nothing was changed."""
    version: int | None
    """The version of the object after the action; null if it has no version."""
    request_id: str | None
    """The ID of the request that caused it, as in its header `X-Request-Id`; null for work without a request."""


class AuditTrailResponse(TypedDict):
    """A page of an audit trail, newest first."""

    items: list[AuditEntryResponse]
    """The items of this page, in the order of the list."""
    next_cursor: str | None
    """Send it as `cursor` to read the next page; null on the last page."""


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
