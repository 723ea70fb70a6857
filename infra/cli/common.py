"""Exit codes, JSON output, and error messages that all commands share."""

import json
from typing import Annotated, Any, NoReturn

import typer

from infra.cli import site
from infra.cli.site import NoSiteError

PROBLEM_FOUND, USAGE_ERROR, NO_SITE_FOUND = 1, 2, 3

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


def confirm_or_exit(question: str, *, yes: bool) -> None:
    """Ask on standard error before something is changed, unless `yes`. Exit with code 1 on any answer but yes."""
    if not yes and not typer.confirm(question, err=True):
        fail("Nothing was changed.", PROBLEM_FOUND)
