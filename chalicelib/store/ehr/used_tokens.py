"""Tokens of health record systems that were taken once, until they expire by themselves."""

from dataclasses import dataclass
from datetime import datetime

from chalicelib.store.platform.dynamo import Table, Write
from chalicelib.store.webhooks.idempotency import hashed


@dataclass(frozen=True, slots=True)
class UsedTokens:
    """Kept beside the Idempotency-Keys, whose rows DynamoDB too deletes when their time is over.

    A row is a hash: it says nothing about who asked for what.
    """

    table: Table

    def using(self, issuer: str, token_id: str, *, until: datetime, now: datetime) -> Write:
        """The write that uses up a token; refused if it was used before."""
        return self.table.putting(
            "token",
            {
                "scope_key": hashed(f"token\x00{issuer}\x00{token_id}".encode()),
                "expires_at": int(until.timestamp()),
            },
            when="attribute_not_exists(scope_key) OR expires_at < :now",
            values={"now": int(now.timestamp())},
        )
