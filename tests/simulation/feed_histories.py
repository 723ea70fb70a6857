"""Random histories that a center's system may report: loops, split doses, holds, corrections, dates, products."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any, cast

from chalicelib.domain.platform.ids import derive_id
from chalicelib.domain.referrals.adverse_events import AdverseEventKind, AdverseEventStatus
from chalicelib.domain.referrals.care_terms import BridgingStatus, RelapseStatus
from chalicelib.domain.referrals.events import (
    AdverseEventReported,
    BridgingReported,
    Corrected,
    HoldEnded,
    HoldStarted,
    PlanChanged,
    ReferralEvent,
    RelapseReported,
    StageChange,
    ToxicityNoticed,
)
from chalicelib.domain.referrals.plan_terms import PlanKind
from chalicelib.domain.referrals.referral import Referral
from chalicelib.domain.referrals.stages import TERMINAL_STAGES, Actor, Stage
from chalicelib.domain.referrals.transitions import list_transitions_from
from tests.support.factories import CENTER
from tests.support.referral_values import NOON, InMemoryInbox, build_event, build_stage_change

MAX_EVENTS = 16
DAY = timedelta(days=1)

_LEAST_BETWEEN_STEPS_S = 110_000
"""More than a day: within a day, two steps of a slow clock could have happened in either order."""


_WITH_A_DATE = frozenset({Stage.CONSULT_SCHEDULED, Stage.APHERESIS_SCHEDULED, Stage.PRODUCT_SHIPPED})
_WITH_A_PRODUCT = frozenset({Stage.CENTER_PROCEED, Stage.INFUSED})
_PRODUCTS = ("aucatzyl", "breyanzi", "carvykti")


class HistoryKind(StrEnum):
    """How a center reports a history."""

    EXACT = "exact"
    SLOW_CLOCK = "slow clock"
    WHOLE_DAYS = "whole days"
    NIGHTLY = "nightly repeats"
    DEATH = "a death in the middle"
    ENDING = "another ending in the middle"

    @property
    def is_ended(self) -> bool:
        """Whether later steps may be refused, so that they are not in the history of every order."""
        return self in {HistoryKind.DEATH, HistoryKind.ENDING}


def draw_history(
    drawn: random.Random, referral_id: str, kind: HistoryKind = HistoryKind.EXACT
) -> Sequence[ReferralEvent]:
    """Build what a center's system reports of a submitted referral, in the order in which it was true."""
    result: list[ReferralEvent] = []
    least = 60 if kind is HistoryKind.EXACT else _LEAST_BETWEEN_STEPS_S
    stage, part, at, numbered = Stage.SUBMITTED, 0, NOON, drawn.random() < 0.5
    for _ in range(drawn.randint(3, MAX_EVENTS)):
        choices = _next(stage, part)
        going_on = [end for end in choices if end not in TERMINAL_STAGES]
        if not choices:
            break
        # Endings are a third of all transitions; drawn evenly, few histories would get far.
        choices = going_on if going_on and (kind.is_ended or drawn.random() < 0.95) else choices
        at += timedelta(seconds=drawn.randint(least, 10**6))
        end = drawn.choice(choices)
        dose: dict[str, Any] = {}
        if end is Stage.INFUSED:
            part = part + 1 if stage is Stage.INFUSED else 1
            dose = {"part": part, "of": 2}
        move = _with_facts(drawn, build_stage_change(end, at, actor=Actor.CENTER, **dose))
        result += [move, *_draw_other_events(drawn, move)]
        stage = end
    result = _as_reported(drawn, result, kind)
    return [_named(n, event, referral_id, numbered) for n, event in enumerate(result, 1)]


def _as_reported(drawn: random.Random, events: list[ReferralEvent], kind: HistoryKind) -> list[ReferralEvent]:
    """Report true events by a slow clock, without times, again every night, or with an ending among them."""
    match kind:
        case HistoryKind.SLOW_CLOCK:
            slow = timedelta(minutes=drawn.randint(1, 24 * 60 - 1))
            return [_moved(event, -slow) for event in events]
        case HistoryKind.WHOLE_DAYS:
            return [_without_time(event) for event in events]
        case HistoryKind.NIGHTLY:
            return list(_with_repeats(drawn, events))
        case HistoryKind.DEATH | HistoryKind.ENDING:
            at = (NOON + drawn.random() * (events[-1].occurred_at + DAY - NOON)).replace(microsecond=0)
            ending = Stage.DECEASED if kind is HistoryKind.DEATH else _draw_ending(drawn, events, at)
            move = build_stage_change(ending, at, actor=Actor.CENTER)
            return sorted([*events, move], key=lambda event: event.occurred_at)
    return events


def _draw_ending(drawn: random.Random, events: Sequence[ReferralEvent], at: datetime) -> Stage:
    """Draw an ending that the center can report at this time."""
    before = [event.stage for event in events if isinstance(event, StageChange) and event.occurred_at <= at]
    possible = list_transitions_from(before[-1] if before else Stage.SUBMITTED).items()
    ends = sorted(end for end, actors in possible if end in TERMINAL_STAGES and Actor.CENTER in actors)
    return drawn.choice(ends or [Stage.DECEASED])


def _moved(event: ReferralEvent, by: timedelta) -> ReferralEvent:
    event = replace(event, occurred_at=event.occurred_at + by)
    if isinstance(event, Corrected) and event.replacement:
        event = replace(event, replacement=cast("StageChange", _moved(event.replacement, by)))
    return event


def _without_time(event: ReferralEvent) -> ReferralEvent:
    """Report a step by its day only; the day of the center begins at 5 AM in UTC."""
    if isinstance(event, Corrected) and event.replacement:
        return replace(event, replacement=cast("StageChange", _without_time(event.replacement)))
    if not isinstance(event, StageChange):
        return event
    midnight = (event.occurred_at - timedelta(hours=5)).replace(hour=5, minute=0, second=0)
    return replace(event, occurred_at=midnight, is_whole_day=True)


def _with_repeats(drawn: random.Random, events: list[ReferralEvent]) -> Iterator[ReferralEvent]:
    """Repeat the current status every night until the next event, or for some nights at the end."""
    for n, event in enumerate(events):
        yield event
        following = events[n + 1] if n + 1 < len(events) else None
        if not isinstance(event, StageChange) or event.stage in TERMINAL_STAGES or isinstance(following, Corrected):
            continue
        until = following.occurred_at if following else event.occurred_at + 3 * DAY
        at = event.occurred_at + DAY
        while at < until and drawn.random() < 0.6:
            yield replace(event, occurred_at=at)
            at += DAY


def _next(stage: Stage, part: int) -> list[Stage]:
    """Return what a center may report next; a split dose has two infusions, and the second needs the first."""
    over = stage is Stage.INFUSED and part >= 2
    return sorted(
        end
        for end, actors in list_transitions_from(stage).items()
        if Actor.CENTER in actors and not (over and end is Stage.INFUSED)
    )


def _with_facts(drawn: random.Random, move: StageChange) -> StageChange:
    """Sometimes add the planned date or the product that a status can bring."""
    if move.stage in _WITH_A_DATE and drawn.random() < 0.3:
        return replace(move, on=_draw_day(drawn, move.occurred_at), place=drawn.choice([None, "Building 4"]))
    if move.stage in _WITH_A_PRODUCT and drawn.random() < 0.3:
        return replace(move, product_id=drawn.choice(_PRODUCTS))
    return move


def _draw_plan(drawn: random.Random, at: datetime) -> PlanChanged:
    is_canceled = drawn.random() < 0.25
    on = None if is_canceled else _draw_day(drawn, at)
    return build_event(PlanChanged, at, plan=drawn.choice(list(PlanKind)), on=on, canceled=is_canceled)


def _draw_day(drawn: random.Random, after: datetime) -> date:
    """One of few days, so that some are reported twice."""
    return (after + drawn.choice([10, 20]) * DAY).date()


def _draw_other_events(drawn: random.Random, move: StageChange) -> list[ReferralEvent]:
    """Sometimes add an event that is no stage change, or a corrected date."""
    later = move.occurred_at + timedelta(seconds=20)
    luck = 1.0 if move.stage in TERMINAL_STAGES else drawn.random()
    if luck < 0.05:
        return [build_event(HoldStarted, later), build_event(HoldEnded, later + timedelta(seconds=10))]
    if luck < 0.08 and move.stage in {Stage.INFUSED, Stage.MONITORING}:
        return [build_event(ToxicityNoticed, later), *_draw_care(drawn, later)]
    if luck < 0.11 and move.stage not in {Stage.INFUSED, Stage.SUBMITTED}:
        better = replace(move, occurred_at=move.occurred_at + timedelta(seconds=5))
        return [build_event(Corrected, later, supersedes="the move before", replacement=better)]
    if luck < 0.2:
        return [_draw_plan(drawn, later + timedelta(seconds=n)) for n in range(drawn.randint(1, 2))]
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
        "plans": referral.plans,
        "waiting": waiting,
        "events": events,
    }


def get_inbox_state(inbox: InMemoryInbox) -> dict[str, Any]:
    """Return the state of an inbox."""
    return get_state(inbox.referral, len(inbox.parked), events=len(inbox.history))


def select_ending_state(state: dict[str, Any]) -> dict[str, Any]:
    """Return what no refused step changes; with a death, that is not even whether a later step contradicts it."""
    is_dead = state["stage"] is Stage.DECEASED
    contradiction = None if is_dead else state["overlay"].contradiction
    return {"stage": state["stage"], "since": state["since"], "contradiction": contradiction}


def list_differences(one: dict[str, Any], other: dict[str, Any]) -> list[str]:
    """Return the differences of two states."""
    return [name for name, value in one.items() if other[name] != value]
