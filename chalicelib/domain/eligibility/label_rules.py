"""The rules that make up a label's indication. Each rule reads what was entered and shows what it used.

The catalog's files name a rule by its function here, with its numbers: `{"prior_lines_min": 2}`.
No rule guesses: it names the values that were not entered.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from chalicelib.domain.eligibility import therapy_line_rules as line_rules
from chalicelib.domain.eligibility.criterion_result import (
    CriterionResult,
    EnteredValue,
    MissingValue,
    build_criterion_result,
    describe_yes_no,
)
from chalicelib.domain.eligibility.histologies import UNKNOWN, format_histology, is_primary_cns
from chalicelib.domain.eligibility.prior_therapy import format_code
from chalicelib.domain.eligibility.screen_input import NoTransplantReason, ScreenInput


def age_min(screen_input: ScreenInput, years: int) -> CriterionResult:
    """The patient has at least this age in years."""
    return _judge_age(screen_input, met=screen_input.age is not None and screen_input.age >= years)


def age_max(screen_input: ScreenInput, years: int) -> CriterionResult:
    """The patient has at most this age in years; that year is included."""
    return _judge_age(screen_input, met=screen_input.age is not None and screen_input.age <= years)


def transplant_not_intended(screen_input: ScreenInput, _figure: object) -> CriterionResult:
    """A stem cell transplant is not an option, because of age or comorbidity."""
    pointer, label = "/clinical/hsct_eligible", "Stem cell transplant candidate"
    if screen_input.hsct_eligible is None:
        return build_criterion_result(met=None, missing=[MissingValue(pointer=pointer, label=label)])
    entered_values = [describe_yes_no(pointer, label, yes=screen_input.hsct_eligible)]
    if screen_input.hsct_eligible:
        return build_criterion_result(met=False, entered=entered_values)
    reason = screen_input.no_transplant_reason
    entered_values.append(
        EnteredValue(
            pointer="/clinical/no_transplant_because",
            label="Reason not a transplant candidate",
            value=format_code(reason.value),
        )
    )
    return build_criterion_result(met=reason is NoTransplantReason.AGE_OR_COMORBIDITY, entered=entered_values)


def not_primary_cns_lymphoma(screen_input: ScreenInput, _figure: object) -> CriterionResult:
    """The histology is not primary central nervous system lymphoma."""
    pointer = "/clinical/histology"
    if screen_input.histology not in (None, UNKNOWN):
        name = format_histology(screen_input.histology)
        entered_values = [EnteredValue(pointer=pointer, label="Histology", value=name)]
        return build_criterion_result(met=not is_primary_cns(screen_input.histology), entered=entered_values)
    if screen_input.conditions.get("cns_involvement") is False:
        cns_pointer = "/clinical/flags/cns_involvement"
        return build_criterion_result(met=True, entered=[describe_yes_no(cns_pointer, "CNS involvement", yes=False)])
    return build_criterion_result(met=None, missing=[MissingValue(pointer=pointer, label="Histology")])


def _judge_age(screen_input: ScreenInput, *, met: bool) -> CriterionResult:
    if screen_input.age is None:
        return build_criterion_result(met=None, missing=[MissingValue(pointer="/age", label="Age")])
    return build_criterion_result(
        met=met, entered=[EnteredValue(pointer="/age", label="Age", value=str(screen_input.age))]
    )


class LabelRule(NamedTuple):
    """A rule, and its text with its numbers."""

    evaluate: Callable[[ScreenInput, Any], CriterionResult]
    describe: Callable[[Any], str]


def format_rule_id(name: str, figure: Any) -> str:
    """The stable name of a rule with its numbers, such as `prior_lines_min:2`."""
    is_list = isinstance(figure, Sequence) and not isinstance(figure, str)
    return f"{name}:{','.join(map(str, figure)) if is_list else str(figure).lower()}"


def _format_ordinal(number: int) -> str:
    return {1: "first", 2: "second", 3: "third"}.get(number, f"{number}th")


def _format_codes(codes: Sequence[str]) -> str:
    return ", ".join(map(format_code, codes))


LABEL_RULES: Mapping[str, LabelRule] = {
    "age_min": LabelRule(age_min, lambda years: f"Age {years} or older"),
    "age_max": LabelRule(age_max, lambda years: f"Age {years} or younger"),
    "prior_lines_min": LabelRule(
        line_rules.prior_lines_min, lambda n: f"At least {n} prior {'line' if n == 1 else 'lines'} of therapy"
    ),
    "classes": LabelRule(line_rules.classes, lambda codes: f"Prior lines include: {_format_codes(codes)}"),
    "line_class": LabelRule(
        line_rules.line_class,
        lambda of: f"{_format_ordinal(of[0]).capitalize()}-line therapy was {_format_codes([of[1]])}",
    ),
    "relapsed_or_refractory": LabelRule(line_rules.relapsed_or_refractory, lambda _: "Relapsed or refractory disease"),
    "refractory_to_line": LabelRule(
        line_rules.refractory_to_line, lambda n: f"Refractory to {_format_ordinal(n)}-line therapy"
    ),
    "relapse_after_line": LabelRule(
        line_rules.relapse_after_line, lambda n: f"Relapse after {_format_ordinal(n)}-line therapy"
    ),
    "relapse_within_months_of_line": LabelRule(
        line_rules.relapse_within_months_of_line,
        lambda of: f"Relapse within {of[1]} months of {_format_ordinal(of[0])}-line therapy",
    ),
    "refractory_now": LabelRule(line_rules.refractory_now, lambda _: "Refractory to the most recent line"),
    "relapses_min": LabelRule(line_rules.relapses_min, lambda n: f"{_format_ordinal(n).capitalize()} or later relapse"),
    "refractory_to": LabelRule(line_rules.refractory_to, lambda drug: f"Refractory to {drug}"),
    "transplant_not_intended": LabelRule(
        transplant_not_intended, lambda _: "Not a stem cell transplant candidate because of comorbidity or age"
    ),
    "not_primary_cns_lymphoma": LabelRule(
        not_primary_cns_lymphoma, lambda _: "Not primary central nervous system lymphoma"
    ),
}
