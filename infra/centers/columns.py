"""The columns of a file of centers: what each may say, and how it is spelled."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from typing import Any
from zoneinfo import available_timezones

from chalicelib import gazetteer
from chalicelib.catalogue import DISEASES, products
from infra.centers.publishing import Listing

_STATES = """
    AL AK AZ AR CA CO CT DE DC FL GA HI ID IL IN IA KS KY LA ME MD MA MI MN MS MO MT NE
    NV NH NJ NM NY NC ND OH OK OR PA RI SC SD TN TX UT VT VA WA WV WI WY AS GU MP PR VI
"""
STATES = frozenset(_STATES.split())
"""States, the District of Columbia and the territories, as the Postal Service abbreviates them.

Source: USPS Publication 28, appendix B.
"""

AGE_GROUPS = ("adult", "pediatric", "all")
MOST_DAYS = 365
_EARLIEST = date(2000, 1, 1)

Reader = Callable[[str], Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column.

    Attributes:
        read: What a cell means; raises ValueError with what it must be, and no word of the cell.
        needed: Whether every row has to say it.
    """

    name: str
    read: Reader
    needed: bool = True


def _matching(pattern: str, words: str) -> Reader:
    compiled = re.compile(pattern, re.ASCII)

    def read(cell: str) -> str:
        if not compiled.fullmatch(cell):
            raise ValueError(words)
        return cell

    return read


def _one_of(values: Sequence[str] | frozenset[str], words: str) -> Reader:
    def read(cell: str) -> str:
        if cell not in values:
            raise ValueError(words)
        return cell

    return read


def _text(cell: str) -> str:
    if len(cell) > 200:
        raise ValueError("must have at most 200 characters")
    return cell


def _truth(cell: str) -> bool:
    if cell not in ("yes", "no"):
        raise ValueError("must be yes or no")
    return cell == "yes"


def _zip(cell: str) -> str:
    try:
        known = gazetteer.point_of(cell)
    except ValueError:
        raise ValueError(
            "must be a ZIP code as 77030; a spreadsheet drops the zeros of 00901 unless the "
            "column is text"
        ) from None
    if known is None:
        raise ValueError("is no ZIP code whose place is known")
    return cell


@cache
def _zones() -> frozenset[str]:
    # It looks through a folder each time.
    return frozenset(available_timezones())


def _zone(cell: str) -> str:
    if cell not in _zones():
        raise ValueError("must be an IANA time zone as America/Chicago")
    return cell


def _phone(cell: str) -> str:
    digits = re.sub(r"[ ().-]", "", cell)
    match = re.fullmatch(r"(?:\+?1)?([2-9]\d{2}[2-9]\d{6})", digits, re.ASCII)
    if not match:
        raise ValueError("must be a US phone number as 713-555-0110")
    return f"+1{match[1]}"


def _day(cell: str) -> str:
    try:
        day = date.fromisoformat(cell)
    except ValueError:
        day = date.min
    if not day >= _EARLIEST or not re.fullmatch(r"\d{4}-\d{2}-\d{2}", cell, re.ASCII):
        raise ValueError("must be a date from 2000 on, as 2026-11-20")
    return cell


def _instant(cell: str) -> str:
    pattern = r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2})?(Z|[+-]\d{2}:\d{2})"
    try:
        moment = datetime.fromisoformat(cell)
    except ValueError:
        moment = datetime.min  # noqa: DTZ901 only its year is looked at
    if moment.year < _EARLIEST.year or not re.fullmatch(pattern, cell, re.ASCII):
        raise ValueError("must be a time with its offset, as 2026-11-20T15:00:00Z")
    return cell


def _days(cell: str) -> int:
    if not re.fullmatch(r"\d{1,3}", cell, re.ASCII) or int(cell) > MOST_DAYS:
        raise ValueError(f"must be a number of days from 0 to {MOST_DAYS}")
    return int(cell)


def _listed(cell: str) -> list[str]:
    parts = [part.strip() for part in cell.split(";")]
    if not all(parts) or len(set(parts)) < len(parts):
        raise ValueError("must be names with a semicolon between them, each once")
    return parts


def _offers(cell: str) -> dict[str, list[str]]:
    """Products with their diseases, as `breyanzi: LBCL FL; abecma: MM`."""
    offers = {}
    for part in _listed(cell):
        product, _, diseases = (each.strip() for each in part.partition(":"))
        if product not in products():
            raise ValueError(f"names a product that is not one of {', '.join(products())}")
        if product in offers:
            raise ValueError(f"names {product} twice")
        offers[product] = diseases.split()
        if not offers[product] or not set(offers[product]) <= set(DISEASES):
            raise ValueError(f"must name diseases for {product}: of {', '.join(DISEASES)}")
    return offers


def _certifiers(cell: str) -> str | dict[str, str]:
    """Who authorized all products, or each: `breyanzi: Maker's network; abecma: Other network`."""
    parts = [part.partition(":") for part in _listed(cell)]
    if not all(product.strip() in products() for product, _, _ in parts):
        return _text(cell)
    return {product.strip(): _text(by.strip()) for product, _, by in parts}


COLUMNS = (
    Column(
        name="center_id",
        read=_matching(r"ctr_[a-z0-9_]{1,60}", "must be ctr_ and up to 60 of a-z, 0-9 and _"),
    ),
    Column(name="name", read=_text),
    Column(name="city", read=_text),
    Column(name="state", read=_one_of(STATES, "must be a state or territory as TX or PR")),
    Column(name="zip", read=_zip),
    Column(name="time_zone", read=_zone),
    Column(name="listed", read=_truth),
    Column(name="accepts_new", read=_truth),
    Column(name="age_group", read=_one_of(AGE_GROUPS, "must be adult, pediatric or all")),
    Column(name="products", read=_offers),
    Column(name="certified_by", read=_certifiers),
    Column(name="certified_as_of", read=_day),
    Column(name="days_to_consultation", read=_days, needed=False),
    Column(name="capacity_as_of", read=_instant),
    Column(name="payer_networks", read=_listed, needed=False),
    Column(name="payers_as_of", read=_day, needed=False),
    Column(name="intake_phone", read=_phone),
    Column(name="after_hours_phone", read=_phone),
    Column(name="coordinator_name", read=_text, needed=False),
    Column(name="coordinator_phone", read=_phone, needed=False),
    Column(name="source", read=_text),
    Column(name="verified_on", read=_day),
    Column(name="fictional", read=_truth),
)
"""In the order of the template. A file may have them in any order, and must have them all."""

NAMES = tuple(column.name for column in COLUMNS)

PHONES = frozenset(name for name in NAMES if name.endswith("_phone"))
"""Where a cell may begin with a plus sign."""

TOGETHER = (
    ("payer_networks", "payers_as_of"),
    ("coordinator_name", "coordinator_phone"),
)
"""Columns that a row fills in both or neither."""


def uncertified(cells: Mapping[str, Any]) -> Sequence[str]:
    """The products of which a row does not say who authorized them."""
    by = cells["certified_by"] or {}
    return [product for product in cells["products"] or () if not _certifier(by, product)]


def _certifier(by: str | Mapping[str, str], product: str) -> str | None:
    return by if isinstance(by, str) else by.get(product)


def listing_of(cells: Mapping[str, Any]) -> Listing:
    """A center as the directory keeps it, of cells that were read without a fault."""
    facts: dict[str, Any] = {
        name: cells[name] for name in ("city", "state", "zip", "intake_phone", "after_hours_phone")
    }
    facts |= {"accepts_new": cells["accepts_new"], "age_group": cells["age_group"]}
    facts["products"] = [
        {
            "product_id": product,
            "diseases": diseases,
            "age_group": cells["age_group"],
            "certified_by": _certifier(cells["certified_by"], product),
            "as_of": cells["certified_as_of"],
        }
        for product, diseases in cells["products"].items()
    ]
    facts["contacts"] = [{"role": "intake", "name": "Intake desk", "phone": cells["intake_phone"]}]
    if cells["coordinator_name"]:
        facts["contacts"].append(
            {
                "role": "coordinator",
                "name": cells["coordinator_name"],
                "phone": cells["coordinator_phone"],
            }
        )
    facts["capacity"] = {
        "days_to_consultation": cells["days_to_consultation"],
        "as_of": cells["capacity_as_of"],
    }
    facts["payer_networks"] = [
        {"payer": payer, "as_of": cells["payers_as_of"]} for payer in cells["payer_networks"] or ()
    ]
    facts |= {"source": cells["source"], "verified_on": cells["verified_on"]}
    # Said only where it is not what everybody takes for granted.
    facts |= {} if cells["listed"] else {"listed": False}
    facts |= {"fictional": True} if cells["fictional"] else {}
    return Listing(
        center_id=cells["center_id"],
        name=cells["name"],
        time_zone=cells["time_zone"],
        facts=facts,
    )
