"""The `webhook_secrets` table: what centers sign with, sealed with each center's own key."""

import secrets
import time
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from chalicelib.domain.referrals.events import spelled
from chalicelib.store.platform.dynamo import Table, Write
from chalicelib.store.platform.envelope_encryption import Vault
from chalicelib.store.platform.timestamps import instant, parsed

SECRET_BYTES = 32
"""Length of a new secret. Source: Standard Webhooks 1.0 asks for 24 to 64 bytes."""

KEPT_S = 60
"""Seconds that secrets stay in memory; a new secret works everywhere after that."""


OVERLAP = timedelta(hours=24)
"""How long an earlier secret lives on beside a new one. Source: the API contract."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewSecret:
    """A secret that is about to be stored, and the only chance to show it."""

    secret_id: str
    value: bytes
    writes: Sequence[Write]

    @property
    def text(self) -> str:
        """The secret as Standard Webhooks spells it."""
        return f"whsec_{b64encode(self.value).decode()}"


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

    def making(self, center_id: str, *, now: datetime) -> "NewSecret":
        """A new secret, and the writes that store it and end the ones before it after a day."""
        secret_id = f"whk_{spelled(secrets.token_bytes(16))}"
        value = secrets.token_bytes(SECRET_BYTES)
        item = {
            "center_id": center_id,
            "secret_id": secret_id,
            "sealed": self.vault.seal(value, scope=center_id, place=_place(center_id, secret_id)),
            "created_at": instant(now),
        }
        storing = self.table.putting("secret", item, when="attribute_not_exists(center_id)")
        ending = [
            self.table.updating(
                "earlier secret",
                {"center_id": center_id, "secret_id": earlier},
                "SET expires_at = if_not_exists(expires_at, :end)",
                when="attribute_exists(center_id)",
                values={"end": instant(now + OVERLAP)},
            )
            for earlier in self._ids(center_id)
        ]
        return NewSecret(secret_id=secret_id, value=value, writes=(storing, *ending))

    def forget(self, center_id: str) -> None:
        """Read a center's secrets anew at the next delivery."""
        self._kept.pop(center_id, None)

    def _ids(self, center_id: str) -> Sequence[str]:
        rows = self.table.every("center_id = :center", {"center": center_id})
        return [row["secret_id"] for row in rows if "expires_at" not in row]

    def _read(self, center_id: str) -> Sequence[_Secret]:
        rows = self.table.every("center_id = :center", {"center": center_id})
        return [
            _Secret(
                self.vault.open(
                    row["sealed"],
                    scope=center_id,
                    place=_place(center_id, row["secret_id"]),
                ),
                parsed(row["expires_at"]) if "expires_at" in row else None,
            )
            for row in rows
        ]


def _place(center_id: str, secret_id: str) -> str:
    return f"webhook_secret/{center_id}/{secret_id}"
