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

from chalicelib import catalog
from chalicelib.catalog import DISEASES
from chalicelib.domain.eligibility.label_rules import LABEL_RULES
from chalicelib.domain.referrals.monitoring_window import AnchorInfusion

FILES = sorted(Path(catalog.__file__).with_name("products").glob("*.json"))


def _format_list(names: tuple[str, ...]) -> Any:
    def check(name: str) -> str:
        if name not in names:
            raise ValueError(f"must be one of {', '.join(names)}")
        return name

    return AfterValidator(check)


def _list_rules(criteria: list[dict[str, Any]]) -> list[dict[str, Any]]:
    for rule in criteria:
        for part in rule.get("any_of", [rule]):
            named = set(part) - {"source"}
            if len(named) != 1 or not named <= LABEL_RULES.keys():
                raise ValueError(f"not one known rule: {', '.join(sorted(named))}")
    return criteria


FileDay = Annotated[date, Field(strict=False)]
Month = Annotated[str, Field(pattern=r"^\d{4}-\d{2}(-\d{2})?$")]
FileText = Annotated[str, Field(min_length=1)]
FileCode = Annotated[str, Field(pattern=r"^[a-z0-9_-]+$")]


class _ClosedModel(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid")


class FileSource(_ClosedModel):
    """Where something was read, and the day that it speaks for, or was read."""

    source_id: FileCode
    title: FileText
    url: FileText
    as_of: FileDay


class FileNote(_ClosedModel):
    """A sentence with its source."""

    text: FileText
    source: FileCode


class FileRow(_ClosedModel):
    """One way to meet an indication, as the label words it and as rules test it."""

    row_id: FileCode
    text: FileText
    criteria: Annotated[list[dict[str, Any]], Field(min_length=1), AfterValidator(_list_rules)]
    approval: Literal["regular", "accelerated"]
    approved_on: Month
    source: FileCode


class FileIndication(_ClosedModel):
    """What the label names for one disease."""

    disease: Annotated[str, _format_list(DISEASES)]
    age_group: Literal["adult", "pediatric"]
    histologies: list[str]
    rows: Annotated[list[FileRow], Field(min_length=1)]
    limitations: list[FileNote]
    notes: list[FileNote]
    source: FileCode


class SplitDose(_ClosedModel):
    """When the second infusion comes."""

    gap_days: int
    tolerance_days: int
    source: FileCode


class Monitoring(_ClosedModel):
    """How long the label asks for what, in days after the anchoring infusion."""

    anchor: Annotated[str, _format_list(tuple(AnchorInfusion))]
    daily_days: Annotated[int, Field(gt=0)]
    monitor_min_days: Annotated[int, Field(gt=0)]
    proximity_days: Annotated[int, Field(gt=0)]
    driving_days: Annotated[int, Field(gt=0)]
    handback_target_day: Annotated[int, Field(gt=0)]
    label_as_of: FileDay
    sources: Annotated[list[FileCode], Field(min_length=1)]


class FileInterval(_ClosedModel):
    """How long a part of the way usually takes: the lower and the upper figure, in days."""

    interval: Literal["leukapheresis_to_product", "leukapheresis_to_release", "manufacturing", "vein_to_vein"]
    text: FileText
    days: Annotated[list[float], Field(min_length=2, max_length=2)]
    source: FileCode | None


class SafetyLine(_ClosedModel):
    """The maker's phone, and what for."""

    phone: Annotated[str, Field(pattern=r"^1-\d{3}-\d{3}-\d{4}$")]
    kind: Literal["adverse_events", "program"]
    source: FileCode


class FileProduct(_ClosedModel):
    """A product's file."""

    product_id: FileCode
    name: FileText
    generic: FileText
    target: Literal["CD19", "BCMA"]
    maker: FileText
    status: Literal["marketed"]
    label_as_of: FileDay
    reviewed_on: FileDay
    dailymed_setid: Annotated[str, Field(pattern=r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")] | None
    indications: Annotated[list[FileIndication], Field(min_length=1)]
    infusion_parts: Annotated[int, Field(ge=1)]
    split_dose: SplitDose | None
    monitoring: Monitoring
    intervals: list[FileInterval]
    late_effects: list[FileNote]
    safety_line: SafetyLine | None
    unverified: list[Annotated[str, Field(pattern=r"^(/[a-z0-9_]+)+$")]]
    sources: Annotated[list[FileSource], Field(min_length=1)]


def find_problems(row: dict[str, Any], *, read_by: date) -> list[str]:
    """Everything that is wrong with a file, in words; nothing where it may be shipped."""
    try:
        FileProduct.model_validate_json(json.dumps(row))
    except ValidationError as e:
        return [f"/{'/'.join(map(str, error['loc']))}: {error['msg']}" for error in e.errors()]
    return [*_check_sources(row, read_by), *_check_unverified(row)]


def _check_sources(row: dict[str, Any], read_by: date) -> Iterator[str]:
    """A figure without a source, a source that is named nowhere, one that nobody can look up."""
    known = [source["source_id"] for source in row["sources"]]
    used = set(list_named_sources(row))
    yield from (f"/sources: {name} stands twice" for name in set(known) if known.count(name) > 1)
    yield from (f"/sources: {name} is named and not listed" for name in used - set(known))
    yield from (f"/sources: {name} is listed and named nowhere" for name in set(known) - used)
    for source in row["sources"]:
        if urlsplit(source["url"]).scheme != "https":
            yield f"/sources: {source['source_id']} has no https address"
        if date.fromisoformat(source["as_of"]) > read_by:
            yield f"/sources: {source['source_id']} speaks for a day that has not come"


def _check_unverified(row: dict[str, Any]) -> Iterator[str]:
    """A mark that points nowhere; a figure that has neither a source nor a mark."""
    marked = row["unverified"]
    yield from (f"{pointer}: marked, but not there" for pointer in marked if not _has_pointer(row, pointer))
    for place, interval in enumerate(row["intervals"]):
        pointer = f"/intervals/{place}/days"
        if interval["source"] is None and pointer not in marked:
            yield f"{pointer}: no source, and not marked as unverified"
    if row["dailymed_setid"] is None and "/dailymed_setid" not in marked:
        yield "/dailymed_setid: unknown, and not marked as unverified"


def list_named_sources(value: Any) -> Iterator[str]:
    """Every source that a figure refers to, wherever it stands."""
    if isinstance(value, list):
        for each in value:
            yield from list_named_sources(each)
    elif isinstance(value, dict):
        for key, each in value.items():
            if key == "source" and each:
                yield each
            elif key == "sources":
                yield from (name for name in each if isinstance(name, str))
            else:
                yield from list_named_sources(each)


def _has_pointer(row: dict[str, Any], pointer: str) -> bool:
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
    print(json.dumps(FileProduct.model_json_schema(), indent=2))
