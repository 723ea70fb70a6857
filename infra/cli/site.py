"""Finds the site that the command line works with, and its settings."""

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
    """No site was found, or it does not respond. The message is shown to the user."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """A running site. `env` holds its settings, as its functions read them."""

    url: str
    env: Mapping[str, str]


def get_data_dir() -> Path:
    """Return the folder where the local site keeps its data."""
    return Path(os.environ.get("DATA_DIR") or ".local")


def enter_site() -> Site:
    """Find the site and apply its settings. Import the product only after this.

    If the environment already has every setting, as it does for an operator or a function, use it
    as it is. Otherwise, use the local site that `make run` started.

    Raises:
        NoSiteError: neither exists.
    """
    try:
        site = Site(url=read_settings().public_url, env={})
    except SettingsError:
        site = _find_running_site(get_data_dir() / "run.json")
        environment.apply_environment(site.env)
    _send_logs_to_stderr()
    return site


def _send_logs_to_stderr() -> None:
    """Send warnings to standard error. The product's logger keeps the stream that it finds at import."""
    os.environ.setdefault("POWERTOOLS_LOG_LEVEL", "WARNING")
    with contextlib.redirect_stdout(sys.stderr):
        import chalicelib.observe  # noqa: F401, PLC0415 only now


def _find_running_site(path: Path) -> Site:
    try:
        content = json.loads(path.read_text("utf-8"))
        os.kill(content["pid"], 0)
    except (FileNotFoundError, ProcessLookupError):
        raise NoSiteError(
            f"No local site is running with the data in {path.parent}. Start one with `make run`, "
            "or set DATA_DIR to its folder."
        ) from None
    return Site(url=content["url"], env=content["env"])
