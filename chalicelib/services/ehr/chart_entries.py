"""What was read from a chart as entries of the eligibility check, offered through a single-use link.

Lines of therapy that the record does not state are for a person to group. The link brings the drugs found
to the form. It is valid once and for a quarter of an hour, and a member of a practice has to open it.
"""

from collections.abc import Mapping
from datetime import timedelta
from secrets import token_urlsafe
from typing import Any

from chalicelib.errors import ConflictError
from chalicelib.services.ehr.fhir_chart import FhirChart
from chalicelib.services.platform.run_context import RunContext

LINK_LIFETIME = timedelta(minutes=15)
"""Long enough to sign in, and short enough that a link in a browser's history is of no use."""

_TOKEN_BYTES = 32


def offer_entries(chart: FhirChart, context: RunContext) -> str | None:
    """Store the entries of a chart whose drugs could not be grouped into lines, and return the link's token."""
    if chart.screen_input is None or not chart.courses:
        return None
    token = token_urlsafe(_TOKEN_BYTES)
    context.stores.chart_links.save(token, build_entries(chart), until=context.now + LINK_LIFETIME)
    return token


def take_entries(token: str, context: RunContext) -> Mapping[str, Any]:
    """Take the entries behind a link. They are there only once.

    Raises:
        ConflictError: the link was used, or has expired.
    """
    entries = context.stores.chart_links.take(token, now=context.now)
    if entries is None:
        raise ConflictError(
            "link_used_or_expired",
            "This link was used before or has expired. Open the chart again for a new one, or fill in the form.",
        )
    return entries


def build_entries(chart: FhirChart) -> dict[str, Any]:
    """The entries, with the names of `POST /v1/screens`, and the drugs to group. What was not read is left out.

    Raises:
        TypeError: the chart has no single disease.
    """
    read = chart.screen_input
    if read is None:
        raise TypeError("a chart without one disease has no entries")
    clinical = {
        "disease": read.disease,
        "histology": read.histology,
        "ecog": read.ecog,
        "transplant": {"kind": read.transplant.kind, "on": _format_day(read.transplant.on)},
        "flags": dict(read.conditions),
        "last_doses": [
            {"agent": dose.agent, "given": True, "last_on": _format_day(dose.last_on)} for dose in read.doses
        ],
    }
    return {
        "age": read.age,
        "clinical": clinical,
        "courses": [
            {
                "name": course.name,
                "classes": sorted(course.classes),
                "started_on": _format_day(course.started_on),
                "ended_on": _format_day(course.ended_on),
            }
            for course in chart.courses
        ],
    }


def _format_day(day: Any) -> str | None:
    return day.isoformat() if day else None
