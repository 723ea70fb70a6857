"""Tokens of health record systems that were used once. A row stays until the token expires."""

from dataclasses import dataclass
from datetime import datetime

from chalicelib.store.platform.dynamo import DynamoTable, TransactionWrite
from chalicelib.store.platform.idempotency import hash_body


@dataclass(frozen=True, slots=True)
class UsedTokens:
    """Stores used tokens in the table `idempotency`, where DynamoDB also deletes expired rows.

    A row is a hash. It does not reveal who asked for what.
    """

    table: DynamoTable

    def prepare_use(self, issuer: str, token_id: str, *, until: datetime, now: datetime) -> TransactionWrite:
        """Build the conditional write that uses up a token. It fails if the token was used before."""
        return self.table.prepare_put(
            "token",
            {"scope_key": hash_body(f"token\x00{issuer}\x00{token_id}".encode()), "expires_at": int(until.timestamp())},
            when="attribute_not_exists(scope_key) OR expires_at < :now",
            values={"now": int(now.timestamp())},
        )
