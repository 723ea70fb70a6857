"""Times as the API writes them."""

from datetime import UTC, datetime


def format_timestamp(at: datetime) -> str:
    """Format an instant in UTC, to the second if it has no fraction."""
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")
