"""Decides what a reported stage change does to a referral.

The order of arrival never matters. A late event (it was true before the last applied event) is
kept in the history and does not change the stage. An event that is not legal yet is parked until
the missing one arrives; an event that can never become legal is rejected.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from chalicelib.domain.referrals import reason_codes as reasons
from chalicelib.domain.referrals.events import EventOrder, EventSource, ReferralEvent, StageChange
from chalicelib.domain.referrals.monitoring_window import AnchorInfusion, MonitoringProfile, open_window, to_local_day
from chalicelib.domain.referrals.referral import Referral
from chalicelib.domain.referrals.stages import TERMINAL_STAGES, Actor, Stage
from chalicelib.domain.referrals.transitions import list_actors_for, list_reachable_stages, list_transitions_from


@dataclass(frozen=True, slots=True)
class Applied:
    """The event changes the referral: its stage or its status."""

    referral: Referral


@dataclass(frozen=True, slots=True)
class Recorded:
    """A late or repeated event: kept in the history, the stage does not change."""

    referral: Referral


@dataclass(frozen=True, slots=True)
class Pending:
    """Not legal yet, because an earlier event has not arrived: parked until it does."""


@dataclass(frozen=True, slots=True)
class Rejected:
    """Not legal, and no other event can make it legal. `code` is the reason."""

    code: str
    reason: str


Decision = Applied | Recorded | Pending | Rejected

_JOURNEY_POSITION: Mapping[Stage, tuple[bool, int]] = {
    stage: (stage in TERMINAL_STAGES, place) for place, stage in enumerate(Stage)
}
"""The order of stages that were entered at the same time; a stage that ends the referral comes last."""

REJECTED_CLOSED = Rejected("referral_closed", "This referral is closed. Reopen it to make changes.")


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionContext:
    """What a decision needs besides the referral.

    The product's monitoring profile, the center's time zone, and the time of the decision.
    """

    profile: MonitoringProfile
    time_zone: str
    now: datetime


def decide_stage_change(referral: Referral, change: StageChange, context: DecisionContext) -> Decision:
    """Decide what a stage change does to `referral`."""
    if change.stage is Stage.INFUSED:
        # A webhook event that names no dose number may still be about a split dose. If the last
        # dose is never given, the center reports `monitoring`.
        change = replace(change, of=max(change.of, context.profile.infusion_parts))
    rejected = _find_broken_rule(change, context)
    if rejected:
        return rejected
    if _is_older_than_current(change, referral):
        return Recorded(_with_late_stage(referral, change, context))
    if change.stage not in list_transitions_from(referral.stage):
        return _reject_or_wait(referral, change, context)
    allowed_actors = list_transitions_from(referral.stage)[change.stage]
    if change.actor not in allowed_actors:
        return _reject_wrong_actor(allowed_actors)
    if change.stage is Stage.INFUSED:
        return _decide_infusion(referral, change, context)
    moved = _recount_window(_with_stage(referral, change, context), context)
    return Applied(reopen_monitoring_if_extended(moved))


def _find_broken_rule(change: StageChange, context: DecisionContext) -> Rejected | None:
    """Find the rule that a change breaks regardless of the referral's current stage."""
    allowed_actors = list_actors_for(change.stage)
    if change.actor not in allowed_actors:
        return _reject_wrong_actor(allowed_actors)
    if change.stage is Stage.INFUSED and change.local_date:
        local_date = to_local_day(change.occurred_at, context.time_zone)
        if abs(change.local_date - local_date) > timedelta(days=1):
            return Rejected(
                "local_date_wrong",
                "The infusion date and time do not match. Check both against the center's calendar.",
            )
    return None


_ORGANIZATIONS = {Actor.CENTER: "the treatment center", Actor.PRACTICE: "the referring practice"}


def _reject_wrong_actor(allowed: frozenset[Actor]) -> Rejected:
    """Name the organization that can record the step."""
    names = " or ".join(name for actor, name in _ORGANIZATIONS.items() if actor in allowed)
    return Rejected("not_your_move", f"Only {names or 'the dashboard itself'} can record this step.")


def _is_older_than_current(change: StageChange, referral: Referral) -> bool:
    """Whether this is a late event: the referral changed its stage after `change` was true.

    Many center systems send whole seconds and no sequence, so two events with the same time are
    common. Then the stage order decides which came later, unless a transition exists only in the
    opposite direction. Ordering by event id alone would leave the referral at the earlier stage
    in half of these cases; the id only orders two events of the same stage.
    """
    if referral.last_applied_order is None:
        return False
    reported, applied = change.order[:2], referral.last_applied_order[:2]
    if reported != applied:
        return reported < applied
    if change.stage is referral.stage:
        # The doses of a split dose are ordered by their number, not by event id.
        return change.stage is not Stage.INFUSED and change.event_id < referral.last_applied_order.event_id
    is_next = change.stage in list_transitions_from(referral.stage)
    was_before = referral.stage in list_transitions_from(change.stage)
    if is_next and not was_before:
        return False
    return _JOURNEY_POSITION[change.stage] < _JOURNEY_POSITION[referral.stage]


def _reject_or_wait(referral: Referral, change: StageChange, context: DecisionContext) -> Decision:
    """Park a change that may become legal, and reject one that cannot."""
    if referral.stage in TERMINAL_STAGES:
        return REJECTED_CLOSED
    # A stage that can be entered again is parked even if it is the current stage: an event between
    # the two is missing, such as the failure before a second start of manufacturing.
    if change.stage in list_reachable_stages(referral.stage):
        return Pending()
    if change.stage is referral.stage:
        return Recorded(_with_late_stage(referral, change, context))
    return Rejected("move_not_legal", "This step cannot follow the current status. Check which step comes next.")


def _decide_infusion(referral: Referral, change: StageChange, context: DecisionContext) -> Decision:
    """Apply dose k of n; the doses of a split dose must come in order."""
    given = referral.doses_given if referral.stage is Stage.INFUSED else 0
    if change.part <= given:
        return Recorded(_with_late_stage(referral, change, context))
    if change.part > given + 1:
        return Pending()
    return Applied(_with_infusion(_with_stage(referral, change, context), change, context))


def _recount_window(referral: Referral, context: DecisionContext) -> Referral:
    """Count the window from the last dose given, if monitoring began before the last planned dose.

    Recomputed from the known facts each time, so that the order of arrival does not matter.
    """
    is_monitored = Stage.MONITORING in referral.stage_entered_at
    is_last_dose_skipped = is_monitored and 0 < referral.doses_given < referral.dose_total
    if not is_last_dose_skipped or context.profile.anchor is AnchorInfusion.FIRST:
        return referral
    opened = open_window(
        infused_at=referral.stage_entered_at[Stage.INFUSED],
        local_date=None,
        time_zone=context.time_zone,
        profile=context.profile,
    )
    extensions = referral.window.extensions if referral.window else ()
    return replace(referral, window=replace(opened, extensions=extensions))


def _with_infusion(referral: Referral, change: StageChange, context: DecisionContext) -> Referral:
    """Count this infusion; the one that day 0 is counted from opens the monitoring window.

    This also applies to a late infusion: if the patient is already monitored and the days were
    counted from an earlier dose, they are counted again from this one.
    """
    window, is_new = referral.window, change.part > referral.doses_given
    is_anchor = context.profile.is_anchor(dose_number=change.part, dose_total=change.of)
    if is_anchor and (window is None or is_new):
        opened = open_window(
            infused_at=change.occurred_at,
            local_date=change.local_date,
            time_zone=context.time_zone,
            profile=context.profile,
        )
        window = replace(opened, extensions=window.extensions) if window else opened
    given, total = max(referral.doses_given, change.part), max(referral.dose_total, change.of)
    return replace(referral, window=window, doses_given=given, dose_total=total)


def _with_stage(referral: Referral, change: StageChange, context: DecisionContext) -> Referral:
    submitted = change.occurred_at if change.stage is Stage.SUBMITTED else None
    is_ending = change.stage in TERMINAL_STAGES
    status = replace(
        referral.status,
        reason_code=_get_reason_code(change),
        revisit_on=change.revisit_on,
        suggested_center_id=change.suggested_center_id,
        first_visit_on=_get_first_visit(referral, change),
        # When a referral ends, its hold ends and the withdrawal request is answered.
        hold=None if is_ending else referral.status.hold,
        hold_head=_get_latest(referral.status.hold_head, change.order if is_ending else None),
        withdrawal_requested_at=None if is_ending else referral.status.withdrawal_requested_at,
    )
    moved = replace(
        referral,
        stage=change.stage,
        stage_since=change.occurred_at,
        last_applied_order=change.order,
        stage_entered_at={**referral.stage_entered_at, change.stage: change.occurred_at},
        submitted_at=referral.submitted_at or submitted,
        status=status,
    )
    return with_next_version(_with_death_reason(moved), change, context)


def _with_death_reason(referral: Referral) -> Referral:
    """Record the death of an infused patient as a death after treatment, even if it was not reported so.

    A death before treatment requires no further action; one after it may have to be reported.
    """
    reason_code = referral.status.reason_code
    if reason_code != reasons.ReasonCode.DEATH_BEFORE_TREATMENT or Stage.INFUSED not in referral.stage_entered_at:
        return referral
    status = replace(referral.status, reason_code=reasons.ReasonCode.DEATH_AFTER_TREATMENT)
    return replace(referral, status=status)


def _get_first_visit(referral: Referral, change: StageChange) -> date | None:
    """Get the first visit that the practice entered with the return; later stage changes keep it."""
    is_return = change.stage is Stage.HANDED_BACK
    return change.first_visit_on if is_return else referral.status.first_visit_on


def _get_latest(*orders: EventOrder | None) -> EventOrder | None:
    return max((order for order in orders if order), default=None)


def find_last_open_stage(referral: Referral) -> Stage:
    """Find the open stage that was entered last: the stage before the referral ended."""
    candidates = [
        (at, _JOURNEY_POSITION[stage], stage)
        for stage, at in referral.stage_entered_at.items()
        if stage not in TERMINAL_STAGES
    ]
    return max(candidates)[-1]


def reopen_monitoring_if_extended(referral: Referral) -> Referral:
    """Return to monitoring if the latest extension of the window is later than the last stage change."""
    window, last_order = referral.window, referral.last_applied_order
    if window is None or not window.extensions or referral.stage not in STAGES_BEFORE_HANDBACK:
        return referral
    order = window.extensions[-1].order
    if last_order is not None and order <= last_order:
        return referral
    return replace(referral, stage=Stage.MONITORING, stage_since=order.occurred_at, last_applied_order=order)


STAGES_BEFORE_HANDBACK = frozenset({Stage.MONITORING, Stage.WINDOW_COMPLETE, Stage.HANDBACK_READY})
"""The stages from which an extension returns the patient to monitoring, as in `transitions`."""


def _get_reason_code(change: StageChange) -> str | None:
    """Get the reported reason; if a stage requires a reason and none was reported, use its default or "unknown"."""
    if change.reason_code or change.stage not in reasons.REASONS_REQUIRED_BY_STAGE:
        return change.reason_code
    return reasons.DEFAULT_REASON_BY_STAGE.get(change.stage, reasons.ReasonCode.UNKNOWN)


def with_next_version(referral: Referral, event: ReferralEvent, context: DecisionContext) -> Referral:
    """Increase the version by one, and track the sequence number of a webhook event."""
    status = referral.status
    if event.source is EventSource.CENTER_FEED and event.sequence is not None:
        status = replace(status, feed=status.feed.with_sequence(event.sequence))
    return replace(referral, status=status, updated_at=context.now, version=referral.version + 1)


def _with_late_stage(referral: Referral, change: StageChange, context: DecisionContext) -> Referral:
    """Keep a late event in the history: note when its stage was entered; the current stage stays."""
    known = referral.stage_entered_at.get(change.stage, change.occurred_at)
    entered_at = {**referral.stage_entered_at, change.stage: max(known, change.occurred_at)}
    updated = with_next_version(_with_death_reason(replace(referral, stage_entered_at=entered_at)), change, context)
    is_counted = change.stage is Stage.INFUSED and not _has_infusion_ahead(referral)
    return _recount_window(_with_infusion(updated, change, context) if is_counted else updated, context)


def _has_infusion_ahead(referral: Referral) -> bool:
    """Whether the infusion is still ahead, so that a late report of an infusion cannot be right."""
    return referral.stage is not Stage.INFUSED and Stage.INFUSED in list_reachable_stages(referral.stage)
