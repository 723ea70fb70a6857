"""Checks the reviewed files of the product catalog: their schema, and common mistakes of reviewers.

`python -m infra.product_schema` prints the schema as a JSON schema, for editors.
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


def _require_one_of(names: tuple[str, ...]) -> Any:
    def check(name: str) -> str:
        if name not in names:
            raise ValueError(f"must be one of {', '.join(names)}")
        return name

    return AfterValidator(check)


def _check_rules(criteria: list[dict[str, Any]]) -> list[dict[str, Any]]:
    for rule in criteria:
        for part in rule.get("any_of", [rule]):
            names = set(part) - {"source"}
            if len(names) != 1 or not names <= LABEL_RULES.keys():
                raise ValueError(f"must have exactly one known rule: {', '.join(sorted(names))}")
    return criteria


FileDay = Annotated[date, Field(strict=False)]
Month = Annotated[str, Field(pattern=r"^\d{4}-\d{2}(-\d{2})?$")]
FileText = Annotated[str, Field(min_length=1)]
FileCode = Annotated[str, Field(pattern=r"^[a-z0-9_-]+$")]


class _ClosedModel(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid")


SourceKind = Literal["label", "regulator", "publication", "manufacturer", "secondary"]
STRONG_SOURCES = ("label", "regulator")
"""Copies of the label, and what the FDA itself published."""


class FileSource(_ClosedModel):
    """A source, how strong it is, and the date of its information or the date on which it was read."""

    source_id: FileCode
    title: FileText
    url: FileText
    as_of: FileDay
    kind: SourceKind


class FileNote(_ClosedModel):
    """A sentence with its source."""

    text: FileText
    source: FileCode


class FileBoxedWarning(_ClosedModel):
    """One boxed warning, in our own words: the label's words are one link away."""

    title: FileText
    text: FileText
    source: FileCode


class FileLabelCopy(_ClosedModel):
    """The copies of the label that were read, and the day on which its version took effect, if known."""

    effective_on: FileDay | None
    sources: Annotated[list[FileCode], Field(min_length=1)]


class FileSection(_ClosedModel):
    """A section of the label.

    `label_as_of` is the day of its newest change that is known, or of the copy in which it was read. After
    `review_by`, pages say that it may be out of date.
    """

    label_section: FileText
    label_as_of: FileDay
    review_by: FileDay
    sources: Annotated[list[FileCode], Field(min_length=1)]


class FileSections(_ClosedModel):
    """The sections of the label that the product uses."""

    indications: FileSection
    boxed_warning: FileSection
    monitoring: FileSection
    warnings: FileSection


class FileRow(_ClosedModel):
    """One way to meet an indication: the text of the label, and the rules that check it."""

    row_id: FileCode
    label_section: FileText | None = None
    text: FileText
    criteria: Annotated[list[dict[str, Any]], Field(min_length=1), AfterValidator(_check_rules)]
    approval: Literal["regular", "accelerated"]
    approved_on: Month
    source: FileCode


class FileIndication(_ClosedModel):
    """The label's indication for one disease."""

    disease: Annotated[str, _require_one_of(DISEASES)]
    age_group: Literal["adult", "pediatric"]
    histologies: list[str]
    rows: Annotated[list[FileRow], Field(min_length=1)]
    limitations: list[FileNote]
    notes: list[FileNote]
    source: FileCode


class SplitDose(_ClosedModel):
    """When the second infusion takes place."""

    gap_days: int
    tolerance_days: int
    source: FileCode


class Monitoring(_ClosedModel):
    """The label's monitoring requirements, in days after the infusion from which they count."""

    anchor: Annotated[str, _require_one_of(tuple(AnchorInfusion))]
    daily_days: Annotated[int, Field(gt=0)]
    monitor_min_days: Annotated[int, Field(gt=0)]
    proximity_days: Annotated[int, Field(gt=0)]
    driving_days: Annotated[int, Field(gt=0)]
    handback_target_day: Annotated[int, Field(gt=0)]
    sources: Annotated[list[FileCode], Field(min_length=1)]


class FileInterval(_ClosedModel):
    """How long a part of the treatment usually takes: the lower and the upper number of days."""

    interval: Literal["leukapheresis_to_product", "leukapheresis_to_release", "manufacturing", "vein_to_vein"]
    text: FileText
    days: Annotated[list[float], Field(min_length=2, max_length=2)]
    source: FileCode | None


class SafetyLine(_ClosedModel):
    """A phone number of the manufacturer, and its purpose."""

    phone: Annotated[str, Field(pattern=r"^1-\d{3}-\d{3}-\d{4}$")]
    kind: Literal["adverse_events", "program"]
    source: FileCode


class FileProduct(_ClosedModel):
    """The file of a product."""

    product_id: FileCode
    name: FileText
    generic: FileText
    target: Literal["CD19", "BCMA"]
    maker: FileText
    status: Literal["marketed"]
    label_as_of: FileDay
    reviewed_on: FileDay
    dailymed_setid: Annotated[str, Field(pattern=r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")] | None
    label_copy: FileLabelCopy
    sections: FileSections
    boxed_warnings: Annotated[list[FileBoxedWarning], Field(min_length=1)]
    notes: list[FileNote]
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
    """List everything that is wrong with a file. The list is empty if the file may ship."""
    try:
        FileProduct.model_validate_json(json.dumps(row))
    except ValidationError as e:
        return [f"/{'/'.join(map(str, error['loc']))}: {error['msg']}" for error in e.errors()]
    return [*_check_sources(row, read_by), *_check_unverified(row), *_check_dates(row, read_by)]


def _check_sources(row: dict[str, Any], read_by: date) -> Iterator[str]:
    """Find missing, repeated, unused, and unreachable sources, and sources with a date in the future."""
    listed = [source["source_id"] for source in row["sources"]]
    used = set(list_named_sources(row))
    yield from (f"/sources: {name} is listed twice" for name in set(listed) if listed.count(name) > 1)
    yield from (f"/sources: {name} is used but not listed" for name in used - set(listed))
    yield from (f"/sources: {name} is listed but not used" for name in set(listed) - used)
    for source in row["sources"]:
        if urlsplit(source["url"]).scheme != "https":
            yield f"/sources: {source['source_id']} has no https address"
        if date.fromisoformat(source["as_of"]) > read_by:
            yield f"/sources: {source['source_id']} has a date in the future"


def _check_unverified(row: dict[str, Any]) -> Iterator[str]:
    """Find pointers to nothing, and values with neither a source nor an entry in `unverified`."""
    unverified = row["unverified"]
    yield from (
        f"{pointer}: listed as unverified, but does not exist"
        for pointer in unverified
        if not _has_pointer(row, pointer)
    )
    for index, interval in enumerate(row["intervals"]):
        pointer = f"/intervals/{index}/days"
        if interval["source"] is None and pointer not in unverified:
            yield f"{pointer}: has no source and is not listed as unverified"
    kinds = {source["source_id"]: source["kind"] for source in row["sources"]}
    for index, warning in enumerate(row["boxed_warnings"]):
        pointer = f"/boxed_warnings/{index}/text"
        if kinds.get(warning["source"]) not in STRONG_SOURCES and pointer not in unverified:
            yield f"{pointer}: has no label or FDA source and is not listed as unverified"
    if row["label_copy"]["effective_on"] is None and "/label_copy/effective_on" not in unverified:
        yield "/label_copy/effective_on: is unknown and not listed as unverified"
    if row["dailymed_setid"] is None and "/dailymed_setid" not in unverified:
        yield "/dailymed_setid: is unknown and not listed as unverified"


def _check_dates(row: dict[str, Any], read_by: date) -> Iterator[str]:
    """Find sections from the future or with a review before their date, and a product date that is not theirs."""
    sections = row["sections"]
    for name, section in sections.items():
        if date.fromisoformat(section["label_as_of"]) > read_by:
            yield f"/sections/{name}: has a date in the future"
        if section["review_by"] <= section["label_as_of"]:
            yield f"/sections/{name}: review_by must be after label_as_of"
    newest = max(section["label_as_of"] for section in sections.values())
    if row["label_as_of"] != newest:
        yield f"/label_as_of: must be the newest date of a section, {newest}"


def list_named_sources(value: Any) -> Iterator[str]:
    """List every source to which a value refers, at any depth."""
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
    if pointer == "/safety_line/maker":  # The API adds this field to the safety line.
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
