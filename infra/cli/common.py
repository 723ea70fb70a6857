"""Exit codes, JSON output, and error messages that all commands share."""

import getpass
import json
import os
from typing import Annotated, Any, NoReturn

import typer

from infra.cli import site
from infra.cli.site import OPERATOR_VARIABLE, NoSiteError

PROBLEM_FOUND, USAGE_ERROR, NO_SITE_FOUND = 1, 2, 3

Yes = Annotated[bool, typer.Option("--yes", help="Apply without asking.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def print_json(value: Any) -> None:
    """Print a value as JSON."""
    typer.echo(json.dumps(value, indent=2))


def fail(message: str, exit_code: int) -> NoReturn:
    """Print a message to standard error and exit."""
    typer.echo(message, err=True)
    raise typer.Exit(exit_code)


def enter_site_or_fail() -> None:
    """Find the running site."""
    try:
        site.enter_site()
    except NoSiteError as error:
        fail(str(error), NO_SITE_FOUND)


def confirm_or_exit(*, yes: bool) -> None:
    """Ask whether to apply what was shown. Exit if the user declines."""
    if not (yes or typer.confirm("Apply this?", err=True)):
        fail("No changes made.", PROBLEM_FOUND)


def name_operator() -> str:
    """The name of the person who runs the command, as the audit trail records it."""
    return f"operator:{os.environ.get(OPERATOR_VARIABLE) or getpass.getuser()}"
