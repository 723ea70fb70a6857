"""Decides which reported ending of a referral counts, independent of the order of arrival.

A death counts whenever it arrives and whatever is dated after it. Every other ending counts too,
unless a step that is possible only if the patient continued is dated after it; then the ending is
kept in the history and both sides are asked which of the two reports is right. A death replaces
another ending.

Source: the API contract, section 3 (version of 2026-11).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from chalicelib.domain.platform.copying import replace
from chalicelib.domain.referrals.event_path import CLOCK_DIFFERENCE, PathEvent, Place, follow, must_precede
from chalicelib.domain.referrals.events import Reopened, StageChange
from chalicelib.domain.referrals.referral import Contradiction, Referral
from chalicelib.domain.referrals.stage_changes import DecisionContext, with_stage
from chalicelib.domain.referrals.stages import TERMINAL_STAGES, Stage
from chalicelib.domain.referrals.transitions import list_transitions_from

STEPS_OF_A_CONTINUING_PATIENT = frozenset(
    {
        Stage.CONSULT_COMPLETED,
        Stage.APHERESIS_COMPLETED,
        Stage.LYMPHODEPLETION_STARTED,
        Stage.INFUSED,
        Stage.MONITORING,
        Stage.WINDOW_COMPLETE,
        Stage.HANDBACK_READY,
        Stage.HANDED_BACK,
        Stage.FOLLOW_UP,
        Stage.LONG_TERM_FOLLOW_UP,
    }
)
"""Steps that happen only if the patient took part. Source: the API contract, section 3."""

_OPEN_STAGES = frozenset(Stage) - TERMINAL_STAGES - {Stage.DRAFT}
_STAGES = tuple(Stage)


class ReportedStep(NamedTuple):
    """A step and when it was true, according to its reporter."""

    at: datetime
    stage: Stage


@dataclass(frozen=True, slots=True)
class Endings:
    """The endings of a history.

    Attributes:
        counting: The ending that counts; None if the referral is open.
        disputed: Endings that do not count, because a later step shows that the patient continued.
        illegal: Endings that are not legal at any place where they can have happened.
    """

    counting: StageChange | None
    disputed: Sequence[StageChange] = ()
    illegal: Sequence[StageChange] = ()


def is_ending(event: object) -> bool:
    """Whether an event reports the end of the referral."""
    return isinstance(event, StageChange) and event.stage in TERMINAL_STAGES


def list_canceled_endings(endings: Sequence[StageChange], reopenings: Sequence[Reopened]) -> Sequence[StageChange]:
    """List the endings that no longer count because the referral was reopened."""
    return [ending for ending in endings if any(_is_canceled_by(r, ending) for r in reopenings)]


def _is_canceled_by(reopening: Reopened, ending: StageChange) -> bool:
    if reopening.reopens:
        return ending.event_id in reopening.reopens
    return ending.order < reopening.order


def choose_ending(
    steps: Sequence[ReportedStep], endings: Sequence[StageChange], *, start: Place, moves: Sequence[PathEvent]
) -> Endings:
    """Choose the ending that counts.

    Args:
        steps: The steps that were reported; see `list_steps`.
        endings: The endings that were not canceled.
        start: The place before the first move.
        moves: The moves of the referral, in their order.
    """
    deaths = sorted((e for e in endings if e.stage is Stage.DECEASED), key=lambda e: e.order)
    if deaths:
        return Endings(deaths[0])
    legal = [e for e in endings if _is_legal(e, start=start, moves=moves)]
    disputed = [e for e in legal if find_step_after(steps, e, STEPS_OF_A_CONTINUING_PATIENT)]
    counting = min((e for e in legal if e not in disputed), key=lambda e: e.order, default=None)
    return Endings(counting, disputed, [e for e in endings if e not in legal])


def _is_legal(ending: StageChange, *, start: Place, moves: Sequence[PathEvent]) -> bool:
    """Whether the transition table allows the ending where its time puts it, or a little later.

    The clock of its sender may be slow, so the ending may follow the submission and events that are
    dated up to `CLOCK_DIFFERENCE` later, but never an event that its own sender dated later.
    """
    places = [start]
    for move in moves:
        places.append(follow(places[-1], move) or places[-1])
    first = max((n for n, move in enumerate(moves, 1) if move.order <= ending.order), default=0)
    for n in range(first, len(places)):
        if n > first and not _may_follow(ending, moves[n - 1]):
            return False
        if ending.actor in list_transitions_from(places[n].stage).get(ending.stage, ()):
            return True
    return False


def _may_follow(ending: StageChange, move: PathEvent) -> bool:
    if must_precede(ending, move):
        return False
    is_submission = isinstance(move, StageChange) and move.stage is Stage.SUBMITTED
    return is_submission or move.occurred_at - ending.latest <= CLOCK_DIFFERENCE


def list_steps(opened: Referral, reports: Sequence[PathEvent]) -> Sequence[ReportedStep]:
    """List the steps that were reported, in order; one that shows that the patient continued with each of its dates.

    Args:
        opened: The state without any ending.
        reports: What was reported; see `Path.reports`. A machine that shows the current status again every night
            says nothing new, and the ending may have happened some nights before anyone entered it.
    """
    again = (
        ReportedStep(report.occurred_at, report.stage)
        for report in reports
        if isinstance(report, StageChange) and report.stage in STEPS_OF_A_CONTINUING_PATIENT
    )
    entered = (ReportedStep(at, stage) for stage, at in opened.stage_entered_at.items())
    return sorted({*entered, *again}, key=lambda step: (step.at, _STAGES.index(step.stage)))


def find_step_after(
    steps: Sequence[ReportedStep], ending: StageChange, stages: frozenset[Stage]
) -> ReportedStep | None:
    """Find the first of the steps among `stages` that is dated after an ending."""
    return next((step for step in steps if step.stage in stages and step.at > ending.latest), None)


def with_endings(
    opened: Referral, endings: Endings, steps: Sequence[ReportedStep], context: DecisionContext
) -> Referral:
    """End a referral with the ending that counts, and note what contradicts it."""
    state = with_stage(opened, endings.counting, context) if endings.counting else opened
    return replace(state, status=replace(state.status, contradiction=_find_contradiction(opened, endings, steps)))


def _find_contradiction(opened: Referral, endings: Endings, steps: Sequence[ReportedStep]) -> Contradiction | None:
    ending, step = endings.counting, None
    if ending and ending.stage is Stage.DECEASED:
        step = find_step_after(steps, ending, _OPEN_STAGES)
    elif not ending and (endings.disputed or endings.illegal):
        ending = max((*endings.disputed, *endings.illegal), key=lambda e: e.order)
        current = ReportedStep(opened.stage_since, opened.stage)
        step = find_step_after(steps, ending, STEPS_OF_A_CONTINUING_PATIENT) or current
    if ending is None or step is None:
        return None
    return Contradiction(
        ending=ending.stage,
        ending_id=ending.event_id,
        ended_at=ending.occurred_at,
        reported_by=ending.actor,
        step=step.stage,
        step_at=step.at,
    )
