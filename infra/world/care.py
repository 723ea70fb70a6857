"""What happens to some patients of the sample data besides the stages: adverse events, relapse, bridging therapy."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from chalicelib.domain.referrals.adverse_events import AdverseEventKind, AdverseEventStatus
from chalicelib.domain.referrals.care_terms import BridgingStatus, BridgingTeam, DiseaseResponse, RelapseStatus
from chalicelib.domain.referrals.events import AdverseEventReported, BridgingReported, ReferralEvent, RelapseReported
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
class DatedCareNote:
    """A note of a story with its time."""

    at: datetime
    note: CareNote


def _adverse_event(days: float, reporter: Actor, kind: AdverseEventKind, **fields: Any) -> CareNote:
    return CareNote(Stage.INFUSED, days, reporter, AdverseEventReported, {"kind": kind, **fields})


_RESOLVED = {"status": AdverseEventStatus.RESOLVED}

CARE_NOTES: Mapping[int, Sequence[CareNote]] = {
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
            yield DatedCareNote(at.replace(microsecond=0), note)
