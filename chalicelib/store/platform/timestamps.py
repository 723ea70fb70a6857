"""Instants as sortable text."""

from datetime import UTC, datetime


def to_timestamp(at: datetime) -> str:
    """An instant as text that sorts as time does: UTC, microseconds, always the same length."""
    # Not `strftime`, which spells the year 999 with three digits.
    return at.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def from_timestamp(text: str) -> datetime:
    """The inverse of `instant`."""
    return datetime.fromisoformat(text)
