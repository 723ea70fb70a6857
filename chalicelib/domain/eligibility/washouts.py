"""Washouts: how much time should pass between a treatment and leukapheresis, and how strong the evidence is.

Nothing here forbids a date. Intervals are data with their sources, because published values disagree on
nearly every number; the shorter one counts, and all are shown.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from chalicelib.domain.eligibility.calendar_months import add_months
from chalicelib.domain.eligibility.criterion_result import MissingValue, ThresholdSource
from chalicelib.domain.eligibility.prior_therapy import describe_missing_field, sort_lines
from chalicelib.domain.eligibility.same_target import normalize_name
from chalicelib.domain.eligibility.screen_input import AgentName, LastDose, ScreenInput, TherapyLine, TransplantKind


class Evidence(StrEnum):
    """How strong the evidence for an interval is, strongest first."""

    RECOMMENDATION = "recommendation"
    """Published recommendations of an expert society."""
    COHORT = "cohort"
    """An association in an observational study."""
    TRIAL = "trial_criterion"
    """A criterion for entering a trial; it was not tested."""
    EXPERT = "expert_review"
    """The opinion of experts in a review article."""
    PRACTICE = "practice_only"
    """What centers do. No published interval was found."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WashoutInterval:
    """How much time should pass between an event and leukapheresis, in days or calendar months.

    Attributes:
        diseases: The diseases in which the treatment is used; empty means all.
        classes: Drug classes whose line of therapy counts as the treatment.
        spellings: Names that mean the treatment in a regimen, as `normalize_name` returns them.
        free_up_to_mg: A daily dose in mg of prednisone up to which no interval is needed.
    """

    label: str
    evidence: Evidence
    days: int = 0
    months: int = 0
    diseases: frozenset[str] = frozenset()
    classes: frozenset[str] = frozenset()
    spellings: tuple[str, ...] = ()
    free_up_to_mg: float | None = None
    note: str = ""
    sources: tuple[ThresholdSource, ...]

    @property
    def has_figure(self) -> bool:
        """Whether a source states an interval. Without one, the center is asked whenever the treatment was given."""
        return self.days > 0 or self.months > 0

    def compute_earliest_day(self, day: date) -> date:
        """The first day on which the interval since `day` is over."""
        return add_months(day, self.months) + timedelta(days=self.days)


@dataclass(frozen=True, slots=True, kw_only=True)
class WashoutRules:
    """The reviewed intervals of one version.

    Attributes:
        irradiated_blood: How long before leukapheresis blood products must be irradiated.
    """

    agents: Mapping[AgentName, WashoutInterval]
    transplant: WashoutInterval
    irradiated_blood: WashoutInterval


class CollectionCheckState(StrEnum):
    """How an interval compares with the planned leukapheresis date. No state forbids anything."""

    CLEAR = "clear"
    DISCUSS = "discuss"
    MISSING = "information_missing"
    DUE = "due"


@dataclass(frozen=True, slots=True, kw_only=True)
class CollectionCheck:
    """One check against the planned leukapheresis date.

    Attributes:
        last_on: The day that the interval counts from.
        from_line: The line of therapy that the day was read from; None if it was entered as a last dose.
        earliest_on: The first day on which the interval is over.
    """

    check: str
    label: str
    state: CollectionCheckState
    last_on: date | None
    from_line: int | None = None
    earliest_on: date | None
    missing: tuple[MissingValue, ...]
    evidence: Evidence
    note: str = ""
    sources: tuple[ThresholdSource, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _LastTreatment:
    """What was entered about a treatment: when it was last given, or that no interval is needed."""

    missing_value: MissingValue
    last_on: date | None = None
    from_line: int | None = None
    needs_no_interval: bool = False


MISSING_COLLECTION_DAY = MissingValue(pointer="/planned_collection_on", label="Planned leukapheresis date")


def check_collection_day(screen_input: ScreenInput, rules: WashoutRules) -> tuple[CollectionCheck, ...]:
    """Check every interval against the planned date; nothing if neither a date nor a dose was entered."""
    planned = screen_input.planned_collection_on
    if planned is None and not screen_input.doses:
        return ()
    doses = {dose.agent: dose for dose in screen_input.doses}
    lines = [(line, normalize_name(line.regimen)) for line in reversed(sort_lines(screen_input))]
    washouts = [
        _build_check(agent, interval, _find_last_treatment(interval, doses.get(agent), lines), planned)
        for agent, interval in rules.agents.items()
        if agent in doses or not interval.diseases or screen_input.disease in interval.diseases
    ]
    transplant = _build_check("transplant", rules.transplant, _find_transplant(screen_input), planned)
    return (*washouts, transplant, *_check_irradiated_blood(rules.irradiated_blood, planned))


def _find_last_treatment(
    interval: WashoutInterval, dose: LastDose | None, lines: Iterable[tuple[TherapyLine, str]]
) -> _LastTreatment:
    """The entered dose, or else the most recent line with the treatment."""
    label = f"{interval.label}: date of last dose"
    if dose is not None:
        limit, daily = interval.free_up_to_mg, dose.daily_mg
        is_low = limit is not None and daily is not None and daily <= limit
        return _LastTreatment(
            missing_value=MissingValue(pointer=f"/clinical/last_doses/{dose.position}", label=label),
            last_on=dose.last_on,
            needs_no_interval=dose.given is False or is_low,
        )
    for line, regimen in lines:
        if not interval.classes.isdisjoint(line.classes or ()) or any(s in regimen for s in interval.spellings):
            missing_value = describe_missing_field(line, "ended_on", "End date")
            return _LastTreatment(missing_value=missing_value, last_on=line.ended_on, from_line=line.number)
    return _LastTreatment(missing_value=MissingValue(pointer="/clinical/last_doses", label=label))


def _find_transplant(screen_input: ScreenInput) -> _LastTreatment:
    transplant = screen_input.transplant
    missing_value = MissingValue(
        pointer="/clinical/transplant/on" if transplant.kind else "/clinical/transplant",
        label="Date of most recent stem cell transplant",
    )
    return _LastTreatment(
        missing_value=missing_value,
        last_on=transplant.on,
        needs_no_interval=transplant.kind is TransplantKind.NONE,
    )


def _build_check(name: str, interval: WashoutInterval, last: _LastTreatment, planned: date | None) -> CollectionCheck:
    is_counted = last.last_on is not None and interval.has_figure and not last.needs_no_interval
    earliest_on = interval.compute_earliest_day(last.last_on) if last.last_on and is_counted else None
    needed = ((last.missing_value, last.last_on is None), (MISSING_COLLECTION_DAY, planned is None))
    missing = () if last.needs_no_interval else tuple(value for value, is_absent in needed if is_absent)
    is_too_early = earliest_on is not None and planned is not None and earliest_on > planned
    must_ask = not interval.has_figure and not last.needs_no_interval
    state = CollectionCheckState.DISCUSS if is_too_early or must_ask else CollectionCheckState.CLEAR
    return CollectionCheck(
        check=name,
        label=interval.label,
        state=CollectionCheckState.MISSING if missing else state,
        last_on=last.last_on,
        from_line=last.from_line if last.last_on else None,
        earliest_on=earliest_on,
        missing=missing,
        evidence=interval.evidence,
        note=interval.note,
        sources=interval.sources,
    )


def _check_irradiated_blood(interval: WashoutInterval, planned: date | None) -> Iterable[CollectionCheck]:
    """Not an interval that must be over but a task: irradiated blood products only, from this date."""
    if planned is None:
        return
    yield CollectionCheck(
        check="irradiated_blood",
        label=interval.label,
        state=CollectionCheckState.DUE,
        last_on=None,
        earliest_on=planned - timedelta(days=interval.days),
        missing=(),
        evidence=interval.evidence,
        note=interval.note,
        sources=interval.sources,
    )
