"""Short helpers for the input of an eligibility check."""

from datetime import date
from typing import Any

from chalicelib.catalog.labels import load_label_catalog
from chalicelib.domain.eligibility.histologies import HISTOLOGIES
from chalicelib.domain.eligibility.screen import IndicationResult, ScreenOutcome, ScreenResult, screen_patient
from chalicelib.domain.eligibility.screen_input import LineOutcome, ScreenInput, TherapyLine

TODAY = date(2026, 11, 22)

MET, NOT_MET, MISSING = ScreenResult.APPEAR_MET, ScreenResult.NOT_MET, ScreenResult.MISSING

R_CHOP = ("anti_cd20", "anthracycline", "corticosteroid")


def build_line(number: int, outcome: str | None = "relapsed", *classes: str, **given: Any) -> TherapyLine:
    """Build a line of therapy; days are given as text."""
    days = {name: date.fromisoformat(day) for name, day in given.items() if name.endswith("_on")}
    return TherapyLine(
        number=number,
        regimen=given.get("regimen", f"Regimen {number}"),
        classes=frozenset(classes) or None,
        outcome=LineOutcome(outcome) if outcome else None,
        position=number - 1,
        **days,
    )


def build_patient(disease: str, *lines: TherapyLine, **entered: Any) -> ScreenInput:
    """Build a patient of 60 years with the first histology of the disease, unless given otherwise."""
    usual: dict[str, Any] = {"age": 60, "histology": next(iter(HISTOLOGIES[disease]))}
    return ScreenInput(disease=disease, **usual | {"lines": lines} | entered)


def screen_with_catalog(entered: ScreenInput) -> ScreenOutcome:
    """Run the check with the catalog that ships."""
    return screen_patient(entered, labels=load_label_catalog(), today=TODAY)


def screen_product(product_id: str, entered: ScreenInput) -> IndicationResult:
    """Return the check's result for one product."""
    return next(r for r in screen_with_catalog(entered).results if r.product_id == product_id)


def screen_product_rows(product_id: str, entered: ScreenInput) -> dict[str, ScreenResult]:
    """Return the check's result for each row of a product."""
    return {row.row_id: row.result for row in screen_product(product_id, entered).rows}


def list_missing(product_id: str, entered: ScreenInput) -> set[str]:
    """Return the places where the check reports missing information for a product."""
    return {missing.pointer for missing in screen_product(product_id, entered).missing}
