"""Several writes as one: all of them, or none.

    writer ── commit ──▶ DynamoDB          what comes back            what it means
                                           200                        all written
                                           a condition failed         none written; which, and
                                                                      the item in the way
                                           conflict, throttle         none written; tried again
                                           no answer                  unknown: the client repeats
                                                                      with the same token, which
                                                                      DynamoDB runs once

A reply lost for good ends in `UnavailableError`. The caller's repeat then finds its own
deduplication row in the way and learns that the first try was written.
"""

import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from chalicelib.aws import translate_aws_errors
from chalicelib.errors import UnavailableError
from chalicelib.store.platform.dynamo import Item, TransactionWrite, unmarshal
from chalicelib.store.platform.require_audit_row import require_audit_row

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

MAX_ATTEMPTS = 5
"""How often a transaction that met another one is tried, some 20 ms to 300 ms apart."""

_RETRYABLE = frozenset(
    {"ProvisionedThroughputExceeded", "RequestLimitExceeded", "ThrottlingError", "TransactionConflict"}
)


class ConditionFailedError(Exception):
    """The transaction was refused. `items` has the item in the way of each refused write."""

    def __init__(self, items: Mapping[str, Item]) -> None:
        super().__init__(", ".join(items))
        self.items = items


@dataclass(frozen=True, slots=True)
class Transactions:
    """Commits transactions. `pause` waits some seconds; tests hand in one that does not."""

    client: Callable[[], "DynamoDBClient"]
    pause: Callable[[float], None] = time.sleep

    def commit(self, *writes: TransactionWrite) -> None:
        """Write all of `writes` or none.

        Raises:
            ConditionFailed: a condition did not hold; nothing was written.
            UnavailableError: conflicts or throttles did not end, or no answer came. In the
                last case it may have been written: only a repeat with the same deduplication
                row tells.
            UnauditedError: a referral would change and no row of its audit trail say so.
        """
        require_audit_row(writes)
        self._commit_with_retries(writes)

    def _commit_with_retries(self, writes: Sequence[TransactionWrite]) -> None:
        for attempt in range(MAX_ATTEMPTS):
            reasons = self._try_commit(writes)
            if reasons is None:
                return
            _raise_if_condition_failed(writes, reasons)
            # Full jitter: two writers that met once must not meet again in step.
            self.pause(random.uniform(0, 0.02 * 2**attempt))  # noqa: S311 no secret hangs on it
        raise UnavailableError("busy")

    def _try_commit(self, writes: Sequence[TransactionWrite]) -> Sequence[Mapping[str, Any]] | None:
        """None when written, else why each write was refused."""
        client = self.client()
        try:
            with translate_aws_errors():
                client.transact_write_items(
                    TransactItems=[write.request for write in writes]  # type: ignore[misc]
                )
        except client.exceptions.TransactionCanceledException as e:
            reasons: Sequence[Mapping[str, Any]] = e.response["CancellationReasons"]
            return reasons
        return None


def _raise_if_condition_failed(writes: Sequence[TransactionWrite], reasons: Sequence[Mapping[str, Any]]) -> None:
    """Tell a refusal from bad luck by the reason codes, never by the message's text."""
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
