"""Applies one stage change or extension to a referral, and says what a decision is.

Whether an event applies, and in which order, is decided in `apply_event`, `event_path` and `endings`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from chalicelib.domain.platform.copying import replace
from chalicelib.domain.referrals import reason_codes as reasons
from chalicelib.domain.referrals.event_path import STAGES_BEFORE_HANDBACK, PathEvent
from chalicelib.domain.referrals.events import (
    EventOrder,
    EventSource,
    InformationRequested,
    ReferralEvent,
    StageChange,
    WindowExtended,
)
from chalicelib.domain.referrals.history_start import get_submission_time
from chalicelib.domain.referrals.monitoring_window import (
    AnchorInfusion,
    MonitoringProfile,
    WindowExtension,
    open_window,
    to_local_day,
)
from chalicelib.domain.referrals.referral import Referral
from chalicelib.domain.referrals.stages import TERMINAL_STAGES, Actor, Stage
from chalicelib.domain.referrals.transitions import list_actors_for, list_reachable_stages


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
    """Not legal, and no other event can make it legal.

    `code` is the reason, and `pointer` the field of the event that is wrong, if it is a single one.
    """

    code: str
    reason: str
    pointer: str | None = None


Decision = Applied | Recorded | Pending | Rejected

_JOURNEY_POSITION: Mapping[Stage, tuple[bool, int]] = {
    stage: (stage in TERMINAL_STAGES, place) for place, stage in enumerate(Stage)
}
"""The order of stages that were entered at the same time; a stage that ends the referral comes last."""

REJECTED_CLOSED = Rejected("referral_closed", "This referral is closed. Reopen it to make changes.")


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionContext:
    """What a decision needs besides the referral.

    Attributes:
        profile: The monitoring profile of the referral's current product.
        get_profile: Gets the profile of a product, or the longest periods of all labels for None.
        time_zone: The center's time zone.
        now: The time of the decision.
    """

    profile: MonitoringProfile
    get_profile: Callable[[str | None], MonitoringProfile]
    time_zone: str
    now: datetime

    def for_product(self, product_id: str | None) -> "DecisionContext":
        """The context for a product. The figures of the same product stay, even if the catalog has changed."""
        profile = self.get_profile(product_id)
        return self if profile.product_id == self.profile.product_id else replace(self, profile=profile)


def find_broken_rule(change: StageChange, context: DecisionContext) -> Rejected | None:
    """Find the rule that a change breaks regardless of the referral's current stage."""
    allowed_actors = list_actors_for(change.stage)
    if change.actor not in allowed_actors:
        return reject_wrong_actor(allowed_actors)
    if change.stage is Stage.INFUSED and change.local_date:
        local_date = to_local_day(change.occurred_at, context.time_zone)
        if abs(change.local_date - local_date) > timedelta(days=1):
            return Rejected(
                "local_date_wrong",
                "The infusion date and time do not match. Check both against the center's calendar.",
            )
    return None


_ORGANIZATIONS = {Actor.CENTER: "the treatment center", Actor.PRACTICE: "the referring practice"}


def reject_wrong_actor(allowed: frozenset[Actor]) -> Rejected:
    """Name the organization that can record the step."""
    names = " or ".join(name for actor, name in _ORGANIZATIONS.items() if actor in allowed)
    return Rejected("not_your_move", f"Only {names or 'the dashboard itself'} can record this step.")


def with_event(referral: Referral, event: PathEvent, context: DecisionContext) -> Referral:
    """Apply an event that moves the referral from its current stage."""
    if isinstance(event, WindowExtended):
        return _with_monitoring_again(referral, event, context)
    if isinstance(event, InformationRequested):
        return with_stage(referral, _to_stage_change(event), context)
    moved = with_stage(referral, event, context)
    if event.stage is Stage.INFUSED:
        return _with_infusion(moved, event, context)
    return _recount_window(moved, context)


def _to_stage_change(event: InformationRequested) -> StageChange:
    return StageChange(
        event_id=event.event_id,
        referral_id=event.referral_id,
        occurred_at=event.occurred_at,
        recorded_at=event.recorded_at,
        actor=event.actor,
        source=event.source,
        actor_id=event.actor_id,
        actor_name=event.actor_name,
        sequence=event.sequence,
        is_whole_day=event.is_whole_day,
        stage=Stage.INFO_REQUESTED,
    )


def count_all_doses(change: StageChange, context: DecisionContext) -> StageChange:
    """Set the number of doses of an infusion to at least that of the product.

    A webhook event that names no dose number may still be about a split dose. If the last dose is
    never given, the center reports `monitoring`.
    """
    if change.stage is not Stage.INFUSED:
        return change
    return replace(change, of=max(change.of, context.profile.infusion_parts))


def with_extension(referral: Referral, event: WindowExtended) -> Referral:
    """Add an extension to the window; of two extensions, the one that was true later counts."""
    window = referral.window
    if window is None or event.ends_on <= window.infused_on:
        return referral
    extension = WindowExtension(ends_on=event.ends_on, order=event.order, reason_code=event.reason_code)
    return replace(referral, window=window.with_extension(extension))


def _with_monitoring_again(referral: Referral, event: WindowExtended, context: DecisionContext) -> Referral:
    """Return to monitoring because of an extension, also after the window was confirmed as complete."""
    if referral.stage in STAGES_BEFORE_HANDBACK:
        referral = replace(
            referral, stage=Stage.MONITORING, stage_since=event.occurred_at, last_applied_order=event.order
        )
    return with_next_version(referral, event, context)


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


def with_stage(referral: Referral, change: StageChange, context: DecisionContext) -> Referral:
    """Enter a stage; an ending also ends a hold and answers a withdrawal request."""
    submitted = change.occurred_at if change.stage is Stage.SUBMITTED else None
    is_first_submission = change.stage is Stage.SUBMITTED and Stage.SUBMITTED not in referral.stage_entered_at
    entered_at = (
        get_submission_time(referral, change.occurred_at, context.time_zone)
        if is_first_submission
        else change.occurred_at
    )
    is_ending = change.stage in TERMINAL_STAGES
    status = replace(
        referral.status,
        reason_code=_get_reason_code(change),
        revisit_on=change.revisit_on,
        suggested_center_id=change.suggested_center_id,
        first_visit_on=_get_first_visit(referral, change),
        hold=None if is_ending else referral.status.hold,
        hold_head=get_latest(referral.status.hold_head, change.order if is_ending else None),
        withdrawal_requested_at=None if is_ending else referral.status.withdrawal_requested_at,
        ending_reported_at=change.recorded_at if is_ending else None,
    )
    moved = replace(
        referral,
        stage=change.stage,
        stage_since=change.occurred_at,
        last_applied_order=change.order,
        stage_entered_at={**referral.stage_entered_at, change.stage: entered_at},
        submitted_at=referral.submitted_at or submitted,
        status=status,
    )
    return with_next_version(with_death_reason(moved), change, context)


def with_death_reason(referral: Referral) -> Referral:
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


def get_latest(*orders: EventOrder | None) -> EventOrder | None:
    """Get the latest of some orders; None if there is none."""
    return max((order for order in orders if order), default=None)


def find_last_open_stage(referral: Referral) -> Stage:
    """Find the open stage that was entered last: the stage before the referral ended."""
    candidates = [
        (at, _JOURNEY_POSITION[stage], stage)
        for stage, at in referral.stage_entered_at.items()
        if stage not in TERMINAL_STAGES
    ]
    return max(candidates)[-1]


def _get_reason_code(change: StageChange) -> str | None:
    """Get the reported reason; if a stage requires a reason and none was reported, use its default or "unknown"."""
    if change.reason_code or change.stage not in reasons.REASONS_REQUIRED_BY_STAGE:
        return change.reason_code
    return reasons.DEFAULT_REASON_BY_STAGE.get(change.stage, reasons.ReasonCode.UNKNOWN)


def with_next_version(referral: Referral, event: ReferralEvent, context: DecisionContext) -> Referral:
    """Increase the version by one; track the newest event and the sequence number of a webhook event."""
    status = referral.status
    if event.source is EventSource.CENTER_FEED and event.sequence is not None:
        status = replace(status, feed=status.feed.with_sequence(event.sequence))
    if isinstance(event, PathEvent):
        status = replace(status, newest=get_latest(referral.newest_order, event.order))
    return replace(referral, status=status, updated_at=context.now, version=referral.version + 1)


def with_late_stage(referral: Referral, change: StageChange, context: DecisionContext) -> Referral:
    """Keep a late event in the history: note when its stage was entered; the current stage stays."""
    known = referral.stage_entered_at.get(change.stage, change.occurred_at)
    entered_at = {**referral.stage_entered_at, change.stage: max(known, change.occurred_at)}
    updated = with_next_version(with_death_reason(replace(referral, stage_entered_at=entered_at)), change, context)
    is_counted = change.stage is Stage.INFUSED and not is_infusion_ahead(referral.stage)
    return _recount_window(_with_infusion(updated, change, context) if is_counted else updated, context)


def is_infusion_ahead(stage: Stage) -> bool:
    """Whether the infusion is still ahead, so that a late report of an infusion cannot be right."""
    return stage is not Stage.INFUSED and Stage.INFUSED in list_reachable_stages(stage)
