"""What both sides reported about the patient's care, as the API returns it."""

# pydantic needs this one on Python 3.11.
from typing_extensions import TypedDict

from chalicelib.domain.referrals.adverse_events import ADVERSE_EVENT_FACTS, format_adverse_event
from chalicelib.domain.referrals.care_reports import AdverseEvent
from chalicelib.domain.referrals.care_terms import BRIDGING_STATUS_LABELS, RELAPSE_STATUS_LABELS
from chalicelib.domain.referrals.referral import Referral
from chalicelib.domain.referrals.stages import Stage
from chalicelib.routes.platform.timestamps import format_timestamp


class AdviceResponse(TypedDict):
    """What to do first, with its source and the source's date."""

    text: str
    """What to do first."""
    source: str
    """The source and its date, for display."""


class AdverseEventResponse(TypedDict):
    """The latest known state of one kind of adverse event.

    `label` names the kind with its grade. `since` is when this episode began, and `reported_at` when
    the latest report was true. `grading` is the scale of the grade. After a death none is `open`.
    """

    kind: str
    """What kind of adverse event it is, as a code."""
    label: str
    """The words for it, for display."""
    grade: int | None
    """The grade; null if it was not reported."""
    grading: str | None
    """The scale of the grade; null if it was not graded."""
    status: str
    """The latest reported status."""
    open: bool
    """Whether it is open: not yet reported as resolved, done or canceled."""
    since: str
    """Since when (RFC 3339, UTC)."""
    reported_at: str
    """When it was reported (RFC 3339, UTC)."""
    reported_by: str
    """Which side reported it: `practice` or `center`."""
    resolved_on: str | None
    """The day on which it resolved (YYYY-MM-DD); null while it is open."""
    advice: AdviceResponse | None
    """What to do first; null if the product has no advice on it."""


class RelapseResponse(TypedDict):
    """The latest report of a relapse."""

    status: str
    """The state, as a code."""
    label: str
    """The words for it, for display."""
    reported_at: str
    """When it was reported (RFC 3339, UTC)."""
    reported_by: str
    """Which side reported it: `practice` or `center`."""


class BridgingResponse(TypedDict):
    """Bridging therapy as last reported; `by` is who gives it."""

    status: str
    """The state, as a code."""
    label: str
    """The words for it, for display."""
    by: str | None
    """Who gives the therapy; null if it was not reported."""
    regimen: str | None
    """The drugs, in words; null if not reported."""
    response: str | None
    """How the disease responded; null if not reported."""
    reported_at: str
    """When it was reported (RFC 3339, UTC)."""
    reported_by: str
    """Which side reported it: `practice` or `center`."""


class CareResponse(TypedDict):
    """What both sides reported about the patient's care."""

    adverse_events: list[AdverseEventResponse]
    relapse: RelapseResponse | None
    bridging: BridgingResponse | None
    toxicity_noticed_at: str | None


def to_care_response(referral: Referral) -> CareResponse:
    """The latest state of each adverse event, of a relapse, and of bridging therapy."""
    last_at = referral.care.last_adverse_event_at
    return {
        "adverse_events": _list_adverse_events(referral),
        "relapse": _build_relapse(referral),
        "bridging": _build_bridging(referral),
        "toxicity_noticed_at": format_timestamp(last_at) if last_at else None,
    }


def list_open_adverse_events(referral: Referral) -> list[AdverseEventResponse]:
    """The adverse events that are not reported as resolved; none after a death."""
    return [event for event in _list_adverse_events(referral) if event["open"]]


def _list_adverse_events(referral: Referral) -> list[AdverseEventResponse]:
    is_alive = referral.stage is not Stage.DECEASED
    events = referral.care.list_adverse_events()
    return [_to_adverse_event_response(event, is_open=event.is_open and is_alive) for event in events]


def _to_adverse_event_response(event: AdverseEvent, *, is_open: bool) -> AdverseEventResponse:
    facts = ADVERSE_EVENT_FACTS[event.kind]
    advice: AdviceResponse | None = None
    if facts.advice:
        advice = {"text": facts.advice.text, "source": facts.advice.source}
    return {
        "kind": event.kind,
        "label": format_adverse_event(event.kind, event.grade),
        "grade": event.grade,
        "grading": facts.grading,
        "status": event.status,
        "open": is_open,
        "since": format_timestamp(event.since),
        "reported_at": format_timestamp(event.reported_at),
        "reported_by": event.reported_by,
        "resolved_on": event.resolved_on.isoformat() if event.resolved_on else None,
        "advice": advice,
    }


def _build_relapse(referral: Referral) -> RelapseResponse | None:
    report = referral.care.relapse
    if report is None:
        return None
    return {
        "status": report.status,
        "label": RELAPSE_STATUS_LABELS[report.status],
        "reported_at": format_timestamp(report.order.occurred_at),
        "reported_by": report.by,
    }


def _build_bridging(referral: Referral) -> BridgingResponse | None:
    report = referral.care.summarize_bridging()
    if report is None:
        return None
    return {
        "status": report.status,
        "label": BRIDGING_STATUS_LABELS[report.status],
        "by": report.given_by,
        "regimen": report.regimen,
        "response": report.response,
        "reported_at": format_timestamp(report.order.occurred_at),
        "reported_by": report.by,
    }
