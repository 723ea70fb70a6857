"""Weekly patterns of a center: store them, and keep the slots of the next 12 weeks in step with them.

    pattern ── times in the center's zone ──▶ expected slots
                                                   │
    stored slots of the pattern ──── compare ──────┘
        missing              ▶ added
        no longer expected   ▶ removed, unless someone is booked: then closed, and listed for a person
        removed by a person  ▶ left, so that it does not come back

Each write is conditional and independent of the others, so a run that stops in between leaves nothing wrong,
and the next run does the rest. Making the same slots twice changes nothing.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from chalicelib.domain.consultation.patterns import (
    HORIZON,
    MAX_PATTERNS,
    LocalStart,
    SlotPattern,
    list_times,
)
from chalicelib.domain.consultation.slots import Slot, SlotClosing
from chalicelib.domain.identity.members import Member
from chalicelib.domain.platform.ids import derive_id
from chalicelib.domain.referrals.monitoring_window import to_local_day
from chalicelib.errors import ConflictError, NotFoundError, PreconditionFailedError
from chalicelib.services.consultation.access import build_slots_audit_entry, get_own_center_or_404
from chalicelib.services.platform.optimistic import commit_with_retry
from chalicelib.services.platform.run_context import RunContext
from chalicelib.services.referrals.write_once import commit_once
from chalicelib.store.consultation.slots import PATTERN_WRITE
from chalicelib.store.platform.dynamo import TransactionWrite
from chalicelib.store.platform.idempotency import IdempotentRequest, StoredResponse
from chalicelib.store.platform.transactions import ConditionFailedError

_WRITES_AT_ONCE = 50
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class PatternView:
    """A pattern, and what a person must know about its times.

    Attributes:
        skipped: Times of the next 12 weeks that do not exist, because the clocks of the center skip them.
        to_review: Booked times that the pattern no longer has.
        aliases: Who is booked at them, by referral.
        free_slots: How many of its times have a free seat.
    """

    pattern: SlotPattern
    time_zone: str
    skipped: Sequence[LocalStart]
    to_review: Sequence[Slot]
    aliases: Mapping[str, str]
    free_slots: int


def list_patterns(center_id: str, *, member: Member, context: RunContext) -> Sequence[PatternView]:
    """List the patterns of the member's center, and booked times of patterns that were removed.

    Raises:
        NotFoundError: no such center, or another one than the member's own.
        ForbiddenError: the member's side or role cannot publish times.
    """
    zone = get_own_center_or_404(center_id, member, context=context).tenant.time_zone
    slots = list(_list_ahead(center_id, now=context.now, context=context))
    views = [
        _build_view(pattern, slots, zone, member, context=context)
        for pattern in context.stores.slots.list_patterns(center_id)
    ]
    return [view for view in views if view.to_review or not view.pattern.is_removed]


def add_pattern(
    pattern: SlotPattern,
    *,
    member: Member,
    request: IdempotentRequest,
    build_response: Callable[[PatternView], StoredResponse],
    context: RunContext,
) -> StoredResponse:
    """Publish a weekly pattern, and its slots.

    Raises:
        NotFoundError: no such center, or another one than the member's own.
        ForbiddenError: the member's side or role cannot publish times.
        ConflictError: the center has the most patterns that are possible.
    """
    center_id = pattern.center_id
    zone = get_own_center_or_404(center_id, member, context=context).tenant.time_zone
    first_response = context.stores.idempotency_records.find_response(request, now=context.now)
    if first_response:
        return first_response
    if sum(not each.is_removed for each in context.stores.slots.list_patterns(center_id)) >= MAX_PATTERNS:
        raise ConflictError("too_many_patterns", f"A center can have {MAX_PATTERNS} weekly patterns. Remove one first.")
    pattern = replace(pattern, pattern_id=derive_id("pat", request.scope_key))
    entry = build_slots_audit_entry(center_id, member, "pattern.publish", context.now)
    expected = list(_build_expected(pattern, zone, context=context))

    def attempt() -> StoredResponse:
        return commit_once(
            request,
            build_response(_build_view(pattern, expected, zone, member, context=context)),
            context.stores.slots.prepare_save_pattern(pattern),
            context.stores.audit_log.prepare_append(entry),
            context=context,
        )

    stored = commit_with_retry(attempt)
    materialize(pattern, time_zone=zone, context=context)
    return stored


def change_pattern(pattern: SlotPattern, *, version: int, member: Member, context: RunContext) -> PatternView:
    """Replace a pattern, and bring its slots in step. No booked consultation is dropped.

    Raises:
        NotFoundError: no such center or pattern, or another center's.
        ForbiddenError: the member's side or role cannot publish times.
        PreconditionFailedError: another change came after `version`.
    """
    zone = get_own_center_or_404(pattern.center_id, member, context=context).tenant.time_zone
    before = _get_pattern_or_404(pattern.center_id, pattern.pattern_id, version=version, context=context)
    changed = replace(pattern, version=before.version + 1, unknown_members=before.unknown_members)
    _save(changed, "pattern.change", member, context=context)
    materialize(changed, time_zone=zone, context=context)
    slots = list(_list_ahead(pattern.center_id, now=context.now, context=context))
    return _build_view(changed, slots, zone, member, context=context)


def remove_pattern(
    center_id: str, pattern_id: str, *, version: int, member: Member, context: RunContext
) -> PatternView:
    """Remove a pattern and its free times. Booked times stay for a person to move or cancel.

    The row stays until none of its times is left, so that a run that stops in between is caught up.

    Raises:
        NotFoundError: no such center or pattern, or another center's.
        ForbiddenError: the member's side or role cannot publish times.
        PreconditionFailedError: another change came after `version`.
    """
    zone = get_own_center_or_404(center_id, member, context=context).tenant.time_zone
    before = _get_pattern_or_404(center_id, pattern_id, version=version, context=context)
    removed = replace(before, is_removed=True, version=before.version + 1)
    _save(removed, "pattern.remove", member, context=context)
    materialize(removed, time_zone=zone, context=context)
    slots = list(_list_ahead(center_id, now=context.now, context=context))
    return _build_view(removed, slots, zone, member, context=context)


def materialize_all(*, context: RunContext) -> Mapping[str, int]:
    """Bring the slots of every pattern in step: the work of the daily job.

    A run that was missed needs nothing more than the next one. A center that moved to another time zone, or
    new rules of a time zone, are followed in the same way as a changed pattern.
    """
    counts = {"patterns": 0, "written": 0}
    for pattern in context.stores.slots.list_patterns():
        center = context.stores.tenants.get_center(pattern.center_id)
        if center is None:
            continue
        counts["patterns"] += 1
        counts["written"] += materialize(pattern, time_zone=center.tenant.time_zone, context=context)
    return counts


def materialize(pattern: SlotPattern, *, time_zone: str, context: RunContext) -> int:
    """Bring the slots of one pattern in step. Return how many were written."""
    stored = {
        slot.slot_id: slot
        for slot in _list_ahead(pattern.center_id, now=context.now, context=context)
        if slot.pattern_id == pattern.pattern_id
    }
    expected = {slot.slot_id: slot for slot in _build_expected(pattern, time_zone, context=context)}
    if pattern.is_removed and not stored:
        _remove_row(pattern, context=context)
        return 1
    return _write_each(list(_compare(stored, expected, context=context)), pattern, context=context)


def _compare(
    stored: Mapping[str, Slot], expected: Mapping[str, Slot], *, context: RunContext
) -> Iterator[TransactionWrite]:
    slots = context.stores.slots
    starts = {slot.starts_at for slot in expected.values()}
    # A removed time stays removed in a changed pattern too, in which it would be another offer.
    removed = {slot.starts_at for slot in stored.values() if slot.is_removed} & starts
    for slot_id, slot in expected.items():
        if slot_id not in stored and slot.starts_at not in removed:
            yield slots.prepare_add(slot)
    for slot_id, slot in stored.items():
        if slot.starts_at in removed and slot.is_removed:
            continue
        wanted = expected.get(slot_id)
        if wanted is None:
            if not slot.list_booked():
                yield slots.prepare_remove(slot)
            elif slot.closed is None:
                yield slots.prepare_save(replace(slot, closed=SlotClosing.PATTERN_CHANGED, version=slot.version + 1))
            continue
        # A booked patient stays booked, also if the center now has fewer seats.
        capacity = max(wanted.capacity, len(slot.list_booked()))
        current = replace(slot, capacity=capacity, contact=wanted.contact, closed=None)
        if current != slot:
            yield slots.prepare_save(replace(current, version=slot.version + 1))


def _remove_row(pattern: SlotPattern, *, context: RunContext) -> None:
    # Another run was faster: the row is gone, which is the same result.
    with suppress(ConditionFailedError):
        context.stores.transactions.commit(context.stores.slots.prepare_remove_pattern(pattern))


def _write_each(writes: Sequence[TransactionWrite], pattern: SlotPattern, *, context: RunContext) -> int:
    """Make independent writes, many at once; leave out those whose condition does not hold.

    A run that read an earlier version of the pattern writes nothing: it would bring back what was removed.
    """
    made = 0
    is_current = context.stores.slots.prepare_check_pattern(pattern)
    for first in range(0, len(writes), _WRITES_AT_ONCE):
        batch = list(writes[first : first + _WRITES_AT_ONCE])
        while batch:
            try:
                context.stores.transactions.commit(is_current, *batch)
            except ConditionFailedError as e:
                if PATTERN_WRITE in e.items:
                    return made
                batch = [write for write in batch if write.name not in e.items]
            else:
                made += len(batch)
                break
    return made


def _build_expected(pattern: SlotPattern, time_zone: str, *, context: RunContext) -> Iterator[Slot]:
    if pattern.is_removed:
        return
    today = to_local_day(context.now, time_zone)
    times = list_times(pattern, time_zone=time_zone, first=today, last=today + HORIZON)
    # Another way, length or place is another offer: a booked patient keeps what was booked.
    origin = f"{pattern.pattern_id}/{pattern.mode}/{pattern.minutes}/{pattern.place or ''}"
    for starts_at in times.starts:
        if starts_at > context.now:
            yield Slot(
                slot_id=context.stores.slots.ids.build(pattern.center_id, starts_at, origin),
                center_id=pattern.center_id,
                starts_at=starts_at,
                minutes=pattern.minutes,
                mode=pattern.mode,
                capacity=pattern.capacity,
                place=pattern.place,
                contact=pattern.contact,
                pattern_id=pattern.pattern_id,
            )


def _list_ahead(center_id: str, *, now: datetime, context: RunContext) -> Iterator[Slot]:
    """List a center's times that are ahead, as far as any pattern has made them."""
    return context.stores.slots.list_between(center_id, now, now + HORIZON + 2 * _DAY)


def _build_view(
    pattern: SlotPattern, slots: Sequence[Slot], zone: str, member: Member, *, context: RunContext
) -> PatternView:
    today = to_local_day(context.now, zone)
    own = [slot for slot in slots if slot.pattern_id == pattern.pattern_id]
    to_review = [slot for slot in own if slot.closed and slot.list_booked()]
    ids = dict.fromkeys(referral_id for slot in to_review for referral_id in slot.list_booked())
    referrals = (context.stores.referrals.get(referral_id) for referral_id in ids)
    return PatternView(
        pattern=pattern,
        time_zone=zone,
        skipped=list_times(pattern, time_zone=zone, first=today, last=today + HORIZON).skipped,
        to_review=to_review,
        aliases={each.referral_id: each.alias for each in referrals if each and member.can_see(each)},
        free_slots=sum(slot.count_free(now=context.now) > 0 for slot in own),
    )


def _get_pattern_or_404(center_id: str, pattern_id: str, *, version: int, context: RunContext) -> SlotPattern:
    pattern = context.stores.slots.get_pattern(center_id, pattern_id)
    if pattern is None or pattern.is_removed:
        raise NotFoundError
    if pattern.version != version:
        raise PreconditionFailedError
    return pattern


def _save(pattern: SlotPattern, action: str, member: Member, *, context: RunContext) -> None:
    entry = build_slots_audit_entry(pattern.center_id, member, action, context.now)

    def attempt() -> None:
        try:
            context.stores.transactions.commit(
                context.stores.slots.prepare_save_pattern(pattern), context.stores.audit_log.prepare_append(entry)
            )
        except ConditionFailedError as e:
            if PATTERN_WRITE in e.items:
                raise PreconditionFailedError from e
            raise

    commit_with_retry(attempt)
