"""What a product's label warns of, and how current each of its sections is, as the API returns it.

Shown wherever a clinician relies on the label: the eligibility result, the monitoring window and the
emergency card. The warnings are in our own words; the link leads to the current prescribing information.
"""

from collections.abc import Sequence
from datetime import date
from typing import Any

# pydantic needs this one on Python 3.11.
from typing_extensions import TypedDict

from chalicelib.catalog import CatalogProduct
from chalicelib.catalog.review_dates import is_due


class BoxedWarningResponse(TypedDict):
    """One boxed warning, in our own words. If `unverified`, check the current label."""

    title: str
    """The title of the warning."""
    text: str
    """The warning, in our own words."""
    unverified: bool
    """Whether the text was not checked against the current label."""


class LabelSectionResponse(TypedDict):
    """A section of the label, the day for which it is known, and the day of its next review."""

    section: str
    """The name of the section."""
    label_section: str
    """The number of the section on the label."""
    label_as_of: str
    """The day for which the label is known (YYYY-MM-DD)."""
    review_by: str
    """The day by which the facts are to be checked again (YYYY-MM-DD)."""
    may_be_out_of_date: bool
    """Whether the review date has passed, so that the facts can be out of date."""


class LabelResponse(TypedDict):
    """The label of a product: `url` is the current prescribing information."""

    product_name: str
    """The name of the product."""
    url: str
    """The address of the current prescribing information."""
    boxed_warnings: list[BoxedWarningResponse]
    """The boxed warnings of the label."""
    sections: list[LabelSectionResponse]
    """The sections of the label that the product shows."""


def to_label_response(product: CatalogProduct, *sections: str, today: date) -> LabelResponse:
    """The boxed warnings of a product, and the dates of the sections that a page relies on."""
    facts = product.facts
    return {
        "product_name": product.name,
        "url": product.label_url,
        "boxed_warnings": [
            {
                "title": warning["title"],
                "text": warning["text"],
                "unverified": f"/boxed_warnings/{index}/text" in facts["unverified"],
            }
            for index, warning in enumerate(facts["boxed_warnings"])
        ],
        "sections": to_sections_response(product, ("boxed_warning", *sections), today=today),
    }


def to_sections_response(product: CatalogProduct, names: Sequence[str], *, today: date) -> list[LabelSectionResponse]:
    """The dates of some sections of a label."""
    sections: dict[str, Any] = product.facts["sections"]
    return [
        {
            "section": name,
            "label_section": sections[name]["label_section"],
            "label_as_of": sections[name]["label_as_of"],
            "review_by": sections[name]["review_by"],
            "may_be_out_of_date": is_due(sections[name]["review_by"], today),
        }
        for name in names
    ]
