"""Decides what every type of event does to a referral: to its stage and to its status.

An event that is newer than everything known and legal now is applied to the current state. Every
other stage change is decided by a replay of the history (`replay`), which does not depend on the
order of arrival: a late event is kept in the history, an event that is not legal yet is parked,
and an event that responds to another one follows it, whatever its sender's clock says.
"""

from collections import Counter
from collections.abc import Callable, Mapping

from chalicelib.domain.platform.copying import replace
from chalicelib.domain.referrals.corrections import decide_correction, decide_reopening
from chalicelib.domain.referrals.endings import STEPS_OF_A_CONTINUING_PATIENT, is_ending
from chalicelib.domain.referrals.event_path import (
    CLOCK_DIFFERENCE,
    STAGES_BEFORE_HANDBACK,
    PathEvent,
    Place,
    follow,
    is_repeat_of,
)
from chalicelib.domain.referrals.events import (
    Corrected,
    InformationRequested,
    ReferralEvent,
    Reopened,
    StageChange,
    WindowExtended,
)
from chalicelib.domain.referrals.history import History, get_start, replay_events, replay_with
from chalicelib.domain.referrals.history_start import get_history_start
from chalicelib.domain.referrals.planned_dates import find_impossible_date, with_planned_date
from chalicelib.domain.referrals.referral import Referral
from chalicelib.domain.referrals.replay import (
    Replayed,
    is_late,
)
from chalicelib.domain.referrals.stage_changes import (
    REJECTED_CLOSED,
    Applied,
    Decision,
    DecisionContext,
    Pending,
    Recorded,
    Rejected,
    count_all_doses,
    find_broken_rule,
    reject_wrong_actor,
    with_event,
    with_extension,
    with_next_version,
)
from chalicelib.domain.referrals.stages import TERMINAL_STAGES, Actor, Stage
from chalicelib.domain.referrals.status_events import REJECTED_OTHER_SIDE, STATUS_DECIDERS
from chalicelib.domain.referrals.transitions import list_reachable_stages, list_transitions_from

_STAGES_WITH_OPEN_WINDOW = STAGES_BEFORE_HANDBACK | {Stage.INFUSED}


_UNKNOWN = History()
"""No history was read: the current state is where it starts."""


def decide_event(
    referral: Referral, event: ReferralEvent, context: DecisionContext, history: History = _UNKNOWN
) -> Decision:
    """Decide what `event` does to `referral`.

    Args:
        referral: The current state.
        event: The reported event.
        context: The product's monitoring profile, the center's time zone, and the time.
        history: The history so far; required if `needs_history` returns true.
    """
    impossible = find_impossible_date(referral, event, context)
    if impossible:
        return impossible
    decide = _DECIDERS.get(type(event))
    if decide:
        decision = decide(referral, event, context, history)
        return with_planned_date(decision, referral, event) if isinstance(event, StageChange) else decision
    decision = STATUS_DECIDERS[type(event)](referral, event, context)
    if referral.status.corrected and isinstance(decision, Applied | Recorded):
        return type(decision)(replay_with(referral, event, context, history).referral)
    return decision


def needs_history(referral: Referral, event: ReferralEvent) -> bool:
    """Whether the decision needs all earlier events of the referral."""
    if isinstance(event, Corrected | Reopened) or referral.status.corrected:
        return True
    return isinstance(event, PathEvent) and not _is_next(referral, event)


def _is_next(referral: Referral, event: PathEvent) -> bool:
    """Whether an event is newer than everything known, and legal now: the usual case."""
    newest = referral.newest_order
    if _changes_product(referral, event):
        return False
    if referral.stage in TERMINAL_STAGES or (newest and event.order[:2] <= newest[:2]):
        return False
    if is_ending(event):
        return isinstance(event, StageChange) and event.actor in list_transitions_from(referral.stage).get(
            event.stage, ()
        )
    return follow(_get_place(referral), event) is not None


def _changes_product(referral: Referral, event: PathEvent) -> bool:
    """Whether an event names another product than the one that is known, or names one after the stage was reported."""
    if not isinstance(event, StageChange) or event.product_id is None:
        return False
    named = referral.status.products.get_named_at(event.stage)
    return event.product_id != named and (named is not None or event.stage in referral.stage_entered_at)


def _get_place(referral: Referral) -> Place:
    return Place(referral.stage, referral.doses_given if referral.stage is Stage.INFUSED else 0)


# -------------------------------------------------------------------------- stage changes


def _decide_stage_change(
    referral: Referral, change: StageChange, context: DecisionContext, history: History
) -> Decision:
    rejected = find_broken_rule(change, context)
    if rejected:
        return rejected
    started_at = get_history_start(referral) if referral.submitted_at else None
    if is_ending(change) and started_at and change.latest + CLOCK_DIFFERENCE < started_at:
        return Rejected("before_referral", "This date is before the patient was referred. Check the date.")
    allowed = list_transitions_from(referral.stage).get(change.stage)
    if allowed and change.actor not in allowed:
        return reject_wrong_actor(allowed)
    if _is_next(referral, change) and not referral.status.corrected:
        return _decide_next(referral, change, context)
    replayed = replay_with(referral, change, context, history)
    if is_ending(change):
        return _decide_ending(referral, change, replayed, context, history)
    return _decide_step(referral, change, replayed, context, history)


def _decide_step(
    referral: Referral, change: StageChange, replayed: Replayed, context: DecisionContext, history: History
) -> Decision:
    """Decide about a step that is not simply the next one."""
    if replayed.referral.stage in TERMINAL_STAGES:
        return _decide_step_of_ended(referral, change, context, history, replayed)
    if change.event_id in replayed.placed and not _evicts(referral, change, context, history, replayed):
        return _applied_or_recorded(referral, change, replayed)
    if change.event_id in _list_second_reports(replayed):
        return _applied_or_recorded(referral, change, replayed)
    decision = _decide_unplaced(referral, change, replayed, history)
    if isinstance(decision, Pending) and _fits_with_parked(referral, change, context, history):
        # Each waits for the other: this one becomes history, and then the parked one explains it.
        return Recorded(replayed.referral)
    return decision


def _list_second_reports(replayed: Replayed) -> frozenset[str]:
    """List the ids of steps that the patient had reached before, and that are reported again after an ending.

    They fit nowhere, but do not wait for what is missing between the two reports: both sides are asked about them.
    """
    path, ends = replayed.path, replayed.endings.disputed
    count = Counter(e.stage for e in (*path.moves, *path.repeats, *path.left_out) if isinstance(e, StageChange))
    return frozenset(
        step.event_id
        for step in path.left_out
        if isinstance(step, StageChange)
        and step.stage in STEPS_OF_A_CONTINUING_PATIENT
        and count[step.stage] > 1
        and any(step.occurred_at > ending.latest for ending in ends)
    )


def _fits_with_parked(referral: Referral, change: StageChange, context: DecisionContext, history: History) -> bool:
    """Whether a change fits together with parked events, and no move of the history is lost for it."""
    if not history.parked:
        return False
    together = replay_with(referral, change, context, history, *history.parked_reports)
    before = replay_events(referral, history.events, context, history)
    kept = together.placed | together.moved_by | _list_second_reports(together)
    return change.event_id in together.moved_by and before.moved_by <= kept


def _decide_next(referral: Referral, change: StageChange, context: DecisionContext) -> Decision:
    products = referral.status.products.with_change(change)
    referral = replace(referral, status=replace(referral.status, products=products))
    context = context.for_product(referral.current_product_id)
    change = count_all_doses(change, context)
    place = _get_place(referral)
    is_repeat = not is_ending(change) and (
        is_repeat_of(referral.stage, change)
        or (follow(place, change) == place and change.stage not in list_transitions_from(referral.stage))
        or (change.stage is Stage.INFUSED and referral.stage is Stage.INFUSED and change.part <= referral.doses_given)
    )
    if is_repeat:
        return Recorded(with_next_version(referral, change, context))
    return Applied(with_event(referral, change, context))


def _applied_or_recorded(referral: Referral, event: PathEvent, replayed: Replayed) -> Decision:
    """Applied if the event moved the referral or changed its product; recorded if it only adds to the history."""
    state = replayed.referral
    has_moved = state.stage is not referral.stage or state.last_applied_order == event.order
    is_news = has_moved or state.current_product_id != referral.current_product_id
    return Applied(state) if is_news else Recorded(state)


def _evicts(
    referral: Referral, change: StageChange, context: DecisionContext, history: History, replayed: Replayed
) -> bool:
    """Whether the change fits only if earlier moves no longer count. A late event does so rightfully."""
    if is_late(change, replayed, get_start(referral, history)):
        return False
    if not replayed.path.left_out:
        return False
    before = replay_events(referral, history.events, context, history)
    return not {move.event_id for move in before.path.moves} <= replayed.placed | _list_second_reports(replayed)


def _decide_unplaced(referral: Referral, change: StageChange, replayed: Replayed, history: History) -> Decision:
    """Record a change that is late, park one that may become legal, and reject one that cannot."""
    if is_late(change, replayed, get_start(referral, history)):
        return Recorded(replayed.referral)
    opened = replayed.opened if referral.stage in TERMINAL_STAGES else referral.stage
    if change.stage in list_reachable_stages(opened):
        return Pending()
    newest = referral.last_applied_order
    if newest and change.order < newest:
        return Recorded(replayed.referral)
    return Rejected("move_not_legal", "This step cannot follow the current status. Check which step comes next.")


def _decide_step_of_ended(
    referral: Referral, change: StageChange, context: DecisionContext, history: History, replayed: Replayed
) -> Decision:
    """Keep a step from before the ending in the history; reject a later one.

    A later step is also kept if a parked event shows, together with it, that the patient continued.
    A step that would show it itself is parked if only an earlier step is missing.
    """
    if referral.stage not in TERMINAL_STAGES:
        # The step explains an ending that was reported before and fit nowhere.
        return Applied(replayed.referral)
    ending = replayed.endings.counting
    ended_order = ending.order if ending else referral.last_applied_order
    is_repeat = change.event_id in {event.event_id for event in replayed.path.repeats}
    if is_repeat or (ended_order and change.order < ended_order):
        return Recorded(replayed.referral)
    if history.parked:
        with_parked = replay_with(referral, change, context, history, *history.parked_reports)
        if with_parked.referral.stage not in TERMINAL_STAGES and change.event_id in with_parked.placed:
            return Recorded(replayed.referral)
    is_dead = replayed.referral.stage is Stage.DECEASED
    if not is_dead and change.stage in STEPS_OF_A_CONTINUING_PATIENT & list_reachable_stages(replayed.opened):
        return Pending()
    return REJECTED_CLOSED


def _decide_ending(
    referral: Referral, change: StageChange, replayed: Replayed, context: DecisionContext, history: History
) -> Decision:
    """An ending is applied, or recorded and disputed, or refused; it is never filed away silently."""
    if change.stage is referral.stage and not history.events:
        return Recorded(with_next_version(referral, change, context))
    endings = replayed.endings
    if endings.counting and endings.counting.event_id == change.event_id:
        return Applied(replayed.referral)
    if change.event_id in {e.event_id for e in endings.disputed}:
        return Recorded(replayed.referral)
    return _decide_ending_that_does_not_count(referral, change, replayed, history)


def _decide_ending_that_does_not_count(
    referral: Referral, change: StageChange, replayed: Replayed, history: History
) -> Decision:
    endings = replayed.endings
    if endings.counting:
        is_known = change.stage is endings.counting.stage or change.order < endings.counting.order
        return Recorded(replayed.referral) if is_known else REJECTED_CLOSED
    if referral.stage in TERMINAL_STAGES:
        first = get_start(referral, history).last_applied_order
        return Recorded(replayed.referral) if first and change.order < first else REJECTED_CLOSED
    if change.stage in list_reachable_stages(referral.stage):
        return Pending()
    return Rejected("move_not_legal", "This step cannot follow the current status. Check which step comes next.")


# -------------------------------------------------------------------------- extensions, status


def _decide_extension(
    referral: Referral, event: WindowExtended, context: DecisionContext, history: History
) -> Decision:
    """Extend the monitoring window; a window that was confirmed as complete opens again.

    An extension that arrives late moves the day of return, too, so it is applied. One that moves
    neither the day nor the status is recorded.
    """
    if event.actor is not Actor.CENTER:
        return REJECTED_OTHER_SIDE
    window = referral.window
    if window is None:
        return REJECTED_CLOSED if referral.stage in TERMINAL_STAGES else Pending()
    newest = referral.newest_order
    if referral.stage not in _STAGES_WITH_OPEN_WINDOW and not (newest and event.order < newest):
        return Rejected("window_over", "Monitoring has ended. It can no longer be extended.")
    if event.ends_on <= window.infused_on:
        return Rejected("ends_before_infusion", "The end date must be after the infusion date.")
    if _is_next(referral, event) and not referral.status.corrected:
        state = with_extension(with_event(referral, event, context), event)
    else:
        state = replay_with(referral, event, context, history).referral
    has_changed = state.stage is not referral.stage or (state.window and state.window.ends_on != window.ends_on)
    is_open = state.stage not in TERMINAL_STAGES
    return Applied(state) if has_changed and is_open else Recorded(state)


def _decide_information_request(
    referral: Referral, event: InformationRequested, context: DecisionContext, history: History
) -> Decision:
    """Accept a request at any open stage. Before acceptance, the stage becomes `info_requested`."""
    if event.actor is not Actor.CENTER:
        return Rejected("not_your_move", "Only the treatment center can record this step.")
    if referral.stage in TERMINAL_STAGES:
        last_order = referral.last_applied_order
        is_early = last_order is not None and event.order < last_order
        return Recorded(with_next_version(referral, event, context)) if is_early else REJECTED_CLOSED
    if referral.stage is Stage.DRAFT:
        return Pending()
    if not _is_next(referral, event) or referral.status.corrected:
        return Applied(replay_with(referral, event, context, history).referral)
    if follow(_get_place(referral), event) == _get_place(referral):
        return Applied(with_next_version(referral, event, context))
    return Applied(with_event(referral, event, context))


_DECIDERS: Mapping[type[ReferralEvent], Callable[..., Decision]] = {
    StageChange: _decide_stage_change,
    WindowExtended: _decide_extension,
    InformationRequested: _decide_information_request,
    Reopened: decide_reopening,
    Corrected: decide_correction,
}
"""What decides about the events that depend on the order of the history."""
