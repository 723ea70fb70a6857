"""Commit several conditional writes in one DynamoDB transaction: all of them, or none.

    writer ── commit ──▶ DynamoDB          response                   meaning
                                           200                        all written
                                           a condition failed         none written; the error has
                                                                      each item that failed its
                                                                      conditional write
                                           conflict, throttle         none written; tried again
                                                                      with the same token
                                           no response                unknown; the client repeats
                                                                      with the same token, which
                                                                      DynamoDB runs only once

A response that never arrives ends in `UnavailableError`. When the caller repeats its request, its
own idempotency record already exists, which shows that the first try was written.

A stale read is found the same way. The optimistic services read, decide and commit with a condition
on the version that they read; `ConditionFailedError` means that another writer was faster.
"""

import random
import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from chalicelib.aws import ExpectedRefusalError, translate_aws_errors
from chalicelib.errors import UnavailableError
from chalicelib.store.platform.dynamo import Item, TransactionWrite, unmarshal
from chalicelib.store.platform.require_audit_row import require_audit_row

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

MAX_ATTEMPTS = 5
"""How often a transaction is tried when it conflicts with another one, about 20 ms to 300 ms apart."""

TOKEN_BYTES = 18
"""The random bytes of a client request token: 36 characters in hex, the most that DynamoDB accepts."""

_RETRYABLE = frozenset(
    {"ProvisionedThroughputExceeded", "RequestLimitExceeded", "ThrottlingError", "TransactionConflict"}
)


class ConditionFailedError(Exception):
    """A conditional write was refused. `items` maps each refused write to the item that already exists."""

    def __init__(self, items: Mapping[str, Item]) -> None:
        super().__init__(", ".join(items))
        self.items = items


@dataclass(frozen=True, slots=True)
class Transactions:
    """Commits transactions. `pause` waits for some seconds; tests pass one that does not wait."""

    client: Callable[[], "DynamoDBClient"]
    pause: Callable[[float], None] = time.sleep

    def commit(self, *writes: TransactionWrite) -> None:
        """Write all of `writes` or none.

        Raises:
            ConditionFailedError: a condition did not hold; nothing was written.
            UnavailableError: conflicts or throttling did not end, or no response arrived. Without
                a response, the writes may have been made. Only a repeat with the same idempotency
                record shows whether they were.
            MissingAuditRowError: a referral would change without an audit row about it.
        """
        require_audit_row(writes)
        self._commit_with_retries(writes)

    def _commit_with_retries(self, writes: Sequence[TransactionWrite]) -> None:
        # One token for all attempts: if the first one was made and its reply was lost, the next ones change nothing
        # and succeed, and do not fail at the conditions that the first one has changed.
        token = secrets.token_hex(TOKEN_BYTES)
        for attempt in range(MAX_ATTEMPTS):
            reasons = self._try_commit(writes, token)
            if reasons is None:
                return
            _raise_if_condition_failed(writes, reasons)
            # Full jitter: two writers that conflicted once must not retry at the same moment.
            self.pause(random.uniform(0, 0.02 * 2**attempt))  # noqa: S311 no secret depends on it
        raise UnavailableError("busy")

    def _try_commit(self, writes: Sequence[TransactionWrite], token: str) -> Sequence[Mapping[str, Any]] | None:
        """Return None when everything was written, else the reason for each write."""
        try:
            with translate_aws_errors({"TransactionCanceledException"}):
                self.client().transact_write_items(
                    ClientRequestToken=token,
                    TransactItems=[write.request for write in writes],  # type: ignore[misc]
                )
        except ExpectedRefusalError as e:
            reasons: Sequence[Mapping[str, Any]] = e.response["CancellationReasons"]
            return reasons
        return None


def _raise_if_condition_failed(writes: Sequence[TransactionWrite], reasons: Sequence[Mapping[str, Any]]) -> None:
    """Tell a failed condition from a conflict by the reason codes, never by the text of the message."""
    codes = {reason.get("Code", "None") for reason in reasons} - {"None"}
    if "ConditionalCheckFailed" in codes:
        raise ConditionFailedError(
            {
                write.name: unmarshal(reason.get("Item") or {})
                for write, reason in zip(writes, reasons, strict=True)
                if reason.get("Code") == "ConditionalCheckFailed"
            }
        )
    if not codes <= _RETRYABLE:
        raise RuntimeError(f"transaction refused: {', '.join(sorted(codes))}")
