"""Pages of referrals for tests: how to build one, and how to read a PDF back."""

import io
import re
from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any

import pypdf

from chalicelib.domain.referrals.packet_facts import PatientNaming
from chalicelib.domain.referrals.packet_page import PacketPage, PacketSource, build_packet_page
from tests.support import factories
from tests.support.referral_values import build_referral

SECTIONS = ("patient", "clinical", "referring_provider", "insurance", "consent_to_share", "none_because", "note")
LISTING = {"intake_phone": "+14105550100", "after_hours_phone": "+14105550199"}
MADE_AT = datetime(2026, 11, 29, 16, 15, tzinfo=UTC)


def build_source(*, naming: PatientNaming = PatientNaming.NAME, **changed: Any) -> PacketSource:
    """Build what a page is made from. `changed` changes the request body of the referral, or the source."""
    own = {name: changed.pop(name) for name in [*changed] if name in PacketSource.__dataclass_fields__}
    body = factories.build_referral_body(**changed)
    referral = build_referral(details={name: body.get(name) for name in SECTIONS})
    fields: dict[str, Any] = {
        "referral": referral,
        "practice_name": factories.PRACTICE.name,
        "center_name": factories.CENTER.name,
        "center_listing": LISTING,
        "disease_name": "Large B-cell lymphoma",
        "products": [("Requested product", "Breyanzi")],
        "documents": [("Available", "Pathology report"), ("Missing", "Viral serology")],
        "naming": naming,
        "made_at": MADE_AT,
        "time_zone": "America/Chicago",
        "today": date(2026, 11, 29),
    }
    return PacketSource(**fields | own)


def build_page(**changed: Any) -> PacketPage:
    """Build a page as `build_source` describes."""
    return build_packet_page(build_source(**changed))


def build_lines(count: int, *, regimen: str = "R-CHOP") -> list[dict[str, Any]]:
    """Build lines of therapy, each with its number in the regimen."""
    return [
        {
            "line": number,
            "regimen": f"{regimen} no. {number}",
            "classes": ["anti_cd20", "anthracycline"],
            "started_on": "2026-01-10",
            "ended_on": "2026-05-20",
            "response": "relapsed",
            "event_on": "2026-10-02",
        }
        for number in range(1, count + 1)
    ]


def open_pdf(pdf: bytes) -> Any:
    """Open a PDF strictly, with pypdf."""
    return pypdf.PdfReader(io.BytesIO(pdf), strict=True)


def read_pages(pdf: bytes) -> Sequence[str]:
    """The text of each page, with its lines joined by single spaces."""
    return [re.sub(r"\s+", " ", page.extract_text()) for page in open_pdf(pdf).pages]
