"""The body of a test event."""

from typing import Any, Literal

from chalicelib.routes.platform.fields import StrictModel, Timestamp
from chalicelib.routes.platform.request import validate_tolerantly
from chalicelib.services.webhooks.connection_checks import TEST_EVENT_TYPE


class ConnectionTestRequest(StrictModel):
    """The center's system tests its connection. The delivery is logged, and changes no referral."""

    type: Literal["test.sent"]
    """The type of the event; it decides the fields of `data`."""
    occurred_at: Timestamp | None = None
    """When the test was sent, with an offset (RFC 3339). It has no effect."""


def is_test_event(value: Any) -> bool:
    """Whether the body of a delivery is a test event."""
    return isinstance(value, dict) and value.get("type") == TEST_EVENT_TYPE


def read_ignored_members(value: dict[str, Any]) -> tuple[str, ...]:
    """Validate a test event, and return JSON pointers to the members that have no meaning in it.

    `timestamp` is the sender's own, as in every delivery.

    Raises:
        MalformedError: its time is not a time.
    """
    members = {name: part for name, part in value.items() if name != "timestamp"}
    _, ignored = validate_tolerantly(ConnectionTestRequest, members)
    return ignored
