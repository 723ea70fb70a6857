"""What holds of every screen, whoever the patient is."""

from dataclasses import replace
from datetime import date

from hypothesis import assume, given
from hypothesis import strategies as st

from chalicelib.catalog import DISEASES
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
EVENTFUL = (None, LineOutcome.RELAPSED, LineOutcome.REFRACTORY)


def maybe(strategy):
    return st.none() | strategy


days = st.dates(date(2023, 1, 1), date(2026, 11, 1))


@st.composite
def histories(draw):
    """Lines of therapy that may have been; numbers may lack where nobody entered that line."""
    numbers = draw(st.lists(st.integers(1, 4), unique=True, max_size=4))
    lines = []
    for place, number in enumerate(numbers):
        ended, event = draw(maybe(days)), draw(maybe(days))
        lines.append(
            TherapyLine(
                number=number,
                regimen=draw(st.sampled_from(REGIMENS)),
                classes=draw(maybe(st.frozensets(st.sampled_from(CLASSES), min_size=1))),
                ended_on=ended,
                outcome=draw(maybe(st.sampled_from(LineOutcome))),
                event_on=event,
                position=place,
            )
        )
    return tuple(lines)


@st.composite
def patients(draw):
    """Anybody whose entries do not contradict each other."""
    entered = ScreenInput(
        disease=draw(st.sampled_from(DISEASES)),
        age=draw(maybe(st.integers(10, 90))),
        histology=draw(maybe(st.sampled_from(["DLBCL_NOS", "PRIMARY_CNS"]))),
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

    The day of an event is a blank only where an event is told, or nothing is: a response
    without such a day says that nothing came after it.
    """
    kept = {name: getattr(line, name) for name in ("classes", "ended_on", "outcome") if draw(st.booleans())}
    outcome = kept.get("outcome")
    forgettable = outcome in EVENTFUL
    event = line.event_on if not forgettable or draw(st.booleans()) else None
    return TherapyLine(number=line.number, regimen=line.regimen, position=line.position, event_on=event, **kept)


@st.composite
def completions(draw):
    """A patient, and the same one with some of what was entered taken away.

    A blank is a field that was not entered, a line below the highest number that was not, or
    all lines together. Nothing else is taken away: what was entered stays as it was.
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


def decisions(screening: ScreenOutcome) -> dict[str, ScreenResult]:
    """What was decided, of products and of rows; not what is missing."""
    told = {result.product_id: result.result for result in screening.results}
    told |= {row.row_id: row.result for r in screening.results for row in r.rows}
    return {name: result for name, result in told.items() if result is not MISSING}


@given(completions())
def test_what_is_decided_stays_decided_when_blanks_are_filled(pair):
    """What is learned turns "missing" into an answer, and no answer into another."""
    partial, full = pair

    before, after = decisions(screen_with_catalog(partial)), decisions(screen_with_catalog(full))

    assert before.items() <= after.items()


@given(patients())
def test_what_is_missing_is_named_and_only_then(entered):
    """Whoever is told "information missing" is told which."""
    for result in screen_with_catalog(entered).results:
        assert bool(result.missing) is (result.result is MISSING)
        for row in result.rows:
            assert bool(row.missing) is (row.result is MISSING)
            for reason in row.reasons:
                assert bool(reason.missing) is (reason.met is None)


def told(screening: ScreenOutcome) -> object:
    """All that is said, but for the places, which follow the order in what was sent."""
    return [
        (result.product_id, result.result, {missing.label for missing in result.missing}, [
            (reason.rule, reason.met, {(e.label, e.value) for e in reason.entered})
            for row in result.rows
            for reason in row.reasons
        ])
        for result in screening.results
    ]  # fmt: skip


@given(patients(), st.randoms(use_true_random=False))
def test_the_order_of_the_lines_changes_nothing(entered, chance):
    """A line is what its number says, wherever it was typed in."""
    assume(entered.lines is not None)
    lines = list(entered.lines)
    chance.shuffle(lines)
    shuffled = tuple(replace(line, position=place) for place, line in enumerate(lines))

    assert told(screen_with_catalog(replace(entered, lines=shuffled))) == told(screen_with_catalog(entered))


@given(patients())
def test_every_answer_shows_its_rule_its_source_and_its_date(entered):
    """A clinician can look up each of them."""
    for result in screen_with_catalog(entered).results:
        assert result.label_as_of <= TODAY
        assert result.version
        for row in result.rows:
            for reason in row.reasons:
                assert reason.rule
                assert reason.source.url.startswith("https://")
                assert date.fromisoformat(reason.source.as_of) <= TODAY
                assert reason.entered or reason.missing
