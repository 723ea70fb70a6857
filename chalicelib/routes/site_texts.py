"""The operator's texts: terms of use, privacy, security, accessibility, and the notice on the sign-in page.

They are plain text files in `chalicelib/texts`, so that a lawyer can edit them. An operator replaces them
when the bundle is made (docs/decisions/0069-texts-of-the-operator.md).
"""

import base64
import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from html import escape
from importlib.resources import files
from string import Template
from typing import Final

from chalicelib import mail, texts
from chalicelib.domain.eligibility.disclaimers import DISCLAIMERS, EMERGENCY_NOTE
from chalicelib.errors import NotFoundError
from chalicelib.routes.platform.endpoint import ApiResponse, declare_endpoint
from chalicelib.routes.platform.operations import RouteAccess
from chalicelib.routes.platform.request import ApiRequest

PAGES: Final = ("terms", "privacy", "security", "accessibility")
"""The texts that have a page, in the order of the links at the bottom of each page."""

SIGN_IN: Final = "sign-in"
"""The text that is shown on the sign-in page. It is one paragraph without a title."""


@declare_endpoint("GET", "/legal/{text}", access=RouteAccess.PUBLIC)
def read_site_text(request: ApiRequest, text: str) -> ApiResponse[str]:  # noqa: ARG001 all views take it
    """Read a text of the operator: terms, privacy, security, or accessibility."""
    if text not in PAGES:
        raise NotFoundError
    digest = base64.b64encode(hashlib.sha256(_load_style().encode()).digest()).decode()
    return ApiResponse(
        body=_load_page(text),
        headers={
            "Cache-Control": "public, max-age=300",
            "Content-Security-Policy": (
                f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; frame-ancestors 'none'"
            ),
            "Content-Type": "text/html; charset=utf-8",
        },
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A part of a text under one heading; the first section has none.

    Attributes:
        heading: Empty for the first section.
        blocks: Paragraphs (`str`) and lists (`tuple` of their items), in order.
    """

    heading: str
    blocks: tuple[str | tuple[str, ...], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteText:
    """A text of the operator."""

    title: str
    sections: tuple[Section, ...]


def parse_text(source: str) -> SiteText:
    """Parse a text: its first line is the title, `## ` starts a section, `- ` an item, an empty line ends a paragraph.

    Raises:
        ValueError: it has no title, or nothing below it.
    """
    title, _, body = source.strip().partition("\n")
    parts = re.split(r"(?m)^## +", body)
    sections = [Section(heading="", blocks=tuple(_parse_blocks(parts[0])))]
    for part in parts[1:]:
        heading, _, content = part.partition("\n")
        sections.append(Section(heading=heading.strip(), blocks=tuple(_parse_blocks(content))))
    if not title.strip() or title.startswith(("#", "-")):
        raise ValueError("The first line must be the title.")
    if not any(section.blocks for section in sections):
        raise ValueError("There is no text below the title.")
    return SiteText(title=title.strip(), sections=tuple(sections))


def _parse_blocks(content: str) -> Iterator[str | tuple[str, ...]]:
    for block in re.split(r"\n\s*\n", content.strip()):
        if block.startswith("- "):
            yield tuple(" ".join(item.split()) for item in re.split(r"(?m)^- +", block) if item.strip())
        elif block.strip():
            yield " ".join(block.split())


@cache
def load_sign_in_notice() -> str:
    """Load the paragraph of the sign-in page."""
    return " ".join(_load(f"{SIGN_IN}.txt").split())


def load_titles() -> dict[str, str]:
    """Load the title of each page."""
    return {name: text.title for name, text in _load_texts().items()}


@cache
def _load_texts() -> dict[str, SiteText]:
    return {name: parse_text(_load(f"{name}.txt")) for name in PAGES}


@cache
def _load_page(name: str) -> str:
    return render_page(_load_texts(), name)


@cache
def _load_style() -> str:
    return (files(mail) / "pages" / "style.css").read_text(encoding="utf-8")


def render_page(pages: dict[str, SiteText], name: str) -> str:
    """Render one of the texts as an HTML page that needs no script, with links to the others."""
    text = pages[name]
    others = " · ".join(f'<a href="{page}">{escape(pages[page].title)}</a>' for page in PAGES if page != name)
    return Template(_load("page.html")).substitute(
        style=_load_style(),
        title=escape(text.title),
        content="\n".join(_render_sections(text.sections)),
        links=f'{others} · <a href="../">Dashboard</a>',
        statements="".join(f'<p class="soft">{escape(statement)}</p>\n' for statement in DISCLAIMERS),
        emergency=escape(EMERGENCY_NOTE),
    )


def _render_sections(sections: tuple[Section, ...]) -> Iterator[str]:
    for section in sections:
        if section.heading:
            yield f"<h2>{escape(section.heading)}</h2>"
        for block in section.blocks:
            if isinstance(block, str):
                yield f"<p>{escape(block)}</p>"
            else:
                yield "<ul>" + "".join(f"<li>{escape(item)}</li>" for item in block) + "</ul>"


def _load(name: str) -> str:
    return (files(texts) / name).read_text(encoding="utf-8")
