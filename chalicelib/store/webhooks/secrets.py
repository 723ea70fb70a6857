"""The `webhook_secrets` table: the secrets with which centers sign, each encrypted with the center's own key.

The attribute `sealed` is the encrypted secret.
"""

import secrets
import time
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from chalicelib.domain.platform.ids import encode_id
from chalicelib.store.platform.dynamo import DynamoTable, Item, TransactionWrite
from chalicelib.store.platform.envelope_encryption import EnvelopeEncryption
from chalicelib.store.platform.timestamps import from_timestamp, to_timestamp

SECRET_BYTES = 32
"""Length of a new secret. Source: Standard Webhooks 1.0 requires 24 to 64 bytes."""

CACHE_S = 60
"""Seconds that secrets stay in memory. After that, a new secret works everywhere. A signature that a secret in
memory proves is checked once more with what the table has, so a revoked secret never works."""

OVERLAP = timedelta(hours=24)
"""How long an earlier secret stays valid after a new one is created. Source: the API contract."""


USE_RECORDED_EVERY = timedelta(hours=1)
"""How precisely the last use of a secret is recorded: each secret causes at most one small write in this time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewSecret:
    """A secret that will be stored with `writes`. It can be shown only now."""

    secret_id: str
    value: bytes
    writes: Sequence[TransactionWrite]

    @property
    def whsec_text(self) -> str:
        """The secret in the format of Standard Webhooks."""
        return f"whsec_{b64encode(self.value).decode()}"


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretEntry:
    """A secret without its value."""

    secret_id: str
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None


@dataclass(frozen=True, slots=True)
class _Secret:
    secret_id: str
    value: bytes
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None

    def is_valid(self, now: datetime) -> bool:
        return self.expires_at is None or self.expires_at > now


@dataclass(frozen=True, slots=True)
class WebhookSecrets:
    """Reads and creates the secrets of centers. During a rotation, several secrets are valid at once."""

    table: DynamoTable
    encryption: EnvelopeEncryption
    _cache: dict[str, tuple[float, Sequence[_Secret]]] = field(default_factory=dict)

    def list_valid(self, center_id: str, *, now: datetime, fresh: bool = False) -> Sequence[bytes]:
        """List the secrets that are valid now; none for a center that does not exist.

        Args:
            center_id: Whose secrets.
            now: The time.
            fresh: Read them even if they are in memory. A secret that was revoked is then refused at once.
        """
        return [secret.value for secret in self._load(center_id, fresh=fresh) if secret.is_valid(now)]

    def is_in_memory(self, center_id: str) -> bool:
        """Whether the secrets of a center are in memory, so that `list_valid` need not read them."""
        cached = self._cache.get(center_id)
        return cached is not None and time.monotonic() - cached[0] < CACHE_S

    def list_without_recent_use(self, center_id: str, *, now: datetime) -> Mapping[str, bytes]:
        """List the valid secrets, by id, whose last recorded use is older than `USE_RECORDED_EVERY`."""
        latest = now - USE_RECORDED_EVERY
        return {
            secret.secret_id: secret.value
            for secret in self._load(center_id, fresh=False)
            if secret.is_valid(now) and (secret.last_used_at is None or secret.last_used_at <= latest)
        }

    def record_use(self, center_id: str, secret_id: str, *, now: datetime) -> None:
        """Store that a delivery was signed with a secret, unless another delivery just did, or the secret is gone."""
        self.table.update(
            {"center_id": center_id, "secret_id": secret_id},
            "SET last_used_at = :now",
            when="attribute_exists(center_id) AND (attribute_not_exists(last_used_at) OR last_used_at <= :latest)",
            values={"now": to_timestamp(now), "latest": to_timestamp(now - USE_RECORDED_EVERY)},
        )
        # The next delivery must neither try the same write again nor read the secrets again.
        if center_id in self._cache:
            read_at, cached = self._cache[center_id]
            used = [replace(each, last_used_at=now) if each.secret_id == secret_id else each for each in cached]
            self._cache[center_id] = (read_at, used)

    def find_newest(self, center_id: str, *, now: datetime) -> bytes | None:
        """Find the newest secret that is valid now, with which the center's system should sign."""
        valid = [each for each in self._read_secrets(center_id) if each.is_valid(now)]
        newest = max(valid, key=lambda secret: secret.created_at, default=None)
        return newest.value if newest else None

    def list_all(self, center_id: str) -> Sequence[SecretEntry]:
        """List every secret of a center without its value, oldest first."""
        rows = self.table.query_all("center_id = :center", {"center": center_id})
        entries = [
            SecretEntry(
                secret_id=row["secret_id"],
                created_at=from_timestamp(row["created_at"]),
                expires_at=_read_time(row, "expires_at"),
                last_used_at=_read_time(row, "last_used_at"),
            )
            for row in rows
        ]
        return sorted(entries, key=lambda entry: (entry.created_at, entry.secret_id))

    def prepare_rotate(self, center_id: str, *, now: datetime, overlap: timedelta = OVERLAP) -> "NewSecret":
        """Create a secret, and build the writes that store it and end the earlier ones.

        Args:
            center_id: Whose secret.
            now: The time.
            overlap: How long the earlier secrets stay valid, if they do not end before. None of them after zero.
        """
        secret_id = f"whk_{encode_id(secrets.token_bytes(16))}"
        value = secrets.token_bytes(SECRET_BYTES)
        item = {
            "center_id": center_id,
            "secret_id": secret_id,
            "sealed": self.encryption.encrypt(
                value, scope=center_id, context=_build_encryption_context(center_id, secret_id)
            ),
            "created_at": to_timestamp(now),
        }
        store_write = self.table.prepare_put("secret", item, when="attribute_not_exists(center_id)")
        end = now + overlap
        end_writes = [
            self.table.prepare_update(
                "earlier secret",
                {"center_id": center_id, "secret_id": earlier.secret_id},
                "SET expires_at = :end",
                when="attribute_exists(center_id) AND (attribute_not_exists(expires_at) OR expires_at > :end)",
                values={"end": to_timestamp(end)},
            )
            for earlier in self.list_all(center_id)
            if earlier.expires_at is None or earlier.expires_at > end
        ]
        return NewSecret(secret_id=secret_id, value=value, writes=(store_write, *end_writes))

    def clear_cache(self, center_id: str) -> None:
        """Make the next delivery read a center's secrets from the table."""
        self._cache.pop(center_id, None)

    def _load(self, center_id: str, *, fresh: bool) -> Sequence[_Secret]:
        cached = self._cache.get(center_id)
        if cached is None or fresh or not self.is_in_memory(center_id):
            cached = (time.monotonic(), self._read_secrets(center_id))
            # Invented ids must not fill the memory.
            if cached[1]:
                self._cache[center_id] = cached
        return cached[1]

    def _read_secrets(self, center_id: str) -> Sequence[_Secret]:
        rows = self.table.query_all("center_id = :center", {"center": center_id})
        return [
            _Secret(
                row["secret_id"],
                self.encryption.decrypt(
                    row["sealed"], scope=center_id, context=_build_encryption_context(center_id, row["secret_id"])
                ),
                from_timestamp(row["created_at"]),
                _read_time(row, "expires_at"),
                _read_time(row, "last_used_at"),
            )
            for row in rows
        ]


def _read_time(row: Item, name: str) -> datetime | None:
    return from_timestamp(row[name]) if name in row else None


def _build_encryption_context(center_id: str, secret_id: str) -> str:
    return f"webhook_secret/{center_id}/{secret_id}"
