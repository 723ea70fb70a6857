"""National resources for patients and caregivers: public bodies and nonprofits.

One reviewed file. No one pays to be listed, and the order is by name. `last_checked` is the date that
the newest source is valid for, or the date it was read if the source has none. After `review_by`, a year
later, a page says that the row may be out of date. `confirm` is what a reader should ask before relying
on a row. `insured_only` marks who helps only people with insurance.

Source: the public pages that each row names, read by 2026-11-22.
"""

import json
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

TOPICS: Mapping[str, str] = MappingProxyType(
    {
        "transport": "Transportation",
        "lodging": "Lodging",
        "financial": "Financial help",
        "peer_support": "Peer support",
        "education": "Education",
        "safety_reporting": "Safety reporting",
    }
)
"""What a resource helps with, in the order in which a page lists the topics."""

LANGUAGES: Mapping[str, str] = MappingProxyType({"en": "English", "es": "Spanish"})
"""The languages in which a resource answers, according to its source. The row's text mentions interpreters."""

_FILE = Path(__file__).with_name("resources.json")


@cache
def load_file() -> Mapping[str, Any]:
    """The whole file: its rows, and the date of the last review."""
    return MappingProxyType(json.loads(_FILE.read_text("utf-8")))


def list_resources(
    *, topic: str | None = None, language: str | None = None, search_text: str = ""
) -> Sequence[Mapping[str, Any]]:
    """The rows that match every given filter, in the order of their names."""
    search_words = search_text.casefold().split()
    return [row for row in load_file()["items"] if _matches(row, topic, language, search_words)]


def _matches(row: Mapping[str, Any], topic: str | None, language: str | None, words: Sequence[str]) -> bool:
    text = f"{row['name']} {row['organization']} {row['what']}".casefold()
    return (
        topic in (None, *row["topics"])
        and language in (None, *row["languages"])
        and all(word in text for word in words)
    )
