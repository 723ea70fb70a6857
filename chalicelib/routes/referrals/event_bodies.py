"""What people and centers' systems report: one body per kind of event, and the event it makes."""

import json
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field, RootModel

from chalicelib.domain.referrals.events import (
    Corrected,
    Event,
    HoldEnded,
    HoldStarted,
    Reopened,
    Source,
    StageChange,
    ToxicityNoticed,
    WindowExtended,
    WithdrawalRequested,
)
from chalicelib.domain.referrals.reason_codes import Reason
from chalicelib.domain.referrals.stages import Actor, Stage
from chalicelib.errors import MalformedError
from chalicelib.routes.platform.fields import Body, Code, Day, Identifier, Instant, Note

Part = Annotated[int, Field(ge=1, le=9)]


class StageData(Body):
    """The stage that was reached, and what belongs to it."""

    stage: Stage
    part: Part = 1
    of: Part = 1
    local_date: Day | None = None
    revisit_on: Day | None = None
    suggested_center_id: Identifier | None = None
    first_visit_on: Day | None = None
    reason_code: Reason | None = None
    note: Note | None = None


class HoldData(Body):
    """Why nothing goes on, and until when that is expected."""

    until: Day | None = None
    reason_code: Code | None = None
    note: Note | None = None


class WordData(Body):
    """A reason and a note."""

    reason_code: Code | None = None
    note: Note | None = None


class ToxicityData(WordData):
    """What the center noticed."""

    kind: Literal["crs", "neurotoxicity", "infection", "cytopenia", "readmission", "other"] = (
        "other"
    )
    grade: Annotated[int, Field(ge=1, le=5)] | None = None


class ExtensionData(WordData):
    """How long the center monitors."""

    ends_on: Day


class Replacement(Body):
    """What really happened, as it would have been reported."""

    type: Literal["stage.changed"] = "stage.changed"
    occurred_at: Instant
    data: StageData


class CorrectionData(Body):
    """Which event was wrong, and what takes its place."""

    supersedes: Identifier
    replacement: Replacement | None = None
    reason_code: Code | None = None
    note: Note | None = None


class _Report(Body):
    occurred_at: Instant
    sequence: Annotated[int, Field(ge=0, le=10**11)] | None = None


class StageReport(_Report):
    """The referral reached a stage."""

    type: Literal["stage.changed"]
    data: StageData


class HoldStartReport(_Report):
    """A pause began."""

    type: Literal["hold.started"]
    data: HoldData = HoldData()


class HoldEndReport(_Report):
    """A pause ended."""

    type: Literal["hold.ended"]
    data: WordData = WordData()


class ToxicityReport(_Report):
    """A toxicity was noticed."""

    type: Literal["toxicity.noticed"]
    data: ToxicityData = ToxicityData()


class ExtensionReport(_Report):
    """The monitoring window was extended."""

    type: Literal["window.extended"]
    data: ExtensionData


class WithdrawalReport(_Report):
    """The practice asks the center to stop."""

    type: Literal["withdrawal.requested"]
    data: WordData = WordData()


class ReopenReport(_Report):
    """An ended referral goes on."""

    type: Literal["referral.reopened"]
    data: WordData = WordData()


class CorrectionReport(_Report):
    """An earlier event was wrong."""

    type: Literal["event.corrected"]
    data: CorrectionData


AnyReport = Annotated[
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


class EventBody(RootModel[AnyReport]):
    """Something that happened to a referral; `type` tells what stands in `data`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reporter:
    """Who reports, and under which id."""

    event_id: str
    actor: Actor
    source: Source
    actor_id: str
    actor_name: str
    recorded_at: datetime


def event_of(report: Any, *, referral_id: str, by: Reporter) -> Event:
    """The event that a report tells of.

    Raises:
        MalformedError: it claims to be true later than a wrong clock explains; as the latest
            for ever, it would freeze the referral.
    """
    told: dict[str, Any] = {
        "event_id": by.event_id,
        "referral_id": referral_id,
        "occurred_at": report.occurred_at,
        "recorded_at": by.recorded_at,
        "actor": by.actor,
        "source": by.source,
        "actor_id": by.actor_id,
        "actor_name": by.actor_name,
        "sequence": report.sequence,
        "reason_code": report.data.reason_code,
        "note": report.data.note,
    }
    event = _made(report, told)
    if event.is_in_the_future or _replacement_in_future(event):
        raise MalformedError("occurred_in_future", "occurred_at lies in the future.")
    return event


def _made(report: Any, told: dict[str, Any]) -> Event:
    data = report.data
    match report:
        case StageReport():
            return _stage_change(data, told)
        case HoldStartReport():
            return HoldStarted(**told, until=data.until)
        case ToxicityReport():
            return ToxicityNoticed(**told, kind=data.kind, grade=data.grade)
        case ExtensionReport():
            return WindowExtended(**told, ends_on=data.ends_on)
        case CorrectionReport():
            return Corrected(
                **told, supersedes=data.supersedes, replacement=_replacement(data, told)
            )
    plain: dict[type, type[Event]] = {
        HoldEndReport: HoldEnded,
        WithdrawalReport: WithdrawalRequested,
        ReopenReport: Reopened,
    }
    return plain[type(report)](**told)


def _stage_change(data: StageData, told: dict[str, Any]) -> StageChange:
    return StageChange(
        **told,
        stage=data.stage,
        part=data.part,
        of=max(data.of, data.part),
        local_date=data.local_date,
        revisit_on=data.revisit_on,
        suggested_center_id=data.suggested_center_id,
        first_visit_on=data.first_visit_on,
    )


def _replacement(data: CorrectionData, told: dict[str, Any]) -> StageChange | None:
    if data.replacement is None:
        return None
    inner = data.replacement.data
    change = _stage_change(inner, told)
    return replace(
        change,
        occurred_at=data.replacement.occurred_at,
        reason_code=inner.reason_code,
        note=inner.note,
    )


def _replacement_in_future(event: Event) -> bool:
    change = event.replacement if isinstance(event, Corrected) else None
    return change is not None and change.is_in_the_future


def split_referral_id(value: Any) -> tuple[Any, bytes]:
    """A feed's body as the id of the referral and the report about it."""
    if not isinstance(value, dict):
        raise MalformedError("malformed", "The body is not an object.")
    rest = {name: part for name, part in value.items() if name != "referral_id"}
    return value.get("referral_id"), json.dumps(rest).encode()
