"""Finds the order in which a referral's stage changes happened, from what each sender reported.

Every sender has its own clock: the practice, the center's people, the center's system, and the
product itself. Events of one sender are in the order of its clock. Between the practice and the
center no clock decides what can have come first; the transition table does. A center's `accepted`
follows the submission even if the center's clock is slow. Where the table allows both orders, the
reported times decide.

If the events contradict each other, the path leaves out as little recent news as possible: leaving
out one event is worse than leaving out every event before it. A late event therefore never moves a
referral back.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from typing import NamedTuple

from chalicelib.domain.referrals.events import (
    EventSource,
    InformationRequested,
    ReferralEvent,
    StageChange,
    WindowExtended,
)
from chalicelib.domain.referrals.stages import Stage
from chalicelib.domain.referrals.transitions import list_transitions_from

CLOCK_DIFFERENCE = timedelta(days=1)
"""How far apart the clocks of a center's people and of its system may be. Within this time the
transition table decides, beyond it the reported times. Our own choice: people enter the day of a
step by hand, and an interface may send its batch the next morning."""

STAGES_BEFORE_HANDBACK = frozenset({Stage.MONITORING, Stage.WINDOW_COMPLETE, Stage.HANDBACK_READY})
"""The stages from which an extension returns the patient to monitoring, as in `transitions`."""

PathEvent = StageChange | WindowExtended | InformationRequested
"""The events that may move a referral. A request for information moves it only before acceptance."""


class Place(NamedTuple):
    """A place on the path: the stage, and the number of the last infusion while it is `infused`."""

    stage: Stage
    dose: int = 0


@dataclass(frozen=True, slots=True)
class Path:
    """The order of a referral's events.

    Attributes:
        moves: The events that moved the referral, in the order in which they happened.
        repeats: Events that only repeat the status that was known.
        left_out: Events that fit nowhere; they are kept in the history only.
    """

    moves: Sequence[PathEvent]
    repeats: Sequence[PathEvent]
    left_out: Sequence[PathEvent]


def must_precede(first: ReferralEvent, second: ReferralEvent) -> bool:
    """Whether `first` happened before `second` according to a clock that both share."""
    if first.actor is not second.actor or first.occurred_at > second.latest:
        return False
    if first.source is not second.source:
        return first.latest + CLOCK_DIFFERENCE < second.occurred_at
    if first.is_whole_day or second.is_whole_day:
        is_same_day = first.is_whole_day and second.is_whole_day and first.order[0] == second.order[0]
        return first.order[1] < second.order[1] if is_same_day else first.latest < second.occurred_at
    # With the same time and sequence, the transition table decides.
    return first.order[:2] < second.order[:2]


def is_repeat_of(stage: Stage, event: PathEvent) -> bool:
    """Whether a center's system only repeats the current status, without a new fact.

    A system that sends the current status every night has no new reason. A person who reports the
    same status again means something new: the consultation has a new date.
    """
    return (
        isinstance(event, StageChange)
        and event.stage is stage
        and event.stage is not Stage.INFUSED
        and event.source is EventSource.CENTER_FEED
        and event.reason_code is None
    )


def follow(place: Place, event: PathEvent) -> Place | None:
    """Follow one event from a place. The same place if it changes nothing, None if it is not legal there."""
    stage = place.stage
    if isinstance(event, WindowExtended):
        return Place(Stage.MONITORING) if stage in STAGES_BEFORE_HANDBACK else place
    if isinstance(event, InformationRequested):
        is_legal = event.actor in list_transitions_from(stage).get(Stage.INFO_REQUESTED, ())
        return Place(Stage.INFO_REQUESTED) if is_legal else place
    if is_repeat_of(stage, event):
        return place
    given = place.dose if stage is Stage.INFUSED else 0
    if event.stage is Stage.INFUSED and event.part != given + 1:
        return place if stage is Stage.INFUSED and event.part <= given else None
    if event.actor in list_transitions_from(stage).get(event.stage, ()):
        return Place(event.stage, event.part if event.stage is Stage.INFUSED else 0)
    return place if event.stage is stage else None


def find_path(start: Place, events: Sequence[PathEvent]) -> Path:
    """Find the order of events that leaves out the fewest recent ones.

    Args:
        start: The place before the first event.
        events: Stage changes other than endings, extensions and requests, in any order.
    """
    search = _Search(sorted(events, key=_get_sort_key))
    steps = search.follow_times(start)
    if steps is None:
        steps = search.find_best(0, start).steps
    placed = {n for n, _ in steps}
    return Path(
        moves=[search.events[n] for n, is_move in steps if is_move],
        repeats=[search.events[n] for n, is_move in steps if not is_move],
        left_out=[event for n, event in enumerate(search.events) if n not in placed],
    )


def _get_sort_key(event: PathEvent) -> tuple[object, ...]:
    """The order in which events are tried: by time, then along the main path, then by id.

    Many systems send whole seconds and no sequence, so several events with the same time are common.
    """
    position = _STAGE_POSITION[event.stage] if isinstance(event, StageChange) else len(_STAGE_POSITION)
    part = event.part if isinstance(event, StageChange) else 0
    return (*event.order[:2], position, part, event.event_id)


_STAGE_POSITION = {stage: n for n, stage in enumerate(Stage)}

_Steps = tuple[tuple[int, bool], ...]


class _Best(NamedTuple):
    """The best way to continue from a place.

    Attributes:
        left_out: One bit for each event that is left out; a later event has a higher bit.
        stale: The same for events that may be repeats: their sender has reported the same status before.
        early: One bit for each event that is placed before an event with an earlier time.
        steps: The events in their order, and whether each is a move.
    """

    left_out: int
    stale: int
    early: int
    steps: _Steps


class _Search:
    """A search over the orders that the senders' clocks and the transition table allow."""

    def __init__(self, events: Sequence[PathEvent]) -> None:
        self.events = events
        self._all = (1 << len(events)) - 1
        self._restated, self._reported_before = self._find_repeats()
        self._known: dict[tuple[int, Place], _Best] = {}

    @cached_property
    def _before(self) -> Sequence[int]:
        """For each event, one bit for each event that must precede it."""
        return [
            sum(1 << n for n, other in enumerate(self.events) if other is not event and must_precede(other, event))
            for event in self.events
        ]

    def _find_repeats(self) -> tuple[frozenset[int], frozenset[int]]:
        """Find events in which a center's system repeats its last status, and those that repeat any earlier one."""
        reported: list[tuple[Stage, int]] = []
        restated, reported_before = set(), set()
        for n, event in enumerate(self.events):
            if not isinstance(event, StageChange) or event.source is not EventSource.CENTER_FEED:
                continue
            status = (event.stage, event.part)
            if event.reason_code is None and status in reported:
                reported_before.add(n)
                if reported[-1] == status:
                    restated.add(n)
            reported.append(status)
        return frozenset(restated), frozenset(reported_before)

    def _follow(self, place: Place, n: int) -> Place | None:
        following = follow(place, self.events[n])
        return place if following is None and n in self._restated else following

    def _list_next(self, done: int) -> list[int]:
        """List the events that may come next: no event that precedes them is still ahead."""
        return [n for n in range(len(self.events)) if not done >> n & 1 and not self._before[n] & ~done]

    def follow_times(self, start: Place) -> _Steps | None:
        """Take all events in the order of their times; None if one is not legal there. The usual case."""
        place, steps = start, []
        has_whole_days = any(event.is_whole_day for event in self.events)
        for n in range(len(self.events)):
            is_in_order = not (has_whole_days and self._before[n] >> n)
            following = self._follow(place, n) if is_in_order else None
            if following is None:
                return None
            steps.append((n, self._is_move(place, following, n)))
            place = following
        return tuple(steps)

    def _is_move(self, place: Place, following: Place, n: int) -> bool:
        event = self.events[n]
        if following != place:
            return True
        # The same stage again, as a new fact: a person's new date, or an extension of the monitoring.
        return (
            isinstance(event, StageChange)
            and event.stage is place.stage
            and event.stage is not Stage.INFUSED
            and not is_repeat_of(place.stage, event)
            and event.stage in list_transitions_from(place.stage)
        ) or (isinstance(event, WindowExtended) and place.stage in STAGES_BEFORE_HANDBACK)

    def find_best(self, done: int, place: Place) -> _Best:
        """Find the best continuation after the events in `done`, each a bit, that lead to `place`."""
        if done == self._all:
            return _Best(0, 0, 0, ())
        known = self._known.get((done, place))
        if known is None:
            known = min(self._list_choices(done, place), key=lambda best: best[:3])
            self._known[done, place] = known
        return known

    def _list_choices(self, done: int, place: Place) -> list[_Best]:
        choices = []
        for n in self._list_next(done):
            bit = 1 << n
            following = self._follow(place, n)
            if following is not None:
                rest = self.find_best(done | bit, following)
                early = bit if ~done & (bit - 1) else 0
                step = (n, self._is_move(place, following, n))
                choices.append(rest._replace(early=rest.early | early, steps=(step, *rest.steps)))
        for n in self._list_next(done):
            rest, bit = self.find_best(done | 1 << n, place), 1 << n
            is_stale = n in self._reported_before
            choices.append(
                rest._replace(stale=rest.stale | bit) if is_stale else rest._replace(left_out=rest.left_out | bit)
            )
        return choices
