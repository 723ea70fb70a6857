"""What happens to some patients besides the stages: planned dates, adverse events, relapse, bridging therapy."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from typing import Any

from chalicelib.domain.referrals.adverse_events import AdverseEventKind, AdverseEventStatus
from chalicelib.domain.referrals.care_terms import BridgingStatus, BridgingTeam, DiseaseResponse, RelapseStatus
from chalicelib.domain.referrals.events import (
    AdverseEventReported,
    BridgingReported,
    PlanChanged,
    ReferralEvent,
    RelapseReported,
)
from chalicelib.domain.referrals.plan_terms import PlanKind, VisitMode
from chalicelib.domain.referrals.stages import Actor, Stage
from infra.world.stories import Story
from infra.world.timeline import Step


@dataclass(frozen=True, slots=True)
class CareNote:
    """Something that one side reports some days after a stage."""

    after: Stage
    days: float
    reporter: Actor
    event: type[ReferralEvent]
    fields: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Ahead:
    """A working day some days from now; of a time, half past two in the afternoon in UTC."""

    days: int

    def resolve(self, now: datetime, *, with_time: bool) -> Any:
        """Return the day, or the time on it. A weekend moves to the Monday after it."""
        at = datetime.combine((now + timedelta(days=self.days)).date(), time(14, 30), tzinfo=now.tzinfo)
        at += timedelta(days=max(0, 7 - at.weekday()) if at.weekday() > 4 else 0)
        return at if with_time else at.date()


@dataclass(frozen=True, slots=True)
class DatedCareNote:
    """A note of a story with its time."""

    at: datetime
    note: CareNote


def _adverse_event(days: float, reporter: Actor, kind: AdverseEventKind, **fields: Any) -> CareNote:
    return CareNote(Stage.INFUSED, days, reporter, AdverseEventReported, {"kind": kind, **fields})


def _plan(after: Stage, days: float, plan: PlanKind, **fields: Any) -> CareNote:
    return CareNote(after, days, Actor.CENTER, PlanChanged, {"plan": plan, **fields})


_RESOLVED = {"status": AdverseEventStatus.RESOLVED}

CARE_NOTES: Mapping[int, Sequence[CareNote]] = {
    15: (
        _plan(
            Stage.CONSULT_SCHEDULED,
            0.1,
            PlanKind.CONSULTATION,
            starts_at=Ahead(6),
            mode=VisitMode.IN_PERSON,
            place="Fictional clinic, floor 3",
            contact="Fictional front desk",
        ),
    ),
    28: (
        _plan(Stage.APHERESIS_SCHEDULED, 0.1, PlanKind.LEUKAPHERESIS, on=Ahead(7)),
        _plan(Stage.APHERESIS_SCHEDULED, 2, PlanKind.LEUKAPHERESIS, on=Ahead(14)),
    ),
    32: (
        _plan(Stage.MANUFACTURING_STARTED, 1, PlanKind.DELIVERY, on=Ahead(20)),
        _plan(Stage.MANUFACTURING_STARTED, 1.1, PlanKind.INFUSION, on=Ahead(28)),
        _plan(Stage.MANUFACTURING_STARTED, 5, PlanKind.INFUSION, canceled=True),
    ),
    34: (
        CareNote(
            Stage.APHERESIS_COMPLETED,
            4,
            Actor.PRACTICE,
            BridgingReported,
            {"status": BridgingStatus.STARTED, "by": BridgingTeam.PRACTICE, "regimen": "Fictional regimen A"},
        ),
    ),
    40: (
        CareNote(
            Stage.APHERESIS_COMPLETED,
            3,
            Actor.CENTER,
            BridgingReported,
            {"status": BridgingStatus.PLANNED, "by": BridgingTeam.PRACTICE, "regimen": "Fictional regimen B"},
        ),
        CareNote(
            Stage.APHERESIS_COMPLETED,
            15,
            Actor.PRACTICE,
            BridgingReported,
            {"status": BridgingStatus.COMPLETED, "response": DiseaseResponse.PARTIAL_RESPONSE},
        ),
    ),
    43: (_adverse_event(1.2, Actor.CENTER, AdverseEventKind.CRS, grade=2, note="Fever, fluids given."),),
    44: (
        _adverse_event(1, Actor.CENTER, AdverseEventKind.CRS, grade=1),
        _adverse_event(3.5, Actor.CENTER, AdverseEventKind.CRS, **_RESOLVED),
        _adverse_event(5, Actor.CENTER, AdverseEventKind.CYTOPENIA, grade=3),
    ),
    46: (
        _adverse_event(4, Actor.CENTER, AdverseEventKind.ICANS, grade=1),
        _adverse_event(6, Actor.CENTER, AdverseEventKind.ICANS, **_RESOLVED),
    ),
    51: (_adverse_event(44, Actor.PRACTICE, AdverseEventKind.INFECTION, grade=2),),
    52: (CareNote(Stage.INFUSED, 100, Actor.PRACTICE, RelapseReported, {"status": RelapseStatus.SUSPECTED}),),
    54: (_adverse_event(420, Actor.PRACTICE, AdverseEventKind.SECOND_MALIGNANCY),),
}
"""By the number of the story."""

_LATEST_BEFORE_NOW = timedelta(minutes=10)


def list_care_notes(story: Story, steps: Sequence[Step], *, now: datetime) -> Iterator[DatedCareNote]:
    """List the notes of a story with their times. A note whose time is still ahead is left out."""
    reached = {step.stage: step.at for step in steps}
    for note in CARE_NOTES.get(story.number, ()):
        at = reached[note.after] + timedelta(days=note.days)
        if at <= now - _LATEST_BEFORE_NOW:
            yield DatedCareNote(at.replace(microsecond=0), _with_days(note, now))


def _with_days(note: CareNote, now: datetime) -> CareNote:
    fields = {
        name: value.resolve(now, with_time=name == "starts_at") if isinstance(value, Ahead) else value
        for name, value in note.fields.items()
    }
    return replace(note, fields=fields)
