"""The body of a test event."""

from typing import Literal

from chalicelib.routes.platform import strict_json
from chalicelib.routes.platform.fields import StrictModel, Timestamp
from chalicelib.routes.platform.validation import validate_tolerantly
from chalicelib.services.webhooks.connection_checks import TEST_EVENT_TYPE


class ConnectionTestRequest(StrictModel):
    """The center's system tests its connection. The delivery is logged, and changes no referral."""

    type: Literal["test.sent"]
    """The type of the event; it decides the fields of `data`."""
    occurred_at: Timestamp | None = None
    """When the test was sent, with an offset (RFC 3339). It has no effect."""


def read_test_event(raw: bytes) -> tuple[str, ...] | None:
    """Validate a test event, and return JSON pointers to the members that have no meaning in it.

    None if the delivery is something else. `timestamp` is the sender's own, as in every delivery.

    Raises:
        MalformedError: it is no JSON, or the time of the test event is not a time.
    """
    value = strict_json.parse_json(raw)
    if not isinstance(value, dict) or value.get("type") != TEST_EVENT_TYPE:
        return None
    members = {name: part for name, part in value.items() if name != "timestamp"}
    _, ignored = validate_tolerantly(ConnectionTestRequest, members)
    return ignored
