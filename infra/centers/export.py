"""Writes the directory as a CSV file that can be edited and imported again with `centers import`."""

import csv
import io
import re
from collections.abc import Iterable, Mapping
from typing import Any

from chalicelib.store.identity.tenants import Center
from infra.centers.columns import COLUMN_NAMES


def to_csv(centers: Iterable[Center]) -> str:
    """Write the centers as CSV, with the columns in the order of the template."""
    out = io.StringIO()
    table = csv.DictWriter(out, COLUMN_NAMES, lineterminator="\n")
    table.writeheader()
    table.writerows(build_cells(center) for center in centers)
    return out.getvalue()


def build_cells(center: Center) -> Mapping[str, str]:
    """Build the cells of a center's row. A fact that the directory does not have is an empty cell."""
    facts = center.listing
    offers, networks = facts.get("products", []), facts.get("payer_networks", [])
    capacity = facts.get("capacity", {})
    coordinators = [each for each in facts.get("contacts", []) if each["role"] == "coordinator"]
    coordinator = coordinators[0] if coordinators else {}
    cells = {
        "center_id": center.center_id,
        "name": center.tenant.name,
        "time_zone": center.tenant.time_zone,
        "listed": _format_boolean(facts.get("listed", True)),
        "accepts_new": _format_boolean(facts.get("accepts_new", False)),
        "fictional": _format_boolean(facts.get("fictional", False)),
        "products": "; ".join(f"{o['product_id']}: {' '.join(o['diseases'])}" for o in offers),
        "certified_by": _format_certifiers(offers),
        "certified_as_of": min((offer["as_of"] for offer in offers), default=""),
        "days_to_consultation": capacity.get("days_to_consultation"),
        "capacity_as_of": capacity.get("as_of"),
        "payer_networks": "; ".join(network["payer"] for network in networks),
        "payers_as_of": min((network["as_of"] for network in networks), default=""),
        "intake_phone": _format_phone(facts.get("intake_phone")),
        "after_hours_phone": _format_phone(facts.get("after_hours_phone")),
        "coordinator_name": coordinator.get("name"),
        "coordinator_phone": _format_phone(coordinator.get("phone")),
    }
    plain = {name: facts.get(name) for name in COLUMN_NAMES if name not in cells}
    return {name: "" if cell is None else str(cell) for name, cell in {**cells, **plain}.items()}


def _format_certifiers(offers: list[Mapping[str, Any]]) -> str:
    by = [offer["certified_by"] for offer in offers]
    if len(set(by)) <= 1:
        return "".join(by[:1])
    return "; ".join(f"{offer['product_id']}: {offer['certified_by']}" for offer in offers)


def _format_boolean(value: object) -> str:
    return "yes" if value else "no"


def _format_phone(number: str | None) -> str | None:
    """Format a phone number as people write it, because a plus sign would start a formula."""
    return re.sub(r"\+1(\d{3})(\d{3})(\d{4})", r"\1-\2-\3", number) if number else None
