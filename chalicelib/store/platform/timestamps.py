"""Timestamps as text that sorts by time."""

from datetime import UTC, datetime


def to_timestamp(at: datetime) -> str:
    """Format a time so that text order is time order: UTC, microseconds, always the same length."""
    # Not `strftime`, which formats the year 999 with three digits.
    return at.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def from_timestamp(text: str) -> datetime:
    """Parse the result of `to_timestamp`."""
    return datetime.fromisoformat(text)
