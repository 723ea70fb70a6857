"""Verify the audit trail part by part, round after round.

A round has three parts: the checkpoints, the chain of writes of every referral by tenant, and every other chain by
the day on which it began. Each run of the job goes on where the last one ended. A new round begins a day after the
last one at the earliest, so a small deployment reads its trail once a day.
"""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import date, timedelta
from enum import StrEnum
from typing import Any

from chalicelib import metrics
from chalicelib.domain.audit.hash_chain import ChainBreak
from chalicelib.domain.identity.members import Tenant, TenantKind
from chalicelib.metrics import Metric
from chalicelib.observe import log
from chalicelib.services.audit.sealed_values import open_sealed, seal_value
from chalicelib.services.audit.verification import (
    AuditVerification,
    list_referral_ids_page,
    verify_chains,
    verify_checkpoints,
)
from chalicelib.services.platform.run_context import RunContext
from chalicelib.store.all_stores import Stores
from chalicelib.store.audit.rows import CHECKPOINTS, SHARDS, format_entry
from chalicelib.store.platform.timestamps import from_timestamp, to_timestamp

ROUND_PERIOD = timedelta(days=1)
"""How long after the beginning of a round the next one begins, at the earliest."""

_CHECKPOINTS_PER_STEP = 50
_MAX_LOGGED = 20
_CONTEXT = "audit/rotation"


class RotationPart(StrEnum):
    """The parts of a round, in their order."""

    CHECKPOINTS = "checkpoints"
    REFERRALS = "referrals"
    OTHER_CHAINS = "other_chains"
    DONE = "done"


@dataclass(frozen=True, slots=True, kw_only=True)
class RotationState:
    """How far the current round is. Field names are stored.

    Attributes:
        checkpoint: The number of the last verified checkpoint.
        tenant_id: The practice whose referrals are verified now; empty at the beginning.
        day: The day whose chains are verified now; empty at the beginning.
        shard: The part of that day.
        start: Where the next page of the practice or of the day begins.
        progress: How much of the round is verified, in percent.
        broken: What was found in this round.
        last_broken: What was found in the round before it.
    """

    started_at: str
    part: str = RotationPart.CHECKPOINTS
    checkpoint: int = 0
    tenant_id: str = ""
    day: str = ""
    shard: int = 0
    start: Mapping[str, Any] | None = None
    progress: int = 0
    chains: int = 0
    rows: int = 0
    checkpoints: int = 0
    broken: int = 0
    last_broken: int = 0


def verify_next_part(*, has_time: Callable[[], bool], context: RunContext) -> RotationState:
    """Verify for as long as there is time, and save how far it is.

    Args:
        has_time: Whether another step may begin. A step takes some seconds.
        context: The tables and the time.
    """
    state = load_rotation(stores=context.stores) or RotationState(started_at=to_timestamp(context.now))
    if state.part == RotationPart.DONE and context.now >= from_timestamp(state.started_at) + ROUND_PERIOD:
        state = RotationState(started_at=to_timestamp(context.now), last_broken=state.broken)
    while state.part != RotationPart.DONE and has_time():
        state = _advance(state, context=context)
        ciphertext = seal_value(asdict(state), _CONTEXT, stores=context.stores)
        context.stores.audit_rotation.save(ciphertext)
    # A break counts until a whole round has found none.
    broken = max(state.broken, state.last_broken)
    metrics.emit({Metric.AUDIT_BROKEN: broken, Metric.AUDIT_VERIFIED: state.progress})
    return state


def load_rotation(*, stores: Stores) -> RotationState | None:
    """Load how far the current round is; None before the first one, or if someone else wrote the row."""
    ciphertext = stores.audit_rotation.read()
    stored = open_sealed(ciphertext, _CONTEXT, stores=stores) if ciphertext else None
    return RotationState(**stored) if stored else None


def _advance(state: RotationState, *, context: RunContext) -> RotationState:
    """Verify one step of a part."""
    result = AuditVerification()
    steps = {
        RotationPart.CHECKPOINTS: _verify_some_checkpoints,
        RotationPart.REFERRALS: _verify_some_referrals,
        RotationPart.OTHER_CHAINS: _verify_some_other_chains,
    }
    moved = steps[RotationPart(state.part)](state, result, context=context)
    _log_breaks(result.breaks)
    return replace(
        moved,
        chains=state.chains + result.chains,
        rows=state.rows + result.rows,
        checkpoints=state.checkpoints + result.checkpoints,
        broken=state.broken + len(result.breaks),
    )


def _verify_some_checkpoints(state: RotationState, result: AuditVerification, *, context: RunContext) -> RotationState:
    stores = context.stores
    last = verify_checkpoints(result, stores=stores, after=state.checkpoint, limit=_CHECKPOINTS_PER_STEP)
    if last is not None:
        total = max(stores.audit_log.read_head(CHECKPOINTS).seq, 1)
        return replace(state, checkpoint=last, progress=_compute_progress(0, last / total))
    verify_chains([CHECKPOINTS], result, stores=stores)
    return replace(state, part=RotationPart.REFERRALS, progress=_compute_progress(1, 0))


def _verify_some_referrals(state: RotationState, result: AuditVerification, *, context: RunContext) -> RotationState:
    practices = sorted(context.stores.tenants.list_by_kind(TenantKind.PRACTICE), key=_get_tenant_id)
    remaining = [practice for practice in practices if practice.tenant_id >= state.tenant_id]
    if not remaining:
        return replace(state, part=RotationPart.OTHER_CHAINS, start=None, progress=_compute_progress(2, 0))
    is_same = remaining[0].tenant_id == state.tenant_id
    ids, start = list_referral_ids_page(remaining[0], start=state.start if is_same else None, stores=context.stores)
    verify_chains(ids, result, stores=context.stores)
    share = (len(practices) - len(remaining) + (start is None)) / len(practices)
    # With a space after it, the id sorts after this practice and before every other one.
    tenant_id = remaining[0].tenant_id if start else f"{remaining[0].tenant_id} "
    return replace(state, tenant_id=tenant_id, start=start, progress=_compute_progress(1, share))


def _verify_some_other_chains(state: RotationState, result: AuditVerification, *, context: RunContext) -> RotationState:
    """Verify the chains that began on a day, except those of the writes of a referral."""
    first, last = _get_first_day(context=context), context.now.date()
    day = date.fromisoformat(state.day) if state.day else first
    page = context.stores.audit_log.list_day_page(day, state.shard, start=state.start)
    began = [str(row["referral_id"]) for row in page.items if row["entry"] == format_entry(1)]
    verify_chains([chain for chain in began if chain.endswith("/reads")], result, stores=context.stores)
    if page.next_key:
        return replace(state, day=day.isoformat(), start=page.next_key)
    if state.shard + 1 < SHARDS:
        return replace(state, day=day.isoformat(), shard=state.shard + 1, start=None)
    if day < last:
        share = ((day - first).days + 1) / ((last - first).days + 1)
        tomorrow = (day + timedelta(days=1)).isoformat()
        return replace(state, day=tomorrow, shard=0, start=None, progress=_compute_progress(2, share))
    return replace(state, part=RotationPart.DONE, progress=100)


def _get_first_day(*, context: RunContext) -> date:
    """The day of the first checkpoint. The rows before it were never counted."""
    first = next(context.stores.audit_log.list_chained_rows(CHECKPOINTS), None)
    return from_timestamp(str(first["at"])).date() if first else context.now.date()


def _compute_progress(parts_done: int, share: float) -> int:
    """How much of a round is done, in percent; each part counts as a third."""
    return min(99, int((parts_done + share) * 100 / 3))


def _get_tenant_id(tenant: Tenant) -> str:
    return tenant.tenant_id


def _log_breaks(breaks: list[ChainBreak]) -> None:
    for each in breaks[:_MAX_LOGGED]:
        log.error("audit broken", where=each.chain, counts={"row": each.seq})
