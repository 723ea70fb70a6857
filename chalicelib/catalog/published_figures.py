"""Figures that others published, shown next to an organization's own ones. They are never goals.

Each has its source, the people it is about, when it was published and when we read it.
"""

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

_FILE = Path(__file__).with_name("published_figures.json")


@cache
def load_published_figures() -> Mapping[str, Any]:
    """The whole file: medians by interval, statements about endings, and the sources."""
    return MappingProxyType(json.loads(_FILE.read_text("utf-8")))
