"""Sets a page as a PDF: tagged, with its fonts inside, made to PDF/UA-1 (ISO 14289-1:2014)."""

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import typst

from packet_pdf.characters import FONTS, UNPRINTABLE, replace_unprintable

_FOLDER = Path(__file__).parent

UNPRINTABLE_NOTE = (
    f"{UNPRINTABLE} is a character that this document cannot show. Read the text on screen, in the dashboard."
)


class RenderError(Exception):
    """The page could not be set exactly as it is. The message has no text of the page."""


def render(page: Mapping[str, Any]) -> bytes:
    """Set a page. The same page gives the same bytes.

    Args:
        page: As `PacketPage` of `chalicelib.domain.referrals.packet_page` describes it.

    Raises:
        RenderError: the typesetter refused it or had a warning, such as a font that was not found.
    """
    printable = _map_texts(page)
    if UNPRINTABLE in json.dumps(printable) and UNPRINTABLE not in json.dumps(page):
        printable = {**printable, "statements": [*printable["statements"], UNPRINTABLE_NOTE]}
    try:
        compiler = typst.Compiler(
            input=str(_FOLDER / "packet.typ"),
            root=str(_FOLDER),
            font_paths=_load_fonts(),
            ignore_system_fonts=True,
            # Data, not source: nothing in it is evaluated.
            sys_inputs={"packet": json.dumps(printable)},
        )
        # Without a time of its own, the file would contain the time of its making and differ each time.
        pdf, warnings = compiler.compile_with_warnings(format="pdf", pdf_standards=["ua-1"], timestamp=0)
    except typst.TypstError:
        # Its message can contain a text of the page, and Lambda logs the cause of an error too.
        raise RenderError("The page could not be set.") from None
    if warnings:
        raise RenderError(f"The typesetter had {len(warnings)} warnings.")
    if not isinstance(pdf, bytes):
        raise RenderError("The typesetter returned no PDF.")
    return pdf


@cache
def _load_fonts() -> typst.Fonts:
    return typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=[str(FONTS)])


def _map_texts(value: Any) -> Any:
    """Copy the page with only characters that the fonts can print."""
    if isinstance(value, str):
        return replace_unprintable(value)
    if isinstance(value, Mapping):
        return {name: _map_texts(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [_map_texts(part) for part in value]
    return value
