"""What the shipped catalog needs from a person: facts that are due for review, and mistakes in a product file.

`referrals catalog check` prints both. `infra.product_schema` has the rules of a product file; here they are
said in plain words.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from chalicelib import catalog, zip_codes
from chalicelib.catalog import care_points, codings, diagnoses, load_products, resources
from chalicelib.catalog.review_dates import is_due
from infra.product_schema import FileProduct, find_problems

YEAR = timedelta(days=365)

MEANINGS: Mapping[str, str] = {
    "product_id": "the product's short name, such as breyanzi",
    "label_as_of": "the newest date of the label's sections",
    "reviewed_on": "the day on which a person last compared the file with its sources",
    "dailymed_setid": "the set ID of the label at DailyMed, or null",
    "label_copy": "the copies of the label that were read",
    "sections": "the date, the review date and the sources of each section of the label",
    "boxed_warnings": "each boxed warning in your own words",
    "indications": "each disease of the label, with rows and rules",
    "monitoring": "the days after infusion",
    "infusion_parts": "how many infusions make one treatment",
    "split_dose": "when the second infusion takes place, or null",
    "safety_line": "the manufacturer's phone number, or null",
    "late_effects": "what can happen weeks or months later; can be empty",
    "intervals": "how long manufacturing takes; can be empty",
    "notes": "what a reader should know about the label; can be empty",
    "unverified": "pointers to what has no good source; can be empty",
    "sources": "where each fact was read, and when",
    "source": "the source_id of the source",
    "approval": "regular or accelerated",
    "review_by": "the day by which someone must check it again",
    "kind": "label, regulator, publication, manufacturer, or secondary",
}
"""What a field is for, in the message that it is missing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShippedFact:
    """Something that ships and expires. `as_of` is the day for which it is known, `review_by` its last good day."""

    name: str
    as_of: str
    review_by: str


def list_shipped_facts() -> Iterator[ShippedFact]:
    """List every shipped fact with its dates."""
    for product in load_products().values():
        for name, section in product.facts["sections"].items():
            title = f"{product.name}: {name.replace('_', ' ')} (label section {section['label_section']})"
            yield ShippedFact(name=title, as_of=section["label_as_of"], review_by=section["review_by"])
    codes = diagnoses.load_code_set()
    yield ShippedFact(name=codes.release["name"], as_of=codes.release["effective_on"], review_by=codes.review_by)
    for row in resources.load_file()["items"]:
        name = f"Resource: {row['name']} ({row['organization']})"
        yield ShippedFact(name=name, as_of=row["last_checked"], review_by=row["review_by"])
    yield ShippedFact(name="Locations of ZIP codes", as_of=zip_codes.AS_OF, review_by=zip_codes.REVIEW_BY)
    cautions = json.loads(Path(catalog.__file__).with_name("cautions.json").read_text("utf-8"))
    for name, file in (
        ("Cautions and intervals before leukapheresis", cautions),
        ("Care points after CAR T", care_points.load_file()),
        ("Codes of health record systems", codings.load_file()),
        ("Drugs of health record systems", codings.load_drug_file()),
    ):
        reviewed = file["reviewed_on"]
        review_by = file.get("review_by") or (date.fromisoformat(reviewed) + YEAR).isoformat()
        yield ShippedFact(name=name, as_of=reviewed, review_by=review_by)


def list_due_facts(today: date) -> Sequence[ShippedFact]:
    """List the facts whose review is due, oldest first."""
    due = [fact for fact in list_shipped_facts() if is_due(fact.review_by, today)]
    return sorted(due, key=lambda fact: (fact.review_by, fact.name))


def explain_problems(path: Path, *, read_by: date) -> Sequence[str]:
    """Say in plain words what is missing or wrong in a product file; nothing if it may ship."""
    try:
        row = json.loads(path.read_text("utf-8"))
    except UnicodeDecodeError:
        return ["The file is not UTF-8 text."]
    except json.JSONDecodeError as e:
        return [f"The file is not JSON: line {e.lineno}, column {e.colno}: {e.msg}."]
    if not isinstance(row, dict):
        return ["The file must be one JSON object, in braces."]
    try:
        FileProduct.model_validate_json(json.dumps(row))
    except ValidationError as e:
        return [_explain_error(error) for error in e.errors()]
    found = list(find_problems(row, read_by=read_by))
    if path.stem != row["product_id"]:
        found.append(f"/product_id: the file must be named {row['product_id']}.json")
    return found


def _explain_error(error: Mapping[str, Any]) -> str:
    *_, name = error["loc"]
    pointer = "/" + "/".join(map(str, error["loc"]))
    meaning = MEANINGS.get(str(name))
    if error["type"] == "missing":
        return f"{pointer} is missing" + (f": {meaning}" if meaning else "")
    if error["type"] == "extra_forbidden":
        return f"{pointer} is not a field of a product file. Is its name misspelled?"
    message = error["msg"].removeprefix("Value error, ")
    return f"{pointer}: {message[0].lower()}{message[1:]}" + (f" ({meaning})" if meaning else "")
