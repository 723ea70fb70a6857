"""The columns of an import file: fields of a referral as the API names them, and the day of each step.

A dot separates a section and its field, as in the column "patient.given_name". A part of a list has its number:
"clinical.prior_lines.1.regimen" is the regimen of the first line of therapy.
"""

import re
import types
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel

from chalicelib.domain.referrals.history_start import REFERRED_ON
from chalicelib.domain.referrals.stages import Stage
from chalicelib.routes.referrals.request_bodies import ReferralRequest

ROW_ID = "row_id"

STEPS: tuple[Stage, ...] = (
    Stage.RECEIVED,
    Stage.ACCEPTED,
    Stage.CONSULT_SCHEDULED,
    Stage.CONSULT_COMPLETED,
    Stage.ELIGIBILITY_PENDING,
    Stage.CENTER_PROCEED,
    Stage.APHERESIS_SCHEDULED,
    Stage.APHERESIS_COMPLETED,
    Stage.MANUFACTURING_STARTED,
    Stage.QC_TESTING,
    Stage.RELEASED,
    Stage.PRODUCT_SHIPPED,
    Stage.PRODUCT_RECEIVED,
    Stage.LYMPHODEPLETION_STARTED,
    Stage.INFUSED,
    Stage.MONITORING,
)
"""The steps that a row may contain, all of them the center's. An ended referral needs no import."""

STEP_COLUMNS: Mapping[str, Stage] = {f"{stage}_on": stage for stage in STEPS}

REQUIRED_COLUMNS = (ROW_ID, "patient.family_name", "patient.birth_date", "clinical.disease", "center_id", REFERRED_ON)

_NOT_IMPORTED = frozenset({"submit", "continues", "unfinished"})

_NUMBER = re.compile(r"[1-9]\d?", re.ASCII)
_WHOLE_NUMBER = re.compile(r"-?\d{1,9}", re.ASCII)
_DECIMAL = re.compile(r"-?\d{1,9}(\.\d{1,9})?", re.ASCII)

_ANSWERS = {"yes": True, "true": True, "no": False, "false": False}


def find_kind(name: str) -> Any:
    """Find the type of the field that a column fills; None if the file cannot have this column."""
    kind: Any = ReferralRequest
    steps = name.split(".")
    if steps[0] in _NOT_IMPORTED:
        return None
    for step in steps:
        kind = _unwrap(kind)
        if get_origin(kind) is list and _NUMBER.fullmatch(step):
            kind = get_args(kind)[0]
        elif isinstance(kind, type) and issubclass(kind, BaseModel) and step in kind.model_fields:
            kind = kind.model_fields[step].annotation
        else:
            return None
    kind = _unwrap(kind)
    is_section = isinstance(kind, type) and issubclass(kind, BaseModel)
    is_list_of_sections = get_origin(kind) is list and not _is_plain(_unwrap(get_args(kind)[0]))
    return None if is_section or is_list_of_sections else kind


def parse_cell(kind: Any, cell: str) -> Any:
    """Parse a cell to the JSON value of its field. The field itself is checked with the whole referral.

    Raises:
        ValueError: says in plain words what to enter.
    """
    if get_origin(kind) is list:
        return [parse_cell(_unwrap(get_args(kind)[0]), part.strip()) for part in cell.split(";") if part.strip()]
    if kind is bool:
        if cell.casefold() not in _ANSWERS:
            raise ValueError("Enter yes or no.")
        return _ANSWERS[cell.casefold()]
    if kind is int:
        if not _WHOLE_NUMBER.fullmatch(cell):
            raise ValueError("Enter a whole number.")
        return int(cell)
    if kind is float:
        if not _DECIMAL.fullmatch(cell):
            raise ValueError("Enter a number.")
        return float(cell)
    return cell


def build_body(values: Mapping[str, Any]) -> Mapping[str, Any]:
    """Build the request body of a referral from the values of its columns."""
    tree: dict[str, Any] = {}
    for name, value in values.items():
        *path, last = name.split(".")
        node = tree
        for step in path:
            node = node.setdefault(step, {})
        node[last] = value
    tree.setdefault("clinical", {}).setdefault("prior_lines", {})
    tree.setdefault("referring_provider", {})
    for number, line in tree["clinical"]["prior_lines"].items():
        line.setdefault("line", int(number))
    return {name: _to_lists(value) for name, value in tree.items()} | {"submit": True}


def find_column(pointer: str, names: Sequence[str]) -> str | None:
    """Find the column of a field that an error names by its JSON pointer, or the closest one that the file has."""
    steps = [str(int(step) + 1) if step.isdigit() else step for step in pointer.removeprefix("/").split("/")]
    # The error may be about one part of a cell.
    parts = (".".join(steps[:length]) for length in range(len(steps), 0, -1))
    known = next((part for part in parts if part in names), None)
    if known:
        return known
    name = ".".join(steps)
    inner = next((each for each in names if each.startswith(f"{name}.")), None)
    return inner or (name if find_kind(name) is not None else None)


def _to_lists(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    if "prior_lines" in value and not value["prior_lines"]:
        value = value | {"prior_lines": []}
    if value and all(_NUMBER.fullmatch(key) for key in value):
        return [_to_lists(value[key]) for key in sorted(value, key=int)]
    return {key: _to_lists(each) for key, each in value.items()}


def _unwrap(kind: Any) -> Any:
    """The type itself, without what may be added to it: a check, or that the field may be empty."""
    while True:
        origin = get_origin(kind)
        if origin is Annotated:
            kind = get_args(kind)[0]
        elif origin in {Union, types.UnionType}:
            kind = next(each for each in get_args(kind) if each is not type(None))
        else:
            return kind


def _is_plain(kind: Any) -> bool:
    return get_origin(kind) is Literal or not (isinstance(kind, type) and issubclass(kind, BaseModel))
