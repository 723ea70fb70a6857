"""Writes `docs/labels.md` and `docs/confirm-before-use.md` from the catalog: `python -m infra.label_pages`.

The first has source, date and strength of every figure. The second lists what a licensed clinician should
confirm before a site is used. A test fails when a page is out of date.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from chalicelib.catalog import DISEASE_NAMES, CatalogProduct, codings, load_products
from infra.product_schema import STRONG_SOURCES

DOCS = Path(__file__).parent.parent / "docs"
LABELS, CONFIRM = DOCS / "labels.md", DOCS / "confirm-before-use.md"

STRENGTHS: Mapping[str, str] = {
    "label": "copy of the label",
    "regulator": "FDA",
    "publication": "publication",
    "manufacturer": "manufacturer",
    "secondary": "secondary",
}
SECTIONS: Mapping[str, str] = {
    "indications": "Indications",
    "boxed_warning": "Boxed warning",
    "monitoring": "Monitoring after infusion",
    "warnings": "Warnings",
}
FIGURES: Mapping[str, str] = {
    "daily_days": "Daily monitoring, days",
    "monitor_min_days": "Monitoring, days",
    "proximity_days": "Stay near the center, days",
    "driving_days": "No driving, days",
}

_HEAD = """\
# {title}

Do not edit this page. `python -m infra.label_pages` writes it from the product files in `chalicelib/catalog/products/`.

"""
_LABELS_TEXT = """\
Where each figure comes from, for which day it is known, and how strong the source is. "Not confirmed" means that no
copy of the label or notice of the FDA that we could read shows it: screens then say "Check the current label".
[Confirm before use](confirm-before-use.md) lists those.
"""
_CONFIRM_TEXT = """\
A licensed clinician of the site should compare these with the current prescribing information before the product is
used, and after each review. Nothing here is medical advice, and nobody has confirmed these for your site. To record
what you found, change the product file ([The catalog](catalog.md)): the source, its date and kind, and remove the
pointer from `unverified`.
"""


def build_labels_page() -> str:
    """Build the page of figures, in Markdown."""
    parts = [_HEAD.format(title="Labels: sources, dates and strength"), _LABELS_TEXT]
    for product in load_products().values():
        parts.append(
            f"\n## {product.name} ({product.generic})\n\n[Current prescribing information]({product.label_url})\n"
        )
        parts.append("\n| label section | as of | review by | sources |\n|---|---|---|---|\n")
        parts.extend(_build_section_rows(product))
        parts.append("\n| figure | value | source | as of | strength |\n|---|---|---|---|---|\n")
        parts.extend(f"| {' | '.join(row)} |\n" for row in _list_figures(product))
    return "".join(parts)


def build_confirm_page() -> str:
    """Build the page of what to confirm, in Markdown."""
    parts = [_HEAD.format(title="Confirm before use"), _CONFIRM_TEXT]
    for product in load_products().values():
        parts.append(f"\n## {product.name}\n\n[Current prescribing information]({product.label_url})\n\n")
        parts.extend(f"- [ ] {text}\n" for text in _list_open_points(product))
    parts.append("\n## Codes of health record systems\n\n")
    parts.extend(f"- [ ] {text}\n" for text in _list_code_points())
    return "".join(parts)


def _list_code_points() -> Iterator[str]:
    """What to confirm about the codes that CDS Hooks reads."""
    drugs = codings.load_drug_file()
    count = sum(len(codes) for drug in drugs["drugs"] for codes in drug["rxnorm"].values())
    yield f"`drug_codes.json`: the drug classes of {len(drugs['drugs'])} drugs, and their {count:,} RxNorm codes"
    diagnoses = codings.load_file()["diagnoses"]
    yield f"`codings.json`: the disease and histology of {len(diagnoses)} SNOMED CT codes"
    for row in drugs["without_codes"]:
        yield f"{row['name'].capitalize()}: not read from charts. {row['why']}"


def _build_section_rows(product: CatalogProduct) -> Iterator[str]:
    sources = _get_sources(product)
    for name, section in product.facts["sections"].items():
        where = "" if section["label_section"] == SECTIONS[name] else f" ({section['label_section']})"
        cited = "; ".join(_link(sources[source]) for source in section["sources"])
        yield f"| {SECTIONS[name]}{where} | {section['label_as_of']} | {section['review_by']} | {cited} |\n"


def _list_figures(product: CatalogProduct) -> Iterator[tuple[str, ...]]:
    """Every row and figure: what it is, its value, source, date and strength."""
    facts = product.facts
    for number, indication in enumerate(facts["indications"]):
        name = DISEASE_NAMES[indication["disease"]]
        for index, row in enumerate(indication["rows"]):
            value = f"{row['text']}. {row['approval'].capitalize()} approval, {row['approved_on']}"
            section = f", section {row['label_section']}" if "label_section" in row else ""
            pointer = f"/indications/{number}/rows/{index}"
            yield _format_figure(product, f"{name}{section}", value, row["source"], pointer)
        for limitation in indication["limitations"]:
            yield _format_figure(product, f"{name}, limitation", limitation["text"], limitation["source"], None)
    for number, warning in enumerate(facts["boxed_warnings"]):
        pointer = f"/boxed_warnings/{number}"
        yield _format_figure(product, "Boxed warning", warning["title"], warning["source"], pointer)
    for field, title in FIGURES.items():
        source = facts["monitoring"]["sources"][0]
        yield _format_figure(product, title, str(facts["monitoring"][field]), source, f"/monitoring/{field}")
    if facts["split_dose"]:
        split = facts["split_dose"]
        value = f"{split['gap_days']} (± {split['tolerance_days']})"
        yield _format_figure(product, "Second infusion, days after the first", value, split["source"], None)
    for number, interval in enumerate(facts["intervals"]):
        yield _format_figure(product, "Turnaround", interval["text"], interval["source"], f"/intervals/{number}")
    for number, effect in enumerate(facts["late_effects"]):
        yield _format_figure(product, "Late effect", effect["text"], effect["source"], f"/late_effects/{number}")
    line = facts["safety_line"]["maker"]
    if line:
        yield _format_figure(product, "Manufacturer's line", line["phone"], line["source"], "/safety_line")


def _format_figure(
    product: CatalogProduct, title: str, value: str, source_id: str | None, pointer: str | None
) -> tuple[str, ...]:
    is_marked = pointer and any(
        mark == pointer or mark.startswith(f"{pointer}/") for mark in product.facts["unverified"]
    )
    if source_id is None:
        return title, value, "none", "", "not confirmed"
    source = _get_sources(product)[source_id]
    strength = STRENGTHS[source["kind"]] + (", not confirmed" if is_marked else "")
    return title, value, _link(source), source["as_of"], strength


def _list_open_points(product: CatalogProduct) -> Iterator[str]:
    """What is marked as unverified, and each section that only weak sources support."""
    facts, sources = product.facts, _get_sources(product)
    for pointer in facts["unverified"]:
        yield _describe(product, pointer)
    for name, section in facts["sections"].items():
        if not any(sources[source]["kind"] in STRONG_SOURCES for source in section["sources"]):
            yield f"{SECTIONS[name]}: no copy of this section was read; known as of {section['label_as_of']}"
    for number, indication in enumerate(facts["indications"]):
        for index, row in enumerate(indication["rows"]):
            if sources[row["source"]]["kind"] not in STRONG_SOURCES:
                marked = f"/indications/{number}/rows/{index}/approval" in facts["unverified"]
                what = "text" if marked else "text and approval"
                yield f"{row['text']}: {what} not read in a copy of the label"
    for note in facts["notes"]:
        yield note["text"].removesuffix(".")


def _describe(product: CatalogProduct, pointer: str) -> str:
    """An unverified pointer in words, with the value that ships."""
    facts = product.facts
    match pointer.removeprefix("/").split("/"):
        case ["monitoring", field]:
            text = f"{FIGURES.get(field, 'Infusion that is day 0')}: {facts['monitoring'][field]}"
        case ["boxed_warnings", number, _]:
            text = f"Boxed warning, current text: {facts['boxed_warnings'][int(number)]['title']}"
        case ["late_effects", number, _]:
            text = f"Late effect: {facts['late_effects'][int(number)]['text'].removesuffix('.')}"
        case ["intervals", number, _]:
            text = f"Turnaround: {facts['intervals'][int(number)]['text']}"
        case ["indications", number, "rows", index, "approval"]:
            row = facts["indications"][int(number)]["rows"][int(index)]
            text = f"Kind of approval is {row['approval']}: {row['text']}"
        case ["indications", number, "rows", index, *_]:
            text = f"A rule of: {facts['indications'][int(number)]['rows'][int(index)]['text']}"
        case ["safety_line", _]:
            text = "The manufacturer's line takes reports of adverse events"
        case ["dailymed_setid"]:
            text = "Set ID of the label at DailyMed (not known)"
        case ["label_copy", _]:
            text = "The day on which the current version of the label took effect (not known)"
        case _:
            raise ValueError(f"{product.product_id}: no words for {pointer}")
    return text


def _get_sources(product: CatalogProduct) -> Mapping[str, Mapping[str, Any]]:
    return {source["source_id"]: source for source in product.facts["sources"]}


def _link(source: Mapping[str, Any]) -> str:
    return f"[{source['title']}]({source['url']})"


if __name__ == "__main__":
    LABELS.write_text(build_labels_page(), encoding="utf-8")
    CONFIRM.write_text(build_confirm_page(), encoding="utf-8")
