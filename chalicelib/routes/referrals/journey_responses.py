"""The main path of a referral and the next actions, as a page shows them."""

from collections.abc import Mapping, Sequence

from chalicelib.domain.consultation.booking_actions import BookingAction, explain_refusal
from chalicelib.domain.consultation.consultation import CancelReason
from chalicelib.domain.identity.members import Member, TenantKind
from chalicelib.domain.referrals.allowed_reports import list_allowed_reports
from chalicelib.domain.referrals.events import EventType
from chalicelib.domain.referrals.reason_codes import REASONS_REQUIRED_BY_STAGE
from chalicelib.domain.referrals.referral import Referral
from chalicelib.domain.referrals.stage_changes import DecisionContext
from chalicelib.domain.referrals.stages import MAIN_PATH, STAGE_FACTS, TERMINAL_STAGES, Phase, Stage, StepKind
from chalicelib.domain.referrals.transitions import list_actors_for, list_transitions_from
from chalicelib.routes.platform.timestamps import format_timestamp
from chalicelib.routes.referrals.phase_labels import PHASE_LABELS
from chalicelib.routes.referrals.referral_part_types import ActionResponse, JourneyPhaseResponse, JourneyStepResponse


def to_journey_response(referral: Referral) -> list[JourneyPhaseResponse]:
    """The phases with their stages. A referral that ended early shows no stage after its end."""
    path = _list_journey_stages(referral)
    stages_by_phase: dict[Phase, list[Stage]] = {}
    for stage in path:
        stages_by_phase.setdefault(STAGE_FACTS[stage].phase, []).append(stage)
    return [
        {
            "phase": phase,
            "label": PHASE_LABELS[phase],
            "stages": [_build_step(stage, path, referral) for stage in stages],
        }
        for phase, stages in stages_by_phase.items()
    ]


def _list_journey_stages(referral: Referral) -> list[Stage]:
    """The main path; a detour or an end that the referral is at comes after the last stage it reached."""
    path = list(MAIN_PATH)
    if STAGE_FACTS[referral.stage].step_kind is not StepKind.DETOUR:
        return path
    reached = [stage for stage in path if stage in referral.stage_entered_at]
    after = path.index(reached[-1]) + 1 if reached else 0
    ahead = [] if referral.stage in TERMINAL_STAGES else path[after:]
    return [*path[:after], referral.stage, *ahead]


def _build_step(stage: Stage, path: Sequence[Stage], referral: Referral) -> JourneyStepResponse:
    entered_at = referral.stage_entered_at.get(stage)
    if stage is referral.stage:
        state = "current"
    elif path.index(stage) > path.index(referral.stage):
        state = "ahead"
    else:
        state = "done" if entered_at else "not_reported"
    # The draft of a patient who was referred earlier is younger than the referral.
    is_late_draft = stage is Stage.DRAFT and referral.details.get("referred_on") and referral.submitted_at
    shown = None if state == "ahead" or is_late_draft else entered_at
    return {
        "stage": stage,
        "label": STAGE_FACTS[stage].label,
        "state": state,
        "at": format_timestamp(shown) if shown else None,
    }


_FIELDS_BY_STAGE: Mapping[Stage, tuple[str, ...]] = {
    Stage.INFO_REQUESTED: ("note",),
    Stage.CONSULT_SCHEDULED: ("starts_at", "on", "mode", "place", "contact"),
    Stage.APHERESIS_SCHEDULED: ("starts_at", "on", "place", "contact"),
    Stage.PRODUCT_SHIPPED: ("starts_at", "on", "place", "contact"),
    Stage.INFUSED: ("part", "of", "local_date"),
    Stage.DEFERRED: ("revisit_on",),
    Stage.REDIRECTED: ("suggested_center_id",),
    Stage.HANDED_BACK: ("first_visit_on",),
}
"""What a page asks for when it reports a stage, in addition to its time, its reason and an optional note."""


REPORT_STAGE = "stage.report"

_BOOKING_LABELS: Mapping[BookingAction, str] = {
    BookingAction.BOOK: "Book a time",
    BookingAction.MOVE: "Reschedule",
    BookingAction.HOLD: "Hold a time",
    BookingAction.ASK: "Ask the center for a time",
    BookingAction.CANCEL: "Cancel consultation",
}

_FIELDS_BY_BOOKING_ACTION: Mapping[BookingAction, tuple[str, ...]] = {
    BookingAction.BOOK: ("slot_id",),
    BookingAction.MOVE: ("slot_id",),
    BookingAction.HOLD: ("slot_id",),
    BookingAction.ASK: ("preferred_days", "earliest_on", "part_of_day", "mode"),
}

_NO_ACCESS = "Your role does not include updating referrals."


def list_reportable_events(referral: Referral, member: Member, context: DecisionContext) -> list[EventType]:
    """The types of events, other than stage changes, that this member can report now."""
    return list_allowed_reports(referral, actor=member.actor, context=context) if member.has_clinical_access else []


def to_actions_response(
    referral: Referral, member: Member, organization_names: Mapping[TenantKind, str | None]
) -> list[ActionResponse]:
    """What can come next: which stage this member can report, who reports the others, and what can be booked."""
    actions: list[ActionResponse] = []
    for stage, actors in list_transitions_from(referral.stage).items():
        is_allowed = member.has_clinical_access and member.actor in actors
        actions.append(
            {
                "action": REPORT_STAGE,
                "stage": stage,
                "label": STAGE_FACTS[stage].action,
                "allowed": is_allowed,
                "why_not": None if is_allowed else _explain_not_allowed(stage, member, organization_names),
                "needs": list(_FIELDS_BY_STAGE.get(stage, ())),
                "reasons": sorted(REASONS_REQUIRED_BY_STAGE.get(stage, ())),
                "ends": stage in TERMINAL_STAGES,
            }
        )
    actions += [_to_booking_action(action, referral, member) for action in BookingAction]
    return sorted(actions, key=lambda action: (not action["allowed"], action["ends"]))


def _to_booking_action(action: BookingAction, referral: Referral, member: Member) -> ActionResponse:
    why_not = explain_refusal(action, referral, member.actor) if member.has_clinical_access else _NO_ACCESS
    return {
        "action": action,
        "stage": None,
        "label": _BOOKING_LABELS[action],
        "allowed": why_not is None,
        "why_not": why_not,
        "needs": list(_FIELDS_BY_BOOKING_ACTION.get(action, ())),
        "reasons": sorted(CancelReason) if action is BookingAction.CANCEL else [],
        "ends": False,
    }


def _explain_not_allowed(stage: Stage, member: Member, organization_names: Mapping[TenantKind, str | None]) -> str:
    if not member.has_clinical_access:
        return _NO_ACCESS
    other = TenantKind.CENTER if member.kind is TenantKind.PRACTICE else TenantKind.PRACTICE
    is_automatic = not {member.actor.value, other.value} & {actor.value for actor in list_actors_for(stage)}
    if is_automatic:
        return "The dashboard records this automatically."
    name = organization_names.get(other) or ("The treatment center" if other is TenantKind.CENTER else "The practice")
    return f"{name} records this step."
