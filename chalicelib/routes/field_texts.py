"""What each field of the API means: the text below the field, in its class.

Python drops such a text when it compiles a class, so a start of the product pays nothing for it. The bundle has no
source; `infra.bundle` stores the texts there in a file. Either is read only for the OpenAPI document.
"""

import json
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, Final, TypeAlias

from chalicelib import routes

BUNDLED: Final = "field_texts.json"
"""The file of the bundle, next to the routes."""

FieldTexts: TypeAlias = Mapping[str, Mapping[str, str]]
"""The texts by class and by published name of the field."""


@cache
def load_field_texts() -> FieldTexts:
    """Load the texts of all classes, from the bundle's file or from the source."""
    bundled = files(routes) / BUNDLED
    if bundled.is_file():
        stored: FieldTexts = json.loads(bundled.read_text(encoding="utf-8"))
        return stored
    return read_field_texts(Path(next(iter(routes.__path__))))


def write_field_texts(folder: Path) -> None:
    """Write the file of the bundle, from the source of the routes in `folder`."""
    texts = json.dumps(read_field_texts(folder), ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    (folder / BUNDLED).write_text(texts, encoding="utf-8")


def read_field_texts(folder: Path) -> dict[str, dict[str, str]]:
    """Read the texts from the source of the routes in `folder`. A class also has those of its bases."""
    import ast  # noqa: PLC0415 needed only without a bundle

    own: dict[str, dict[str, str]] = {}
    bases: dict[str, list[str]] = {}
    for path in sorted(folder.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_bytes())):
            if isinstance(node, ast.ClassDef):
                own[node.name] = dict(_read_fields(node))
                bases[node.name] = [base.id for base in node.bases if isinstance(base, ast.Name)]

    def collect(name: str) -> dict[str, str]:
        inherited: dict[str, str] = {}
        for base in reversed(bases.get(name, [])):
            inherited |= collect(base)
        return inherited | own.get(name, {})

    return {name: texts for name in own if (texts := collect(name))}


def _read_fields(node: Any) -> Iterator[tuple[str, str]]:
    """The fields of a class that have a text below them, with their published names."""
    import ast  # noqa: PLC0415 as above

    for member, below in zip(node.body, node.body[1:], strict=False):
        match member, below:
            case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(text))):
                yield _find_alias(member.annotation) or name, " ".join(text.split())


def _find_alias(annotation: Any) -> str:
    """The name in `Field(alias="…")`, if the field is published under another name."""
    import ast  # noqa: PLC0415 as above

    for node in ast.walk(annotation):
        match node:
            case ast.keyword(arg="alias", value=ast.Constant(value=str(alias))):
                return alias
    return ""
