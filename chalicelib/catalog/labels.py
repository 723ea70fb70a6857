"""The catalog as an eligibility check uses it: rules from the reviewed files, read when first needed."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from chalicelib.catalog import CatalogProduct, compute_version, load_products
from chalicelib.domain.eligibility.criterion_result import MissingValue, SourceReference, ThresholdSource
from chalicelib.domain.eligibility.discuss_with_center import DiscussionRules, FlagComparison, FlagRule
from chalicelib.domain.eligibility.histologies import format_histology
from chalicelib.domain.eligibility.label_rules import LABEL_RULES, format_rule_id
from chalicelib.domain.eligibility.same_target import TargetedDrug, normalize_name
from chalicelib.domain.eligibility.screen import (
    IndicationRow,
    LabelCatalog,
    LabelCriterion,
    LabelIndication,
    LabelNote,
)
from chalicelib.domain.eligibility.washouts import Evidence, WashoutInterval, WashoutRules

_CAUTIONS_FILE = Path(__file__).with_name("cautions.json")

Sources = Mapping[str, SourceReference]


@cache
def load_label_catalog() -> LabelCatalog:
    """All rules and flags. The version covers every reviewed file."""
    reviewed = _CAUTIONS_FILE.read_bytes()
    versions = [compute_version(reviewed), *(product.version for product in load_products().values())]
    return LabelCatalog(
        indications=tuple(i for product in load_products().values() for i in _build_indications(product)),
        cautions=_build_discussion_rules(json.loads(reviewed)),
        version=compute_version(" ".join(versions).encode()),
    )


def _build_indications(product: CatalogProduct) -> Iterator[LabelIndication]:
    facts = product.facts
    sources = _build_sources(facts)
    unverified = frozenset(facts["unverified"])
    for position, indication in enumerate(facts["indications"]):
        path = f"/indications/{position}/rows"
        yield LabelIndication(
            product_id=product.product_id,
            product_name=product.name,
            target=product.target,
            disease=indication["disease"],
            histologies=frozenset(indication["histologies"]),
            rows=tuple(
                _build_row(row, f"{path}/{number}", sources, unverified)
                for number, row in enumerate(indication["rows"])
            ),
            limitations=tuple(_build_limitations(indication)),
            label_as_of=product.get_section_date("indications"),
            notes=tuple(LabelNote(text=note["text"], source=sources[note["source"]]) for note in indication["notes"]),
            source=sources[indication["source"]],
            version=product.version,
        )


def _build_limitations(indication: Mapping[str, Any]) -> Iterator[str]:
    """The limitations of the label, and the histologies that it names; others are for the center to judge."""
    yield from (limitation["text"] for limitation in indication["limitations"])
    if indication["histologies"]:
        names = "; ".join(format_histology(code) for code in indication["histologies"])
        yield f"Histologies that the label names: {names}."


def _build_row(row: Mapping[str, Any], path: str, sources: Sources, unverified: frozenset[str]) -> IndicationRow:
    return IndicationRow(
        row_id=row["row_id"],
        text=row["text"],
        criteria=tuple(_build_criteria(row["criteria"], f"{path}/criteria", sources, unverified)),
        approval=row["approval"],
        source=sources[row["source"]],
    )


def _build_criteria(
    rules: Sequence[Mapping[str, Any]], path: str, sources: Sources, unverified: frozenset[str]
) -> Iterator[LabelCriterion]:
    """Each rule of a row. `{"any_of": […]}` makes a group of alternatives with one number."""
    for position, rule in enumerate(rules):
        alternatives = rule.get("any_of")
        for part in alternatives if alternatives is not None else [rule]:
            name = next(key for key in part if key != "source")
            yield LabelCriterion(
                rule=name,
                figure=part[name],
                rule_id=format_rule_id(name, part[name]),
                text=LABEL_RULES[name].describe(part[name]),
                alternative_group=position + 1 if alternatives is not None else 0,
                source=sources[part["source"]] if "source" in part else None,
                unverified=f"{path}/{position}" in unverified,
            )


def _build_sources(facts: Mapping[str, Any]) -> Sources:
    return {source["source_id"]: SourceReference(**source) for source in facts["sources"]}


def _build_discussion_rules(reviewed: Mapping[str, Any]) -> DiscussionRules:
    sources = _build_sources(reviewed)
    return DiscussionRules(
        flags=tuple(_build_flag_rule(flag, sources) for flag in reviewed["flags"]),
        asked=tuple(MissingValue(pointer=asked["reads"], label=asked["label"]) for asked in reviewed["asked"]),
        targeted_drugs=tuple(_build_targeted_drugs(reviewed["targeted_drugs"])),
        washouts=WashoutRules(
            agents={washout["agent"]: _build_interval(washout, sources) for washout in reviewed["washouts"]},
            transplant=_build_interval(reviewed["transplant"], sources),
            irradiated_blood=_build_interval(reviewed["irradiated_blood"], sources),
        ),
    )


def _build_targeted_drugs(rows: Sequence[Mapping[str, Any]]) -> Iterator[TargetedDrug]:
    """The CAR T products of the catalog, and the other drugs of the reviewed file."""
    more = {row["name"]: row["also"] for row in rows}
    for product in load_products().values():
        names = (product.name, product.generic.split()[0], *more.get(product.generic, ()))
        yield _build_targeted_drug(product.generic, names, product.target, is_car_t=True)
    generics = {product.generic for product in load_products().values()}
    for row in rows:
        if row["name"] not in generics:
            yield _build_targeted_drug(row["name"], (row["name"], *row["also"]), row["target"], is_car_t=False)


def _build_targeted_drug(name: str, names: Iterable[str], target: str, *, is_car_t: bool) -> TargetedDrug:
    spellings = tuple(dict.fromkeys(normalize_name(each) for each in names))
    return TargetedDrug(name=name, spellings=spellings, target=target, is_car_t=is_car_t)


def _build_flag_rule(flag: Mapping[str, Any], sources: Sources) -> FlagRule:
    return FlagRule(
        flag=flag["flag"],
        label=flag["label"],
        pointer=flag["reads"],
        comparison=FlagComparison(flag["when"]),
        threshold=flag["threshold"],
        text=flag["text"],
        sources=_build_threshold_sources(flag, sources),
    )


def _build_interval(interval: Mapping[str, Any], sources: Sources) -> WashoutInterval:
    return WashoutInterval(
        label=interval["label"],
        evidence=Evidence(interval["evidence"]),
        days=interval["days"],
        months=interval["months"],
        diseases=frozenset(interval.get("diseases", ())),
        classes=frozenset(interval.get("classes", ())),
        spellings=tuple(normalize_name(name) for name in interval.get("names", ())),
        free_up_to_mg=interval.get("free_up_to_mg"),
        note=interval.get("note", ""),
        sources=_build_threshold_sources(interval, sources),
    )


def _build_threshold_sources(row: Mapping[str, Any], sources: Sources) -> tuple[ThresholdSource, ...]:
    return tuple(ThresholdSource(text=anchor["says"], source=sources[anchor["source"]]) for anchor in row["anchors"])
