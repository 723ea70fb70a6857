"""What a center can ask for by code: items of the referral packet, and the documents that belong to it.

A center can also name an item in its own words.
"""

from collections.abc import Mapping, Sequence

from chalicelib.domain.referrals.packet import OPTIONAL_ITEMS, REQUIRED_ITEMS

MAX_ITEMS = 20
"""How many items one request can have. A longer list is easier to answer as two requests. Our own choice."""

DOCUMENT_LABELS: Mapping[str, str] = {
    "pathology_report": "Pathology report",
    "imaging": "Last PET-CT or other imaging, with images or report",
    "blood_counts": "Blood count and chemistry",
    "viral_serology": "Viral serology",
    "echocardiogram": "Echocardiogram with LVEF",
    "treatment_summary": "Treatment summary with dates and responses",
    "clinic_notes": "Recent clinic notes",
    "insurance_card": "Insurance card, both sides",
}
"""The documents of a referral packet. Source: as in `packet`."""

_NOT_REQUESTABLE = frozenset({"/center_id"})

ITEM_LABELS: Mapping[str, str] = {
    **DOCUMENT_LABELS,
    **{
        item.pointer.removeprefix("/").replace("/", "_"): item.label
        for item in (*REQUIRED_ITEMS, *OPTIONAL_ITEMS)
        if item.pointer not in _NOT_REQUESTABLE
    },
}
"""The label of each code. The code of a packet item is its place in the request body: `clinical_ecog`."""


def get_item_label(item: str) -> str:
    """Return the label of a code; a name that the center chose is its own label."""
    return ITEM_LABELS.get(item, item)


def has_repeats(items: Sequence[str]) -> bool:
    """Whether two of the items have the same label, regardless of case."""
    return len({get_item_label(item).casefold() for item in items}) < len(items)
