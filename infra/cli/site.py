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

OPERATOR_VARIABLE = "REFERRALS_OPERATOR"
"""The environment variable with the name of the operator, for the audit trail. `--stack` sets it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StackChoice:
    """The stack that the user named.

    Attributes:
        region: The region of the stack; None for the one of the user's settings.
        uses_own_credentials: Keep the user's own credentials, for commands that need more than the operator role.
    """

    name: str
    region: str | None = None
    uses_own_credentials: bool = False


_chosen_stacks: list[StackChoice] = []
"""The stack of `--stack`; empty without it."""


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


def choose_stack(choice: StackChoice | None) -> None:
    """Use a stack in this process; None for the site of the environment or of this machine."""
    _chosen_stacks[:] = [choice] if choice else []


def enter_site() -> Site:
    """Find the site and apply its settings. Import the product only after this.

    If the user named a stack, use it. Otherwise, if the environment already has every setting, as it does for
    a function, use it as it is. Otherwise, use the local site that `make run` started.

    Raises:
        NoSiteError: there is no such site.
    """
    if _chosen_stacks:
        return _enter_stack(_chosen_stacks.pop())
    try:
        site = Site(url=read_settings().public_url, env={})
    except SettingsError:
        site = _find_running_site(get_data_dir() / "run.json")
        environment.apply_environment(site.env)
    _send_logs_to_stderr()
    return site


def _enter_stack(choice: StackChoice) -> Site:
    """Apply the settings of a stack. A second call in the same process finds them in the environment."""
    from infra.cli.stack import UnusableStackError, build_stack_environment  # noqa: PLC0415 other sites need no AWS library

    try:
        settings = build_stack_environment(choice)
    except UnusableStackError as error:
        raise NoSiteError(str(error)) from error
    if not choice.uses_own_credentials:
        # A profile would be used instead of the credentials of the role.
        os.environ.pop("AWS_PROFILE", None)
    os.environ.update(settings)
    _send_logs_to_stderr()
    return Site(url=settings["PUBLIC_URL"], env=settings)


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
