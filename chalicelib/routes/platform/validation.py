"""Validates what was sent, and says what is wrong without repeating it."""

import json
from collections.abc import Sequence
from typing import Any, TypeVar

from pydantic import BaseModel, RootModel, ValidationError

from chalicelib.errors import FieldError, MalformedError
from chalicelib.routes.platform import strict_json
from chalicelib.routes.platform.field_messages import FIELDS_NOT_VALID, describe_error
from chalicelib.routes.platform.fields import StrictModel

_Model = TypeVar("_Model", bound=BaseModel)

MAX_IGNORED_LISTED = 20
"""How many unknown members of a delivery are listed with it: enough to see what a new release of a feed sends."""


def parse_body(model: type[_Model], raw: bytes) -> _Model:
    """Parse the body as `model`.

    Raises:
        MalformedError: names every error, and repeats nothing that was sent.
    """
    strict_json.parse_json(raw, limit=getattr(model, "max_bytes", strict_json.MAX_BYTES))
    return validate_json(model, raw)


def parse_query(model: type[StrictModel], parameters: Any) -> StrictModel:
    """Parse the query parameters as `model`; one that is sent twice is refused if it can have only one value."""
    given = {name: parameters.getlist(name) for name in (parameters or {})}
    if any(len(values) > 1 for name, values in given.items() if name not in model.repeatable):
        raise MalformedError("parameter_twice", "A query parameter appears more than once.")
    sent = {name: values if len(values) > 1 else values[0] for name, values in given.items()}
    # An error names the parameter, and not which of its values is wrong.
    return validate_json(model, json.dumps(sent).encode(), depth=1)


def validate_tolerantly(model: type[_Model], value: Any) -> tuple[_Model, tuple[str, ...]]:
    """Validate what a system sent as `model`; members that the model does not know are removed from `value`.

    Returns:
        The parsed value, and JSON pointers to the removed members, at most `MAX_IGNORED_LISTED`.

    Raises:
        MalformedError: a member that the model does know is not valid.
    """
    ignored: list[str] = []
    # Each pass finds every unknown member of the members that are known, so a second pass finds none.
    for _ in range(strict_json.MAX_DEPTH):
        try:
            parsed = model.model_validate_json(json.dumps(value))
        except ValidationError as e:
            errors = e.errors(include_url=False, include_input=False)
            unknown = [_get_error_path(model, error) for error in errors if error["type"] == "extra_forbidden"]
            if not unknown:
                break
            ignored += [_name_ignored(_remove_member(value, path)) for path in unknown]
        else:
            return parsed, tuple(ignored[:MAX_IGNORED_LISTED])
    return validate_json(model, json.dumps(value).encode()), ()


def _remove_member(value: Any, path: Sequence[Any]) -> Sequence[str | int]:
    """Remove the member at `path`, and return its path without the names that pydantic gives to union members."""
    found: list[Any] = []
    for step in path[:-1]:
        if isinstance(value, list) or step in value:
            value = value[step]
            found.append(step)
    del value[path[-1]]
    return [*found, path[-1]]


def validate_json(model: type[_Model], raw: bytes, *, depth: int | None = None) -> _Model:
    """Validate JSON as `model`; the errors name fields, down to `depth`, and repeat nothing that was sent."""
    try:
        return model.model_validate_json(raw)
    except ValidationError as e:
        errors = [
            FieldError(
                _build_pointer(_get_error_path(model, error)[:depth], error["type"]),
                error["type"],
                describe_error(error),
            )
            for error in e.errors(include_url=False, include_input=False)
        ]
        # Several unknown fields in one place have the same pointer, and are one error.
        raise MalformedError("malformed", FIELDS_NOT_VALID, errors=list(dict.fromkeys(errors))) from None


def _get_error_path(model: type[BaseModel], error: Any) -> Sequence[str | int]:
    """The path to an error in what was sent; in a union by a field such as `type`, pydantic puts its value first."""
    if not issubclass(model, RootModel):
        return error["loc"]  # type: ignore[no-any-return]
    if error["type"].startswith("union_tag"):
        return (str(error["ctx"]["discriminator"]).strip("'"),)
    return error["loc"][1:]  # type: ignore[no-any-return]


def _build_pointer(path: Sequence[str | int], error_type: str) -> str:
    """Where an error is. The name of an unknown field is the sender's text, so it is not repeated."""
    return "".join(f"/{step}" for step in (path if error_type != "extra_forbidden" else [*path[:-1], "…"]))


def _name_ignored(path: Sequence[str | int]) -> str:
    """A pointer to what a delivery had and the product does not know, for the center's own log.

    The name of an unknown member is the sender's text: shown only if it is harmless.
    """
    name = str(path[-1])
    is_harmless = name.isidentifier() and len(name) <= 40
    return "".join(f"/{step}" for step in [*path[:-1], name if is_harmless else "…"])
