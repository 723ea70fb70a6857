"""The types of fields in requests.

Types are strict: "7" is not a number and 1 is not a boolean. Text is cleaned as
`chalicelib.domain.platform.clean_text` describes.
"""

import re
from collections.abc import Callable, Iterable
from datetime import date, datetime, timedelta
from typing import Annotated, Any, ClassVar, Generic, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, RootModel
from pydantic_core import PydanticCustomError

from chalicelib import wiring
from chalicelib.catalog import DISEASES, diagnoses
from chalicelib.domain.platform.clean_text import clean_text, drop_invisible
from chalicelib.domain.platform.partial_dates import parse_partial_date
from chalicelib.domain.platform.phone import parse_phone
from chalicelib.routes.platform.field_messages import MESSAGES

_D = TypeVar("_D", bound=date)
_Root = TypeVar("_Root")


class StrictModel(BaseModel):
    """The base of all request bodies and queries: strict, closed, and silent about its input."""

    model_config = ConfigDict(strict=True, extra="forbid", hide_input_in_errors=True, defer_build=True, frozen=True)

    repeatable: ClassVar[frozenset[str]] = frozenset()
    """The parameters of a query that can be sent several times."""


class LazyRootModel(RootModel[_Root], Generic[_Root]):
    """A body that is one of several models. Its schema is built with its first request, and not with its module."""

    model_config = ConfigDict(defer_build=True)


_EARLIEST_ZONE = timedelta(hours=14)
"""How far ahead of UTC the first place on earth to begin a day is: the Line Islands."""

_NO_SUCH_DAY = "This date or time does not exist. Check the day, the month and the hour."

_LANGUAGE_TAG = re.compile(
    r"[A-Za-z]{2,3}(-[A-Za-z]{3}){0,3}(-[A-Za-z]{4})?(-([A-Za-z]{2}|[0-9]{3}))?"
    r"(-([A-Za-z0-9]{5,8}|[0-9][A-Za-z0-9]{3}))*(-[0-9A-WY-Za-wy-z](-[A-Za-z0-9]{2,8})+)*(-[Xx](-[A-Za-z0-9]{1,8})+)?"
)
"""A well-formed tag of RFC 5646 (BCP 47). Longer names of languages, which no registry has, are left out."""

_RFC_3339 = re.compile(r"(\d{4}-\d{2}-\d{2})[Tt](\d{2}:\d{2}:\d{2})(?:\.(\d+))?([Zz]|[+-]\d{2}:\d{2})", re.ASCII)
"""RFC 3339, section 5.6: any number of fraction digits, and `T` and `Z` in either case."""


def build_text_validator(*, lines: bool) -> Callable[[str], str]:
    """Build a validator of text, with or without line breaks."""

    def clean(text: str) -> str:
        return clean_text(text, lines=lines)

    return clean


def require_not_empty(text: str) -> str:
    """Refuse text that is empty after trimming."""
    if not text:
        raise ValueError("Enter a value, or leave the field out.")
    return text


require_not_empty.pattern = r"\S"  # type: ignore[attr-defined] # published by routes/openapi.py


def build_pattern_validator(pattern: str, message: str) -> Callable[[str], str]:
    """Build a validator of text by its whole pattern; `message` says what to enter."""
    compiled = re.compile(pattern, re.ASCII)

    def check(text: str) -> str:
        if not compiled.fullmatch(text):
            raise ValueError(message)
        return text

    check.pattern = f"^(?:{pattern})$"  # type: ignore[attr-defined] # published by routes/openapi.py
    return check


def _parse_day(value: Any) -> Any:
    """Read a date as YYYY-MM-DD, the API's only format; pydantic alone would accept a Unix time too."""
    if isinstance(value, str):
        value = drop_invisible(value)
        if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", value, re.ASCII):
            raise ValueError(MESSAGES["date_type"])
        try:
            return date.fromisoformat(value)
        except ValueError as e:
            raise ValueError(_NO_SUCH_DAY) from e
    return value


def _parse_timestamp(value: Any) -> Any:
    """Read an RFC 3339 time, which always has an offset. Digits after the microseconds are dropped."""
    if isinstance(value, str):
        parts = _RFC_3339.fullmatch(drop_invisible(value))
        if not parts:
            raise ValueError(MESSAGES["datetime_type"])
        day, time, fraction, offset = parts.groups()
        try:
            return datetime.fromisoformat(f"{day}T{time}.{(fraction or '0')[:6]:0<6}{offset.upper()}")
        except ValueError as e:
            raise ValueError(_NO_SUCH_DAY) from e
    return value


def _passes_luhn(npi: str) -> str:
    """Refuse an NPI whose check digit is wrong.

    Source: CMS, "Requirements for NPI check digit": Luhn over 80840 and the ten digits.
    """
    # Every second digit from the right, not counting the check digit, is doubled: the even ones of 15.
    digits = enumerate((int(char) for char in f"80840{npi}"), start=1)
    total = sum(sum(divmod(2 * d, 10)) if place % 2 == 0 else d for place, d in digits)
    if total % 10:
        raise ValueError("This NPI is not valid. Check the 10 digits.")
    return npi


def _require_plausible_date(value: _D) -> _D:
    """Refuse years outside 1900 to 2199.

    This also keeps dates that are computed from the value, in any time zone, inside the calendar.
    """
    if not 1900 <= value.year < 2200:
        raise ValueError("Enter a year between 1900 and 2199.")
    return value


def require_not_future(day: date) -> date:
    """Refuse a day that has not begun anywhere on earth."""
    if day > (wiring.read_clock() + _EARLIEST_ZONE).date():
        raise ValueError("This date is in the future. Enter a past date.")
    return day


def read_birth_date(text: str) -> str:
    """Refuse a date of birth that does not exist or has not come; the year, or year and month, may be all of it."""
    try:
        days = parse_partial_date(text)
    except ValueError as e:
        raise ValueError(_NO_SUCH_DAY) from e
    if days is None:
        raise ValueError("Enter a date of birth, such as 1961-04-02. If only the year is known, enter 1961.")
    require_not_future(_require_plausible_date(days[0]))
    return text


# As for require_not_empty.
read_birth_date.pattern = r"^(19|20)[0-9]{2}(-(0[1-9]|1[0-2])(-(0[1-9]|[12][0-9]|3[01]))?)?$"  # type: ignore[attr-defined]


def read_phone(written: str) -> str:
    """Read a phone number as `chalicelib.domain.platform.phone` describes."""
    return parse_phone(written)


# As for require_not_empty: the usual ways to write a number.
read_phone.pattern = (  # type: ignore[attr-defined]
    r"^(\+[1-9][0-9]{6,14}|\(?[2-9][0-9]{2}\)?[ .-]?[0-9]{3}[ .-]?[0-9]{4})((;ext=| ?x ?| ext\.? ?)[0-9]{1,7})?$"
)


def read_language(tag: str) -> str:
    """Refuse what is not a language tag, and write one as is usual: "es-419", "zh-Hant", "pt-BR"."""
    language, *subtags = tag.split("-")
    if not _LANGUAGE_TAG.fullmatch(tag):
        raise ValueError("Enter a language code, such as en, es-419 or zh-Hant.")
    return "-".join([language.lower(), *(_write_subtag(subtag) for subtag in subtags)])


def _write_subtag(subtag: str) -> str:
    """Write a script as "Hant" and a region as "BR" (RFC 5646, section 2.1.1)."""
    if len(subtag) == 4 and subtag.isalpha():
        return subtag.title()
    return subtag.upper() if len(subtag) == 2 else subtag.lower()


read_language.pattern = f"^(?:{_LANGUAGE_TAG.pattern})$"  # type: ignore[attr-defined] # as for require_not_empty


def build_choice_validator(allowed: Iterable[str], message: str) -> Callable[[str], str]:
    """Build a validator of text that is one of a few; `message` says what to choose."""
    choices = frozenset(allowed)

    def check(text: str) -> str:
        if text not in choices:
            raise ValueError(message)
        return text

    return check


def require_known_disease(disease: str) -> str:
    """Refuse a disease that is not in the catalog."""
    if disease not in DISEASES:
        raise ValueError("Choose a disease from the list.")
    return disease


def require_billable_code(code: str) -> str:
    """Refuse a diagnosis code that is not in the release, or has more specific codes below it.

    Once the release has ended, a code that a newer one can contain is accepted; a hint asks to check it.
    """
    codes = diagnoses.load_code_set()
    if code in codes.billable or codes.can_be_newer(code, wiring.read_clock().date()):
        return code
    specific, release = codes.list_billable_below(code), codes.release["name"]
    if not specific:
        message = "This is not an ICD-10-CM code for a blood cancer (C81 to C96) in {release}."
        raise PydanticCustomError("icd10_unknown", message, {"release": release})
    named, more = specific[: diagnoses.MAX_NAMED], len(specific) - diagnoses.MAX_NAMED
    suggestions = ", ".join(named) + (f" and {more} more" if more > 0 else "")
    message = "This code is not billable in {release}. Use a more specific code: {codes}."
    raise PydanticCustomError("icd10_not_billable", message, {"release": release, "codes": suggestions})


SingleLineText = Annotated[
    str, Field(max_length=200), AfterValidator(build_text_validator(lines=False)), AfterValidator(require_not_empty)
]
MultiLineText = Annotated[
    str, Field(max_length=4000), AfterValidator(build_text_validator(lines=True)), AfterValidator(require_not_empty)
]
CalendarDate = Annotated[date, BeforeValidator(_parse_day), AfterValidator(_require_plausible_date)]
PastDate = Annotated[CalendarDate, AfterValidator(require_not_future)]
Timestamp = Annotated[datetime, BeforeValidator(_parse_timestamp), AfterValidator(_require_plausible_date)]
Visible = AfterValidator(drop_invisible)
"""Drops what no one can see, before a value is compared with its format."""
BirthDate = Annotated[str, Field(max_length=40), Visible, AfterValidator(read_birth_date)]
Phone = Annotated[str, Field(max_length=60), Visible, AfterValidator(read_phone)]
LanguageTag = Annotated[str, Field(max_length=35), Visible, AfterValidator(read_language)]
Zip = Annotated[
    str, Visible, AfterValidator(build_pattern_validator(r"\d{5}(-\d{4})?", "Enter a 5-digit ZIP code or ZIP+4."))
]
Email = Annotated[
    str,
    Field(max_length=254),
    Visible,
    AfterValidator(
        build_pattern_validator(
            r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+",
            "Enter one email address, such as name@example.org.",
        )
    ),
]
Npi = Annotated[
    str,
    Visible,
    AfterValidator(build_pattern_validator(r"[12]\d{9}", "Enter a 10-digit NPI.")),
    AfterValidator(_passes_luhn),
]
Icd10 = Annotated[
    str,
    Visible,
    AfterValidator(
        build_pattern_validator(r"[A-Z]\d[A-Z0-9](\.[A-Z0-9]{1,4})?", "Enter an ICD-10-CM code, such as C83.398.")
    ),
    AfterValidator(require_billable_code),
]
SenderCode = Annotated[
    str, AfterValidator(build_pattern_validator(r"[A-Za-z0-9_]{1,64}", "Use 1 to 64 letters, digits or underscores."))
]
WallTime = Annotated[
    str,
    AfterValidator(
        build_pattern_validator(r"([01]\d|2[0-3]):[0-5]\d", "Enter a time of day as hours and minutes, such as 07:30.")
    ),
]
ReferralId = Annotated[str, AfterValidator(build_pattern_validator(r"ref_[a-z2-7]{26}", "Send the ID of a referral."))]
MemberId = Annotated[
    str, AfterValidator(build_pattern_validator(r"mem_[a-z2-7]{26}", "Send the ID of a member of your organization."))
]
Identifier = Annotated[
    str, AfterValidator(build_pattern_validator(r"[a-z0-9_]{1,64}", "Choose a value from the list."))
]
Disease = Annotated[str, AfterValidator(require_known_disease), Field(json_schema_extra={"enum": list(DISEASES)})]
