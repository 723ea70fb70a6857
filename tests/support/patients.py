"""What is entered for a screen, in the fewest words."""

from datetime import date
from typing import Any

from chalicelib.catalogue.labels import labels
from chalicelib.domain.eligibility.screen import IndicationResult, Result, Screening, screen
from chalicelib.domain.eligibility.screen_input import Line, Outcome, ScreenInput

TODAY = date(2026, 11, 22)

MET, NOT_MET, MISSING = Result.APPEAR_MET, Result.NOT_MET, Result.MISSING

R_CHOP = ("anti_cd20", "anthracycline", "corticosteroid")


def line(number: int, outcome: str | None = "relapsed", *classes: str, **given: Any) -> Line:
    """A line of therapy; days are given as text."""
    days = {name: date.fromisoformat(day) for name, day in given.items() if name.endswith("_on")}
    return Line(
        number=number,
        regimen=given.get("regimen", f"Regimen {number}"),
        classes=frozenset(classes) or None,
        outcome=Outcome(outcome) if outcome else None,
        place=number - 1,
        **days,
    )


def patient(disease: str, *lines: Line, **entered: Any) -> ScreenInput:
    """A patient of 60 years with a histology, unless said otherwise."""
    usual: dict[str, Any] = {"age": 60, "histology": "AS_NAMED"}
    return ScreenInput(disease=disease, **usual | {"lines": lines} | entered)


def screened(entered: ScreenInput) -> Screening:
    """The screen by the catalogue as it is shipped."""
    return screen(entered, labels=labels(), today=TODAY)


def about(product_id: str, entered: ScreenInput) -> IndicationResult:
    """What the screen says of one product."""
    return next(r for r in screened(entered).results if r.product_id == product_id)


def rows(product_id: str, entered: ScreenInput) -> dict[str, Result]:
    """What the screen says of each row of a product."""
    return {row.row_id: row.result for row in about(product_id, entered).rows}


def lacks(product_id: str, entered: ScreenInput) -> set[str]:
    """Where the screen says that something is missing for a product."""
    return {missing.pointer for missing in about(product_id, entered).missing}
