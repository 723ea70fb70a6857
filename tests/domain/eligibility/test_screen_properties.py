"""Properties of every eligibility check, for any patient."""

from dataclasses import replace
from datetime import date

from hypothesis import assume, given
from hypothesis import strategies as st

from chalicelib.catalog import DISEASES
from chalicelib.domain.eligibility.histologies import HISTOLOGIES
from chalicelib.domain.eligibility.input_checks import find_input_faults
from chalicelib.domain.eligibility.screen import ScreenOutcome, ScreenResult
from chalicelib.domain.eligibility.screen_input import LineOutcome, NoTransplantReason, ScreenInput, TherapyLine
from tests.support.screen_inputs import MISSING, TODAY, screen_with_catalog

CLASSES = (
    "anthracycline",
    "anti_cd20",
    "anti_cd38",
    "bcl2_inhibitor",
    "btk_inhibitor",
    "chemoimmunotherapy",
    "imid",
    "other",
    "proteasome_inhibitor",
)
REGIMENS = ("R-CHOP", "Lenalidomide and dexamethasone")
OUTCOMES_WITH_UNKNOWN_DATE = (None, LineOutcome.RELAPSED, LineOutcome.REFRACTORY)


def maybe(strategy):
    """A value, or None for "not entered"."""
    return st.none() | strategy


days = st.dates(date(2023, 1, 1), date(2026, 11, 1))


@st.composite
def histories(draw):
    """Possible lines of therapy; a number can be missing if that line was not entered."""
    numbers = draw(st.lists(st.integers(1, 4), unique=True, max_size=4))
    lines = []
    for position, number in enumerate(numbers):
        ended, event = draw(maybe(days)), draw(maybe(days))
        lines.append(
            TherapyLine(
                number=number,
                regimen=draw(st.sampled_from(REGIMENS)),
                classes=draw(maybe(st.frozensets(st.sampled_from(CLASSES), min_size=1))),
                ended_on=ended,
                outcome=draw(maybe(st.sampled_from(LineOutcome))),
                event_on=event,
                position=position,
            )
        )
    return tuple(lines)


@st.composite
def patients(draw):
    """Any patient whose values do not contradict each other."""
    disease = draw(st.sampled_from(DISEASES))
    entered = ScreenInput(
        disease=disease,
        age=draw(maybe(st.integers(10, 90))),
        histology=draw(maybe(st.sampled_from(tuple(HISTOLOGIES[disease])))),
        ecog=draw(maybe(st.integers(0, 4))),
        lines=draw(maybe(histories())),
        hsct_eligible=draw(maybe(st.booleans())),
        no_transplant_reason=draw(st.sampled_from(NoTransplantReason)),
        lenalidomide_refractory=draw(maybe(st.booleans())),
        conditions=draw(st.fixed_dictionaries({}, optional={"cns_involvement": st.booleans()})),
    )
    assume(not find_input_faults(entered, today=TODAY))
    return entered


def with_blanks(draw, line: TherapyLine) -> TherapyLine:
    """The line with some of its fields not entered.

    The date of an event is left out only if the outcome implies an event or is unknown: a response
    without a date means that no relapse followed.
    """
    kept = {name: getattr(line, name) for name in ("classes", "ended_on", "outcome") if draw(st.booleans())}
    can_lose_date = kept.get("outcome") in OUTCOMES_WITH_UNKNOWN_DATE
    event = line.event_on if not can_lose_date or draw(st.booleans()) else None
    return TherapyLine(number=line.number, regimen=line.regimen, position=line.position, event_on=event, **kept)


@st.composite
def completions(draw):
    """A patient with blanks, and the same patient with the blanks filled in.

    A blank is a field that was not entered, a line below the highest number, or all lines
    together. Nothing else differs: entered values are the same in both.
    """
    full = draw(patients())
    fields = ("age", "histology", "ecog", "hsct_eligible", "lenalidomide_refractory")
    blank = {name: None for name in fields if draw(st.booleans())}
    conditions = {name: yes for name, yes in full.conditions.items() if draw(st.booleans())}
    lines = full.lines
    if lines is not None:
        highest = max((line.number for line in lines), default=0)
        lines = tuple(with_blanks(draw, line) for line in lines if line.number == highest or draw(st.booleans()))
        lines = None if draw(st.integers(0, 5)) == 0 else lines
    return replace(full, **blank, conditions=conditions, lines=lines), full


def list_decisions(outcome: ScreenOutcome) -> dict[str, ScreenResult]:
    """The decided results of products and rows, without those that miss information."""
    results = {result.product_id: result.result for result in outcome.results}
    results |= {row.row_id: row.result for result in outcome.results for row in result.rows}
    return {name: result for name, result in results.items() if result is not MISSING}


@given(completions())
def test_a_decided_result_stays_decided_when_blanks_are_filled(pair):
    """New information changes "missing" into a result, and never one result into another."""
    partial, full = pair

    before, after = list_decisions(screen_with_catalog(partial)), list_decisions(screen_with_catalog(full))

    assert before.items() <= after.items()


@given(patients())
def test_missing_information_is_listed_exactly_when_a_result_is_undecided(entered):
    """For each product, row and reason."""
    for result in screen_with_catalog(entered).results:
        assert bool(result.missing) is (result.result is MISSING)
        for row in result.rows:
            assert bool(row.missing) is (row.result is MISSING)
            for reason in row.reasons:
                assert bool(reason.missing) is (reason.met is None)


def summarize(outcome: ScreenOutcome) -> object:
    """Everything in the outcome except the JSON pointers, which follow the order of the request."""
    return [
        (result.product_id, result.result, {missing.label for missing in result.missing}, [
            (reason.rule, reason.met, {(value.label, value.value) for value in reason.entered})
            for row in result.rows
            for reason in row.reasons
        ])
        for result in outcome.results
    ]  # fmt: skip


@given(patients(), st.randoms(use_true_random=False))
def test_the_order_of_the_lines_does_not_matter(entered, chance):
    """A line counts by its number, not by its position."""
    assume(entered.lines is not None)
    lines = list(entered.lines)
    chance.shuffle(lines)
    shuffled = tuple(replace(line, position=position) for position, line in enumerate(lines))

    assert summarize(screen_with_catalog(replace(entered, lines=shuffled))) == summarize(screen_with_catalog(entered))


@given(patients())
def test_every_reason_shows_its_rule_its_source_and_its_date(entered):
    """A clinician can look up each reason."""
    for result in screen_with_catalog(entered).results:
        assert result.label_as_of <= TODAY
        assert result.version
        for row in result.rows:
            for reason in row.reasons:
                assert reason.rule
                assert reason.source.url.startswith("https://")
                assert date.fromisoformat(reason.source.as_of) <= TODAY
                assert reason.entered or reason.missing
