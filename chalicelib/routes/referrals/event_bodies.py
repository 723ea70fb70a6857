"""What people and centers' systems report: one body per kind of event, and the event it makes."""

import json
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field, RootModel

from chalicelib.domain.referrals.events import (
    Corrected,
    EventSource,
    HoldEnded,
    HoldStarted,
    ReferralEvent,
    Reopened,
    StageChange,
    ToxicityNoticed,
    WindowExtended,
    WithdrawalRequested,
)
from chalicelib.domain.referrals.reason_codes import ReasonCode
from chalicelib.domain.referrals.stages import Actor, Stage
from chalicelib.errors import MalformedError
from chalicelib.routes.platform.fields import (
    CalendarDate,
    Identifier,
    MultiLineText,
    SenderCode,
    StrictModel,
    Timestamp,
)

DoseNumber = Annotated[int, Field(ge=1, le=9)]


class StageData(StrictModel):
    """The stage that was reached, and what belongs to it."""

    stage: Stage
    part: DoseNumber = 1
    of: DoseNumber = 1
    local_date: CalendarDate | None = None
    revisit_on: CalendarDate | None = None
    suggested_center_id: Identifier | None = None
    first_visit_on: CalendarDate | None = None
    reason_code: ReasonCode | None = None
    note: MultiLineText | None = None


class HoldData(StrictModel):
    """Why nothing goes on, and until when that is expected."""

    until: CalendarDate | None = None
    reason_code: SenderCode | None = None
    note: MultiLineText | None = None


class WordData(StrictModel):
    """A reason and a note."""

    reason_code: SenderCode | None = None
    note: MultiLineText | None = None


class ToxicityData(WordData):
    """What the center noticed."""

    kind: Literal["crs", "neurotoxicity", "infection", "cytopenia", "readmission", "other"] = "other"
    grade: Annotated[int, Field(ge=1, le=5)] | None = None


class ExtensionData(WordData):
    """How long the center monitors."""

    ends_on: CalendarDate


class Replacement(StrictModel):
    """What really happened, as it would have been reported."""

    type: Literal["stage.changed"] = "stage.changed"
    occurred_at: Timestamp
    data: StageData


class CorrectionData(StrictModel):
    """Which event was wrong, and what takes its place."""

    supersedes: Identifier
    replacement: Replacement | None = None
    reason_code: SenderCode | None = None
    note: MultiLineText | None = None


class _EventReport(StrictModel):
    occurred_at: Timestamp
    sequence: Annotated[int, Field(ge=0, le=10**11)] | None = None


class StageReport(_EventReport):
    """The referral reached a stage."""

    type: Literal["stage.changed"]
    data: StageData


class HoldStartReport(_EventReport):
    """A pause began."""

    type: Literal["hold.started"]
    data: HoldData = HoldData()


class HoldEndReport(_EventReport):
    """A pause ended."""

    type: Literal["hold.ended"]
    data: WordData = WordData()


class ToxicityReport(_EventReport):
    """A toxicity was noticed."""

    type: Literal["toxicity.noticed"]
    data: ToxicityData = ToxicityData()


class ExtensionReport(_EventReport):
    """The monitoring window was extended."""

    type: Literal["window.extended"]
    data: ExtensionData


class WithdrawalReport(_EventReport):
    """The practice asks the center to stop."""

    type: Literal["withdrawal.requested"]
    data: WordData = WordData()


class ReopenReport(_EventReport):
    """An ended referral goes on."""

    type: Literal["referral.reopened"]
    data: WordData = WordData()


class CorrectionReport(_EventReport):
    """An earlier event was wrong."""

    type: Literal["event.corrected"]
    data: CorrectionData


AnyEventReport = Annotated[
    StageReport
    | HoldStartReport
    | HoldEndReport
    | ToxicityReport
    | ExtensionReport
    | WithdrawalReport
    | ReopenReport
    | CorrectionReport,
    Field(discriminator="type"),
]


class EventBody(RootModel[AnyEventReport]):
    """Something that happened to a referral; `type` tells what stands in `data`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EventReporter:
    """Who reports, and under which id."""

    event_id: str
    actor: Actor
    source: EventSource
    actor_id: str
    actor_name: str
    recorded_at: datetime


def build_event(report: Any, *, referral_id: str, reporter: EventReporter) -> ReferralEvent:
    """The event that a report tells of.

    Raises:
        MalformedError: it claims to be true later than a wrong clock explains; as the latest
            for ever, it would freeze the referral.
    """
    told: dict[str, Any] = {
        "event_id": reporter.event_id,
        "referral_id": referral_id,
        "occurred_at": report.occurred_at,
        "recorded_at": reporter.recorded_at,
        "actor": reporter.actor,
        "source": reporter.source,
        "actor_id": reporter.actor_id,
        "actor_name": reporter.actor_name,
        "sequence": report.sequence,
        "reason_code": report.data.reason_code,
        "note": report.data.note,
    }
    event = _build_domain_event(report, told)
    if event.is_in_the_future or _require_replacement_not_future(event):
        raise MalformedError("occurred_in_future", "occurred_at lies in the future.")
    return event


def _build_domain_event(report: Any, common: dict[str, Any]) -> ReferralEvent:
    data = report.data
    match report:
        case StageReport():
            return _build_stage_change(data, common)
        case HoldStartReport():
            return HoldStarted(**common, until=data.until)
        case ToxicityReport():
            return ToxicityNoticed(**common, kind=data.kind, grade=data.grade)
        case ExtensionReport():
            return WindowExtended(**common, ends_on=data.ends_on)
        case CorrectionReport():
            return Corrected(**common, supersedes=data.supersedes, replacement=_build_replacement(data, common))
    plain: dict[type, type[ReferralEvent]] = {
        HoldEndReport: HoldEnded,
        WithdrawalReport: WithdrawalRequested,
        ReopenReport: Reopened,
    }
    return plain[type(report)](**common)


def _build_stage_change(data: StageData, common: dict[str, Any]) -> StageChange:
    return StageChange(
        **common,
        stage=data.stage,
        part=data.part,
        of=max(data.of, data.part),
        local_date=data.local_date,
        revisit_on=data.revisit_on,
        suggested_center_id=data.suggested_center_id,
        first_visit_on=data.first_visit_on,
    )


def _build_replacement(data: CorrectionData, common: dict[str, Any]) -> StageChange | None:
    if data.replacement is None:
        return None
    inner = data.replacement.data
    change = _build_stage_change(inner, common)
    return replace(change, occurred_at=data.replacement.occurred_at, reason_code=inner.reason_code, note=inner.note)


def _require_replacement_not_future(event: ReferralEvent) -> bool:
    change = event.replacement if isinstance(event, Corrected) else None
    return change is not None and change.is_in_the_future


def parse_delivery_body(value: Any) -> tuple[Any, bytes]:
    """A feed's body as the id of the referral and the report about it."""
    if not isinstance(value, dict):
        raise MalformedError("malformed", "The body is not an object.")
    rest = {name: part for name, part in value.items() if name != "referral_id"}
    return value.get("referral_id"), json.dumps(rest).encode()
