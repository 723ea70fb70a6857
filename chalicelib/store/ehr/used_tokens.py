"""Tokens of health record systems that were taken once, until they expire by themselves."""

from dataclasses import dataclass
from datetime import datetime

from chalicelib.store.platform.dynamo import DynamoTable, TransactionWrite
from chalicelib.store.webhooks.idempotency import hash_body


@dataclass(frozen=True, slots=True)
class UsedTokens:
    """Kept beside the Idempotency-Keys, whose rows DynamoDB too deletes when their time is over.

    A row is a hash: it says nothing about who asked for what.
    """

    table: DynamoTable

    def prepare_use(self, issuer: str, token_id: str, *, until: datetime, now: datetime) -> TransactionWrite:
        """The write that uses up a token; refused if it was used before."""
        return self.table.prepare_put(
            "token",
            {"scope_key": hash_body(f"token\x00{issuer}\x00{token_id}".encode()), "expires_at": int(until.timestamp())},
            when="attribute_not_exists(scope_key) OR expires_at < :now",
            values={"now": int(now.timestamp())},
        )
