"""Which site the command line talks to, and with which settings."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from chalicelib.settings import SettingsError, from_environment
from infra.local import environment


class NoSiteError(Exception):
    """There is no site to talk to. The text is for a person."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """A site that runs. `env` are its settings, as its functions see them."""

    url: str
    env: Mapping[str, str]


def data_dir() -> Path:
    """Where the local site keeps its data."""
    return Path(os.environ.get("DATA_DIR") or ".local")


def enter() -> Site:
    """Find the site and take over its settings; the product is imported only after that.

    An environment that holds every setting already, as an operator's or a function's does, is
    taken as it is. Else it is the local site that `make run` started.

    Raises:
        NoSiteError: neither is there.
    """
    try:
        return Site(url=from_environment().public_url, env={})
    except SettingsError:
        site = _running(data_dir() / "run.json")
    environment.enter(site.env)
    # Log lines of the product are not this command's answer.
    os.environ.setdefault("POWERTOOLS_LOG_LEVEL", "WARNING")
    return site


def _running(path: Path) -> Site:
    try:
        told = json.loads(path.read_text("utf-8"))
        os.kill(told["pid"], 0)
    except (FileNotFoundError, ProcessLookupError):
        raise NoSiteError(
            f"No local site runs on the data in {path.parent}: start one with `make run`, "
            "or set DATA_DIR to its folder."
        ) from None
    return Site(url=told["url"], env=told["env"])
