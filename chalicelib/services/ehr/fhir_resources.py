"""The few things that every FHIR R4 resource has alike. Whatever is not as it should be is absent.

A record comes from systems of many ages, so nothing here raises: an element of the wrong kind is
read like one that is not there, and what is not there is named as missing further on.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import Any

Resource = Mapping[str, Any]

_PATIENT = re.compile(r"(?:^|/)Patient/([^/]+)")
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


def resources(prefetched: Any, kind: str) -> tuple[Resource, ...]:
    """The resources of a kind in a Bundle, or the one that was sent as it is."""
    if not isinstance(prefetched, dict):
        return ()
    entries = prefetched.get("entry") if prefetched.get("resourceType") == "Bundle" else None
    found = [e.get("resource") for e in mappings(entries)] if entries else [prefetched]
    return tuple(r for r in found if isinstance(r, dict) and r.get("resourceType") == kind)


def has_more(prefetched: Any) -> bool:
    """Whether a Bundle is only the first page of what there is."""
    links = mappings(prefetched.get("link")) if isinstance(prefetched, dict) else []
    return any(link.get("relation") == "next" for link in links)


def codes(concept: Any, system: str) -> Iterator[str]:
    """The codes of a CodeableConcept in one system."""
    for coding in mappings(concept.get("coding")) if isinstance(concept, dict) else []:
        code = coding.get("code")
        if coding.get("system") == system and isinstance(code, str):
            yield code


def words(concept: Any) -> str:
    """What a CodeableConcept is called, tame enough to be shown in a card; else its code."""
    if not isinstance(concept, dict):
        return "without a code"
    coded = [c.get(key) for key in ("display", "code") for c in mappings(concept.get("coding"))]
    told = next((t for t in (concept.get("text"), *coded) if isinstance(t, str) and t), "")
    return tame(told) or "without a code"


def tame(text: str) -> str:
    """A record's own words without what Markdown or a page could take for more than words."""
    return " ".join(re.sub(r"[^\w ,.()%/+-]", " ", text).split())[:80]


def text(resource: Resource, name: str) -> str:
    """A plain element, as a status or a reference; empty where it is none."""
    value = resource.get(name)
    return value if isinstance(value, str) else ""


def day(value: Any) -> date | None:
    """The day of a date or a time; a year or a month alone is none."""
    found = _DAY.match(value) if isinstance(value, str) else None
    try:
        return date.fromisoformat(found[0]) if found else None
    except ValueError:
        return None


def status(resource: Resource, name: str) -> str | None:
    """The code of a status that FHIR spells as a concept."""
    concept = resource.get(name)
    found = (
        [c.get("code") for c in mappings(concept.get("coding"))]
        if isinstance(concept, dict)
        else []
    )
    return next((code for code in found if isinstance(code, str)), None)


def patient_of(resource: Resource) -> str | None:
    """The id of the patient that a resource is about."""
    subject = resource.get("subject", resource.get("patient"))
    reference = text(subject, "reference") if isinstance(subject, dict) else ""
    found = _PATIENT.search(reference)
    return found[1] if found else None


def owners(prefetched: Any) -> Iterator[str]:
    """The patients that a prefetched part is about; what names none is about nobody."""
    parts = mappings(prefetched.get("entry")) if isinstance(prefetched, dict) else []
    found = [part.get("resource") for part in parts] or [prefetched]
    for resource in found:
        if isinstance(resource, dict):
            is_patient = resource.get("resourceType") == "Patient"
            owner = resource.get("id") if is_patient else patient_of(resource)
            if isinstance(owner, str):
                yield owner


def mappings(value: Any) -> Sequence[Mapping[str, Any]]:
    """The objects of a list; of anything else, none."""
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def once(names: Iterable[str]) -> tuple[str, ...]:
    """Each once, in the order in which they were found."""
    return tuple(dict.fromkeys(names))
