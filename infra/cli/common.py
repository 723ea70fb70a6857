"""Exit codes, JSON output, and error messages that all commands share."""

import json
from typing import Annotated, Any, NoReturn

import typer
from typer.core import TyperGroup

from chalicelib.errors import StoredItemError
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


class ReportingGroup(TyperGroup):
    """The commands. One that meets an item that this release cannot read says which release wrote it, and exits."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except StoredItemError as error:
            fail(f"Not possible: {error}. Nothing was overwritten.", PROBLEM_FOUND)


def enter_site_or_fail() -> None:
    """Find the running site."""
    try:
        site.enter_site()
    except NoSiteError as error:
        fail(str(error), NO_SITE_FOUND)
