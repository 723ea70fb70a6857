"""Random histories of referrals, and the states to which they led when they were frozen.

Most properties of the engine compare it with itself: the state after each event with a replay, one order of arrival
with another. Both sides can change together. The frozen states notice that. After an intended change of the engine:

    python -m tests.support.frozen_histories --show 17    the events and the state of one history, to compare releases
    python -m tests.support.frozen_histories --write      freeze all states again
"""

import argparse
import hashlib
import json
import random
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from chalicelib.domain.referrals.adverse_events import AdverseEventKind
from chalicelib.domain.referrals.events import (
    AdverseEventReported,
    Corrected,
    EventSource,
    HoldEnded,
    HoldStarted,
    PlanChanged,
    ReferralEvent,
    Reopened,
    StageChange,
    ToxicityNoticed,
    WindowExtended,
)
from chalicelib.domain.referrals.plan_terms import PlanKind
from chalicelib.domain.referrals.reason_codes import REASONS_REQUIRED_BY_STAGE
from chalicelib.domain.referrals.referral import Referral
from chalicelib.domain.referrals.stages import TERMINAL_STAGES, Actor, Stage
from chalicelib.domain.referrals.transitions import list_actors_for, list_transitions_from
from chalicelib.store.platform import codec
from tests.support.main_path import DRAFT, MAIN_PATH
from tests.support.referral_values import (
    HOUR,
    NOON,
    PROFILE,
    SPLIT_DOSE_PROFILE,
    InMemoryInbox,
    build_context,
    build_event,
    build_stage_change,
)

HISTORIES = 1_200
FROZEN = Path(__file__).with_suffix(".json")

_DAY = timedelta(days=1)
_PROFILES = {"breyanzi": PROFILE, "aucatzyl": SPLIT_DOSE_PROFILE}
_SOURCES = {Actor.PRACTICE: EventSource.PRACTICE, Actor.SYSTEM: EventSource.SYSTEM}
_NOT_OF_THE_ENGINE = {"version", "updated_at", "details", "created_at", "created_by", "audit_chain_head"}


def play_history(number: int) -> dict[str, Any]:
    """Receive the events of a history, and return what anyone can see of the result."""
    drawn = random.Random(number)  # noqa: S311 a number makes the same history again
    draft = DRAFT
    if drawn.random() < 0.25:
        referred_on = (NOON - drawn.randrange(60) * _DAY).date().isoformat()
        draft = replace(DRAFT, details={**DRAFT.details, "referred_on": referred_on})
    context = build_context(get_profile=lambda product: _PROFILES.get(product or "", PROFILE))
    inbox = InMemoryInbox(draft, context)
    events = list(_draw_events(drawn))
    if draft is not DRAFT:
        # The patient was on the way before the practice submitted the referral.
        submitted = NOON + drawn.randrange(0, 300) * HOUR
        events[0] = replace(events[0], occurred_at=submitted, recorded_at=submitted)
    events = _shuffle(drawn, events)
    decisions = [type(inbox.receive_event(event)).__name__ for event in events]
    state = {
        name: value
        for name, value in codec.to_members(Referral, inbox.referral).items()
        if name not in _NOT_OF_THE_ENGINE and value not in (None, [], {}, "", 0, False)
    }
    return {
        "events": [_describe(event) for event in events],
        "decisions": decisions,
        "rejected": [rejected.code for rejected in inbox.rejected],
        "parked": [event.event_id for event in inbox.parked],
        "state": state,
    }


def compute_digest(number: int) -> str:
    """Compute what is kept of the result of a history."""
    text = json.dumps(play_history(number), sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:10]


def load_digests() -> Sequence[str]:
    """Load what was frozen, by the number of the history."""
    digests: list[str] = json.loads(FROZEN.read_text("ascii"))
    return digests


def _draw_events(drawn: random.Random) -> Iterator[ReferralEvent]:
    """Draw the beginning of the main path, and then what is mostly legal, with what happens besides, and mistakes."""
    yield build_stage_change(Stage.SUBMITTED, NOON, event_id="evt_00", source=EventSource.PRACTICE)
    steps = list(_draw_beginning(drawn))
    yield from steps
    at, stage = (steps[-1].occurred_at, steps[-1].stage) if steps else (NOON, Stage.SUBMITTED)
    for n in range(1, drawn.randrange(2, 9)):
        event_id = f"evt_{n:02d}"
        at += drawn.choice([0, 1, 6, 20, 30, 50, 72, 120]) * HOUR
        kind = drawn.random()
        if kind < 0.66:
            step = _draw_step(drawn, stage, at, event_id)
            stage = step.stage if drawn.random() > 0.1 else stage
            steps.append(step)
            yield step
            if stage in TERMINAL_STAGES and drawn.random() < 0.6:
                yield _draw_reopening(drawn, stage, at, event_id)
        elif kind < 0.9 or not steps:
            yield _draw_other(drawn, at, event_id)
        else:
            yield from _draw_mistakes(drawn, drawn.choice(steps), at, event_id)


def _draw_beginning(drawn: random.Random) -> Iterator[StageChange]:
    at = NOON
    for name in MAIN_PATH[1 : drawn.randrange(1, len(MAIN_PATH))]:
        if drawn.random() < 0.97:
            at += drawn.choice([20, 30]) * HOUR
            yield _build_step(drawn, Stage(name), at, f"evt_{name}")


def _draw_mistakes(
    drawn: random.Random, wrong: StageChange, at: datetime, event_id: str
) -> Iterator[Corrected | StageChange]:
    """Draw a correction of a step, or nightly repeats of it."""
    if drawn.random() < 0.5:
        moved = wrong.occurred_at + drawn.choice([-50, -3, 3, 50]) * HOUR
        replacement = replace(wrong, event_id=event_id, occurred_at=moved) if drawn.random() < 0.7 else None
        yield build_event(Corrected, at, event_id=event_id, supersedes=wrong.event_id, replacement=replacement)
        return
    for night in range(drawn.choice([1, 1, 3])):
        repeated_at = wrong.occurred_at + (night + drawn.choice([0, 1])) * _DAY
        yield replace(wrong, event_id=f"{event_id}_{night}", occurred_at=repeated_at)


def _draw_reopening(drawn: random.Random, stage: Stage, at: datetime, event_id: str) -> Reopened:
    """Draw the reopening of an ending, which may come late."""
    at += drawn.choice([-20, 1, 30]) * HOUR
    actor = drawn.choice(sorted(list_actors_for(stage)))
    return build_event(Reopened, at, event_id=f"{event_id}_reopened", actor=actor, reason_code="reported_in_error")


def _draw_step(drawn: random.Random, stage: Stage, at: datetime, event_id: str) -> StageChange:
    legal = sorted(list_transitions_from(stage)) or [Stage.INFUSED]
    going_on = [each for each in legal if each not in TERMINAL_STAGES and each in MAIN_PATH] or legal
    anything = sorted(set(Stage) - {Stage.DRAFT, Stage.SUBMITTED})
    chosen = drawn.choice(drawn.choices([going_on, legal, anything], weights=[6, 2, 1])[0])
    at -= drawn.choices([0, 2, 30, 200], weights=[12, 2, 2, 1])[0] * HOUR
    return _build_step(drawn, chosen, at, event_id)


def _build_step(drawn: random.Random, chosen: Stage, at: datetime, event_id: str) -> StageChange:
    actor = drawn.choice(sorted(list_actors_for(chosen)) or [Actor.CENTER])
    source = _SOURCES.get(actor, drawn.choice([EventSource.CENTER, EventSource.CENTER_FEED]))
    is_whole_day = actor is Actor.CENTER and drawn.random() < 0.3
    more: dict[str, Any] = {"sequence": drawn.randrange(3) if drawn.random() < 0.1 else None}
    reasons = sorted(REASONS_REQUIRED_BY_STAGE.get(chosen, ()))
    if reasons and drawn.random() < 0.9:
        more["reason_code"] = drawn.choice(reasons)
    if chosen is Stage.INFUSED:
        more |= {"of": 2, "part": drawn.choice([1, 2])} if drawn.random() < 0.3 else {}
        more["local_date"] = (at - drawn.choice([0, 0, 1]) * _DAY).date()
    if chosen in {Stage.INFUSED, Stage.CENTER_PROCEED} and drawn.random() < 0.5:
        more["product_id"] = drawn.choice(sorted(_PROFILES))
    return build_stage_change(
        chosen,
        at.replace(hour=5, minute=0) if is_whole_day else at,
        event_id=event_id,
        actor=actor,
        source=source,
        is_whole_day=is_whole_day,
        **more,
    )


def _draw_other(drawn: random.Random, at: datetime, event_id: str) -> ReferralEvent:
    """Draw an event that is no step."""
    at -= drawn.choices([0, 3, 60], weights=[6, 2, 1])[0] * HOUR
    day = (at + drawn.randrange(-10, 60) * _DAY).date()
    grade = drawn.randrange(1, 5)
    choices: list[tuple[type[ReferralEvent], dict[str, Any]]] = [
        (HoldStarted, {"until": drawn.choice([None, day])}),
        (HoldEnded, {}),
        (WindowExtended, {"ends_on": day}),
        (WindowExtended, {"ends_on": day}),
        (Reopened, {"actor": drawn.choice(list(Actor)), "reason_code": drawn.choice([None, "reported_in_error"])}),
        (PlanChanged, {"plan": drawn.choice(sorted(PlanKind)), "on": day, "canceled": drawn.random() < 0.2}),
        (ToxicityNoticed, {"grade": grade}),
        (AdverseEventReported, {"kind": drawn.choice(sorted(AdverseEventKind)), "grade": grade}),
    ]
    kind, more = drawn.choice(choices)
    return build_event(kind, at, event_id=event_id, **more)


def _shuffle(drawn: random.Random, events: list[ReferralEvent]) -> list[ReferralEvent]:
    """Let the events arrive in order, almost in order, or in any order."""
    lateness = drawn.choice([0, 0, 2, 2, 100])
    return [event for _, event in sorted(enumerate(events), key=lambda each: each[0] + drawn.random() * lateness)]


def _describe(event: ReferralEvent) -> str:
    name = event.stage if isinstance(event, StageChange) else event.type
    return f"{event.event_id} {name} {event.occurred_at:%m-%d %H:%M} {event.source}"


def main() -> None:
    """Show or freeze histories."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--show", type=int, help="the number of a history")
    parser.add_argument("--write", action="store_true", help="freeze the states again")
    given = parser.parse_args()
    if given.show is not None:
        sys.stdout.write(json.dumps(play_history(given.show), indent=2, default=str) + "\n")
    if given.write:
        FROZEN.write_text(json.dumps([compute_digest(n) for n in range(HISTORIES)]), "ascii")


if __name__ == "__main__":
    main()
