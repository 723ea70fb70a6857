"""The catalog: CAR T products, their indications, and how long their labels require monitoring.

`products/` has one reviewed file per product. Each section of a label has its own `label_as_of` and
`review_by` dates, and each fact has the source that it was read from, with its kind: a copy of the label
is strong, a secondary source is weak. `unverified` lists the facts without a good source, which a page
marks with "Check the current label." Nothing here decides anything about a patient.

Source:
    Public material read by 2026-11-29, named in each file. The `as_of` date of a source is the date
    that it is valid for, or the date it was read if the source has none.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any
from urllib.parse import quote

from chalicelib.domain.referrals.monitoring_window import (
    DEFAULT_HANDBACK_DAY,
    PRODUCT_NOT_NAMED,
    AnchorInfusion,
    MonitoringProfile,
)

DISEASE_NAMES: Mapping[str, str] = {
    "LBCL": "Large B-cell lymphoma",
    "CLL_SLL": "Chronic lymphocytic leukemia or small lymphocytic lymphoma",
    "FL": "Follicular lymphoma",
    "MCL": "Mantle cell lymphoma",
    "MZL": "Marginal zone lymphoma",
    "MM": "Multiple myeloma",
    "B_ALL": "B-cell precursor acute lymphoblastic leukemia",
}
DISEASES: tuple[str, ...] = tuple(DISEASE_NAMES)

MEDWATCH: Mapping[str, str] = {"name": "FDA MedWatch", "phone": "1-800-FDA-1088", "url": "https://www.fda.gov/medwatch"}
"""Where anyone can report a suspected adverse event. Source: the US labels, section 17."""

DAILYMED = "https://dailymed.nlm.nih.gov/dailymed"
"""Where the current prescribing information of every US product is published."""

_PRODUCT_FILES = Path(__file__).with_name("products")


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogProduct:
    """A marketed product.

    Attributes:
        diseases: The diseases of its label, as codes of `DISEASES`.
        infusion_parts: How many infusions make one treatment.
        label_url: Where the current prescribing information is published.
        version: Changes with every byte of the reviewed file.
        facts: The product as the API serves it.
    """

    product_id: str
    name: str
    generic: str
    manufacturer: str
    target: str
    diseases: tuple[str, ...]
    infusion_parts: int
    profile: MonitoringProfile
    label_url: str
    version: str
    facts: Mapping[str, Any]

    def get_section_date(self, section: str) -> date:
        """The day for which a section of the label is known: `indications`, `monitoring`, and others."""
        return date.fromisoformat(self.facts["sections"][section]["label_as_of"])


@cache
def load_products() -> Mapping[str, CatalogProduct]:
    """Every product by id, in the order of their names, so that no manufacturer comes first."""
    files = (path.read_bytes() for path in _PRODUCT_FILES.glob("*.json"))
    ordered = sorted(map(_parse_product, files), key=lambda product: product.name)
    return MappingProxyType({product.product_id: product for product in ordered})


def compute_version(file_content: bytes) -> str:
    """The version of a reviewed file. A referral keeps the version of its eligibility check.

    The git history shows the content of each version, and who reviewed it.
    """
    return hashlib.sha256(file_content).hexdigest()[:12]


def get_monitoring_profile(product_id: str | None) -> MonitoringProfile:
    """The monitoring profile of a product.

    If no product is named, or the product is no longer in the catalog, the profile is cautious: each
    value is the longest that any product's label requires, counted from the last infusion. Monitoring
    that is too long is corrected by naming the product; monitoring that is too short can cause harm.
    """
    product = load_products().get(product_id) if product_id else None
    return product.profile if product else _build_longest_profile()


@cache
def _build_longest_profile() -> MonitoringProfile:
    profiles = [product.profile for product in load_products().values()]
    return MonitoringProfile(
        product_id=PRODUCT_NOT_NAMED,
        label_as_of=min(profile.label_as_of for profile in profiles),
        anchor=AnchorInfusion.LAST,
        daily_days=max(profile.daily_days for profile in profiles),
        monitor_min_days=max(profile.monitor_min_days for profile in profiles),
        proximity_days=max(profile.proximity_days for profile in profiles),
        driving_days=max(profile.driving_days for profile in profiles),
        handback_target_day=max(DEFAULT_HANDBACK_DAY, *(profile.handback_target_day for profile in profiles)),
    )


def _parse_product(file_content: bytes) -> CatalogProduct:
    row = json.loads(file_content)
    version = compute_version(file_content)
    monitoring = row["monitoring"]
    diseases = tuple(indication["disease"] for indication in row["indications"])
    label_url = _build_label_url(row)
    return CatalogProduct(
        product_id=row["product_id"],
        name=row["name"],
        generic=row["generic"],
        manufacturer=row["maker"],
        target=row["target"],
        diseases=diseases,
        infusion_parts=row["infusion_parts"],
        profile=MonitoringProfile(
            product_id=row["product_id"],
            label_as_of=date.fromisoformat(row["sections"]["monitoring"]["label_as_of"]),
            anchor=AnchorInfusion(monitoring["anchor"]),
            infusion_parts=row["infusion_parts"],
            daily_days=monitoring["daily_days"],
            monitor_min_days=monitoring["monitor_min_days"],
            proximity_days=monitoring["proximity_days"],
            driving_days=monitoring["driving_days"],
            handback_target_day=monitoring["handback_target_day"],
            second_part_day=_compute_second_part_day(row),
            version=version,
        ),
        label_url=label_url,
        version=version,
        facts=_to_served_row(row, diseases, version, label_url),
    )


def _build_label_url(row: Mapping[str, Any]) -> str:
    """The page of the current label, by its set ID; without one, a search for the product's name."""
    if row["dailymed_setid"]:
        return f"{DAILYMED}/drugInfo.cfm?setid={row['dailymed_setid']}"
    return f"{DAILYMED}/search.cfm?query={quote(row['generic'])}"


def _compute_second_part_day(row: Mapping[str, Any]) -> int | None:
    """The day of the second infusion of a split dose, where the first is day 0.

    Labels call the day of the first infusion day 1: day 10 of a label is 9 days later.
    """
    split = row["split_dose"]
    opens_window = row["monitoring"]["anchor"] == AnchorInfusion.FIRST
    return split["gap_days"] if split and opens_window else None


def _to_served_row(row: Mapping[str, Any], diseases: Sequence[str], version: str, label_url: str) -> Mapping[str, Any]:
    """The reviewed row, with the disease names and the safety phone number that all products share."""
    monitoring = {**row["monitoring"], "label_as_of": row["sections"]["monitoring"]["label_as_of"]}
    indications = [{**indication, "name": DISEASE_NAMES[indication["disease"]]} for indication in row["indications"]]
    return {
        **row,
        "version": version,
        "diseases": list(diseases),
        "indications": indications,
        "monitoring": monitoring,
        "label_url": label_url,
        "safety_line": {"medwatch": dict(MEDWATCH), "maker": row["safety_line"]},
    }
