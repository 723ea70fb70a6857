"""The audit trail: read it, count its rows with checkpoints, and verify it.

A chain shows an edit, an insertion, a swap or a gap. Two other places show that the last rows are
missing: the referral keeps the head of the chain of its writes, and a checkpoint has counted every row of
its time. A checkpoint is encrypted with a key that KMS protects, so write access to the table is not
enough to create one. The head of the checkpoints is kept in another table, also encrypted, and in the
log. See docs/decisions/0018-audit-trail.md.
"""

import json
from base64 import b64decode, b64encode
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any

from chalicelib.domain.audit.hash_chain import (
    EMPTY_CHAIN,
    ChainBreak,
    ChainHead,
    digest_hashes,
    find_breaks,
    has_count_mismatch,
)
from chalicelib.domain.identity.members import Member, TenantKind
from chalicelib.errors import ForbiddenError, NotFoundError
from chalicelib.observe import log
from chalicelib.services.platform.run_context import RunContext
from chalicelib.store.all_stores import Stores
from chalicelib.store.audit.rows import CHECKPOINTS, AuditEntry, is_in_right_place, to_chained_row
from chalicelib.store.platform.timestamps import from_timestamp, to_timestamp
from chalicelib.store.platform.transactions import ConditionFailedError

CHECKPOINT_GRACE = timedelta(minutes=10)
"""How long a checkpoint waits for rows that are being written; a request takes 30 seconds at most."""

RESTORE_LOST_ROWS = "rows_lost"
"""The outcome in the audit row of a repair that follows a gap: `referrals restore repair` wrote it."""

_ENCRYPTION_SCOPE = "service"
_ANCHOR = "checkpoints/head"


@dataclass(slots=True)
class AuditVerification:
    """What a verification checked, and the errors that it found."""

    chains: int = 0
    rows: int = 0
    checkpoints: int = 0
    breaks: list[ChainBreak] = field(default_factory=list)


def read_audit_trail(referral_id: str, *, by: Member, context: RunContext) -> Sequence[Mapping[str, Any]]:
    """Read who read or wrote a referral, latest first, for an administrator of either tenant.

    Raises:
        ForbiddenError: only an administrator can see it.
        NotFoundError: no such referral, or another tenant's.
    """
    if not by.is_admin:
        raise ForbiddenError("admin_only", "Only an administrator can see the audit trail.")
    referral = context.stores.referrals.get(referral_id)
    if referral is None or not by.can_see(referral):
        raise NotFoundError
    entry = AuditEntry(
        referral_id=referral_id,
        at=context.now,
        actor_id=by.member_id,
        tenant_id=by.tenant_id,
        action="referral.read_audit",
    )
    context.stores.audit_log.append(entry)
    rows = [row for chain in list_chains(referral_id) for row in context.stores.audit_log.list_chained_rows(chain)]
    return sorted(rows, key=lambda row: str(row["at"]), reverse=True)


def list_chains(referral_id: str) -> tuple[str, str]:
    """The chain of a referral's writes, and the chain of its reads and refusals."""
    return referral_id, f"{referral_id}/reads"


def write_checkpoint(*, context: RunContext) -> int:
    """Count the rows since the last checkpoint and save the count, encrypted. Returns how many."""
    since = _get_last_checkpoint_end(context.stores)
    until = context.now - CHECKPOINT_GRACE
    if since is not None and until <= since:
        return 0
    start = since or until
    hashes = [str(row["hash"]) for row in _list_rows_between(start, until, stores=context.stores)]
    count = {
        "since": to_timestamp(start),
        "upto": to_timestamp(until),
        "rows": len(hashes),
        "digest": digest_hashes(hashes),
    }
    ciphertext = b64encode(_encrypt_count(count, CHECKPOINTS, stores=context.stores)).decode()
    checkpoint_write, head = context.stores.audit_log.prepare_checkpoint(at=until, ciphertext=ciphertext, count=count)
    anchor = _encrypt_count(head._asdict(), _ANCHOR, stores=context.stores)
    try:
        context.stores.transactions.commit(checkpoint_write, context.stores.audit_log.prepare_anchor(anchor))
    except ConditionFailedError:
        return 0  # Another run was faster, and counted the same rows.
    # The log is the only place that a person with write access to the tables cannot change.
    log.info("audit checkpoint", head=f"{head.seq}:{head.hash}", counts={"rows": len(hashes)})
    return len(hashes)


def verify_audit_trail(*, context: RunContext, first_day: date) -> AuditVerification:
    """Check every chain and every checkpoint since `first_day`."""
    result = AuditVerification()
    chains = _list_chains_between(first_day, context.now.date(), stores=context.stores) | _list_write_chains(
        context.stores
    )
    for chain in sorted(chains):
        rows = list(context.stores.audit_log.list_stored_rows(chain))
        result.chains += 1
        result.rows += len(rows)
        head = _get_expected_head(chain, stores=context.stores)
        result.breaks += _explain_restores(find_breaks(chain, map(to_chained_row, rows), head=head), rows)
        result.breaks += [
            ChainBreak(chain, place, "is stored in the wrong place")
            for place, row in enumerate(rows, start=1)
            if not is_in_right_place(row)
        ]
    result.checkpoints, checkpoint_breaks = _recount_checkpoints(context.stores)
    result.breaks += checkpoint_breaks
    return result


def _explain_restores(breaks: Sequence[ChainBreak], rows: Sequence[Mapping[str, Any]]) -> Iterator[ChainBreak]:
    """Name the breaks where a restore lost rows. The row of its repair follows the gap and says when it was made."""
    repairs = {row["seq"]: row for row in rows if row.get("outcome") == RESTORE_LOST_ROWS}
    for each in breaks:
        repair = repairs.get(each.seq)
        is_gap = repair is not None and each.problem == "the previous row is missing, or this row was inserted"
        yield (
            replace(each, problem=f"rows before it were lost in a restore, repaired {repair['at']}")
            if (repair and is_gap)
            else each
        )


def _recount_checkpoints(stores: Stores) -> tuple[int, list[ChainBreak]]:
    """Count the checkpoints, and find errors in them and in what they counted."""
    rows = list(stores.audit_log.list_chained_rows(CHECKPOINTS))
    breaks: list[ChainBreak] = []
    until: str | None = None
    for place, row in enumerate(rows, start=1):
        count = _decrypt_count(row.get("sealed"), CHECKPOINTS, stores=stores)
        if count is None:
            breaks.append(ChainBreak(CHECKPOINTS, place, "was not encrypted by this product"))
            continue
        if until not in (None, count["since"]):
            breaks.append(ChainBreak(CHECKPOINTS, place, "the checkpoint before it is missing"))
        until = count["upto"]
        rows_between = _list_rows_between(from_timestamp(count["since"]), from_timestamp(until), stores=stores)
        if has_count_mismatch([str(each.get("hash")) for each in rows_between], count["rows"], count["digest"]):
            breaks.append(ChainBreak(CHECKPOINTS, place, "the rows of its time differ from its count"))
    return len(rows), breaks


def _encrypt_count(count: Mapping[str, Any], context: str, *, stores: Stores) -> bytes:
    return stores.encryption.encrypt(json.dumps(count).encode(), scope=_ENCRYPTION_SCOPE, context=context)


def _decrypt_count(ciphertext: object, context: str, *, stores: Stores) -> Any:
    """Decrypt what `_encrypt_count` encrypted, from bytes or base64; None if it cannot be decrypted."""
    # A cold start does not need cryptography, so it is imported only here.
    from cryptography.exceptions import InvalidTag  # noqa: PLC0415

    try:
        raw = ciphertext if isinstance(ciphertext, bytes) else b64decode(str(ciphertext))
        return json.loads(stores.encryption.decrypt(raw, scope=_ENCRYPTION_SCOPE, context=context))
    except (InvalidTag, ValueError):
        return None


def _list_rows_between(since: datetime, until: datetime, *, stores: Stores) -> Iterator[Mapping[str, Any]]:
    """The rows of a span of time, without the checkpoints themselves."""
    for day in _list_days(since.date(), until.date()):
        # The index sorts a row of the last instant after it, so that row is not included.
        for row in stores.audit_log.list_rows_between(day, to_timestamp(since), to_timestamp(until)):
            if row["referral_id"] != CHECKPOINTS:
                yield row


def _list_chains_between(first: date, last: date, *, stores: Stores) -> set[str]:
    found = {
        str(row["referral_id"]) for day in _list_days(first, last) for row in stores.audit_log.list_rows_of_day(day)
    }
    return found | {CHECKPOINTS}


def _list_days(first: date, last: date) -> Iterator[date]:
    for ordinal in range(first.toordinal(), last.toordinal() + 1):
        yield date.fromordinal(ordinal)


def _list_write_chains(stores: Stores) -> set[str]:
    """The chain of every referral, because a deleted chain is in no index."""
    practices = stores.tenants.list_by_kind(TenantKind.PRACTICE)
    return {
        referral_id
        for practice in practices
        for referral_id in stores.referrals.list_ids_for_practice(practice.tenant_id)
    }


def _get_expected_head(chain: str, *, stores: Stores) -> ChainHead | None:
    """Where a chain must end, according to the referral or the anchor."""
    if chain == CHECKPOINTS:
        ciphertext = stores.audit_log.read_anchor()
        anchor = _decrypt_count(ciphertext, _ANCHOR, stores=stores) if ciphertext else {}
        return EMPTY_CHAIN if anchor is None else ChainHead(**anchor)
    if not chain.startswith("ref_") or "/" in chain:
        return None
    referral = stores.referrals.get(chain)
    return referral.audit_chain_head if referral else None


def _get_last_checkpoint_end(stores: Stores) -> datetime | None:
    row = stores.audit_log.read_last_row(CHECKPOINTS)
    return from_timestamp(str(row["upto"])) if row else None
