"""The `webhook_secrets` table: what centers sign with, sealed with each center's own key."""

import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from chalicelib.domain.events import spelled
from chalicelib.store.dynamo import Table
from chalicelib.store.instants import instant, parsed
from chalicelib.store.vault import Vault

SECRET_BYTES = 32
"""Length of a new secret. Source: Standard Webhooks 1.0 asks for 24 to 64 bytes."""

KEPT_S = 60
"""Seconds that secrets stay in memory; a new secret works everywhere after that."""


@dataclass(frozen=True, slots=True)
class _Secret:
    value: bytes
    expires_at: datetime | None


@dataclass(frozen=True, slots=True)
class WebhookSecrets:
    """Reads and makes the secrets of centers. Several live at once while one rotates."""

    table: Table
    vault: Vault
    _kept: dict[str, tuple[float, Sequence[_Secret]]] = field(default_factory=dict)

    def live(self, center_id: str, *, now: datetime) -> Sequence[bytes]:
        """The secrets that count now; none for a center that is not there."""
        kept = self._kept.get(center_id)
        if kept is None or time.monotonic() - kept[0] >= KEPT_S:
            kept = (time.monotonic(), self._read(center_id))
            # A stranger's made-up ids must not fill the memory.
            if kept[1]:
                self._kept[center_id] = kept
        return [s.value for s in kept[1] if s.expires_at is None or s.expires_at > now]

    def make(self, center_id: str, *, now: datetime) -> tuple[str, bytes]:
        """A new secret: its id and its value, which is not shown again."""
        secret_id = f"whk_{spelled(secrets.token_bytes(16))}"
        value = secrets.token_bytes(SECRET_BYTES)
        place = f"webhook_secret/{center_id}/{secret_id}"
        self.table.put(
            {
                "center_id": center_id,
                "secret_id": secret_id,
                "sealed": self.vault.seal(value, scope=center_id, place=place),
                "created_at": instant(now),
            }
        )
        self._kept.pop(center_id, None)
        return secret_id, value

    def _read(self, center_id: str) -> Sequence[_Secret]:
        rows = self.table.every("center_id = :center", {"center": center_id})
        return [
            _Secret(
                self.vault.open(
                    row["sealed"],
                    scope=center_id,
                    place=f"webhook_secret/{center_id}/{row['secret_id']}",
                ),
                parsed(row["expires_at"]) if "expires_at" in row else None,
            )
            for row in rows
        ]
