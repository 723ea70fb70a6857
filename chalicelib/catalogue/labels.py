"""The catalogue as a screen reads it: rules out of the reviewed files. Read when first screened."""

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

from chalicelib.catalogue import Product, products, version_of
from chalicelib.domain.eligibility.criterion_result import SourceNote
from chalicelib.domain.eligibility.discuss_with_center import (
    Anchor,
    Caution,
    Cautions,
    Comparison,
    Interval,
)
from chalicelib.domain.eligibility.prior_therapy import in_words
from chalicelib.domain.eligibility.screen import Criterion, Indication, Labels, Row

_CAUTIONS = Path(__file__).with_name("cautions.json")

Sources = Mapping[str, SourceNote]


@cache
def labels() -> Labels:
    """All rules and cautions. The version is that of every reviewed file together."""
    reviewed = _CAUTIONS.read_bytes()
    versions = [version_of(reviewed), *(product.version for product in products().values())]
    return Labels(
        indications=tuple(i for product in products().values() for i in _indications(product)),
        cautions=_cautions(json.loads(reviewed)),
        version=version_of(" ".join(versions).encode()),
    )


def _indications(product: Product) -> Iterator[Indication]:
    facts = product.facts
    sources = _sources(facts)
    unverified = frozenset(facts["unverified"])
    for place, indication in enumerate(facts["indications"]):
        at = f"/indications/{place}/rows"
        yield Indication(
            product_id=product.product_id,
            product_name=product.name,
            disease=indication["disease"],
            rows=tuple(
                _row(row, f"{at}/{number}", sources, unverified)
                for number, row in enumerate(indication["rows"])
            ),
            limitations=tuple(_limitations(indication)),
            label_as_of=date.fromisoformat(facts["label_as_of"]),
            version=product.version,
        )


def _limitations(indication: Mapping[str, Any]) -> Iterator[str]:
    """What the label leaves out, and which histologies it names: others are for the center."""
    yield from (limitation["text"] for limitation in indication["limitations"])
    if indication["histologies"]:
        named = ", ".join(in_words(code) for code in indication["histologies"])
        yield f"Histologies that the label names: {named}."


def _row(row: Mapping[str, Any], at: str, sources: Sources, unverified: frozenset[str]) -> Row:
    return Row(
        row_id=row["row_id"],
        text=row["text"],
        criteria=tuple(_criteria(row["criteria"], f"{at}/criteria", sources, unverified)),
        source=sources[row["source"]],
    )


def _criteria(
    written: Sequence[Mapping[str, Any]], at: str, sources: Sources, unverified: frozenset[str]
) -> Iterator[Criterion]:
    """Each rule of a row; `{"any_of": […]}` makes alternatives with one number."""
    for place, rule in enumerate(written):
        either = rule.get("any_of")
        for part in either if either is not None else [rule]:
            name = next(key for key in part if key != "source")
            yield Criterion(
                rule=name,
                figure=part[name],
                either=place + 1 if either is not None else 0,
                source=sources[part["source"]] if "source" in part else None,
                unverified=f"{at}/{place}" in unverified,
            )


def _sources(facts: Mapping[str, Any]) -> Sources:
    return {source["source_id"]: SourceNote(**source) for source in facts["sources"]}


def _cautions(reviewed: Mapping[str, Any]) -> Cautions:
    sources = _sources(reviewed)
    return Cautions(
        flags=tuple(_caution(flag, sources) for flag in reviewed["flags"]),
        washouts={each["agent"]: _interval(each, sources) for each in reviewed["washouts"]},
        transplant=_interval(reviewed["transplant"], sources),
        irradiated_blood=_interval(reviewed["irradiated_blood"], sources),
    )


def _caution(flag: Mapping[str, Any], sources: Sources) -> Caution:
    return Caution(
        flag=flag["flag"],
        label=flag["label"],
        reads=flag["reads"],
        when=Comparison(flag["when"]),
        threshold=flag["threshold"],
        text=flag["text"],
        anchors=_anchors(flag, sources),
    )


def _interval(interval: Mapping[str, Any], sources: Sources) -> Interval:
    return Interval(
        label=interval["label"],
        days=interval["days"],
        months=interval["months"],
        anchors=_anchors(interval, sources),
    )


def _anchors(row: Mapping[str, Any], sources: Sources) -> tuple[Anchor, ...]:
    return tuple(Anchor(says=a["says"], source=sources[a["source"]]) for a in row["anchors"])
