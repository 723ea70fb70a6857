"""The shape of a product's reviewed file, and what a reviewer forgets: the catalogue's linter.

`python -m infra.product_schema` prints the shape as a JSON schema, for editors.
"""

import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from chalicelib import catalogue
from chalicelib.catalogue import DISEASES
from chalicelib.domain.eligibility.label_rules import RULES
from chalicelib.domain.referrals.monitoring_window import Anchor

FILES = sorted(Path(catalogue.__file__).with_name("products").glob("*.json"))


def _listed(names: tuple[str, ...]) -> Any:
    def check(name: str) -> str:
        if name not in names:
            raise ValueError(f"must be one of {', '.join(names)}")
        return name

    return AfterValidator(check)


def _rules(criteria: list[dict[str, Any]]) -> list[dict[str, Any]]:
    for rule in criteria:
        for part in rule.get("any_of", [rule]):
            named = set(part) - {"source"}
            if len(named) != 1 or not named <= RULES.keys():
                raise ValueError(f"not one known rule: {', '.join(sorted(named))}")
    return criteria


Day = Annotated[date, Field(strict=False)]
Month = Annotated[str, Field(pattern=r"^\d{4}-\d{2}(-\d{2})?$")]
Text = Annotated[str, Field(min_length=1)]
Code = Annotated[str, Field(pattern=r"^[a-z0-9_-]+$")]


class _Closed(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid")


class Source(_Closed):
    """Where something was read, and the day that it speaks for, or was read."""

    source_id: Code
    title: Text
    url: Text
    as_of: Day


class Note(_Closed):
    """A sentence with its source."""

    text: Text
    source: Code


class Row(_Closed):
    """One way to meet an indication, as the label words it and as rules test it."""

    row_id: Code
    text: Text
    criteria: Annotated[list[dict[str, Any]], Field(min_length=1), AfterValidator(_rules)]
    approval: Literal["regular", "accelerated"]
    approved_on: Month
    source: Code


class Indication(_Closed):
    """What the label names for one disease."""

    disease: Annotated[str, _listed(DISEASES)]
    age_group: Literal["adult", "pediatric"]
    histologies: list[str]
    rows: Annotated[list[Row], Field(min_length=1)]
    limitations: list[Note]
    notes: list[Note]
    source: Code


class SplitDose(_Closed):
    """When the second infusion comes."""

    gap_days: int
    tolerance_days: int
    source: Code


class Monitoring(_Closed):
    """How long the label asks for what, in days after the anchoring infusion."""

    anchor: Annotated[str, _listed(tuple(Anchor))]
    daily_days: Annotated[int, Field(gt=0)]
    monitor_min_days: Annotated[int, Field(gt=0)]
    proximity_days: Annotated[int, Field(gt=0)]
    driving_days: Annotated[int, Field(gt=0)]
    handback_target_day: Annotated[int, Field(gt=0)]
    label_as_of: Day
    sources: Annotated[list[Code], Field(min_length=1)]


class Interval(_Closed):
    """How long a part of the way usually takes: the lower and the upper figure, in days."""

    interval: Literal[
        "leukapheresis_to_product", "leukapheresis_to_release", "manufacturing", "vein_to_vein"
    ]
    text: Text
    days: Annotated[list[float], Field(min_length=2, max_length=2)]
    source: Code | None


class SafetyLine(_Closed):
    """The maker's phone, and what for."""

    phone: Annotated[str, Field(pattern=r"^1-\d{3}-\d{3}-\d{4}$")]
    kind: Literal["adverse_events", "program"]
    source: Code


class Product(_Closed):
    """A product's file."""

    product_id: Code
    name: Text
    generic: Text
    target: Literal["CD19", "BCMA"]
    maker: Text
    status: Literal["marketed"]
    label_as_of: Day
    reviewed_on: Day
    dailymed_setid: (
        Annotated[str, Field(pattern=r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")] | None
    )
    indications: Annotated[list[Indication], Field(min_length=1)]
    infusion_parts: Annotated[int, Field(ge=1)]
    split_dose: SplitDose | None
    monitoring: Monitoring
    intervals: list[Interval]
    late_effects: list[Note]
    safety_line: SafetyLine | None
    unverified: list[Annotated[str, Field(pattern=r"^(/[a-z0-9_]+)+$")]]
    sources: Annotated[list[Source], Field(min_length=1)]


def problems(row: dict[str, Any], *, read_by: date) -> list[str]:
    """Everything that is wrong with a file, in words; nothing where it may be shipped."""
    try:
        Product.model_validate_json(json.dumps(row))
    except ValidationError as e:
        return [f"/{'/'.join(map(str, error['loc']))}: {error['msg']}" for error in e.errors()]
    return [*_sources(row, read_by), *_unverified(row)]


def _sources(row: dict[str, Any], read_by: date) -> Iterator[str]:
    """A figure without a source, a source that is named nowhere, one that nobody can look up."""
    known = [source["source_id"] for source in row["sources"]]
    used = set(named(row))
    yield from (f"/sources: {name} stands twice" for name in set(known) if known.count(name) > 1)
    yield from (f"/sources: {name} is named and not listed" for name in used - set(known))
    yield from (f"/sources: {name} is listed and named nowhere" for name in set(known) - used)
    for source in row["sources"]:
        if urlsplit(source["url"]).scheme != "https":
            yield f"/sources: {source['source_id']} has no https address"
        if date.fromisoformat(source["as_of"]) > read_by:
            yield f"/sources: {source['source_id']} speaks for a day that has not come"


def _unverified(row: dict[str, Any]) -> Iterator[str]:
    """A mark that points nowhere; a figure that has neither a source nor a mark."""
    marked = row["unverified"]
    yield from (
        f"{pointer}: marked, but not there" for pointer in marked if not _is_there(row, pointer)
    )
    for place, interval in enumerate(row["intervals"]):
        pointer = f"/intervals/{place}/days"
        if interval["source"] is None and pointer not in marked:
            yield f"{pointer}: no source, and not marked as unverified"
    if row["dailymed_setid"] is None and "/dailymed_setid" not in marked:
        yield "/dailymed_setid: unknown, and not marked as unverified"


def named(value: Any) -> Iterator[str]:
    """Every source that a figure refers to, wherever it stands."""
    if isinstance(value, list):
        for each in value:
            yield from named(each)
    elif isinstance(value, dict):
        for key, each in value.items():
            if key == "source" and each:
                yield each
            elif key == "sources":
                yield from (name for name in each if isinstance(name, str))
            else:
                yield from named(each)


def _is_there(row: dict[str, Any], pointer: str) -> bool:
    if pointer == "/safety_line/maker":  # As it is served, beside the line that all share.
        return True
    value: Any = row
    for step in pointer.removeprefix("/").split("/"):
        try:
            value = value[int(step)] if isinstance(value, list) else value[step]
        except (IndexError, KeyError, TypeError, ValueError):
            return False
    return True


if __name__ == "__main__":
    print(json.dumps(Product.model_json_schema(), indent=2))
