"""Phone numbers as people write them, in one stored format: E.164, with the extension as RFC 3966 writes it."""

import re

_EXTENSION = re.compile(r"(?:; ?ext ?=|(?:, ?)?(?:extension|ext\.?:?|x|#)) ?(\d{1,7})\Z", re.ASCII | re.IGNORECASE)
_WRITTEN = re.compile(r"\+?[\d ()./\u2010-\u2015\u00a0-]+", re.ASCII)
_E164 = re.compile(r"[1-9]\d{6,14}", re.ASCII)

_US_STORED = re.compile(r"(?:\+1|1-)(\d{3})-?(\d{3})-?(\d{4})", re.ASCII)

_US_DIGITS = 10
_US_EXIT_CODE = "011"


def parse_phone(written: str) -> str:
    """Parse a phone number: of the US without a country code, or of any country with one.

    "(713) 555-0142 x12", "713-555-0142 ext. 12" and "+17135550142;ext=12" become "+17135550142;ext=12".

    Raises:
        ValueError: it is not one phone number.
    """
    text = written.strip()
    if text[:4].lower() == "tel:":
        text = text[4:]
    extension = _EXTENSION.search(text)
    number = text[: extension.start()].strip() if extension else text
    if not _WRITTEN.fullmatch(number):
        raise _build_error()
    digits = re.sub(r"\D", "", number)
    if not number.startswith("+"):
        digits = _add_country_code(digits)
    if not _E164.fullmatch(digits):
        raise _build_error()
    return f"+{digits};ext={extension[1]}" if extension else f"+{digits}"


def format_phone(stored: str) -> str:
    """Format a stored number as people in the US write it: "(713) 555-0142 ext. 12". Others stay as they are."""
    number, _, extension = stored.partition(";ext=")
    us = _US_STORED.fullmatch(number)
    written = f"({us[1]}) {us[2]}-{us[3]}" if us else number
    return f"{written} ext. {extension}" if extension else written


def _add_country_code(digits: str) -> str:
    if digits.startswith(_US_EXIT_CODE) and len(digits) > _US_DIGITS:
        return digits.removeprefix(_US_EXIT_CODE)
    if len(digits) == _US_DIGITS and digits[0] not in "01":
        return f"1{digits}"
    if len(digits) == _US_DIGITS + 1 and digits.startswith("1"):
        return digits
    raise _build_error()


def _build_error() -> ValueError:
    return ValueError("Enter a 10-digit phone number, such as 713-555-0142.")
