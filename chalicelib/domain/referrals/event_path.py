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

MAX_KEPT_REPEATS = 8
"""How many repeats at each end of a long row are placed one by one. A center's system may repeat a status every
night for years, and the search must not become deeper with each night."""

_CENTER_SOURCES = frozenset({EventSource.CENTER, EventSource.CENTER_FEED})

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

    @property
    def reports(self) -> Sequence[PathEvent]:
        """The events that report something, without those in which a machine only shows the current status again."""
        return [*self.moves, *(e for e in self.repeats if not _is_from_machine(e) or e.reason_code), *self.left_out]


def _is_from_machine(event: PathEvent) -> bool:
    return event.source in {EventSource.CENTER_FEED, EventSource.SYSTEM}


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
        steps = search.find_best_steps(start)
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
    position = (_STAGE_POSITION[event.stage], event.part) if isinstance(event, StageChange) else (len(_STAGE_POSITION),)
    return (*event.order[:2], position, event.event_id)


_STAGE_POSITION = {stage: n for n, stage in enumerate(Stage)}

_Steps = tuple[tuple[int, bool], ...]


class _Best(NamedTuple):
    """The best way to continue from a place.

    Attributes:
        cost: What the search makes as small as possible, each with one bit for each event, a higher bit for
            a later one: the events that are left out, those of them that may be repeats, because their
            sender has reported the same status before, and the events that are placed before an earlier one.
        steps: The next events in their order, and whether each is a move; empty if they are left out.
        rest: The best way to continue after them; None at the end.
    """

    cost: tuple[int, int, int]
    steps: _Steps = ()
    rest: "_Best | None" = None


_END = _Best((0, 0, 0))


class _Block(NamedTuple):
    """One event, or nightly repeats in a row that are only placed or left out together.

    Attributes:
        members: The numbers of its events.
        bits: One bit for each of them.
        before: One bit for each event that must precede them.
        is_stale: Whether it may be a repeat.
    """

    members: Sequence[int]
    bits: int
    before: int
    is_stale: bool


class _Search:
    """A search over the orders that the senders' clocks and the transition table allow."""

    def __init__(self, events: Sequence[PathEvent]) -> None:
        self.events = events
        self._all = (1 << len(events)) - 1
        self._restated, self._reported_before = self._find_repeats()
        self._known: dict[tuple[int, Place], _Best] = {}
        self._ready: dict[int, Sequence[_Block]] = {}
        self._followed: dict[tuple[int, Place], tuple[Place, _Steps] | None] = {}

    @cached_property
    def _before(self) -> Sequence[int]:
        """For each event, one bit for each event that must precede it."""
        return [
            sum(1 << n for n, other in enumerate(self.events) if other is not event and must_precede(other, event))
            for event in self.events
        ]

    def _find_repeats(self) -> tuple[frozenset[int], frozenset[int]]:
        """Find events in which a center's system repeats its last status, and those that repeat any earlier one.

        A person may mean a new date, so only the place of such a report tells whether it can be one.
        """
        own: list[tuple[Stage, int]] = []
        known: set[tuple[Stage, int]] = set()
        restated, reported_before = set(), set()
        for n, event in enumerate(self.events):
            if not isinstance(event, StageChange) or event.source not in _CENTER_SOURCES:
                continue
            status = (event.stage, event.part)
            is_system = event.source is EventSource.CENTER_FEED
            if event.reason_code is None and status in (own if is_system else known):
                reported_before.add(n)
                if is_system and own[-1] == status:
                    restated.add(n)
            known.add(status)
            if is_system:
                own.append(status)
        return frozenset(restated), frozenset(reported_before)

    def _follow(self, place: Place, n: int) -> Place | None:
        following = follow(place, self.events[n])
        return place if following is None and n in self._restated else following

    @cached_property
    def _blocks(self) -> Sequence[_Block]:
        """The events, with the inner repeats of each long row of repeats in one block.

        An event of someone else changes the meaning of the repeats around it only. So of a row with nothing
        in between, a repeat at both ends is enough for each such event.
        """
        blocks: list[_Block] = []
        kept = _count_others(self.events)
        for row in self._list_rows():
            inner = row[kept : len(row) - kept]
            parts = [*([n] for n in row[:kept]), inner, *([n] for n in row[-kept:])] if len(inner) > 1 else None
            for members in parts or [[n] for n in row]:
                bits = sum(1 << n for n in members)
                before = self._get_bits_before(members, row) & ~bits
                blocks.append(_Block(members, bits, before, members[0] in self._reported_before))
        return blocks

    def _get_bits_before(self, members: Sequence[int], row: Sequence[int]) -> int:
        bits = 0
        for n in members:
            bits |= self._before[n]
        # Repeats in a row are all the same, so their order may be fixed, even within one day.
        return bits | (1 << members[0] - 1 if members[0] != row[0] else 0)

    def _list_rows(self) -> Sequence[Sequence[int]]:
        """List the events by number; repeats of a status with nothing in between are in one row."""
        rows: list[list[int]] = []
        for n in range(len(self.events)):
            if n in self._restated and n - 1 in self._restated:
                rows[-1].append(n)
            else:
                rows.append([n])
        return rows

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

    def find_best_steps(self, start: Place) -> _Steps:
        """Find the order that leaves out the fewest recent events."""
        best: _Best | None = self._find_best(0, start)
        steps: list[tuple[int, bool]] = []
        while best:
            steps += best.steps
            best = best.rest
        return tuple(steps)

    def _find_best(self, done: int, place: Place) -> _Best:  # noqa: C901 one frame for each event of a long history
        """Find the best continuation after the events in `done`, each a bit, that lead to `place`."""
        if done == self._all:
            return _END
        known = self._known.get((done, place))
        if known:
            return known
        best: _Best | None = None
        ready = self._list_ready(done)
        for block in ready:
            followed = self._follow_block(place, block)
            if followed:
                following, steps = followed
                rest = self._find_best(done | block.bits, following)
                left_out, stale, early = rest.cost
                if ~done & ((1 << block.members[0]) - 1):
                    early |= block.bits
                cost = (left_out, stale, early)
                if best is None or cost < best.cost:
                    best = _Best(cost, steps, rest)
                if not any(best.cost):
                    break
        for block in ready:
            least = (0, block.bits, 0) if block.is_stale else (block.bits, 0, 0)
            if best and best.cost <= least:
                # It costs at least this to leave the block out.
                continue
            rest = self._find_best(done | block.bits, place)
            left_out, stale, early = rest.cost
            cost = (left_out | least[0], stale | least[1], early)
            if best is None or cost < best.cost:
                best = _Best(cost, (), rest)
        best = best or _END
        self._known[done, place] = best
        return best

    def _list_ready(self, done: int) -> Sequence[_Block]:
        """List the blocks that may come next: nothing that precedes them is still ahead."""
        if done not in self._ready:
            self._ready[done] = [b for b in self._blocks if not done & b.bits and not b.before & ~done]
        return self._ready[done]

    def _follow_block(self, place: Place, block: _Block) -> tuple[Place, _Steps] | None:
        key = block.members[0], place
        if key not in self._followed:
            self._followed[key] = self._follow_members(place, block)
        return self._followed[key]

    def _follow_members(self, place: Place, block: _Block) -> tuple[Place, _Steps] | None:
        steps = []
        for n in block.members:
            following = self._follow(place, n)
            if following is None:
                return None
            steps.append((n, self._is_move(place, following, n)))
            place = following
        return place, tuple(steps)


def _count_others(events: Sequence[PathEvent]) -> int:
    """How many events did not come from a center's system; at least one, and not more than the search can use."""
    others = sum(event.source is not EventSource.CENTER_FEED for event in events)
    return min(max(1, others), MAX_KEPT_REPEATS)
