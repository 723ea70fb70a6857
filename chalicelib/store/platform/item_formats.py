"""Which release can read an item, so that an older release never damages what a newer one wrote.

After a rollback, and while a deployment shifts traffic, an older release reads items of a newer one.

| what the newer release changed | what the older release does |
|---|---|
| an attribute, or a member of a stored value, is new and optional | reads the item, and writes the new part as it was |
| the meaning or form of what the older release reads | refuses the item with 503, and never writes it |

The newer release marks an item of the second kind with `stamp_format`: the number of its format, and which release
wrote it. An item without a number has format 1. Numbers of a table count up over all kinds of its items. Raise the
number of a table in `FORMATS`, and stamp the kinds of items that changed. `docs/storage.md` has the steps.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from chalicelib.errors import StoredItemError
from chalicelib.version import VERSION

FORMATS: Mapping[str, int] = {"referrals": 1}
"""The newest format that this release reads, by table; 1 for all others."""


class NewerItemError(StoredItemError):
    """A newer release wrote this item, in a format that this release cannot read. Nothing was written.

    Its text is for operators: a table and a release, no keys.
    """

    def __init__(self, *, table: str, number: int, newest_format: int, written_by: str) -> None:
        """Name the release that can read the item."""
        super().__init__(
            "newer_release",
            "This was saved by a newer version of the dashboard than the one that is running. Nothing was changed. "
            "Try again in a minute; it is safe to repeat.",
        )
        self.written_by = written_by
        self._text = (
            f"release {written_by} wrote an item of {table} in format {number}; "
            f"release {VERSION} reads up to format {newest_format}"
        )

    def __str__(self) -> str:
        """Say which release wrote the item."""
        return self._text


class UnreadableItemError(StoredItemError):
    """A stored item lacks something that this release needs, or has a value that it does not know.

    A newer release wrote it without raising the number of its format, or it is damaged. It is never treated as absent.
    """

    def __init__(self, kind: str, cause: Exception) -> None:
        """Name the kind of item and the kind of error. The text of the cause may quote health data."""
        super().__init__(
            "unreadable",
            "This cannot be read right now. Nothing was changed. Ask support if it happens again.",
        )
        self._text = f"a stored {kind} cannot be read by release {VERSION} ({type(cause).__name__})"

    def __str__(self) -> str:
        """Say what cannot be read, without its content."""
        return self._text


def stamp_format(number: int) -> dict[str, Any]:
    """Build the attributes of an item that older releases must not read."""
    return {"schema": number, "written_by": VERSION}


def refuse_newer(item: Mapping[str, Any], *, newest_format: int, table: str) -> None:
    """Refuse an item of a format that this release does not know.

    Raises:
        NewerItemError: its number is above `newest_format`.
    """
    number = item.get("schema", 1)
    if number > newest_format:
        written_by = str(item.get("written_by", "unknown"))
        raise NewerItemError(table=table, number=number, newest_format=newest_format, written_by=written_by)


@contextmanager
def refuse_unreadable(kind: str) -> Iterator[None]:
    """Turn the errors of reading one item into a refusal that names its kind.

    Raises:
        UnreadableItemError: an attribute is missing, or a value is unknown.
    """
    try:
        yield
    except (AttributeError, KeyError, LookupError, TypeError, ValueError) as error:
        raise UnreadableItemError(kind, error) from error
