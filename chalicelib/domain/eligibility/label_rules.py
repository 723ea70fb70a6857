"""The rules that a label's indication is made of: each reads what was entered, and says so.

A rule is named in the catalogue's files by its function here, with its figures beside it:
`{"prior_lines_min": 2}`. None of them guesses; what was not entered is named.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from chalicelib.domain.eligibility import therapy_line_rules as line_rules
from chalicelib.domain.eligibility.criterion_result import Entered, Finding, Missing, answered, told
from chalicelib.domain.eligibility.prior_therapy import in_words
from chalicelib.domain.eligibility.screen_input import NoTransplantBecause, ScreenInput

PRIMARY_CNS = frozenset({"PRIMARY_CNS", "PRIMARY_CNS_LYMPHOMA", "PCNSL"})
"""The histology codes of primary central nervous system lymphoma."""


def age_min(entered: ScreenInput, years: int) -> Finding:
    """At least so many years old."""
    return _age(entered, met=entered.age is not None and entered.age >= years)


def age_max(entered: ScreenInput, years: int) -> Finding:
    """At most so many years old, the year itself included."""
    return _age(entered, met=entered.age is not None and entered.age <= years)


def transplant_not_intended(entered: ScreenInput, _figure: object) -> Finding:
    """A stem cell transplant is not an option, because of age or comorbidity."""
    pointer, label = "/clinical/hsct_eligible", "A candidate for stem cell transplant"
    if entered.hsct_eligible is None:
        return told(met=None, missing=[Missing(pointer=pointer, label=label)])
    said = [answered(pointer, label, yes=entered.hsct_eligible)]
    if entered.hsct_eligible:
        return told(met=False, entered=said)
    because = entered.no_transplant_because
    said.append(
        Entered(
            pointer="/clinical/no_transplant_because",
            label="No transplant because of",
            value=in_words(because.value),
        )
    )
    return told(met=because is NoTransplantBecause.AGE_OR_COMORBIDITY, entered=said)


def not_primary_cns_lymphoma(entered: ScreenInput, _figure: object) -> Finding:
    """The lymphoma is not one of the central nervous system alone."""
    pointer = "/clinical/histology"
    if entered.histology is not None:
        said = [Entered(pointer=pointer, label="Histology", value=in_words(entered.histology))]
        return told(met=not is_primary_cns(entered), entered=said)
    if entered.conditions.get("cns_involvement") is False:
        flag = "/clinical/flags/cns_involvement"
        return told(met=True, entered=[answered(flag, "CNS involvement", yes=False)])
    return told(met=None, missing=[Missing(pointer=pointer, label="Histology")])


def is_primary_cns(entered: ScreenInput) -> bool:
    """Whether the histology that was entered is primary central nervous system lymphoma."""
    return (entered.histology or "").upper() in PRIMARY_CNS


def _age(entered: ScreenInput, *, met: bool) -> Finding:
    if entered.age is None:
        return told(met=None, missing=[Missing(pointer="/age", label="Age")])
    return told(met=met, entered=[Entered(pointer="/age", label="Age", value=str(entered.age))])


class Rule(NamedTuple):
    """A rule, and how it is told with its figures."""

    look: Callable[[ScreenInput, Any], Finding]
    words: Callable[[Any], str]


def _ordinal(number: int) -> str:
    return {1: "first", 2: "second", 3: "third"}.get(number, f"{number}th")


def _named(codes: Sequence[str]) -> str:
    return ", ".join(map(in_words, codes))


RULES: Mapping[str, Rule] = {
    "age_min": Rule(age_min, lambda years: f"At least {years} years old"),
    "age_max": Rule(age_max, lambda years: f"At most {years} years old"),
    "prior_lines_min": Rule(
        line_rules.prior_lines_min,
        lambda n: f"At least {n} prior {'line' if n == 1 else 'lines'} of therapy",
    ),
    "classes": Rule(line_rules.classes, lambda codes: f"Prior lines include: {_named(codes)}"),
    "line_class": Rule(
        line_rules.line_class, lambda of: f"The {_ordinal(of[0])} line was {_named([of[1]])}"
    ),
    "relapsed_or_refractory": Rule(
        line_rules.relapsed_or_refractory, lambda _: "Relapsed or refractory disease"
    ),
    "refractory_to_line": Rule(
        line_rules.refractory_to_line, lambda n: f"Refractory to the {_ordinal(n)} line"
    ),
    "relapse_after_line": Rule(
        line_rules.relapse_after_line, lambda n: f"Relapse after the {_ordinal(n)} line"
    ),
    "relapse_within_months_of_line": Rule(
        line_rules.relapse_within_months_of_line,
        lambda of: f"Relapse within {of[1]} months of the {_ordinal(of[0])} line",
    ),
    "refractory_now": Rule(line_rules.refractory_now, lambda _: "Refractory to the last line"),
    "relapses_min": Rule(line_rules.relapses_min, lambda n: f"In {_ordinal(n)} or later relapse"),
    "refractory_to": Rule(line_rules.refractory_to, lambda drug: f"Refractory to {drug}"),
    "transplant_not_intended": Rule(
        transplant_not_intended,
        lambda _: "Stem cell transplant is not an option, because of comorbidity or age",
    ),
    "not_primary_cns_lymphoma": Rule(
        not_primary_cns_lymphoma, lambda _: "Not primary central nervous system lymphoma"
    ),
}
