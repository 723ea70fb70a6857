"""How far the rotating verification of the audit trail is: one row of the `jobs` table, sealed by the service."""

from dataclasses import dataclass

from chalicelib.store.platform.dynamo import DynamoTable

_KEY = {"job": "audit_rotation"}
"""The key of the row. No scheduled job has this name."""


@dataclass(frozen=True, slots=True)
class AuditRotationRow:
    """Stores one encrypted value."""

    table: DynamoTable

    def read(self) -> bytes | None:
        """Read what was saved last, strongly consistent."""
        row = self.table.get(_KEY)
        ciphertext: bytes | None = row["sealed"] if row else None
        return ciphertext

    def save(self, ciphertext: bytes) -> None:
        """Save a value in place of the last one."""
        self.table.put({**_KEY, "sealed": ciphertext})
