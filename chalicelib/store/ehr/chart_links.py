"""Entries of an eligibility check behind a single-use link, which a card in a health record shows.

A row can be read only with the link: its key and its encryption are derived from the link's token, which
is stored nowhere. The link itself has no health data.
"""

import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from secrets import token_bytes
from typing import Any

from chalicelib.store.platform.dynamo import DynamoTable
from chalicelib.store.platform.idempotency import hash_body

_NONCE_BYTES = 12


@dataclass(frozen=True, slots=True)
class ChartLinks:
    """Stores entries in the table `idempotency`, where DynamoDB also deletes expired rows."""

    table: DynamoTable

    def save(self, token: str, entries: Mapping[str, Any], *, until: datetime) -> None:
        """Store entries until `until`. Anyone who has the token can read them.

        Raises:
            ValueError: the token was used before.
        """
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415 adds 20 ms to a cold start

        key, nonce = _build_scope_key(token), token_bytes(_NONCE_BYTES)
        content = AESGCM(_derive_key(token)).encrypt(nonce, json.dumps(entries).encode(), key.encode())
        row = {"scope_key": key, "content": nonce + content, "expires_at": int(until.timestamp())}
        if not self.table.put(row, when="attribute_not_exists(scope_key)"):
            raise ValueError("a token for a link is random, so it is never there before")

    def take(self, token: str, *, now: datetime) -> Mapping[str, Any] | None:
        """Read entries, and remove them. None if the link was used, has expired, or never was.

        Of two calls at the same time only one gets them.
        """
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415 as in `save`

        key = _build_scope_key(token)
        row = self.table.get({"scope_key": key})
        if row is None or "content" not in row:
            return None
        # What is left says only that a link was used, until DynamoDB deletes it.
        used = {"scope_key": key, "expires_at": row["expires_at"]}
        is_first = self.table.put(
            used, when="attribute_exists(content) AND expires_at > :now", values={"now": int(now.timestamp())}
        )
        if not is_first:
            return None
        nonce, content = row["content"][:_NONCE_BYTES], row["content"][_NONCE_BYTES:]
        entries: Mapping[str, Any] = json.loads(AESGCM(_derive_key(token)).decrypt(nonce, content, key.encode()))
        return entries


def _build_scope_key(token: str) -> str:
    return hash_body(f"chart link\x00{token}".encode())


def _derive_key(token: str) -> bytes:
    return hmac.digest(token.encode(), b"chart link encryption", "sha256")
