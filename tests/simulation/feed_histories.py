"""Random histories that a center's system may report: loops, split doses, holds, corrections."""

import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from chalicelib.domain.referrals.adverse_events import AdverseEventKind, AdverseEventStatus
from chalicelib.domain.referrals.care_terms import BridgingStatus, RelapseStatus
from chalicelib.domain.referrals.events import (
    AdverseEventReported,
    BridgingReported,
    Corrected,
    HoldEnded,
    HoldStarted,
    ReferralEvent,
    RelapseReported,
    StageChange,
    ToxicityNoticed,
    derive_id,
)
from chalicelib.domain.referrals.referral import Referral
from chalicelib.domain.referrals.stages import TERMINAL_STAGES, Actor, Stage
from chalicelib.domain.referrals.transitions import list_transitions_from
from tests.support.factories import CENTER
from tests.support.referral_values import NOON, InMemoryInbox, build_event, build_stage_change

MAX_EVENTS = 16


def draw_history(drawn: random.Random, referral_id: str) -> Sequence[ReferralEvent]:
    """Build what a center's system reports of a submitted referral, in the order in which it was true."""
    result: list[ReferralEvent] = []
    stage, part, at, numbered = Stage.SUBMITTED, 0, NOON, drawn.random() < 0.5
    for _ in range(drawn.randint(3, MAX_EVENTS)):
        choices = _next(stage, part)
        going_on = [end for end in choices if end not in TERMINAL_STAGES]
        if not choices:
            break
        # Endings are a third of all transitions; drawn evenly, few histories would get far.
        choices = going_on if going_on and drawn.random() < 0.95 else choices
        at += timedelta(seconds=drawn.randint(60, 10**6))
        end = drawn.choice(choices)
        dose: dict[str, Any] = {}
        if end is Stage.INFUSED:
            part = part + 1 if stage is Stage.INFUSED else 1
            dose = {"part": part, "of": 2}
        move = build_stage_change(end, at, actor=Actor.CENTER, **dose)
        result += [move, *_beside(drawn, move)]
        stage = end
    return [_named(n, event, referral_id, numbered) for n, event in enumerate(result, 1)]


def _next(stage: Stage, part: int) -> list[Stage]:
    """Return what a center may report next; a split dose has two infusions, and the second needs the first."""
    over = stage is Stage.INFUSED and part >= 2
    return sorted(
        end
        for end, actors in list_transitions_from(stage).items()
        if Actor.CENTER in actors and not (over and end is Stage.INFUSED)
    )


def _beside(drawn: random.Random, move: StageChange) -> list[ReferralEvent]:
    """Sometimes add an event besides stage changes, or a corrected date."""
    later = move.occurred_at + timedelta(seconds=20)
    luck = 1.0 if move.stage in TERMINAL_STAGES else drawn.random()
    if luck < 0.05:
        return [build_event(HoldStarted, later), build_event(HoldEnded, later + timedelta(seconds=10))]
    if luck < 0.08 and move.stage in {Stage.INFUSED, Stage.MONITORING}:
        return [build_event(ToxicityNoticed, later), *_draw_care(drawn, later)]
    if luck < 0.11 and move.stage not in {Stage.INFUSED, Stage.SUBMITTED}:
        better = replace(move, occurred_at=move.occurred_at + timedelta(seconds=5))
        return [build_event(Corrected, later, supersedes="the move before", replacement=better)]
    return []


def _draw_care(drawn: random.Random, later: datetime) -> list[ReferralEvent]:
    """Adverse events that go on, get worse or end, a relapse, and what was given before."""
    kind = drawn.choice([AdverseEventKind.CRS, AdverseEventKind.INFECTION])
    at = later + timedelta(seconds=drawn.randint(1, 20))
    return [
        build_event(AdverseEventReported, later, kind=kind, status=drawn.choice(list(AdverseEventStatus))),
        build_event(BridgingReported, later, status=drawn.choice(list(BridgingStatus))),
        build_event(AdverseEventReported, at, kind=kind, grade=drawn.choice([None, 2, 3])),
        build_event(RelapseReported, at, status=drawn.choice(list(RelapseStatus))),
    ]


def _named(n: int, event: ReferralEvent, referral_id: str, numbered: bool) -> ReferralEvent:  # noqa: FBT001
    def event_id(number: int) -> str:
        return derive_id("evt", CENTER.tenant_id, build_webhook_id(referral_id, number))

    own: dict[str, Any] = {"event_id": event_id(n), "referral_id": referral_id}
    if isinstance(event, Corrected) and event.replacement:
        own |= {
            "supersedes": event_id(n - 1),
            "replacement": replace(event.replacement, **own, sequence=n if numbered else None),
        }
    return replace(event, **own, sequence=n if numbered else None)


def build_webhook_id(referral_id: str, number: int) -> str:
    """Return the id of the n-th delivery about a referral."""
    return f"{referral_id}-{number}"


def shuffle_deliveries(drawn: random.Random, history: Sequence[ReferralEvent]) -> list[tuple[int, ReferralEvent]]:
    """Return the deliveries of a history in any order, with some of them twice."""
    numbered = list(enumerate(history, 1))
    deliveries = numbered + drawn.sample(numbered, k=len(numbered) // 4)
    drawn.shuffle(deliveries)
    return deliveries


def get_state(referral: Referral, waiting: int, *, events: int) -> dict[str, Any]:
    """Return everything that the order of arrival must not change; the number of writes may differ."""
    return {
        "stage": referral.stage,
        "since": referral.stage_since,
        "head": referral.last_applied_order,
        "reached": dict(referral.stage_entered_at),
        "window": referral.window,
        "dose": (referral.doses_given, referral.dose_total),
        "overlay": referral.status,
        "care": referral.care,
        "waiting": waiting,
        "events": events,
    }


def get_inbox_state(inbox: InMemoryInbox) -> dict[str, Any]:
    """Return the state of an inbox."""
    return get_state(inbox.referral, len(inbox.parked), events=len(inbox.history))


def list_differences(one: dict[str, Any], other: dict[str, Any]) -> list[str]:
    """Return the differences of two states."""
    return [name for name, value in one.items() if other[name] != value]
