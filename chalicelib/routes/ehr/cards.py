"""Cards: what a screen of a chart says, as a health record shows it beside the chart.

A card is information, never a verdict: it counts what labels' criteria look like as read from
the record, names what is missing, and ends with the statements that go with every answer.
"""

import uuid
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from chalicelib.catalog import DISEASE_NAMES
from chalicelib.domain.eligibility.disclaimers import DISCLAIMERS
from chalicelib.domain.eligibility.screen import CriterionReason, IndicationResult, ScreenOutcome, ScreenResult
from chalicelib.services.ehr.fhir_chart import FhirChart

MAX_NAMED = 8
"""How many names a card lists before it says how many more there are."""

_LABEL = "CAR T Referral Dashboard, reviewed label catalogue"
_RESULT_TEXT = {
    ScreenResult.APPEAR_MET: "label criteria appear met as read",
    ScreenResult.MISSING: "information missing",
    ScreenResult.NOT_MET: "label criteria not met as read",
}


def build_cards(chart: FhirChart, screening: ScreenOutcome | None, *, url: str) -> list[dict[str, Any]]:
    """The cards of a chart: none where it has no disease of the catalogue, else one."""
    if not chart.diseases:
        return []
    if screening is None:
        return [_build_card("CAR T: the chart leaves open which disease to screen for",
                      _format_undecided(chart), url=url)]  # fmt: skip
    return [_build_card(_format_summary(chart, screening), _format_detail(chart, screening), url=url)]


def build_contradiction_card(pointers: Sequence[str], *, url: str) -> list[dict[str, Any]]:
    """The card of a chart that cannot be true as it stands."""
    lines = ["The chart contradicts itself, so that no label could be compared with it:"]
    return [
        _build_card(
            "CAR T: dates in the chart contradict each other", [*lines, *(f"- {place}" for place in pointers)], url=url
        )
    ]


def _build_card(summary: str, detail: Iterable[str], *, url: str) -> dict[str, Any]:
    return {
        "uuid": str(uuid.uuid4()),
        "summary": summary,
        "indicator": "info",
        "detail": "\n".join([*detail, "", *(f"*{statement}*\n" for statement in DISCLAIMERS)]),
        "source": {"label": _LABEL, "url": f"{url}/"},
        "links": [{"label": "Open the screen", "url": f"{url}/#/screen", "type": "absolute"}],
    }


def _format_summary(chart: FhirChart, screening: ScreenOutcome) -> str:
    """At most 140 characters, by the standard."""
    counts = {r: sum(i.result is r for i in screening.results) for r in ScreenResult}
    counts_text = ", ".join(f"{_RESULT_TEXT[r]}: {counts[r]}" for r in _RESULT_TEXT if counts[r])
    return f"CAR T labels for {chart.diseases[0].replace('_', '/')}: {counts_text}"


def _format_undecided(chart: FhirChart) -> Iterator[str]:
    yield "Its diagnosis codes fit more than one disease of the catalogue:"
    yield from (f"- {DISEASE_NAMES[disease]}" for disease in chart.diseases)
    yield ""
    yield "Enter the disease and its histology in the screen."


def _format_detail(chart: FhirChart, screening: ScreenOutcome) -> Iterator[str]:
    yield f"**{DISEASE_NAMES[chart.diseases[0]]}**, read from this chart and held against labels:"
    yield ""
    for result in screening.results:
        yield from _format_result(result)
    yield from _format_section("Missing in what was sent", _format_missing(chart, screening))
    yield from _format_section("To discuss with the center", _format_flags(screening))
    yield from _format_section("Before cells are collected", _format_washouts(chart, screening))


def _format_result(result: IndicationResult) -> Iterator[str]:
    yield f"- **{result.product_name}**: {_RESULT_TEXT[result.result]}. Label as of {result.label_as_of}."
    for row in result.rows:
        yield f"  - {row.text}: {_RESULT_TEXT[row.result]}"
        yield from (f"    - {_format_reason(reason)}" for reason in row.reasons)


def _format_reason(reason: CriterionReason) -> str:
    """One rule with what it made of the chart, and where it was read."""
    answer = {True: "appears met", False: "not met as read", None: "missing"}[reason.met]
    mark = "; confirm with the current label" if reason.unverified else ""
    return f"{reason.text}: {answer} ({reason.source.title}, {reason.source.as_of}{mark})"


def _format_missing(chart: FhirChart, screening: ScreenOutcome) -> Iterator[str]:
    labels = (m.label for result in screening.results for m in result.missing)
    yield from dict.fromkeys(labels)
    if not chart.has_therapy_lines and chart.medication_names:
        yield f"Lines of therapy. Found, but not counted as lines: {_format_first_names(chart.medication_names)}"
    if chart.unknown_medications:
        unknown = _format_first_names(chart.unknown_medications)
        yield f"Drugs that this service does not know and did not read: {unknown}"
    if chart.incomplete_parts:
        yield "The rest of the chart: only the first page of it was sent"


def _format_flags(screening: ScreenOutcome) -> Iterator[str]:
    for flag in screening.discuss_with_center:
        source_text = "; ".join(f"{a.text} ({a.source.title}, {a.source.as_of})" for a in flag.sources)
        yield f"{flag.label}, {flag.value}. {source_text}"


def _format_washouts(chart: FhirChart, screening: ScreenOutcome) -> Iterator[str]:
    """The intervals of what is about to be ordered; a screen without a day checks no more."""
    if not chart.ordered_agents:
        return
    yield f"In this order: {_format_first_names(chart.ordered_agents)}"
    for check in screening.collection_checks:
        if check.last_on is not None and check.last_on >= screening.screened_on:
            source_text = "; ".join(f"{a.text} ({a.source.title}, {a.source.as_of})" for a in check.sources)
            yield f"{check.label}: clear from {check.earliest_on} on. {source_text}"


def _format_section(title: str, lines: Iterator[str]) -> Iterator[str]:
    items = list(lines)
    if items:
        yield ""
        yield f"**{title}**"
        yield ""
        yield from (f"- {line}" for line in items)


def _format_first_names(names: Sequence[str]) -> str:
    more = len(names) - MAX_NAMED
    return ", ".join(names[:MAX_NAMED]) + (f" and {more} more" if more > 0 else "")
