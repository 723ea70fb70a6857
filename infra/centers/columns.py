"""The columns of a center CSV file and the parser of each column."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from typing import Any
from zoneinfo import available_timezones

from chalicelib import zip_codes
from chalicelib.catalog import DISEASES, load_products
from infra.centers.publishing import CenterListing

_STATES = """
    AL AK AZ AR CA CO CT DE DC FL GA HI ID IL IN IA KS KY LA ME MD MA MI MN MS MO MT NE
    NV NH NJ NM NY NC ND OH OK OR PA RI SC SD TN TX UT VT VA WA WV WI WY AS GU MP PR VI
"""
STATES = frozenset(_STATES.split())
"""States, the District of Columbia and the territories, as the Postal Service abbreviates them.

Source: USPS Publication 28, appendix B.
"""

AGE_GROUPS = ("adult", "pediatric", "all")
MAX_DAYS = 365
_EARLIEST = date(2000, 1, 1)

CellReader = Callable[[str], Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column.

    Attributes:
        parse: Parses a cell. Raises ValueError with what is allowed; the message never repeats the cell.
        is_required: Whether every row must fill it in.
    """

    name: str
    parse: CellReader
    is_required: bool = True


def _build_pattern_parser(pattern: str, message: str) -> CellReader:
    compiled = re.compile(pattern, re.ASCII)

    def parse(cell: str) -> str:
        if not compiled.fullmatch(cell):
            raise ValueError(message)
        return cell

    return parse


def _build_choice_parser(values: Sequence[str] | frozenset[str], message: str) -> CellReader:
    spellings = {value.casefold(): value for value in values}

    def parse(cell: str) -> str:
        if cell.casefold() not in spellings:
            raise ValueError(message)
        return spellings[cell.casefold()]

    return parse


def _parse_text(cell: str) -> str:
    if len(cell) > 200:
        raise ValueError("use 200 characters or fewer")
    return cell


def _parse_boolean(cell: str) -> bool:
    # Spreadsheets write TRUE and FALSE for a checkbox.
    answers = {"yes": True, "true": True, "no": False, "false": False}
    if cell.casefold() not in answers:
        raise ValueError("use yes or no")
    return answers[cell.casefold()]


def _parse_zip(cell: str) -> str:
    try:
        point = zip_codes.find_zip_point(cell)
    except ValueError:
        raise ValueError(
            "use a 5-digit ZIP code, such as 77030. Format the column as text so that leading zeros (00901) are kept."
        ) from None
    if point is None:
        raise ValueError("no location is known for this ZIP code")
    return cell


@cache
def _load_zones() -> frozenset[str]:
    # `available_timezones` searches a folder on every call.
    return frozenset(available_timezones())


def _parse_zone(cell: str) -> str:
    if cell not in _load_zones():
        raise ValueError("use an IANA time zone, such as America/Chicago")
    return cell


def _parse_phone(cell: str) -> str:
    digits = re.sub(r"[ ().-]", "", cell)
    match = re.fullmatch(r"(?:\+?1)?([2-9]\d{2}[2-9]\d{6})", digits, re.ASCII)
    if not match:
        raise ValueError("use a US phone number, such as 713-555-0110")
    return f"+1{match[1]}"


def _parse_day(cell: str) -> str:
    try:
        day = date.fromisoformat(cell)
    except ValueError:
        day = date.min
    if not day >= _EARLIEST or not re.fullmatch(r"\d{4}-\d{2}-\d{2}", cell, re.ASCII):
        raise ValueError("use a date in or after 2000, such as 2026-11-20")
    return cell


def _parse_timestamp(cell: str) -> str:
    pattern = r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2})?(Z|[+-]\d{2}:\d{2})"
    try:
        timestamp = datetime.fromisoformat(cell)
    except ValueError:
        timestamp = datetime.min  # noqa: DTZ901 only its year is used
    if timestamp.year < _EARLIEST.year or not re.fullmatch(pattern, cell, re.ASCII):
        raise ValueError("use a time with a UTC offset, such as 2026-11-20T15:00:00Z")
    return cell


def _parse_days(cell: str) -> int:
    if not re.fullmatch(r"\d{1,3}", cell, re.ASCII) or int(cell) > MAX_DAYS:
        raise ValueError(f"use a number of days from 0 to {MAX_DAYS}")
    return int(cell)


def _parse_name_list(cell: str) -> list[str]:
    parts = [part.strip() for part in cell.split(";")]
    if not all(parts) or len(set(parts)) < len(parts):
        raise ValueError("list names separated by semicolons, with no duplicates")
    return parts


def _parse_offers(cell: str) -> dict[str, list[str]]:
    """Parse products with their diseases, such as `breyanzi: LBCL FL; abecma: MM`."""
    offers = {}
    for part in _parse_name_list(cell):
        product, _, diseases = (each.strip() for each in part.partition(":"))
        if product not in load_products():
            raise ValueError(f"unknown product; use one of {', '.join(load_products())}")
        if product in offers:
            raise ValueError(f"lists {product} more than once")
        offers[product] = diseases.split()
        if not offers[product] or not set(offers[product]) <= set(DISEASES):
            raise ValueError(f"list the diseases for {product}, from: {', '.join(DISEASES)}")
    return offers


def _parse_certifiers(cell: str) -> str | dict[str, str]:
    """Parse who authorized all products, or each: `breyanzi: Manufacturer's network; abecma: Other network`."""
    parts = [part.partition(":") for part in _parse_name_list(cell)]
    if not all(product.strip() in load_products() for product, _, _ in parts):
        return _parse_text(cell)
    return {product.strip(): _parse_text(by.strip()) for product, _, by in parts}


COLUMNS = (
    Column(
        name="center_id",
        parse=_build_pattern_parser(r"ctr_[a-z0-9_]{1,60}", "use ctr_ followed by up to 60 characters (a-z, 0-9, _)"),
    ),
    Column(name="name", parse=_parse_text),
    Column(name="city", parse=_parse_text),
    Column(name="state", parse=_build_choice_parser(STATES, "use a two-letter state or territory, such as TX or PR")),
    Column(name="zip", parse=_parse_zip),
    Column(name="time_zone", parse=_parse_zone),
    Column(name="listed", parse=_parse_boolean),
    Column(name="accepts_new", parse=_parse_boolean),
    Column(name="age_group", parse=_build_choice_parser(AGE_GROUPS, "use adult, pediatric, or all")),
    Column(name="products", parse=_parse_offers),
    Column(name="certified_by", parse=_parse_certifiers),
    Column(name="certified_as_of", parse=_parse_day),
    Column(name="days_to_consultation", parse=_parse_days, is_required=False),
    Column(name="capacity_as_of", parse=_parse_timestamp),
    Column(name="payer_networks", parse=_parse_name_list, is_required=False),
    Column(name="payers_as_of", parse=_parse_day, is_required=False),
    Column(name="intake_phone", parse=_parse_phone),
    Column(name="after_hours_phone", parse=_parse_phone),
    Column(name="coordinator_name", parse=_parse_text, is_required=False),
    Column(name="coordinator_phone", parse=_parse_phone, is_required=False),
    Column(name="source", parse=_parse_text),
    Column(name="verified_on", parse=_parse_day),
    Column(name="fictional", parse=_parse_boolean),
)
"""All columns, in the order of the template. A file must have all of them, in any order."""

COLUMN_NAMES = tuple(column.name for column in COLUMNS)

PHONE_COLUMNS = frozenset(name for name in COLUMN_NAMES if name.endswith("_phone"))
"""Columns in which a cell may start with a plus sign."""

COLUMNS_REQUIRED_TOGETHER = (("payer_networks", "payers_as_of"), ("coordinator_name", "coordinator_phone"))
"""Pairs of columns. A row fills in both or neither."""


def list_uncertified_products(cells: Mapping[str, Any]) -> Sequence[str]:
    """List the products for which a row does not say who authorized the center."""
    certifiers = cells["certified_by"] or {}
    return [product for product in cells["products"] or () if not _find_certifier(certifiers, product)]


def _find_certifier(certifiers: str | Mapping[str, str], product: str) -> str | None:
    return certifiers if isinstance(certifiers, str) else certifiers.get(product)


def build_listing(cells: Mapping[str, Any]) -> CenterListing:
    """Build the directory entry of a center from cells that were parsed without a fault."""
    facts: dict[str, Any] = {
        name: cells[name] for name in ("city", "state", "zip", "intake_phone", "after_hours_phone")
    }
    facts |= {"accepts_new": cells["accepts_new"], "age_group": cells["age_group"]}
    facts["products"] = [
        {
            "product_id": product,
            "diseases": diseases,
            "age_group": cells["age_group"],
            "certified_by": _find_certifier(cells["certified_by"], product),
            "as_of": cells["certified_as_of"],
        }
        for product, diseases in cells["products"].items()
    ]
    facts["contacts"] = [{"role": "intake", "name": "Intake desk", "phone": cells["intake_phone"]}]
    if cells["coordinator_name"]:
        facts["contacts"].append(
            {"role": "coordinator", "name": cells["coordinator_name"], "phone": cells["coordinator_phone"]}
        )
    facts["capacity"] = {"days_to_consultation": cells["days_to_consultation"], "as_of": cells["capacity_as_of"]}
    facts["payer_networks"] = [
        {"payer": payer, "as_of": cells["payers_as_of"]} for payer in cells["payer_networks"] or ()
    ]
    facts |= {"source": cells["source"], "verified_on": cells["verified_on"]}
    # Stored only if it differs from the default.
    facts |= {} if cells["listed"] else {"listed": False}
    facts |= {"fictional": True} if cells["fictional"] else {}
    return CenterListing(center_id=cells["center_id"], name=cells["name"], time_zone=cells["time_zone"], facts=facts)
