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


def list_resources(prefetch_part: Any, kind: str) -> tuple[Resource, ...]:
    """The resources of a kind in a Bundle, or the one that was sent as it is."""
    if not isinstance(prefetch_part, dict):
        return ()
    entries = prefetch_part.get("entry") if prefetch_part.get("resourceType") == "Bundle" else None
    found = [e.get("resource") for e in keep_objects(entries)] if entries else [prefetch_part]
    return tuple(r for r in found if isinstance(r, dict) and r.get("resourceType") == kind)


def has_more(prefetch_part: Any) -> bool:
    """Whether a Bundle is only the first page of what there is."""
    links = keep_objects(prefetch_part.get("link")) if isinstance(prefetch_part, dict) else []
    return any(link.get("relation") == "next" for link in links)


def list_codes(concept: Any, system: str) -> Iterator[str]:
    """The codes of a CodeableConcept in one system."""
    for coding in keep_objects(concept.get("coding")) if isinstance(concept, dict) else []:
        code = coding.get("code")
        if coding.get("system") == system and isinstance(code, str):
            yield code


def format_concept(concept: Any) -> str:
    """What a CodeableConcept is called, tame enough to be shown in a card; else its code."""
    if not isinstance(concept, dict):
        return "without a code"
    coded = [c.get(key) for key in ("display", "code") for c in keep_objects(concept.get("coding"))]
    name = next((t for t in (concept.get("text"), *coded) if isinstance(t, str) and t), "")
    return strip_markup(name) or "without a code"


def strip_markup(text: str) -> str:
    """A record's own words without what Markdown or a page could take for more than words."""
    return " ".join(re.sub(r"[^\w ,.()%/+-]", " ", text).split())[:80]


def read_text(resource: Resource, name: str) -> str:
    """A plain element, as a status or a reference; empty where it is none."""
    value = resource.get(name)
    return value if isinstance(value, str) else ""


def parse_day(value: Any) -> date | None:
    """The day of a date or a time; a year or a month alone is none."""
    found = _DAY.match(value) if isinstance(value, str) else None
    try:
        return date.fromisoformat(found[0]) if found else None
    except ValueError:
        return None


def read_status(resource: Resource, name: str) -> str | None:
    """The code of a status that FHIR spells as a concept."""
    concept = resource.get(name)
    found = [c.get("code") for c in keep_objects(concept.get("coding"))] if isinstance(concept, dict) else []
    return next((code for code in found if isinstance(code, str)), None)


def parse_patient_id(resource: Resource) -> str | None:
    """The id of the patient that a resource is about."""
    subject = resource.get("subject", resource.get("patient"))
    reference = read_text(subject, "reference") if isinstance(subject, dict) else ""
    found = _PATIENT.search(reference)
    return found[1] if found else None


def list_patient_ids(prefetch_part: Any) -> Iterator[str]:
    """The patients that a prefetched part is about; what names none is about nobody."""
    parts = keep_objects(prefetch_part.get("entry")) if isinstance(prefetch_part, dict) else []
    found = [part.get("resource") for part in parts] or [prefetch_part]
    for resource in found:
        if isinstance(resource, dict):
            is_patient = resource.get("resourceType") == "Patient"
            owner = resource.get("id") if is_patient else parse_patient_id(resource)
            if isinstance(owner, str):
                yield owner


def keep_objects(value: Any) -> Sequence[Mapping[str, Any]]:
    """The objects of a list; of anything else, none."""
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def remove_duplicates(names: Iterable[str]) -> tuple[str, ...]:
    """Each once, in the order in which they were found."""
    return tuple(dict.fromkeys(names))
