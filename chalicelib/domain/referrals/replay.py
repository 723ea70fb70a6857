"""Computes the state that a referral's history leads to, independent of the order of arrival.

    stage changes, extensions ── event_path ──▶ moves ──┐
    holds, reports, plans       ────────────────────────┼──▶ state
    endings, reopenings ── endings ─────────────────────┘

The replay uses what each event reports, not what was decided when it arrived. An event that fits
nowhere stays in the history only, and is tried again with every later event.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar

from chalicelib.domain.platform.copying import replace
from chalicelib.domain.referrals.care_reports import NO_REPORTS
from chalicelib.domain.referrals.endings import (
    Endings,
    choose_ending,
    is_ending,
    list_canceled_endings,
    list_steps,
    with_endings,
)
from chalicelib.domain.referrals.event_path import Path, PathEvent, Place, find_path, follow, must_precede
from chalicelib.domain.referrals.events import (
    Corrected,
    EventSource,
    ReferralEvent,
    Reopened,
    StageChange,
    WindowExtended,
)
from chalicelib.domain.referrals.history_start import get_history_start, get_referred_on
from chalicelib.domain.referrals.named_products import NamedProducts, find_named_products, names_product
from chalicelib.domain.referrals.planned_dates import with_plan
from chalicelib.domain.referrals.plans import NO_PLANS
from chalicelib.domain.referrals.referral import Referral, ReferralStatus
from chalicelib.domain.referrals.stage_changes import (
    Applied,
    Decision,
    DecisionContext,
    Recorded,
    count_all_doses,
    get_latest,
    is_infusion_ahead,
    with_event,
    with_extension,
    with_late_stage,
    with_next_version,
)
from chalicelib.domain.referrals.stages import Stage

StatusDecider = Callable[[Referral, ReferralEvent, DecisionContext], Decision]
"""Decides about an event besides stage changes: a hold, a toxicity, a withdrawal request."""

_E = TypeVar("_E", bound=ReferralEvent)


@dataclass(frozen=True, slots=True)
class Replayed:
    """The state of a history, and which of its events led there.

    `opened` is the stage without any ending.
    """

    referral: Referral
    opened: Stage
    path: Path
    endings: Endings

    @property
    def moved_by(self) -> frozenset[str]:
        """The ids of the events that moved the referral, the ending included."""
        ending = self.endings.counting
        return frozenset(move.event_id for move in (*self.path.moves, *((ending,) if ending else ())))

    @property
    def placed(self) -> frozenset[str]:
        """The ids of the events that fit, whether they moved the referral or repeated its status."""
        return frozenset(event.event_id for event in (*self.path.moves, *self.path.repeats))


def replay_history(
    start: Referral,
    history: Sequence[ReferralEvent],
    context: DecisionContext,
    *,
    deciders: Mapping[type, StatusDecider],
) -> Replayed:
    """Replay a history from `start`.

    Args:
        start: The referral before the first event; see `reset_to_draft`.
        history: The events in any order; superseded ones no longer count.
        context: The product's monitoring profile, the center's time zone, and the time.
        deciders: What decides about each type of event besides stage changes.
    """
    events = list_effective_events(history)
    first = start.last_applied_order
    path_events = [e for e in events if isinstance(e, PathEvent) and not is_ending(e)]
    old = [e for e in path_events if first and e.order[:2] < first[:2]]
    place = Place(start.stage, start.doses_given if start.stage is Stage.INFUSED else 0)
    path, ordered_moves = _find_path(start, place, [e for e in path_events if e not in old])
    products = _find_products(start, place, path, history, events)
    state = replace(start, status=replace(start.status, products=products))
    context = context.for_product(state.current_product_id)
    for move in path.moves:
        state = with_event(state, _prepare(move, context), context)
    for event in (*old, *path.left_out):
        if isinstance(event, StageChange):
            state = with_late_stage(state, count_all_doses(event, context), context)
    for extension in _select(path_events, WindowExtended):
        state = with_extension(state, extension)
    reopenings = _select(events, Reopened)
    all_endings = [e for e in _select(events, StageChange) if is_ending(e)]
    canceled = list_canceled_endings(all_endings, reopenings)
    for change in _select(events, StageChange):
        state = with_plan(state, change)
    state = _with_status_events(state, events, canceled, context, deciders)
    state = _with_reopenings(state, reopenings, canceled)
    open_endings = [e for e in all_endings if e not in canceled]
    whole_path = Path(path.moves, path.repeats, [*old, *path.left_out])
    steps = list_steps(state, whole_path.reports)
    endings = choose_ending(steps, open_endings, start=place, moves=ordered_moves)
    opened = state.stage
    state = _with_newest(with_endings(state, endings, steps, context), (*path_events, *all_endings))
    must_replay = bool(
        any(isinstance(e, Corrected) for e in history)
        or state.status.contradiction
        or any(names_product(e) or not _is_late(e, path.moves) for e in path.left_out)
    )
    state = replace(state, status=replace(state.status, corrected=must_replay))
    return Replayed(state, opened, whole_path, endings)


def _find_path(start: Referral, place: Place, events: Sequence[PathEvent]) -> tuple[Path, Sequence[PathEvent]]:
    """Find the path, and its moves with the times that set their order.

    The first submission of a patient already on the way comes before the steps since the day of the referral.
    """
    begins_at = get_history_start(start) if get_referred_on(start) else None
    submissions = [e for e in _select(events, StageChange) if e.stage is Stage.SUBMITTED]
    if begins_at is None or start.stage is not Stage.DRAFT or not submissions:
        path = find_path(place, events)
        return path, path.moves
    first = min(submissions, key=lambda e: e.order)
    dated = replace(first, occurred_at=min(begins_at, first.occurred_at))
    path = find_path(place, [dated if e is first else e for e in events])
    original = [[first if e is dated else e for e in part] for part in (path.moves, path.repeats, path.left_out)]
    return Path(*original), path.moves


def _find_products(
    start: Referral, place: Place, path: Path, history: Sequence[ReferralEvent], events: Sequence[ReferralEvent]
) -> NamedProducts:
    """Find the products that count. While the infusion is still ahead, no product was given."""
    for move in path.moves:
        place = follow(place, move) or place
    if is_infusion_ahead(place.stage):
        events = [e for e in events if not (isinstance(e, StageChange) and e.stage is Stage.INFUSED)]
    return find_named_products(start.status.products, history, events)


def list_effective_events(history: Sequence[ReferralEvent]) -> Sequence[ReferralEvent]:
    """List the events that count: without superseded ones and corrections, with their replacements."""
    corrections = sorted(_select(history, Corrected), key=lambda e: e.order)
    # If one event was corrected several times, the latest correction counts.
    latest = {e.supersedes: e for e in corrections}
    kept = [e for e in history if e.event_id not in latest and not isinstance(e, Corrected)]
    for wrong in _select(history, StageChange):
        right = latest[wrong.event_id].replacement if wrong.event_id in latest else None
        if right and (right.stage, right.part) == (wrong.stage, wrong.part):
            kept = _move_repeats(kept, wrong, right)
    return sorted([*kept, *(e.replacement for e in latest.values() if e.replacement)], key=lambda e: e.order)


def _move_repeats(events: Sequence[ReferralEvent], wrong: StageChange, right: StageChange) -> list[ReferralEvent]:
    """Move the repeats of a status behind its corrected time.

    A center's system that sends the current status every night repeats a wrong date, too. Otherwise the first repeat
    would become the report that counts as soon as the report itself is corrected to a later time.
    """
    moved = {}
    for event in sorted(_select(events, StageChange), key=lambda e: e.order):
        if event.source is not EventSource.CENTER_FEED or not wrong.order < event.order < right.order:
            continue
        if (event.stage, event.part) != (wrong.stage, wrong.part) or event.reason_code:
            break
        moved[event.event_id] = replace(
            event,
            occurred_at=right.occurred_at + timedelta(microseconds=1),
            local_date=right.local_date,
            is_whole_day=right.is_whole_day,
        )
    return [moved.get(event.event_id, event) for event in events]


def is_late(event: ReferralEvent, replayed: Replayed, start: Referral) -> bool:
    """Whether the event's sender has reported a later move: the event is history and moves nothing."""
    first = start.last_applied_order
    return bool(first and event.order[:2] < first[:2]) or _is_late(event, replayed.path.moves)


def _is_late(event: ReferralEvent, moves: Sequence[PathEvent]) -> bool:
    return any(must_precede(event, move) for move in moves)


def reset_to_draft(referral: Referral) -> Referral:
    """Reset the referral to before its first event; what counts arrivals stays unchanged."""
    return keep_arrivals(_as_draft(referral), referral)


def keep_arrivals(start: Referral, referral: Referral) -> Referral:
    """Copy to the start of a replay what does not follow from the history's events."""
    now = referral.status
    status = replace(
        start.status,
        continues=now.continues,
        continued_by=now.continued_by,
        feed=now.feed,
        updates_lost=now.updates_lost,
    )
    return replace(
        start,
        status=status,
        details=referral.details,
        conversation=referral.conversation,
        coverage=referral.coverage,
    )


def _as_draft(referral: Referral) -> Referral:
    return replace(
        referral,
        stage=Stage.DRAFT,
        stage_since=referral.created_at,
        last_applied_order=None,
        stage_entered_at={Stage.DRAFT: referral.created_at},
        window=None,
        doses_given=0,
        dose_total=1,
        status=ReferralStatus(unknown_members=referral.status.unknown_members),
        care=replace(NO_REPORTS, unknown_members=referral.care.unknown_members),
        plans=replace(NO_PLANS, unknown_members=referral.plans.unknown_members),
    )


def _prepare(event: PathEvent, context: DecisionContext) -> PathEvent:
    return count_all_doses(event, context) if isinstance(event, StageChange) else event


def _select(events: Sequence[ReferralEvent], kind: type[_E]) -> list[_E]:
    return [event for event in events if isinstance(event, kind)]


def _with_status_events(
    state: Referral,
    events: Sequence[ReferralEvent],
    canceled: Sequence[StageChange],
    context: DecisionContext,
    deciders: Mapping[type, StatusDecider],
) -> Referral:
    """Apply holds, toxicities and requests in order; an ending that was canceled later ended a hold, too."""
    canceled_ids = {e.event_id for e in canceled}
    for event in events:
        if event.event_id in canceled_ids:
            state = _with_hold_ended(state, event)
        elif type(event) in deciders:
            decision = deciders[type(event)](state, event, context)
            if isinstance(decision, Applied | Recorded):
                state = decision.referral
    return state


def _with_hold_ended(state: Referral, ending: ReferralEvent) -> Referral:
    status = replace(
        state.status,
        hold=None,
        hold_head=get_latest(state.status.hold_head, ending.order),
        withdrawal_requested_at=None,
    )
    return replace(state, status=status)


def _with_reopenings(state: Referral, reopenings: Sequence[Reopened], canceled: Sequence[StageChange]) -> Referral:
    """The time in the stage counts from the reopening, if it is the latest news."""
    last = max(reopenings, key=lambda r: r.order, default=None)
    if last is None or not canceled or (state.last_applied_order and last.order <= state.last_applied_order):
        return state
    status = replace(state.status, reason_code=None)
    return replace(state, stage_since=last.occurred_at, last_applied_order=last.order, status=status)


def _with_newest(state: Referral, events: Sequence[ReferralEvent]) -> Referral:
    newest = get_latest(state.newest_order, *(event.order for event in events))
    return replace(state, status=replace(state.status, newest=newest))


def as_one_write(replayed: Referral, before: Referral, event: ReferralEvent, context: DecisionContext) -> Referral:
    """Turn a replayed state into the next version of the referral, however long the history is."""
    return replace(with_next_version(replayed, event, context), version=before.version + 1)
