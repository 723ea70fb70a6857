"""Commands about the shipped catalog. They need no running site.

Slow imports are inside the command that needs them, as in `commands`.
"""
# ruff: noqa: PLC0415 see above

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated

import typer

from infra.cli.common import PROBLEM_FOUND, USAGE_ERROR, AsJson, fail, print_json

catalog = typer.Typer(help="Check the product catalog and its dates.", no_args_is_help=True)


@catalog.callback()
def _keep_subcommands() -> None:
    """Without a callback, typer turns the only command into the group."""


@catalog.command()
def check(
    file: Annotated[Path | None, typer.Argument(help="A product file. Default: everything that ships.")] = None,
    *,
    at: Annotated[str | None, typer.Option(help="Check as if on this date. Default: today.")] = None,
    as_json: AsJson = False,
) -> None:
    """Say in plain words what is missing in a product file, or list the shipped facts that are due for review.

    Exit code 1 if something is missing, wrong, or due.
    """
    from infra.catalog_check import explain_problems, list_due_facts
    from infra.product_schema import FILES

    today = _parse_day(at)
    if file and not file.is_file():
        fail(f"Cannot read {file}: no such file.", USAGE_ERROR)
    problems = {path.name: explain_problems(path, read_by=today) for path in ([file] if file else FILES)}
    due = [] if file else list_due_facts(today)
    if as_json:
        print_json(
            {
                "problems": {name: list(found) for name, found in problems.items() if found},
                "due": [{"name": fact.name, "as_of": fact.as_of, "review_by": fact.review_by} for fact in due],
            }
        )
    else:
        for name, found in problems.items():
            for problem in found:
                typer.echo(f"{name}: {problem}")
        for fact in due:
            typer.echo(f"due since {fact.review_by}  {fact.name}, as of {fact.as_of}")
        if not any(problems.values()) and not due:
            typer.echo(f"{file.name} is complete." if file else "Nothing is missing, and nothing is due for review.")
    if any(problems.values()) or due:
        raise typer.Exit(PROBLEM_FOUND)


def _parse_day(text: str | None) -> date:
    try:
        return date.fromisoformat(text) if text else datetime.now(UTC).date()
    except ValueError:
        fail("--at is not valid: use a date, such as 2026-12-01.", USAGE_ERROR)
