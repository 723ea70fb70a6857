"""What a person reads when a field of a request is not valid.

pydantic's own messages speak of types ("Input should be a valid string") and of the API's values
("'routine' or 'urgent'"). The same text appears next to a field of the dashboard, so each error
type has a plain sentence here. It says what to enter and repeats nothing that was sent.
"""

from collections.abc import Mapping
from typing import Any

FIELDS_NOT_VALID = "Check the marked fields."
"""The sentence above a list of errors."""

FALLBACK_MESSAGE = "This value cannot be used."
"""For an error type that has no message of its own; a test finds it before a reader does."""

MESSAGES: Mapping[str, str] = {
    "bool_parsing": "Choose yes or no.",
    "bool_type": "Choose yes or no.",
    "date_type": "Enter a date as year, month and day, such as 2026-11-22.",
    "datetime_type": "Enter a date and time with a UTC offset, such as 2026-11-22T10:00:00-05:00.",
    "dict_type": "Send an object with named fields.",
    "enum": "Choose a value from the list.",
    "extra_forbidden": "This field is not known. Check its name and where it belongs.",
    "finite_number": "Enter a number.",
    "float_parsing": "Enter a number.",
    "float_type": "Enter a number.",
    "greater_than": "Enter more than {gt:,g}.",
    "greater_than_equal": "Enter {ge:,g} or more.",
    "int_from_float": "Enter a whole number.",
    "int_parsing": "Enter a whole number.",
    "int_type": "Enter a whole number.",
    "json_invalid": "The request body is not valid JSON.",
    "less_than_equal": "Enter {le:,g} or less.",
    "list_type": "Send a list.",
    "literal_error": "Choose a value from the list.",
    "missing": "This field is required.",
    "model_attributes_type": "Send an object with named fields.",
    "model_type": "Send an object with named fields.",
    "string_too_long": "Use at most {max_length:,} characters.",
    "string_too_short": "Use at least {min_length:,} characters.",
    "string_type": "Enter text.",
    "too_long": "Use at most {max_length:,} entries.",
    "too_short": "Use at least {min_length:,} entries.",
    "union_tag_invalid": "Choose a value from the list.",
    "union_tag_not_found": "This field is required.",
    "uuid_parsing": "Send a UUID.",
    "uuid_type": "Send a UUID.",
}

_MESSAGES_FOR_ONE: Mapping[str, str] = {
    "string_too_short": "Enter a value.",
    "too_short": "Choose at least one.",
}
"""The same where the least number is 1."""


def describe_error(error: Mapping[str, Any]) -> str:
    """The message of one of pydantic's errors. Our own validators already raise plain sentences."""
    kind, context = error["type"], error.get("ctx", {})
    if kind == "value_error":
        return str(context["error"])
    if kind.startswith("icd10_"):
        return str(error["msg"])
    if context.get("min_length") == 1 and kind in _MESSAGES_FOR_ONE:
        return _MESSAGES_FOR_ONE[kind]
    return MESSAGES.get(kind, FALLBACK_MESSAGE).format_map(context)
