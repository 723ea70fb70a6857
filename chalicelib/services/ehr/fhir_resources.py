"""Read the elements that all FHIR R4 resources share. A malformed element counts as absent.

Records come from old and new systems, so nothing here raises: an element of the wrong kind is read like
an absent one, and later steps list what is absent as missing.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import Any

Resource = Mapping[str, Any]

_PATIENT = re.compile(r"(?:^|/)Patient/([^/]+)")
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


def list_resources(prefetch_part: Any, kind: str) -> tuple[Resource, ...]:
    """The resources of a kind in a Bundle, or the one that was sent by itself."""
    if not isinstance(prefetch_part, dict):
        return ()
    entries = prefetch_part.get("entry") if prefetch_part.get("resourceType") == "Bundle" else None
    found = [e.get("resource") for e in keep_objects(entries)] if entries else [prefetch_part]
    return tuple(r for r in found if isinstance(r, dict) and r.get("resourceType") == kind)


def has_more(prefetch_part: Any) -> bool:
    """Whether a Bundle is only the first page."""
    links = keep_objects(prefetch_part.get("link")) if isinstance(prefetch_part, dict) else []
    return any(link.get("relation") == "next" for link in links)


def list_codes(concept: Any, system: str) -> Iterator[str]:
    """The codes that a CodeableConcept has in one code system."""
    for coding in keep_objects(concept.get("coding")) if isinstance(concept, dict) else []:
        code = coding.get("code")
        if coding.get("system") == system and isinstance(code, str):
            yield code


def format_concept(concept: Any) -> str:
    """The name of a CodeableConcept, safe to show on a card, or its code if it has no name."""
    if not isinstance(concept, dict):
        return "without a code"
    coded = [c.get(key) for key in ("display", "code") for c in keep_objects(concept.get("coding"))]
    name = next((t for t in (concept.get("text"), *coded) if isinstance(t, str) and t), "")
    return strip_markup(name) or "without a code"


def strip_markup(text: str) -> str:
    """Remove what Markdown or HTML could interpret from a record's text."""
    return " ".join(re.sub(r"[^\w ,.()%/+-]", " ", text).split())[:80]


def read_text(resource: Resource, name: str) -> str:
    """Read a text element, such as a status or a reference; empty if it is not a text."""
    value = resource.get(name)
    return value if isinstance(value, str) else ""


def parse_day(value: Any) -> date | None:
    """The day of a date or a time; None if only a year or a month is given."""
    found = _DAY.match(value) if isinstance(value, str) else None
    try:
        return date.fromisoformat(found[0]) if found else None
    except ValueError:
        return None


def read_status(resource: Resource, name: str) -> str | None:
    """The code of a status that FHIR writes as a concept."""
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
    """The ids of the patients that a prefetched part is about; a resource without a patient has none."""
    parts = keep_objects(prefetch_part.get("entry")) if isinstance(prefetch_part, dict) else []
    found = [part.get("resource") for part in parts] or [prefetch_part]
    for resource in found:
        if isinstance(resource, dict):
            is_patient = resource.get("resourceType") == "Patient"
            owner = resource.get("id") if is_patient else parse_patient_id(resource)
            if isinstance(owner, str):
                yield owner


def keep_objects(value: Any) -> Sequence[Mapping[str, Any]]:
    """The objects in a list; empty if the value is not a list."""
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def remove_duplicates(names: Iterable[str]) -> tuple[str, ...]:
    """Each name once, in the order of first appearance."""
    return tuple(dict.fromkeys(names))
