"""What an event does to a referral.

Pure, and never by order of arrival: an event that was true earlier than the head becomes
history, and one that cannot be legal yet waits for what is missing.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from chalicelib.domain.referrals import reason_codes as reasons
from chalicelib.domain.referrals.events import EventOrder, EventSource, ReferralEvent, StageChange
from chalicelib.domain.referrals.monitoring_window import AnchorInfusion, MonitoringProfile, open_window, to_local_day
from chalicelib.domain.referrals.referral import Referral
from chalicelib.domain.referrals.stages import TERMINAL_STAGES, Stage
from chalicelib.domain.referrals.transitions import list_actors_for, list_reachable_stages, list_transitions_from


@dataclass(frozen=True, slots=True)
class Applied:
    """The event moves the referral."""

    referral: Referral


@dataclass(frozen=True, slots=True)
class Recorded:
    """The event is older than what is known, or says it again: history, no move."""

    referral: Referral


@dataclass(frozen=True, slots=True)
class Pending:
    """Something that must come before has not arrived."""


@dataclass(frozen=True, slots=True)
class Rejected:
    """No later event can make this one legal. `code` says why."""

    code: str
    reason: str


Decision = Applied | Recorded | Pending | Rejected

_JOURNEY_POSITION: Mapping[Stage, tuple[bool, int]] = {
    stage: (stage in TERMINAL_STAGES, place) for place, stage in enumerate(Stage)
}
"""The place of each stage among events of one instant; what ends a referral comes last."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionContext:
    """What a decision has to know beside the referral.

    The product's monitoring profile, the center's time zone, and the time of the decision.
    """

    profile: MonitoringProfile
    time_zone: str
    now: datetime


def decide_stage_change(referral: Referral, change: StageChange, context: DecisionContext) -> Decision:
    """Say what a change of stage does to `referral`."""
    if change.stage is Stage.INFUSED:
        # A feed that names no parts still speaks of a product that is given in several. Where
        # the last one is never given, the center reports `monitoring`.
        change = replace(change, of=max(change.of, context.profile.infusion_parts))
    forbidden = _find_broken_rule(change, context)
    if forbidden:
        return forbidden
    if _is_older_than_current(change, referral):
        return Recorded(_with_late_stage(referral, change, context))
    if change.stage not in list_transitions_from(referral.stage):
        return _reject_or_wait(referral, change, context)
    if change.actor not in list_transitions_from(referral.stage)[change.stage]:
        return Rejected("not_your_move", "This move belongs to the other side.")
    if change.stage is Stage.INFUSED:
        return _decide_infusion(referral, change, context)
    moved = _recount_window(_with_stage(referral, change, context), context)
    return Applied(reopen_monitoring_if_extended(moved))


def _find_broken_rule(change: StageChange, context: DecisionContext) -> Rejected | None:
    """What is wrong with a change wherever the referral stands."""
    if change.actor not in list_actors_for(change.stage):
        return Rejected("not_your_move", "This move belongs to the other side.")
    if change.stage is Stage.INFUSED and change.local_date:
        local_date = to_local_day(change.occurred_at, context.time_zone)
        if abs(change.local_date - local_date) > timedelta(days=1):
            return Rejected("local_date_wrong", "local_date is not the day of occurred_at at the center.")
    return None


def _is_older_than_current(change: StageChange, referral: Referral) -> bool:
    """Whether the referral has moved since `change` was true.

    Feeds stamp whole seconds and often send no sequence, so two events of one instant are
    common. Then the journey's own order tells which came later, unless only the other way
    round one leads to the other. By the id alone, half of such pairs would leave the referral
    behind; it only tells apart what is of the same stage.
    """
    if referral.last_applied_order is None:
        return False
    mine, known = change.order[:2], referral.last_applied_order[:2]
    if mine != known:
        return mine < known
    if change.stage is referral.stage:
        # Parts of a split dose have an order of their own.
        return change.stage is not Stage.INFUSED and change.event_id < referral.last_applied_order.event_id
    is_next = change.stage in list_transitions_from(referral.stage)
    was_before = referral.stage in list_transitions_from(change.stage)
    if is_next and not was_before:
        return False
    return _JOURNEY_POSITION[change.stage] < _JOURNEY_POSITION[referral.stage]


def _reject_or_wait(referral: Referral, change: StageChange, context: DecisionContext) -> Decision:
    if referral.stage in TERMINAL_STAGES:
        return Rejected("referral_closed", "The referral is closed.")
    # A stage that can be come back to waits even where one stands in it: between the two visits
    # something is missing, such as the failure that a second start of manufacturing follows.
    if change.stage in list_reachable_stages(referral.stage):
        return Pending()
    if change.stage is referral.stage:
        return Recorded(_with_late_stage(referral, change, context))
    return Rejected("move_not_legal", "No sequence of moves leads there from the present stage.")


def _decide_infusion(referral: Referral, change: StageChange, context: DecisionContext) -> Decision:
    """Part k of n: the parts come in order."""
    given = referral.doses_given if referral.stage is Stage.INFUSED else 0
    if change.part <= given:
        return Recorded(_with_late_stage(referral, change, context))
    if change.part > given + 1:
        return Pending()
    return Applied(_with_infusion(_with_stage(referral, change, context), change, context))


def _recount_window(referral: Referral, context: DecisionContext) -> Referral:
    """Where monitoring came before the last part, the window is counted from the last one given.

    Made anew of what is known each time, so that it does not matter what was learned of first.
    """
    is_dropped = Stage.MONITORING in referral.stage_entered_at and 0 < referral.doses_given < referral.dose_total
    if not is_dropped or context.profile.anchor is AnchorInfusion.FIRST:
        return referral
    opened = open_window(
        infused_at=referral.stage_entered_at[Stage.INFUSED],
        local_date=None,
        time_zone=context.time_zone,
        profile=context.profile,
    )
    known = referral.window.extensions if referral.window else ()
    return replace(referral, window=replace(opened, extensions=known))


def _with_infusion(referral: Referral, change: StageChange, context: DecisionContext) -> Referral:
    """The referral with this infusion counted; the anchoring one opens the window.

    Also where the infusion is learned of late: the days of a patient who is being monitored
    already are counted from it all the same, though they were counted from an earlier part.
    """
    window, is_new = referral.window, change.part > referral.doses_given
    anchors = context.profile.is_anchor(part=change.part, of=change.of)
    if anchors and (window is None or is_new):
        opened = open_window(
            infused_at=change.occurred_at,
            local_date=change.local_date,
            time_zone=context.time_zone,
            profile=context.profile,
        )
        window = replace(opened, extensions=window.extensions) if window else opened
    part, of = max(referral.doses_given, change.part), max(referral.dose_total, change.of)
    return replace(referral, window=window, doses_given=part, dose_total=of)


def _with_stage(referral: Referral, change: StageChange, context: DecisionContext) -> Referral:
    submitted = change.occurred_at if change.stage is Stage.SUBMITTED else None
    ends = change.stage in TERMINAL_STAGES
    overlay = replace(
        referral.status,
        reason_code=_get_reason_code(change),
        revisit_on=change.revisit_on,
        suggested_center_id=change.suggested_center_id,
        first_visit_on=_get_first_visit(referral, change),
        # An ending ends the pause and answers the request; nothing waits any more.
        hold=None if ends else referral.status.hold,
        hold_head=_get_latest(referral.status.hold_head, change.order if ends else None),
        withdrawal_requested_at=None if ends else referral.status.withdrawal_requested_at,
    )
    moved = replace(
        referral,
        stage=change.stage,
        stage_since=change.occurred_at,
        last_applied_order=change.order,
        stage_entered_at={**referral.stage_entered_at, change.stage: change.occurred_at},
        submitted_at=referral.submitted_at or submitted,
        status=overlay,
    )
    return with_next_version(_with_death_reason(moved), change, context)


def _with_death_reason(referral: Referral) -> Referral:
    """A death of somebody who was infused is one after treatment, whatever was said or left out.

    A death before it asks nothing more of anybody; one after it may have to be reported.
    """
    reason_code = referral.status.reason_code
    if reason_code != reasons.ReasonCode.DEATH_BEFORE_TREATMENT or Stage.INFUSED not in referral.stage_entered_at:
        return referral
    after = replace(referral.status, reason_code=reasons.ReasonCode.DEATH_AFTER_TREATMENT)
    return replace(referral, status=after)


def _get_first_visit(referral: Referral, change: StageChange) -> date | None:
    """The day that the hand-back was acknowledged with; later moves leave it."""
    is_back = change.stage is Stage.HANDED_BACK
    return change.first_visit_on if is_back else referral.status.first_visit_on


def _get_latest(*orders: EventOrder | None) -> EventOrder | None:
    return max((order for order in orders if order), default=None)


def find_last_open_stage(referral: Referral) -> Stage:
    """The open stage that was entered last: where an ended referral stood before its end."""
    places = [
        (at, _JOURNEY_POSITION[stage], stage)
        for stage, at in referral.stage_entered_at.items()
        if stage not in TERMINAL_STAGES
    ]
    return max(places)[-1]


def reopen_monitoring_if_extended(referral: Referral) -> Referral:
    """Monitored again, if the center's last word on the window is later than the last move."""
    window, head = referral.window, referral.last_applied_order
    if window is None or not window.extensions or referral.stage not in STAGES_BEFORE_HANDBACK:
        return referral
    word = window.extensions[-1]
    if head is not None and word.order <= head:
        return referral
    return replace(referral, stage=Stage.MONITORING, stage_since=word.order.occurred_at, last_applied_order=word.order)


STAGES_BEFORE_HANDBACK = frozenset({Stage.MONITORING, Stage.WINDOW_COMPLETE, Stage.HANDBACK_READY})
"""Where an extension has the patient monitored again, from the table of moves."""


def _get_reason_code(change: StageChange) -> str | None:
    """The reason as given; an ending that came without one has an unknown one."""
    if change.reason_code or change.stage not in reasons.REASONS_REQUIRED_BY_STAGE:
        return change.reason_code
    return reasons.DEFAULT_REASON_BY_STAGE.get(change.stage, reasons.ReasonCode.UNKNOWN)


def with_next_version(referral: Referral, event: ReferralEvent, context: DecisionContext) -> Referral:
    """The referral as one write later, with the feed's numbering kept up."""
    overlay = referral.status
    if event.source is EventSource.CENTER_FEED and event.sequence is not None:
        overlay = replace(overlay, feed=overlay.feed.with_sequence(event.sequence))
    return replace(referral, status=overlay, updated_at=context.now, version=referral.version + 1)


def _with_late_stage(referral: Referral, change: StageChange, context: DecisionContext) -> Referral:
    """The same referral, knowing more of how it came to where it stands."""
    known = referral.stage_entered_at.get(change.stage, change.occurred_at)
    reached = {**referral.stage_entered_at, change.stage: max(known, change.occurred_at)}
    updated = with_next_version(_with_death_reason(replace(referral, stage_entered_at=reached)), change, context)
    counts = change.stage is Stage.INFUSED and not _has_infusion_ahead(referral)
    return _recount_window(_with_infusion(updated, change, context) if counts else updated, context)


def _has_infusion_ahead(referral: Referral) -> bool:
    """Whether the infusion is still to come, so that one reported of before was not it."""
    return referral.stage is not Stage.INFUSED and Stage.INFUSED in list_reachable_stages(referral.stage)
