"""The kinds of fields that requests are made of.

Types are strict: "7" is not a number and 1 is not a truth. Text is normalized to NFC, trimmed,
and free of control characters and of marks that hide or reorder what follows.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable
from datetime import date, datetime, timedelta
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError

from chalicelib import wiring
from chalicelib.catalog import DISEASES, diagnoses

_D = TypeVar("_D", bound=date)


class StrictModel(BaseModel):
    """The base of all bodies and parameter sets: strict, closed, and silent about its input."""

    model_config = ConfigDict(strict=True, extra="forbid", hide_input_in_errors=True, defer_build=True, frozen=True)


_INVISIBLE_CATEGORIES = frozenset({"Cc", "Cf", "Co", "Cs", "Zl", "Zp"})
"""Unicode's categories of what controls, hides, reorders or breaks lines: zero-width marks, soft
hyphens and direction overrides among them. A name may not look like another one."""

_EARLIEST_ZONE = timedelta(hours=14)
"""How far the first place to begin a day is ahead of UTC: the Line Islands."""

_RFC_3339 = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,6})?(Z|[+-]\d{2}:\d{2})", re.ASCII)


def build_text_validator(*, lines: bool) -> Callable[[str], str]:
    """A validator of text, with or without line breaks."""
    allowed = {"\n", "\t"} if lines else set()

    def cleaned(text: str) -> str:
        normal = unicodedata.normalize("NFC", text.replace("\r\n", "\n")).strip()
        for char in normal:
            if char not in allowed and unicodedata.category(char) in _INVISIBLE_CATEGORIES:
                raise ValueError("holds a control character or an invisible mark")
        return normal

    return cleaned


def require_not_empty(text: str) -> str:
    """Refuse text that has nothing left in it."""
    if not text:
        raise ValueError("must not be empty")
    return text


def build_pattern_validator(pattern: str, message: str) -> Callable[[str], str]:
    """A validator of text by its whole pattern; `words` tell what it must be."""
    compiled = re.compile(pattern, re.ASCII)

    def check(text: str) -> str:
        if not compiled.fullmatch(text):
            raise ValueError(message)
        return text

    return check


def _parse_day(value: Any) -> Any:
    """Read a date in the contract's one spelling; pydantic alone would take a Unix time too."""
    if isinstance(value, str):
        if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", value, re.ASCII):
            raise ValueError("must be a date as YYYY-MM-DD")
        return date.fromisoformat(value)
    return value


def _parse_timestamp(value: Any) -> Any:
    """Read an RFC 3339 time, which has an offset, always."""
    if isinstance(value, str):
        if not _RFC_3339.fullmatch(value):
            raise ValueError("must be an RFC 3339 time with its offset")
        return datetime.fromisoformat(value)
    return value


def _passes_luhn(npi: str) -> str:
    """Source: CMS, "Requirements for NPI check digit": Luhn over 80840 and the ten digits."""
    # Every second digit from the right, the check digit apart, is doubled: of 15, the even ones.
    digits = enumerate((int(char) for char in f"80840{npi}"), start=1)
    total = sum(sum(divmod(2 * d, 10)) if place % 2 == 0 else d for place, d in digits)
    if total % 10:
        raise ValueError("is not a valid NPI: its check digit is wrong")
    return npi


def _require_plausible_date(value: _D) -> _D:
    """Also keeps what is computed from it, in whatever zone, away from the calendar's ends."""
    if not 1900 <= value.year < 2200:
        raise ValueError("lies before 1900 or after 2199")
    return value


def require_not_future(day: date) -> date:
    """Refuse a day that has not begun anywhere on earth."""
    if day > (wiring.read_clock() + _EARLIEST_ZONE).date():
        raise ValueError("lies in the future")
    return day


def build_choice_validator(allowed: Iterable[str], message: str) -> Callable[[str], str]:
    """A validator of text that is one of a few; `words` tell why another is refused."""
    choices = frozenset(allowed)

    def check(text: str) -> str:
        if text not in choices:
            raise ValueError(message)
        return text

    return check


def require_known_disease(disease: str) -> str:
    """Refuse a disease that the catalogue does not know."""
    if disease not in DISEASES:
        raise ValueError("is not a disease of the catalogue")
    return disease


def require_billable_code(code: str) -> str:
    """Refuse a diagnosis code that is not in the release, or stands above finer ones."""
    codes = diagnoses.load_code_set()
    if code in codes.billable:
        return code
    finer, release = codes.list_billable_below(code), codes.release["name"]
    if not finer:
        words = "is no code of a blood cancer (C81 to C96) in {release}"
        raise PydanticCustomError("icd10_unknown", words, {"release": release})
    named, more = finer[: diagnoses.MAX_NAMED], len(finer) - diagnoses.MAX_NAMED
    suggestions = ", ".join(named) + (f" and {more} more" if more > 0 else "")
    words = "is not billable in {release}; choose one of {told}"
    raise PydanticCustomError("icd10_not_billable", words, {"release": release, "told": suggestions})


SingleLineText = Annotated[
    str, Field(max_length=200), AfterValidator(build_text_validator(lines=False)), AfterValidator(require_not_empty)
]
MultiLineText = Annotated[
    str, Field(max_length=4000), AfterValidator(build_text_validator(lines=True)), AfterValidator(require_not_empty)
]
CalendarDate = Annotated[date, BeforeValidator(_parse_day), AfterValidator(_require_plausible_date)]
PastDate = Annotated[CalendarDate, AfterValidator(require_not_future)]
Timestamp = Annotated[datetime, BeforeValidator(_parse_timestamp), AfterValidator(_require_plausible_date)]
Phone = Annotated[
    str, AfterValidator(build_pattern_validator(r"\+[1-9]\d{6,14}", "must be a phone number as +17135550142"))
]
Zip = Annotated[
    str, AfterValidator(build_pattern_validator(r"\d{5}(-\d{4})?", "must be a ZIP code of 5 or 5+4 digits"))
]
Email = Annotated[
    str,
    Field(max_length=254),
    AfterValidator(
        build_pattern_validator(
            r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+", "must be one email address"
        )
    ),
]
Npi = Annotated[
    str,
    AfterValidator(build_pattern_validator(r"[12]\d{9}", "must be an NPI of 10 digits")),
    AfterValidator(_passes_luhn),
]
Icd10 = Annotated[
    str,
    AfterValidator(
        build_pattern_validator(r"[A-Z]\d[A-Z0-9](\.[A-Z0-9]{1,4})?", "must be an ICD-10-CM code as C83.398")
    ),
    AfterValidator(require_billable_code),
]
SenderCode = Annotated[
    str, AfterValidator(build_pattern_validator(r"[A-Za-z0-9_]{1,64}", "must be a code of letters and digits"))
]
Identifier = Annotated[
    str, AfterValidator(build_pattern_validator(r"[a-z0-9_]{1,64}", "must be an id as the API gave it"))
]
Disease = Annotated[str, AfterValidator(require_known_disease), Field(json_schema_extra={"enum": list(DISEASES)})]
