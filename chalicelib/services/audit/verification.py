"""Verify the audit trail: its chains, where they end, and what its checkpoints counted.

A chain shows an edit, an insertion, a swap or a gap. Other places show that its last rows are missing: a referral
keeps the head of the chain of its writes, and a checkpoint has counted every row of its time. The checkpoints end
where an encrypted row in another table says, and where the heads in the write-once bucket say.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from itertools import chain as concatenate
from typing import Any

from chalicelib.domain.audit.hash_chain import (
    EMPTY_CHAIN,
    MISSING_OR_INSERTED,
    ChainBreak,
    ChainHead,
    find_breaks,
    has_count_mismatch,
)
from chalicelib.domain.identity.members import Tenant, TenantKind
from chalicelib.services.audit.checkpoints import ANCHOR, CHECKPOINT_GRACE, list_days, list_rows_between
from chalicelib.services.audit.sealed_values import open_sealed
from chalicelib.services.platform.run_context import RunContext
from chalicelib.store.all_stores import Stores
from chalicelib.store.audit.rows import CHECKPOINTS, is_in_right_place, to_chained_row
from chalicelib.store.platform.timestamps import from_timestamp

PROTECTED_AFTER = CHECKPOINT_GRACE + timedelta(minutes=5)
"""After which time a checkpoint has counted a row, if the job runs: what it waits, and its period."""

RESTORE_LOST_ROWS = "rows_lost"
"""The outcome in the audit row of a repair that follows a gap: `referrals restore repair` wrote it."""

_READS_OF_A_MOVING_CHAIN = 3
"""How often a chain is read before a break counts. A row that is written during a read looks like one."""


@dataclass(slots=True)
class AuditVerification:
    """What a verification checked, and the errors that it found."""

    chains: int = 0
    rows: int = 0
    checkpoints: int = 0
    breaks: list[ChainBreak] = field(default_factory=list)


def verify_audit_trail(*, context: RunContext, first_day: date) -> AuditVerification:
    """Check every chain and every checkpoint since `first_day`, in one run."""
    result = AuditVerification()
    chains = {CHECKPOINTS} | _list_chains_between(first_day, context.now.date(), stores=context.stores)
    practices = context.stores.tenants.list_by_kind(TenantKind.PRACTICE)
    # The chain of every referral too, because a deleted chain is in no index.
    chains.update(*(context.stores.referrals.list_ids_for_practice(practice.tenant_id) for practice in practices))
    verify_chains(sorted(chains), result, stores=context.stores)
    verify_checkpoints(result, stores=context.stores)
    return result


def verify_chains(chains: Iterable[str], result: AuditVerification, *, stores: Stores) -> None:
    """Check some chains, and add what was found to `result`."""
    for chain in chains:
        rows, breaks = 0, [ChainBreak(chain, 0, "")]
        for _ in range(_READS_OF_A_MOVING_CHAIN):
            rows, breaks = _verify_chain(chain, stores=stores)
            if not breaks:
                break
        result.chains += 1
        result.rows += rows
        result.breaks += breaks


def verify_checkpoints(
    result: AuditVerification, *, stores: Stores, after: int = 0, limit: int | None = None
) -> int | None:
    """Recount what checkpoints counted, and compare them with the heads that were written once.

    Args:
        result: What was found is added to it.
        stores: The tables.
        after: The number of the checkpoint before the first one to verify.
        limit: The most checkpoints to verify; None for all.

    Returns:
        The number of the last verified checkpoint, if there are more.
    """
    previous = next(stores.audit_log.list_chained_rows(CHECKPOINTS, after=after - 1), None) if after else None
    kept = _KeptHeads(stores, ChainHead(after, str(previous.get("hash"))) if previous else None)
    # The checkpoint before the first one says where that begins.
    last_count = open_sealed(previous.get("sealed"), CHECKPOINTS, stores=stores) if previous else None
    until: str | None = last_count["upto"] if last_count else None
    for place, row in enumerate(stores.audit_log.list_chained_rows(CHECKPOINTS, after=after), start=after + 1):
        count = open_sealed(row.get("sealed"), CHECKPOINTS, stores=stores)
        if limit is not None and place > after + limit:
            return place - 1
        result.checkpoints += 1
        result.breaks += _verify_checkpoint(place, count, until, stores=stores)
        result.breaks += kept.compare(place, ChainHead(place, str(row.get("hash"))))
        until = count["upto"] if count else None
    result.breaks += kept.list_missing_checkpoints()
    return None


def list_tenant_chains(tenant: Tenant, *, stores: Stores) -> Iterator[str]:
    """The chains of an organization itself: its members, its lists, its secrets and its times."""
    for member in stores.members.list_for_tenant(tenant.tenant_id):
        yield from (f"{kind}#{member.member_id}/reads" for kind in ("calendar", "list", "member"))
    yield from (f"{kind}#{tenant.tenant_id}/reads" for kind in ("center", "directory", "slots"))


def list_referral_chains(referral_id: str) -> tuple[str, str]:
    """The chain of a referral's writes, and the chain of its reads and refusals."""
    return referral_id, f"{referral_id}/reads"


def list_referral_ids_page(
    tenant: Tenant, *, start: Mapping[str, Any] | None, stores: Stores
) -> tuple[Sequence[str], Mapping[str, Any] | None]:
    """A page of the ids of a tenant's referrals, longest unchanged first, and where the next page starts.

    A referral that changes in the meantime moves to the end, so none is left out.
    """
    index = "by_practice" if tenant.kind is TenantKind.PRACTICE else "by_center"
    page = stores.referrals.list_id_page(index=index, tenant_id=tenant.tenant_id, start=start)
    return [str(row["referral_id"]) for row in page.items], page.next_key


class _KeptHeads:
    """The heads in the write-once bucket, read in step with the checkpoints."""

    def __init__(self, stores: Stores, after: ChainHead | None) -> None:
        # Checkpoints of earlier releases have no heads.
        first = next(stores.audit_heads.list_kept(), None)
        self._first_seq = first.seq if first else None
        self._heads = stores.audit_heads.list_kept(after=after)
        self._next = next(self._heads, None)

    def compare(self, place: int, head: ChainHead) -> list[ChainBreak]:
        """Compare a checkpoint with the heads of its number."""
        found: list[ChainHead] = []
        while self._next is not None and self._next.seq <= place:
            found.append(self._next)
            self._next = next(self._heads, None)
        if not found:
            # The head of the last checkpoint may not be there yet.
            is_missing = self._first_seq is not None and place > self._first_seq and self._next is not None
            return [ChainBreak(CHECKPOINTS, place, "has no head in the write-once bucket")] if is_missing else []
        return (
            []
            if found == [head]
            else [ChainBreak(CHECKPOINTS, place, "differs from its head in the write-once bucket")]
        )

    def list_missing_checkpoints(self) -> list[ChainBreak]:
        """The heads after the last checkpoint: of checkpoints that were removed."""
        remaining = concatenate([self._next] if self._next else [], self._heads)
        return [
            ChainBreak(CHECKPOINTS, head.seq, "is missing, but its head is in the write-once bucket")
            for head in remaining
        ]


def _verify_chain(chain: str, *, stores: Stores) -> tuple[int, list[ChainBreak]]:
    misplaced: list[ChainBreak] = []
    repairs: dict[int, str] = {}
    count = 0

    def read() -> Iterator[Mapping[str, Any]]:
        nonlocal count
        for count, item in enumerate(stores.audit_log.list_stored_rows(chain), start=1):
            if not is_in_right_place(item):
                misplaced.append(ChainBreak(chain, count, "is stored in the wrong place"))
            if item.get("outcome") == RESTORE_LOST_ROWS:
                repairs[item["seq"]] = str(item["at"])
            yield to_chained_row(item)

    head = _get_expected_head(chain, stores=stores)
    breaks = [_explain_restore(each, repairs) for each in find_breaks(chain, read(), head=head)]
    return count, breaks + misplaced


def _explain_restore(found: ChainBreak, repairs: Mapping[int, str]) -> ChainBreak:
    """Name a break where a restore lost rows. The row of its repair follows the gap and says when it was made."""
    if found.seq in repairs and found.problem == MISSING_OR_INSERTED:
        return replace(found, problem=f"rows before it were lost in a restore, repaired {repairs[found.seq]}")
    return found


def _verify_checkpoint(place: int, count: Any, until: str | None, *, stores: Stores) -> Iterator[ChainBreak]:
    if count is None:
        yield ChainBreak(CHECKPOINTS, place, "was not encrypted by this product")
        return
    if until not in (None, count["since"]):
        yield ChainBreak(CHECKPOINTS, place, "the checkpoint before it is missing")
    rows = list_rows_between(from_timestamp(count["since"]), from_timestamp(count["upto"]), stores=stores)
    if has_count_mismatch([str(each.get("hash")) for each in rows], count["rows"], count["digest"]):
        yield ChainBreak(CHECKPOINTS, place, "the rows of its time differ from its count")


def _list_chains_between(first: date, last: date, *, stores: Stores) -> set[str]:
    return {str(row["referral_id"]) for day in list_days(first, last) for row in stores.audit_log.list_rows_of_day(day)}


def _get_expected_head(chain: str, *, stores: Stores) -> ChainHead | None:
    """Where a chain must end, according to the referral or the anchor."""
    if chain == CHECKPOINTS:
        ciphertext = stores.audit_log.read_anchor()
        anchor = open_sealed(ciphertext, ANCHOR, stores=stores) if ciphertext else {}
        return EMPTY_CHAIN if anchor is None else ChainHead(**anchor)
    if not chain.startswith("ref_") or "/" in chain:
        return None
    erasure = stores.erasures.get(chain)
    return erasure.audit_chain_head if erasure else stores.referrals.read_audit_head(chain)
