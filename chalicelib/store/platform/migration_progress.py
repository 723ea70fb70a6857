"""How far `referrals migrate` came, in the `jobs` table, so that a run that was stopped goes on where it ended."""

from dataclasses import dataclass

from chalicelib.store.platform.dynamo import DynamoTable

_KEY = {"job": "migrate"}


@dataclass(frozen=True, slots=True)
class MigrationProgress:
    """The last practice that a run of a release finished. There is one row."""

    table: DynamoTable

    def get_last_practice(self, release: str) -> str:
        """Read the id of the last practice that a stopped run finished; empty if a run must begin at the first."""
        row = self.table.get(_KEY) or {}
        return str(row["practice_id"]) if row.get("release") == release and "practice_id" in row else ""

    def record_practice(self, practice_id: str, *, release: str) -> None:
        """Record that a run finished a practice and all before it."""
        self.table.put({**_KEY, "release": release, "practice_id": practice_id})

    def record_end(self, *, release: str) -> None:
        """Record that a run finished the last practice, so that the next run begins at the first."""
        self.table.put({**_KEY, "release": release})
