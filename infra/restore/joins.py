"""Compares tables in bounded memory: keys of one table are kept in a temporary file and looked up from another."""

import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class JoinFile:
    """Keys by kind, each with a value, and whether the other table has them too."""

    connection: sqlite3.Connection

    def add(self, kind: str, key: str, value: str = "") -> None:
        """Add a key. A key that is there keeps its first value."""
        self.connection.execute("INSERT OR IGNORE INTO keys (kind, key, value) VALUES (?, ?, ?)", (kind, key, value))

    def raise_to(self, kind: str, key: str, value: str) -> None:
        """Add a key, or give it a higher value."""
        self.add(kind, key, value)
        self.connection.execute(
            "UPDATE keys SET value = ? WHERE kind = ? AND key = ? AND value < ?", (value, kind, key, value)
        )

    def see(self, kind: str, key: str) -> str | None:
        """Mark a key as found in the other table. Return its value; None if it was not added."""
        self.connection.execute("UPDATE keys SET seen = 1 WHERE kind = ? AND key = ?", (kind, key))
        return self.find(kind, key)

    def find(self, kind: str, key: str) -> str | None:
        """Return the value of a key; None if it was not added."""
        row = self.connection.execute("SELECT value FROM keys WHERE kind = ? AND key = ?", (kind, key)).fetchone()
        return str(row[0]) if row else None

    def list_unseen(self, kind: str) -> Iterator[tuple[str, str]]:
        """List the keys that the other table does not have, with their values."""
        yield from self.connection.execute(
            "SELECT key, value FROM keys WHERE kind = ? AND seen = 0 ORDER BY key", (kind,)
        )


@contextmanager
def open_join_file() -> Iterator[JoinFile]:
    """Open an empty file of keys, which is deleted at the end. It holds ids only."""
    with tempfile.TemporaryDirectory() as folder:
        connection = sqlite3.connect(f"{folder}/keys.db", isolation_level=None)
        connection.executescript(
            "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -20000;"
            "CREATE TABLE keys (kind TEXT, key TEXT, value TEXT, seen INTEGER DEFAULT 0, PRIMARY KEY (kind, key))"
            " WITHOUT ROWID"
        )
        try:
            yield JoinFile(connection)
        finally:
            connection.close()
