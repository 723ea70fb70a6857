"""One referral on one page, to hand over or to fax: which sections it has, and what moves to page 2 first.

This module decides what the page says. The renderer only sets it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, NotRequired, TypedDict

from chalicelib.domain.eligibility.disclaimers import DISCLAIMERS, EMERGENCY_NOTE
from chalicelib.domain.platform.dates import format_short_time
from chalicelib.domain.referrals.packet import (
    OPTIONAL_ITEMS,
    REQUIRED_ITEMS,
    build_packet,
    list_missing_items,
    needs_financial_help,
)
from chalicelib.domain.referrals.packet_facts import (
    Facts,
    PatientNaming,
    Values,
    build_therapy_row,
    format_full_name,
    list_center_facts,
    list_consent_facts,
    list_disease_facts,
    list_flag_facts,
    list_insurance_facts,
    list_lab_facts,
    list_patient_facts,
    list_provider_facts,
)
from chalicelib.domain.referrals.referral import Referral
from chalicelib.domain.referrals.stages import STAGE_FACTS

CURRENT_FOR = timedelta(hours=24)
"""After which time a page says that it may be out of date. Either team can change the referral at any time, and a
fax is usually read on the same or the next day. This product's own choice (2026-11)."""

THERAPY_COLUMNS = ("Line", "Regimen", "Dates", "Response")


class PacketTable(TypedDict):
    """A table: the names of its columns, and its rows with as many texts."""

    columns: Sequence[str]
    rows: Sequence[Sequence[str]]


class PacketSection(TypedDict):
    """A section: its place (`left`, `right` or `wide`), and its content.

    `moves` is the place in the fixed order of what moves to page 2 when page 1 is full, 1 first; None never
    moves. `moved` is what page 1 says instead.
    """

    heading: str
    place: str
    moves: int | None
    moved: str
    facts: NotRequired[Facts]
    table: NotRequired[PacketTable]
    text: NotRequired[Sequence[str]]


class PacketPage(TypedDict):
    """What the renderer sets. Every text is plain; none is markup."""

    language: str
    title: str
    subtitle: str
    summary: Facts
    emergency: str
    sections: Sequence[PacketSection]
    statements: Sequence[str]
    made: Sequence[str]
    footer: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PacketSource:
    """What a page is made from.

    Attributes:
        center_name: None while no center is chosen.
        center_listing: The center's entry in the directory.
        disease_name: The name of the disease; empty if none was entered.
        products: The requested, planned and given product, as pairs of label and name.
        documents: Where the documents of the packet are, as pairs of a state and the documents in it.
        naming: Whether the page has the patient's name, or only the alias.
        made_at: When the page is made.
        time_zone: The reader's time zone, for `made_at`.
        today: The day at the practice, for the patient's age and the consent.
    """

    referral: Referral
    practice_name: str
    center_name: str | None
    center_listing: Mapping[str, Any]
    disease_name: str
    products: Facts
    documents: Facts
    naming: PatientNaming
    made_at: datetime
    time_zone: str
    today: date


def build_packet_page(source: PacketSource) -> PacketPage:
    """Build the page of a referral. The same source gives the same page."""
    referral = source.referral
    name = _get_name(source)
    return {
        "language": "en",
        "title": f"CAR T referral: {name}",
        "subtitle": _describe_sides(source),
        "summary": [
            ("Status", f"{STAGE_FACTS[referral.stage].label}, since {_format_time(referral.stage_since, source)}"),
            ("Urgency", referral.urgency.capitalize()),
        ],
        "emergency": EMERGENCY_NOTE,
        "sections": _list_sections(source),
        "statements": list(DISCLAIMERS),
        "made": _list_made_sentences(source),
        "footer": f"{name}, made {_format_time(source.made_at, source)}",
    }


def _get_name(source: PacketSource) -> str:
    if source.naming is PatientNaming.ALIAS:
        return source.referral.alias
    return format_full_name(_get_part(source, "patient")) or source.referral.alias


def _describe_sides(source: PacketSource) -> str:
    if not source.referral.is_with_center:
        return f"Draft of {source.practice_name}. It was not submitted to a center."
    return f"From {source.practice_name} to {source.center_name}."


def _list_made_sentences(source: PacketSource) -> Sequence[str]:
    stale_at = source.made_at + CURRENT_FOR
    return [
        f"Made {_format_time(source.made_at, source)} from version {source.referral.version} of the referral.",
        f"May be out of date after {_format_time(stale_at, source)}. The dashboard has the current referral.",
    ]


def _format_time(at: datetime, source: PacketSource) -> str:
    return format_short_time(at, source.time_zone)


def _list_sections(source: PacketSource) -> Sequence[PacketSection]:
    """The sections in reading order. A section without content is left out."""
    clinical = _get_part(source, "clinical")
    insurance = list_insurance_facts(_get_part(source, "insurance"), source.naming)
    consent = list_consent_facts(source.referral.details.get("consent_to_share"), today=source.today)
    provider = list_provider_facts(_get_part(source, "referring_provider"), source.practice_name)
    contact = _get_part(source, "center_contact")
    disease = list_disease_facts(clinical, disease_name=source.disease_name, products=source.products)
    patient = list_patient_facts(_get_part(source, "patient"), source.referral.alias, source.naming, today=source.today)
    sections = [
        _build_facts("Patient", "left", patient),
        _build_facts("Disease", "left", disease),
        _build_facts("Insurance", "left", insurance, moves=7),
        _build_facts("Consent to share records", "left", consent),
        _build_facts("Referring provider", "right", provider),
        _build_facts(
            "Treatment center", "right", list_center_facts(source.center_name, source.center_listing, contact)
        ),
        _build_completeness(source),
        _build_facts("Documents", "right", source.documents, moves=8),
        _build_facts("Points to discuss with the center", "right", list_flag_facts(clinical), moves=6),
        _build_facts("Lab results and last doses", "right", list_lab_facts(clinical), moves=3),
        _build_therapy(clinical.get("prior_lines") or ()),
        _build_reasons(source),
        _build_optional(source),
        _build_note(source),
    ]
    return [section for section in sections if section is not None]


def _get_part(source: PacketSource, name: str) -> Values:
    return source.referral.details.get(name) or {}


def _build_facts(heading: str, place: str, facts: Facts, *, moves: int | None = None) -> PacketSection | None:
    if not facts:
        return None
    return {"heading": heading, "place": place, "moves": moves, "moved": "See page 2.", "facts": facts}


def _build_completeness(source: PacketSource) -> PacketSection:
    """What of the items that a center needs on day 1 is there, and what is missing."""
    packet = build_packet(source.referral)
    missing = [item.label for item in list_missing_items(packet)]
    present = len(REQUIRED_ITEMS) - len(missing)
    text = [f"{present} of {len(REQUIRED_ITEMS)} items that the center needs on day 1."]
    text.append(f"Missing: {'; '.join(missing)}." if missing else "Nothing is missing.")
    if needs_financial_help(packet):
        text.append("The patient has no insurance, or pays without it.")
    return {"heading": "Referral packet", "place": "right", "moves": None, "moved": "", "text": text}


def _build_therapy(lines: Sequence[Values]) -> PacketSection:
    section: PacketSection = {"heading": "Lines of therapy", "place": "wide", "moves": 4, "moved": ""}
    if not lines:
        return {**section, "moves": None, "text": ["None entered."]}
    rows = [build_therapy_row(line) for line in lines]
    _, regimen, _, response = rows[-1]
    last = f"{regimen}: {response}" if response else regimen
    moved = f"{len(rows)} in all, the last one {last}. See page 2."
    return {**section, "moved": moved, "table": {"columns": THERAPY_COLUMNS, "rows": rows}}


def _build_reasons(source: PacketSource) -> PacketSection | None:
    """The items that the practice answered with "none, because". A reason can contain a name."""
    label_by_pointer = {item.pointer: item.label for item in REQUIRED_ITEMS}
    answers = source.referral.details.get("none_because") or ()
    has_reasons = source.naming is PatientNaming.NAME
    facts = [
        (label_by_pointer[answer["item"]], f"None, because: {answer['reason']}" if has_reasons else "None")
        for answer in answers
    ]
    return _build_facts("Items without a value", "wide", facts, moves=5)


def _build_optional(source: PacketSource) -> PacketSection | None:
    """The optional items without a value. They can help, and the center does not need them to start."""
    missing = [item.label for item in list_missing_items(build_packet(source.referral), OPTIONAL_ITEMS)]
    if not missing:
        return None
    return {
        "heading": "Optional items that were not entered",
        "place": "wide",
        "moves": 2,
        "moved": "See page 2.",
        "text": [f"{'; '.join(missing)}."],
    }


def _build_note(source: PacketSource) -> PacketSection | None:
    """The practice's note. It is free text, so a page with the alias leaves it out."""
    note = source.referral.details.get("note")
    if not note or source.naming is PatientNaming.ALIAS:
        return None
    paragraphs = [line for line in note.split("\n") if line.strip()]
    return {"heading": "Note", "place": "wide", "moves": 1, "moved": "See page 2.", "text": paragraphs}
