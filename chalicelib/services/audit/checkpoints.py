"""Checkpoints: every five minutes, the rows of the audit trail are counted, and the count is out of reach.

A checkpoint is encrypted with a key that KMS protects, so write access to the table is not enough to create one.
The end of the checkpoints is in three other places: encrypted in another table, in the log, and in a bucket in
which nothing can be changed or deleted. See docs/decisions/0063-young-audit-rows.md.
"""

from base64 import b64encode
from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta
from typing import Any

from chalicelib.domain.audit.hash_chain import ChainHead, digest_hashes
from chalicelib.observe import log
from chalicelib.services.audit.sealed_values import seal_value
from chalicelib.services.platform.run_context import RunContext
from chalicelib.store.all_stores import Stores
from chalicelib.store.audit.rows import CHECKPOINTS
from chalicelib.store.platform.timestamps import from_timestamp, to_timestamp
from chalicelib.store.platform.transactions import ConditionFailedError

CHECKPOINT_GRACE = timedelta(minutes=5)
"""How long a checkpoint waits for rows that are being written. A row has the time at which its request or its run
began; a request takes 28 seconds and a run 4 minutes at most."""

ANCHOR = "checkpoints/head"
"""The context of the encrypted head of the checkpoints."""


def write_checkpoint(*, context: RunContext) -> int:
    """Count the rows since the last checkpoint, and save the count and where the checkpoints end now.

    Returns:
        How many rows were counted.

    Raises:
        UnavailableError: a service did not respond. The next run saves what is missing.
    """
    last = context.stores.audit_log.read_last_row(CHECKPOINTS)
    since = from_timestamp(str(last["upto"])) if last else None
    until = context.now - CHECKPOINT_GRACE
    if last is not None:
        # A run that crashed after its commit kept no head.
        context.stores.audit_heads.keep(ChainHead(last["seq"], last["hash"]), at=from_timestamp(str(last["at"])))
    if since is not None and until <= since:
        return 0
    start = since or until
    hashes = [str(row["hash"]) for row in list_rows_between(start, until, stores=context.stores)]
    count = {
        "since": to_timestamp(start),
        "upto": to_timestamp(until),
        "rows": len(hashes),
        "digest": digest_hashes(hashes),
    }
    ciphertext = b64encode(seal_value(count, CHECKPOINTS, stores=context.stores)).decode()
    checkpoint_write, head = context.stores.audit_log.prepare_checkpoint(at=until, ciphertext=ciphertext, count=count)
    anchor = seal_value(head._asdict(), ANCHOR, stores=context.stores)
    try:
        context.stores.transactions.commit(checkpoint_write, context.stores.audit_log.prepare_anchor(anchor))
    except ConditionFailedError:
        return 0  # Another run was faster, and counted the same rows.
    log.info("audit checkpoint", head=f"{head.seq}:{head.hash}", counts={"rows": len(hashes)})
    context.stores.audit_heads.keep(head, at=until)
    return len(hashes)


def list_rows_between(since: datetime, until: datetime, *, stores: Stores) -> Iterator[Mapping[str, Any]]:
    """The rows of a span of time, without the checkpoints themselves."""
    for day in list_days(since.date(), until.date()):
        # The index sorts a row of the last instant after it, so that row is not included.
        for row in stores.audit_log.list_rows_between(day, to_timestamp(since), to_timestamp(until)):
            if row["referral_id"] != CHECKPOINTS:
                yield row


def list_days(first: date, last: date) -> Iterator[date]:
    """The days from the first to the last one."""
    for ordinal in range(first.toordinal(), last.toordinal() + 1):
        yield date.fromordinal(ordinal)
