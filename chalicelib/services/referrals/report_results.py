"""What became of a reported event, as the caller and the delivery log get it."""

from dataclasses import dataclass
from typing import Any

from chalicelib.domain.coverage.warnings import CoverageWarning
from chalicelib.domain.referrals.events import ReferralEvent, StageChange
from chalicelib.domain.referrals.stage_changes import Applied, Decision, Recorded, Rejected
from chalicelib.errors import ConflictError
from chalicelib.store.webhooks.delivery_log import DeliveryResult, DeliveryStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportResult:
    """What became of a report: `applied`, `recorded`, `parked` or `duplicate`.

    `contradiction`: whether an ending and a later step contradict each other, and both sides were asked.
    `warnings` are about leukapheresis that is planned without a coverage clearance; they block nothing.
    `waiting_for` lists the stages that must come first; only for a parked report about the reporter's own referral.
    """

    status: str
    referral_id: str
    event_id: str
    stage: str | None
    contradiction: bool = False
    waiting_for: tuple[str, ...] = ()
    warnings: tuple[CoverageWarning, ...] = ()


def build_report_result(
    decision: Decision, event: ReferralEvent, *, warnings: tuple[CoverageWarning, ...] = ()
) -> ReportResult:
    """The result of a report with this decision."""
    status = {Applied: "applied", Recorded: "recorded"}.get(type(decision), "parked")
    referral = decision.referral if isinstance(decision, Applied | Recorded) else None
    return ReportResult(
        status=status,
        referral_id=event.referral_id,
        event_id=event.event_id,
        stage=referral.stage if referral else None,
        contradiction=referral is not None and referral.status.contradiction is not None,
        warnings=warnings,
    )


def build_delivery_result(decision: Decision, event: ReferralEvent) -> DeliveryResult:
    """The result that the delivery log keeps for this decision."""
    result = build_report_result(decision, event)
    refused = isinstance(decision, Rejected)
    return DeliveryResult(
        status=DeliveryStatus.REFUSED if refused else DeliveryStatus(result.status),
        **name_reported(event),
        stage=result.stage,
        code=decision.code if isinstance(decision, Rejected) else None,
        contradiction=result.contradiction,
    )


def name_reported(event: ReferralEvent) -> dict[str, Any]:
    """The members of a delivery's result that say what the sender reported."""
    return {
        "referral_id": event.referral_id,
        "event_id": event.event_id,
        "event_type": event.type,
        "reported_stage": event.stage if isinstance(event, StageChange) else None,
    }


def replay_result(first_result: DeliveryResult) -> ReportResult:
    """The result of a delivery that was already processed."""
    if first_result.status is DeliveryStatus.REFUSED:
        raise ConflictError(first_result.code or "refused", "This delivery was already refused.")
    parked = first_result.status is DeliveryStatus.PARKED
    return ReportResult(
        status="parked" if parked else "duplicate",
        referral_id=first_result.referral_id,
        event_id=first_result.event_id,
        stage=first_result.stage,
        contradiction=first_result.contradiction,
        waiting_for=first_result.waiting_for if parked else (),
    )
