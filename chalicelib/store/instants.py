"""Instants as sortable text."""

from datetime import UTC, datetime


def instant(at: datetime) -> str:
    """An instant as text that sorts as time does: UTC, microseconds, always the same length."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def parsed(text: str) -> datetime:
    """The inverse of `instant`."""
    return datetime.fromisoformat(text)
