"""Read the elements that all FHIR R4 resources share. A malformed element counts as absent.

Records come from old and new systems, so nothing here raises: an element of the wrong kind is read like
an absent one, and later steps list what is absent as missing.
"""

import re
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import Any

from chalicelib.catalog.codings import normalize_system

Resource = Mapping[str, Any]

_PATIENT = re.compile(r"(?:^|/)Patient/([^/]+)")
NO_CODE = "without a code"
"""The name of a concept that has neither a name nor a code."""

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


def is_unreadable(prefetch_part: Any, kinds: Container[str]) -> bool:
    """Whether something was sent that is neither a Bundle nor a resource of these kinds, or reports a failure.

    A record system that cannot search for a kind sends nothing or `null`: that is absent, not unreadable.
    """
    if prefetch_part is None:
        return False
    if not isinstance(prefetch_part, dict):
        return True
    kind = read_text(prefetch_part, "resourceType")
    if kind != "Bundle":
        return kind not in kinds
    entries = prefetch_part.get("entry")
    if entries is None:
        return False
    if not isinstance(entries, list) or len(keep_objects(entries)) != len(entries):
        return True
    found = [entry.get("resource") for entry in entries]
    return any(not isinstance(r, dict) or _reports_failure(r) for r in found)


def _reports_failure(resource: Resource) -> bool:
    issues = keep_objects(resource.get("issue")) if resource.get("resourceType") == "OperationOutcome" else []
    return any(issue.get("severity") in {"error", "fatal"} for issue in issues)


def list_codes(concept: Any, system: str) -> Iterator[str]:
    """The codes that a CodeableConcept has in one code system, however the system is spelled."""
    for coding in keep_objects(concept.get("coding")) if isinstance(concept, dict) else []:
        code, spelled = coding.get("code"), coding.get("system")
        if isinstance(spelled, str) and normalize_system(spelled) == system and isinstance(code, str):
            yield code.strip()


def format_concept(concept: Any) -> str:
    """The name of a CodeableConcept, safe to show on a card, or its code if it has no name."""
    if not isinstance(concept, dict):
        return NO_CODE
    coded = [c.get(key) for key in ("display", "code") for c in keep_objects(concept.get("coding"))]
    name = next((t for t in (concept.get("text"), *coded) if isinstance(t, str) and t), "")
    return strip_markup(name) or NO_CODE


def index_resources(prefetch_parts: Iterable[Any], kind: str) -> Mapping[str, Resource]:
    """The resources of a kind by what references to them look like: `Medication/1`, or a full address."""
    found: dict[str, Resource] = {}
    for part in prefetch_parts:
        entries = keep_objects(part.get("entry")) if isinstance(part, dict) else []
        for entry in entries:
            resource = entry.get("resource")
            if isinstance(resource, dict) and resource.get("resourceType") == kind:
                found[read_text(entry, "fullUrl")] = resource
                found[f"{kind}/{read_text(resource, 'id')}"] = resource
    found.pop("", None)
    return found


def resolve_reference(reference: Any, owner: Resource, index: Mapping[str, Resource]) -> Resource | None:
    """The resource that a Reference names: contained in its owner, or sent with it; None if it is neither."""
    address = read_text(reference, "reference") if isinstance(reference, dict) else ""
    if address.startswith("#"):
        contained = keep_objects(owner.get("contained"))
        return next((each for each in contained if each.get("id") == address[1:]), None)
    address = address.partition("/_history/")[0]
    return index.get(address) or index.get("/".join(address.split("/")[-2:]))


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
