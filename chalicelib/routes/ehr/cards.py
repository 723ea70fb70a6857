"""Cards: what a screen of a chart says, as a health record shows it beside the chart.

A card is information, never a verdict: it counts what labels' criteria look like as read from
the record, names what is missing, and ends with the statements that go with every answer.
"""

import uuid
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from chalicelib.catalogue import DISEASE_NAMES
from chalicelib.domain.eligibility.disclaimers import STATEMENTS
from chalicelib.domain.eligibility.screen import IndicationResult, Reason, Result, Screening
from chalicelib.services.ehr.fhir_chart import Chart

NAMED_AT_MOST = 8
"""How many names a card lists before it says how many more there are."""

_LABEL = "CAR T Referral Dashboard, reviewed label catalogue"
_SAID = {
    Result.APPEAR_MET: "label criteria appear met as read",
    Result.MISSING: "information missing",
    Result.NOT_MET: "label criteria not met as read",
}


def cards(chart: Chart, screening: Screening | None, *, url: str) -> list[dict[str, Any]]:
    """The cards of a chart: none where it has no disease of the catalogue, else one."""
    if not chart.diseases:
        return []
    if screening is None:
        return [_card("CAR T: the chart leaves open which disease to screen for",
                      _undecided(chart), url=url)]  # fmt: skip
    return [_card(_summary(chart, screening), _detail(chart, screening), url=url)]


def contradicting(places: Sequence[str], *, url: str) -> list[dict[str, Any]]:
    """The card of a chart that cannot be true as it stands."""
    lines = ["The chart contradicts itself, so that no label could be compared with it:"]
    return [
        _card(
            "CAR T: dates in the chart contradict each other",
            [*lines, *(f"- {place}" for place in places)],
            url=url,
        )
    ]


def _card(summary: str, detail: Iterable[str], *, url: str) -> dict[str, Any]:
    return {
        "uuid": str(uuid.uuid4()),
        "summary": summary,
        "indicator": "info",
        "detail": "\n".join([*detail, "", *(f"*{statement}*\n" for statement in STATEMENTS)]),
        "source": {"label": _LABEL, "url": f"{url}/"},
        "links": [{"label": "Open the screen", "url": f"{url}/#/screen", "type": "absolute"}],
    }


def _summary(chart: Chart, screening: Screening) -> str:
    """At most 140 characters, by the standard."""
    counts = {r: sum(i.result is r for i in screening.results) for r in Result}
    told = ", ".join(f"{_SAID[r]}: {counts[r]}" for r in _SAID if counts[r])
    return f"CAR T labels for {chart.diseases[0].replace('_', '/')}: {told}"


def _undecided(chart: Chart) -> Iterator[str]:
    yield "Its diagnosis codes fit more than one disease of the catalogue:"
    yield from (f"- {DISEASE_NAMES[disease]}" for disease in chart.diseases)
    yield ""
    yield "Enter the disease and its histology in the screen."


def _detail(chart: Chart, screening: Screening) -> Iterator[str]:
    yield f"**{DISEASE_NAMES[chart.diseases[0]]}**, read from this chart and held against labels:"
    yield ""
    for result in screening.results:
        yield from _result(result)
    yield from _section("Missing in what was sent", _missing(chart, screening))
    yield from _section("To discuss with the center", _flags(screening))
    yield from _section("Before cells are collected", _washouts(chart, screening))


def _result(result: IndicationResult) -> Iterator[str]:
    yield f"- **{result.product_name}**: {_SAID[result.result]}. Label as of {result.label_as_of}."
    for row in result.rows:
        yield f"  - {row.text}: {_SAID[row.result]}"
        yield from (f"    - {_reason(reason)}" for reason in row.reasons)


def _reason(reason: Reason) -> str:
    """One rule with what it made of the chart, and where it was read."""
    answer = {True: "appears met", False: "not met as read", None: "missing"}[reason.met]
    mark = "; confirm with the current label" if reason.unverified else ""
    return f"{reason.text}: {answer} ({reason.source.title}, {reason.source.as_of}{mark})"


def _missing(chart: Chart, screening: Screening) -> Iterator[str]:
    labels = (m.label for result in screening.results for m in result.missing)
    yield from dict.fromkeys(labels)
    if not chart.lines_stated and chart.found:
        yield f"Lines of therapy. Found, but not counted as lines: {_few(chart.found)}"
    if chart.unknown:
        yield f"Drugs that this service does not know and did not read: {_few(chart.unknown)}"
    if chart.incomplete:
        yield "The rest of the chart: only the first page of it was sent"


def _flags(screening: Screening) -> Iterator[str]:
    for flag in screening.discuss:
        said = "; ".join(f"{a.says} ({a.source.title}, {a.source.as_of})" for a in flag.anchors)
        yield f"{flag.label}, {flag.value}. {said}"


def _washouts(chart: Chart, screening: Screening) -> Iterator[str]:
    """The intervals of what is about to be ordered; a screen without a day checks no more."""
    if not chart.ordered:
        return
    yield f"In this order: {_few(chart.ordered)}"
    for check in screening.collection:
        if check.last_on is not None and check.last_on >= screening.screened_on:
            said = "; ".join(
                f"{a.says} ({a.source.title}, {a.source.as_of})" for a in check.anchors
            )
            yield f"{check.label}: clear from {check.clear_from} on. {said}"


def _section(title: str, lines: Iterator[str]) -> Iterator[str]:
    told = list(lines)
    if told:
        yield ""
        yield f"**{title}**"
        yield ""
        yield from (f"- {line}" for line in told)


def _few(names: Sequence[str]) -> str:
    more = len(names) - NAMED_AT_MOST
    return ", ".join(names[:NAMED_AT_MOST]) + (f" and {more} more" if more > 0 else "")
