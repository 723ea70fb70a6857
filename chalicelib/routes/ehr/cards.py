"""Cards: the result of an eligibility check, as an EHR shows it next to the chart.

A card is information, never a verdict. It counts how the label criteria look as read from the
chart, lists what is missing, and ends with the disclaimers that go with every result.
"""

import uuid
from collections.abc import Iterable, Iterator, Sequence

from chalicelib.catalog import DISEASE_NAMES, load_products
from chalicelib.catalog.labels import load_label_catalog
from chalicelib.domain.eligibility.criterion_result import SourceReference, ThresholdSource
from chalicelib.domain.eligibility.disclaimers import DISCLAIMERS
from chalicelib.domain.eligibility.same_target import get_target_class
from chalicelib.domain.eligibility.screen import CriterionReason, IndicationResult, ScreenOutcome, ScreenResult
from chalicelib.domain.eligibility.washouts import Evidence
from chalicelib.routes.ehr.response_types import CardLinkResponse, CardResponse
from chalicelib.services.ehr.fhir_chart import FhirChart
from chalicelib.services.ehr.fhir_medications import TherapyCourse
from chalicelib.services.ehr.fhir_scores import ECOG

MAX_NAMED = 8
"""How many names a card lists before it only counts the rest."""

MAX_SUMMARY_CHARS = 140
"""Length of a card's summary. Source: CDS Hooks 2.0."""

_NOT_READ = "CAR T: part of this chart could not be read, so no label comparison was made"
_PART_NAMES = {
    "patient": "patient",
    "conditions": "conditions",
    "medications": "medication orders",
    "administrations": "medications given",
    "statements": "medication statements",
    "dispenses": "medications dispensed",
    "care_plans": "care plans",
    "episodes": "episodes of care",
    "procedures": "procedures",
    "observations": "observations",
}
_SCORE_NAMES = {ECOG: "ECOG", "karnofsky": "Karnofsky", "lansky": "Lansky"}
_LABEL = "CAR T Referral Dashboard, reviewed label catalog"
_EVIDENCE_TEXT = {
    Evidence.RECOMMENDATION: "Published recommendation",
    Evidence.COHORT: "Observational study",
    Evidence.TRIAL: "Trial criterion",
    Evidence.EXPERT: "Expert review",
    Evidence.PRACTICE: "Practice only",
}
_RESULT_TEXT = {
    ScreenResult.APPEAR_MET: "label criteria appear met",
    ScreenResult.MISSING: "information missing",
    ScreenResult.NOT_MET: "label criteria not met, based on this chart",
}


def build_cards(
    chart: FhirChart, screening: ScreenOutcome | None, *, url: str, link_token: str | None = None
) -> list[CardResponse]:
    """Build the cards of a chart: none if all of it was read and has no disease of the catalog, otherwise one."""
    if not chart.diseases:
        return [] if chart.is_fully_read else [_build_card(_NOT_READ, _format_not_read(chart), url=url)]
    if screening is None:
        return [_build_card("CAR T: this chart fits more than one disease", _format_undecided(chart), url=url)]
    card = _build_card(_format_summary(chart, screening), _format_detail(chart, screening), url=url)
    return [card | {"links": [_build_entries_link(link_token, url=url)]}] if link_token else [card]


def build_contradiction_card(messages: Sequence[str], *, url: str) -> list[CardResponse]:
    """Build the card of a chart whose entries cannot all be true."""
    lines = ["Some chart entries contradict each other, so no label comparison was made:"]
    return [
        _build_card(
            "CAR T: dates in this chart contradict each other",
            [*lines, *(f"- {message}" for message in messages)],
            url=url,
        )
    ]


def _build_card(summary: str, detail: Iterable[str], *, url: str) -> CardResponse:
    return {
        "uuid": str(uuid.uuid4()),
        "summary": summary,
        "indicator": "info",
        "detail": "\n".join([*detail, "", *(f"*{statement}*\n" for statement in DISCLAIMERS)]),
        "source": {"label": _LABEL, "url": f"{url}/"},
        "links": [{"label": "Open the eligibility check", "url": f"{url}/#/screen", "type": "absolute"}],
    }


def _build_entries_link(token: str, *, url: str) -> CardLinkResponse:
    """The link that brings what was found to the eligibility check. It has no health data."""
    return {
        "label": "Open the eligibility check with these entries (works once, for 15 minutes)",
        "url": f"{url}/#/screen/{token}",
        "type": "absolute",
    }


def _format_summary(chart: FhirChart, screening: ScreenOutcome) -> str:
    """Summarize the result; the disease is abbreviated if its name does not fit."""
    counts = {r: sum(i.result is r for i in screening.results) for r in ScreenResult}
    counts_text = "; ".join(f"{_RESULT_TEXT[r]}: {counts[r]}" for r in _RESULT_TEXT if counts[r])
    disease = chart.diseases[0]
    full = f"CAR T label check, {DISEASE_NAMES[disease]}: {counts_text}"
    if len(full) <= MAX_SUMMARY_CHARS:
        return full
    return f"CAR T label check, {disease.replace('_', '/')}: {counts_text}"


def _format_not_read(chart: FhirChart) -> Iterator[str]:
    yield "No diagnosis that could be read is one that CAR T labels name. Not read:"
    yield from (f"- {line}" for line in _format_unread(chart))
    yield ""
    yield "Enter the diagnosis in the eligibility check if CAR T is a question."


def _format_unread(chart: FhirChart) -> Iterator[str]:
    """What was sent and could not be read, and what was not sent."""
    if chart.unread_diagnoses:
        yield f"Diagnoses without a code that could be read: {_format_first_names(chart.unread_diagnoses)}"
    if chart.unread_parts:
        yield f"Parts of the chart: {_format_first_names([_PART_NAMES[part] for part in chart.unread_parts])}"
    if chart.incomplete_parts:
        yield "The rest of the chart. Only the first page was sent."


def _format_undecided(chart: FhirChart) -> Iterator[str]:
    yield "The diagnosis codes match more than one disease:"
    yield from (f"- {DISEASE_NAMES[disease]}" for disease in chart.diseases)
    yield ""
    yield "Enter the disease and histology in the eligibility check."


def _format_detail(chart: FhirChart, screening: ScreenOutcome) -> Iterator[str]:
    yield f"**{DISEASE_NAMES[chart.diseases[0]]}**, based on this chart, compared with US label criteria:"
    yield ""
    for result in screening.results:
        yield from _format_result(result)
    yield from _format_section("Missing from the chart", _format_missing(chart, screening))
    yield from _format_section("Discuss with the treatment center", _format_flags(chart, screening))
    yield from _format_section("Before leukapheresis", _format_washouts(chart, screening))


def _format_result(result: IndicationResult) -> Iterator[str]:
    yield f"- **{result.product_name}**: {_RESULT_TEXT[result.result]}. Label as of {result.label_as_of}."
    for row in result.rows:
        yield f"  - {row.text}: {_RESULT_TEXT[row.result]}"
        yield from (f"    - {_format_reason(reason)}" for reason in row.reasons)
    yield from (f"  - Discuss with the center: {p.text} ({_format_source(p.source)})" for p in result.discuss)
    yield from (f"  - Note: {note.text} ({_format_source(note.source)})" for note in result.notes)
    product = load_products()[result.product_id]
    if titles := [warning["title"] for warning in product.facts["boxed_warnings"]]:
        yield f"  - Boxed warnings of the label: {'; '.join(titles)}. Current label: {product.label_url}"


def _format_reason(reason: CriterionReason) -> str:
    """One rule with its result for this chart, and the source of the rule."""
    result = {True: "appears met", False: "not met, based on this chart", None: "missing"}[reason.met]
    warning = "; check the current label" if reason.unverified else ""
    return f"{reason.text}: {result} ({_format_source(reason.source)}{warning})"


def _format_source(source: SourceReference) -> str:
    return f"{source.title}, {source.as_of}"


def _format_missing(chart: FhirChart, screening: ScreenOutcome) -> Iterator[str]:
    labels = (m.label for result in screening.results for m in result.missing)
    yield from dict.fromkeys(labels)
    if chart.courses:
        courses = _format_first_names([_format_course(course) for course in chart.courses])
        yield f"Lines of therapy. Found in the chart but not counted as lines: {courses}"
    if chart.unknown_medications:
        unknown = _format_first_names(chart.unknown_medications)
        yield f"Drugs not recognized and not included: {unknown}"
    yield from _format_scores(chart)
    yield from _format_unread(chart)


def _format_course(course: TherapyCourse) -> str:
    days = [str(day) for day in dict.fromkeys((course.started_on, course.ended_on)) if day]
    return f"{course.name} ({' to '.join(days)})" if days else course.name


def _format_scores(chart: FhirChart) -> Iterator[str]:
    """Performance scores that the check cannot use: of other scales, or unreadable. None is converted."""
    for score in chart.scores:
        day = f" on {score.on}" if score.on else ""
        if score.value is None:
            yield f"{_SCORE_NAMES[score.name]}{day}: its value could not be read"
        elif score.name != ECOG and chart.screen_input and chart.screen_input.ecog is None:
            yield f"ECOG. Found in the chart and not converted: {_SCORE_NAMES[score.name]} {score.value}{day}"


def _format_flags(chart: FhirChart, screening: ScreenOutcome) -> Iterator[str]:
    for flag in screening.discuss_with_center:
        yield f"{flag.label}, {flag.value}. {_format_anchors(flag.sources)}"
    shown = {result.product_id for result in screening.results}
    targets = {i.target for i in load_label_catalog().indications if i.product_id in shown}
    for target in sorted(targets):
        courses = [_format_course(c) for c in chart.courses if get_target_class(target) in c.classes]
        if courses:
            yield f"Earlier therapy with the target {target}, not counted as a line: {_format_first_names(courses)}"


def _format_anchors(sources: Iterable[ThresholdSource]) -> str:
    return "; ".join(f"{anchor.text} ({_format_source(anchor.source)})" for anchor in sources)


def _format_washouts(chart: FhirChart, screening: ScreenOutcome) -> Iterator[str]:
    """The washout intervals of the drugs in this order. Without a planned day, nothing else is checked."""
    if not chart.ordered_agents:
        return
    yield f"In this order: {_format_first_names(chart.ordered_agents)}"
    for check in screening.collection_checks:
        if check.last_on is not None and check.last_on >= screening.screened_on:
            parts = (f"interval ends {check.earliest_on}", _EVIDENCE_TEXT[check.evidence], check.note.rstrip("."))
            yield f"{check.label}: {'. '.join(filter(None, parts))}. {_format_anchors(check.sources)}"


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
