"""Times as the API spells them."""

from datetime import UTC, datetime


def format_timestamp(at: datetime) -> str:
    """An instant, in UTC, to the second where it has no fraction."""
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")
