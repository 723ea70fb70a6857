"""The audit trail: read, counted by checkpoints, and verified.

A chain shows an edit, an insertion, a swap or a gap. That its last rows are missing shows in two
other places: the head of a referral's writes stands in the referral itself, and a checkpoint
has counted every row of its time. A checkpoint is sealed with a key that KMS guards, so that
whoever may write the table cannot make one; where the checkpoints end is kept, sealed too, in
another table, and said in the log. See docs/decisions/0018-audit-trail.md.
"""

import json
from base64 import b64decode, b64encode
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
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
"""How long a checkpoint leaves to rows that are under way; a request lives 30 seconds."""

_ENCRYPTION_SCOPE = "service"
_ANCHOR = "checkpoints/head"


@dataclass(slots=True)
class AuditVerification:
    """What a verification looked at, and what it found wrong."""

    chains: int = 0
    rows: int = 0
    checkpoints: int = 0
    breaks: list[ChainBreak] = field(default_factory=list)


def read_audit_trail(referral_id: str, *, by: Member, context: RunContext) -> Sequence[Mapping[str, Any]]:
    """Who read or wrote a referral, latest first, for an administrator of either side.

    Raises:
        ForbiddenError: only administrators read it.
        NotFoundError: no such referral, or another tenant's.
    """
    if not by.is_admin:
        raise ForbiddenError("admin_only", "Only an administrator reads the audit trail.")
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
    """The chain of a referral's writes, and that of its reads and refusals."""
    return referral_id, f"{referral_id}/reads"


def write_checkpoint(*, context: RunContext) -> int:
    """Count the rows since the last checkpoint and seal the count. Returns how many."""
    since = _get_last_checkpoint_end(context.stores)
    upto = context.now - CHECKPOINT_GRACE
    if since is not None and upto <= since:
        return 0
    begins = since or upto
    hashes = [str(row["hash"]) for row in _list_rows_between(begins, upto, stores=context.stores)]
    count = {
        "since": to_timestamp(begins),
        "upto": to_timestamp(upto),
        "rows": len(hashes),
        "digest": digest_hashes(hashes),
    }
    sealed = b64encode(_encrypt_count(count, CHECKPOINTS, stores=context.stores)).decode()
    checkpointing, head = context.stores.audit_log.prepare_checkpoint(at=upto, ciphertext=sealed, count=count)
    anchor = _encrypt_count(head._asdict(), _ANCHOR, stores=context.stores)
    try:
        context.stores.transactions.commit(checkpointing, context.stores.audit_log.prepare_anchor(anchor))
    except ConditionFailedError:
        return 0  # Another run was quicker, and counted the same.
    # The log is the one place that nobody who may write tables can change.
    log.info("audit checkpoint", head=f"{head.seq}:{head.hash}", counts={"rows": len(hashes)})
    return len(hashes)


def verify_audit_trail(*, context: RunContext, first_day: date) -> AuditVerification:
    """Look at every chain and every checkpoint since `first_day`."""
    found = AuditVerification()
    chains = _list_chains_between(first_day, context.now.date(), stores=context.stores) | _list_write_chains(
        context.stores
    )
    for chain in sorted(chains):
        rows = list(context.stores.audit_log.list_stored_rows(chain))
        found.chains += 1
        found.rows += len(rows)
        head = _get_expected_head(chain, stores=context.stores)
        found.breaks += find_breaks(chain, map(to_chained_row, rows), head=head)
        found.breaks += [
            ChainBreak(chain, place, "does not stand where it belongs")
            for place, row in enumerate(rows, start=1)
            if not is_in_right_place(row)
        ]
    found.checkpoints, wrong = _recount_checkpoints(context.stores)
    found.breaks += wrong
    return found


def _recount_checkpoints(stores: Stores) -> tuple[int, list[ChainBreak]]:
    """How many checkpoints there are, and what is wrong with what they counted, or with them."""
    rows = list(stores.audit_log.list_chained_rows(CHECKPOINTS))
    wrong: list[ChainBreak] = []
    until: str | None = None
    for place, row in enumerate(rows, start=1):
        count = _decrypt_count(row.get("sealed"), CHECKPOINTS, stores=stores)
        if count is None:
            wrong.append(ChainBreak(CHECKPOINTS, place, "not sealed by us"))
            continue
        if until not in (None, count["since"]):
            wrong.append(ChainBreak(CHECKPOINTS, place, "a checkpoint before it is missing"))
        until = count["upto"]
        span = _list_rows_between(from_timestamp(count["since"]), from_timestamp(until), stores=stores)
        if has_count_mismatch([str(each.get("hash")) for each in span], count["rows"], count["digest"]):
            wrong.append(ChainBreak(CHECKPOINTS, place, "the rows of its time are not what it counted"))
    return len(rows), wrong


def _encrypt_count(count: Mapping[str, Any], context: str, *, stores: Stores) -> bytes:
    return stores.encryption.encrypt(json.dumps(count).encode(), scope=_ENCRYPTION_SCOPE, context=context)


def _decrypt_count(ciphertext: object, context: str, *, stores: Stores) -> Any:
    """What `_sealed` was given, from bytes or their base64; None if it was not."""
    # cryptography is loaded with the vault; named here only where it is needed.
    from cryptography.exceptions import InvalidTag  # noqa: PLC0415

    try:
        raw = ciphertext if isinstance(ciphertext, bytes) else b64decode(str(ciphertext))
        return json.loads(stores.encryption.decrypt(raw, scope=_ENCRYPTION_SCOPE, context=context))
    except (InvalidTag, ValueError):
        return None


def _list_rows_between(since: datetime, until: datetime, *, stores: Stores) -> Iterator[Mapping[str, Any]]:
    """The rows of a span of time, the checkpoints themselves apart."""
    for day in _list_days(since.date(), until.date()):
        # A row of the last instant stands behind it in the index, and so is not among these.
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
    """The chain of every referral that there is: a chain that is gone is in no index."""
    practices = stores.tenants.list_by_kind(TenantKind.PRACTICE)
    return {
        referral_id
        for practice in practices
        for referral_id in stores.referrals.list_ids_for_practice(practice.tenant_id)
    }


def _get_expected_head(chain: str, *, stores: Stores) -> ChainHead | None:
    """Where a chain must end, as the referral itself or the anchor remembers."""
    if chain == CHECKPOINTS:
        sealed = stores.audit_log.read_anchor()
        anchor = _decrypt_count(sealed, _ANCHOR, stores=stores) if sealed else {}
        return EMPTY_CHAIN if anchor is None else ChainHead(**anchor)
    if not chain.startswith("ref_") or "/" in chain:
        return None
    referral = stores.referrals.get(chain)
    return referral.audit_chain_head if referral else None


def _get_last_checkpoint_end(stores: Stores) -> datetime | None:
    row = stores.audit_log.read_last_row(CHECKPOINTS)
    return from_timestamp(str(row["upto"])) if row else None
