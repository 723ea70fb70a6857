"""Decides what takes back an earlier event: a correction of it, and the reopening of an ended referral."""

from collections.abc import Sequence

from chalicelib.domain.platform.copying import replace
from chalicelib.domain.referrals.care_events import CARE_EVENTS
from chalicelib.domain.referrals.endings import is_ending
from chalicelib.domain.referrals.events import (
    FUTURE_TOLERANCE,
    Corrected,
    PlanChanged,
    ReferralEvent,
    Reopened,
    StageChange,
    WindowExtended,
)
from chalicelib.domain.referrals.history import History, get_start, replay_events, replay_with
from chalicelib.domain.referrals.referral import Referral
from chalicelib.domain.referrals.replay import Replayed, is_late
from chalicelib.domain.referrals.stage_changes import (
    Applied,
    Decision,
    DecisionContext,
    Pending,
    Recorded,
    Rejected,
    find_last_open_stage,
    with_next_version,
)
from chalicelib.domain.referrals.stages import TERMINAL_STAGES, Stage
from chalicelib.domain.referrals.status_events import REJECTED_OTHER_SIDE
from chalicelib.domain.referrals.transitions import list_actors_for, list_reachable_stages


def decide_reopening(referral: Referral, event: Reopened, context: DecisionContext, history: History) -> Decision:
    """Return to the last open stage; allowed for an actor who may end the referral that way."""
    rejected = _find_reason_not_to_reopen(referral, event)
    if rejected:
        return rejected
    if _is_old(referral, event):
        return Recorded(with_next_version(referral, event, context))
    if referral.stage not in TERMINAL_STAGES:
        return Pending()
    if history.events:
        return Applied(replay_with(referral, event, context, history).referral)
    reopened = replace(
        referral,
        stage=find_last_open_stage(referral),
        stage_since=event.occurred_at,
        last_applied_order=event.order,
        status=replace(referral.status, reason_code=None, contradiction=None, ending_reported_at=None),
    )
    return Applied(with_next_version(reopened, event, context))


def _find_reason_not_to_reopen(referral: Referral, event: Reopened) -> Rejected | None:
    if not event.reason_code and not event.note:
        return Rejected("reason_needed", "Enter a reason for reopening the referral.")
    if _is_old(referral, event) or referral.stage not in TERMINAL_STAGES:
        return None
    if event.actor not in list_actors_for(referral.stage):
        return REJECTED_OTHER_SIDE
    if referral.status.continued_by:
        return Rejected("continued", "A newer referral replaces this one. Make changes there.")
    return None


def _is_old(referral: Referral, event: Reopened) -> bool:
    """Whether a reopening was true before the ending, more than a wrong clock can explain."""
    last = referral.last_applied_order
    if last is None or event.order >= last:
        return False
    return not event.reopens or last.occurred_at - event.occurred_at > FUTURE_TOLERANCE


def name_reopened_endings(event: ReferralEvent, history: Sequence[ReferralEvent]) -> ReferralEvent:
    """Name the endings that a reopening cancels: all that are known when it is reported."""
    if not isinstance(event, Reopened):
        return event
    return replace(event, reopens=tuple(sorted(e.event_id for e in history if is_ending(e))))


def decide_correction(referral: Referral, event: Corrected, context: DecisionContext, history: History) -> Decision:
    """Replay the history without the wrong event, and with its replacement if there is one."""
    wrong = next((e for e in history.events if e.event_id == event.supersedes), None)
    if wrong is None:
        return Pending()
    if wrong.actor is not event.actor:
        return REJECTED_OTHER_SIDE
    if not isinstance(wrong, (StageChange, WindowExtended, PlanChanged, *CARE_EVENTS)):
        text = "Only a status, an extension, a planned date or a report about care can be corrected."
        return Rejected("not_correctable", text)
    if isinstance(wrong, StageChange) and wrong.stage is Stage.SUBMITTED:
        return Rejected("not_correctable", "A submitted referral cannot be corrected. Withdraw it instead.")
    return _decide_valid_correction(referral, event, wrong, context, history)


def _decide_valid_correction(
    referral: Referral,
    event: Corrected,
    wrong: ReferralEvent,
    context: DecisionContext,
    history: History,
) -> Decision:
    replayed = replay_with(referral, event, context, history)
    replacement = event.replacement
    if replacement and not _is_used(replacement, replayed) and _was_used(wrong, referral, event, context, history):
        # An event that must come before the replacement may still arrive.
        if replacement.stage in list_reachable_stages(replayed.referral.stage) and not is_late(
            replacement, replayed, get_start(referral, history)
        ):
            return Pending()
        return Rejected(
            "replacement_not_legal",
            "This date does not fit the other entries. Check the dates before and after it.",
        )
    return Applied(replayed.referral)


def _was_used(
    wrong: ReferralEvent,
    referral: Referral,
    event: Corrected,
    context: DecisionContext,
    history: History,
) -> bool:
    """Whether a wrong event counted until now. If it was history only, its replacement may be, too."""
    if any(isinstance(e, Corrected) and e.supersedes == wrong.event_id for e in history.events):
        latest = max(e.order for e in history.events if isinstance(e, Corrected) and e.supersedes == wrong.event_id)
        return latest < event.order
    return wrong.event_id in replay_events(referral, history.events, context, history).moved_by


def _is_used(replacement: StageChange, replayed: Replayed) -> bool:
    """Whether the replay used the replacement; an infusion that is too early would open no window."""
    disputed = {e.event_id for e in replayed.endings.disputed}
    return replacement.event_id in replayed.moved_by | replayed.placed | disputed
