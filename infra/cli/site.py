"""Which site the command line talks to, and with which settings."""

import contextlib
import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from chalicelib.settings import SettingsError, read_settings
from infra.local import environment


class NoSiteError(Exception):
    """There is no site to talk to. The text is for a person."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """A site that runs. `env` are its settings, as its functions see them."""

    url: str
    env: Mapping[str, str]


def get_data_dir() -> Path:
    """Where the local site keeps its data."""
    return Path(os.environ.get("DATA_DIR") or ".local")


def enter_site() -> Site:
    """Find the site and take over its settings; the product is imported only after that.

    An environment that holds every setting already, as an operator's or a function's does, is
    taken as it is. Else it is the local site that `make run` started.

    Raises:
        NoSiteError: neither is there.
    """
    try:
        site = Site(url=read_settings().public_url, env={})
    except SettingsError:
        site = _find_running_site(get_data_dir() / "run.json")
        environment.apply_environment(site.env)
    _send_logs_to_stderr()
    return site


def _send_logs_to_stderr() -> None:
    """Warnings go to standard error; the product's logger keeps the stream that it finds."""
    os.environ.setdefault("POWERTOOLS_LOG_LEVEL", "WARNING")
    with contextlib.redirect_stdout(sys.stderr):
        import chalicelib.observe  # noqa: F401, PLC0415 only now


def _find_running_site(path: Path) -> Site:
    try:
        content = json.loads(path.read_text("utf-8"))
        os.kill(content["pid"], 0)
    except (FileNotFoundError, ProcessLookupError):
        raise NoSiteError(
            f"No local site runs on the data in {path.parent}: start one with `make run`, "
            "or set DATA_DIR to its folder."
        ) from None
    return Site(url=content["url"], env=content["env"])
