"""Random histories that a center may report: loops, split doses, holds, corrections and all."""

import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

from chalicelib.domain.referrals.events import (
    Corrected,
    Event,
    HoldEnded,
    HoldStarted,
    StageChange,
    ToxicityNoticed,
    derived_id,
)
from chalicelib.domain.referrals.referral import Referral
from chalicelib.domain.referrals.stages import TERMINAL, Actor, Stage
from chalicelib.domain.referrals.transitions import moves_from
from tests.support.factories import CENTER
from tests.support.journey import NOON, Inbox, a_change, an_event

LONGEST = 16


def a_history(drawn: random.Random, referral_id: str) -> Sequence[Event]:
    """What a center's feed tells of a submitted referral, in the order in which it was true."""
    told: list[Event] = []
    stage, part, at, numbered = Stage.SUBMITTED, 0, NOON, drawn.random() < 0.5
    for _ in range(drawn.randint(3, LONGEST)):
        choices = _next(stage, part)
        going_on = [end for end in choices if end not in TERMINAL]
        if not choices:
            break
        # Endings are a third of all moves; drawn evenly, few histories would get far.
        choices = going_on if going_on and drawn.random() < 0.95 else choices
        at += timedelta(seconds=drawn.randint(60, 10**6))
        end = drawn.choice(choices)
        dose: dict[str, Any] = {}
        if end is Stage.INFUSED:
            part = part + 1 if stage is Stage.INFUSED else 1
            dose = {"part": part, "of": 2}
        move = a_change(end, at, actor=Actor.CENTER, **dose)
        told += [move, *_beside(drawn, move)]
        stage = end
    return [_named(n, event, referral_id, numbered) for n, event in enumerate(told, 1)]


def _next(stage: Stage, part: int) -> list[Stage]:
    """What a center may report next; a dose has two parts, and the second needs the first."""
    over = stage is Stage.INFUSED and part >= 2
    return sorted(
        end
        for end, actors in moves_from(stage).items()
        if Actor.CENTER in actors and not (over and end is Stage.INFUSED)
    )


def _beside(drawn: random.Random, move: StageChange) -> list[Event]:
    """Now and then something that lies over the stage, or a better date for the move."""
    later = move.occurred_at + timedelta(seconds=20)
    luck = 1.0 if move.stage in TERMINAL else drawn.random()
    if luck < 0.05:
        return [
            an_event(HoldStarted, later),
            an_event(HoldEnded, later + timedelta(seconds=10)),
        ]
    if luck < 0.08 and move.stage in {Stage.INFUSED, Stage.MONITORING}:
        return [an_event(ToxicityNoticed, later)]
    if luck < 0.11 and move.stage not in {Stage.INFUSED, Stage.SUBMITTED}:
        better = replace(move, occurred_at=move.occurred_at + timedelta(seconds=5))
        return [an_event(Corrected, later, supersedes="the move before", replacement=better)]
    return []


def _named(n: int, event: Event, referral_id: str, numbered: bool) -> Event:  # noqa: FBT001
    def event_id(number: int) -> str:
        return derived_id("evt", CENTER.tenant_id, webhook_id(referral_id, number))

    own: dict[str, Any] = {"event_id": event_id(n), "referral_id": referral_id}
    if isinstance(event, Corrected) and event.replacement:
        own |= {
            "supersedes": event_id(n - 1),
            "replacement": replace(event.replacement, **own, sequence=n if numbered else None),
        }
    return replace(event, **own, sequence=n if numbered else None)


def webhook_id(referral_id: str, number: int) -> str:
    """The id of the n-th delivery about a referral."""
    return f"{referral_id}-{number}"


def as_delivered(drawn: random.Random, history: Sequence[Event]) -> list[tuple[int, Event]]:
    """The deliveries of a history, some of them twice, in any order."""
    numbered = list(enumerate(history, 1))
    deliveries = numbered + drawn.sample(numbered, k=len(numbered) // 4)
    drawn.shuffle(deliveries)
    return deliveries


def state_of(referral: Referral, waiting: int, *, events: int) -> dict[str, Any]:
    """All that an order of arrival must not change; how often it was written may differ."""
    return {
        "stage": referral.stage,
        "since": referral.stage_since,
        "head": referral.head,
        "reached": dict(referral.reached),
        "window": referral.window,
        "dose": (referral.part, referral.of),
        "overlay": referral.overlay,
        "waiting": waiting,
        "events": events,
    }


def state_in(inbox: Inbox) -> dict[str, Any]:
    """The state that an inbox has come to."""
    return state_of(inbox.referral, len(inbox.parked), events=len(inbox.history))


def differing(one: dict[str, Any], other: dict[str, Any]) -> list[str]:
    """In what two states differ."""
    return [name for name, value in one.items() if other[name] != value]
