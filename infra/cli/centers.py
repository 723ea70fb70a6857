"""Commands for whoever keeps the directory of centers.

What takes long to import is imported by the command that needs it, as in `commands`.
"""
# ruff: noqa: PLC0415 see above

import getpass
import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from infra.cli import site
from infra.cli.site import NoSiteError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from infra.centers.publishing import CenterChange
    from infra.centers.sheet import ParsedSheet, SheetFault

PROBLEM_FOUND, USAGE_ERROR, NO_SITE_FOUND = 1, 2, 3

MAX_FAULTS_SHOWN = 50

centers = typer.Typer(help="Keep the directory of centers.", no_args_is_help=True)

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]


@centers.callback()
def _enter_site() -> None:
    """Find the site first."""
    try:
        site.enter_site()
    except NoSiteError as error:
        _fail(str(error), NO_SITE_FOUND)


@centers.command("import")
def import_file(
    file: Annotated[Path, typer.Argument(help="A CSV file as docs/centers.md describes it.")],
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask before it is changed.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would change.")] = False,
    by: Annotated[str | None, typer.Option(help="Who decides, for the history; your account unless given.")] = None,
    as_json: AsJson = False,
) -> None:
    """Check a file of centers, show what it would change, ask, and change all of it or nothing.

    A center that the file does not name stays as it is; `listed` = `no` takes one off the list.
    Exit status 2 if the file has a fault, 1 if somebody said no or imported meanwhile.
    """
    from chalicelib import wiring
    from infra.centers import publishing

    sheet = _read_sheet(file, as_json=as_json)
    stores = wiring.get_stores()
    directory = stores.tenants.read_directory()
    changes = publishing.compare_centers(directory, sheet.listings)
    _print_changes(changes, len(sheet.listings), as_json=as_json)
    if dry_run or not changes:
        return
    if not (yes or typer.confirm("Make these changes?", err=True)):
        _fail("Nothing was changed.", PROBLEM_FOUND)
    try:
        version = publishing.publish_directory(
            directory,
            changes,
            imported_by=by or f"operator:{getpass.getuser()}",
            digest=sheet.digest,
            stores=stores,
            now=wiring.read_clock(),
        )
    except publishing.ConcurrentImportError:
        _fail("Somebody else imported meanwhile. Nothing was changed: run it again.", PROBLEM_FOUND)
    typer.echo(f"The directory is now version {version.number}. Everybody sees it within 5 minutes.", err=True)


@centers.command()
def history(
    center: Annotated[str | None, typer.Argument(help="Only what became of this center.")] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """List the versions of the directory: who imported what, and when; oldest first."""
    from infra.centers import past

    rows = [*(past.list_center_versions(center) if center else past.list_directory_versions())]
    if as_json:
        typer.echo(json.dumps(rows, indent=2))
        return
    for row in rows:
        typer.echo(f"version {row['version']}  {row['at']}  {row['by']}  {row['told']}")
    if not rows:
        typer.echo("Nothing was imported." if center is None else "No import named this center.")


@centers.command()
def export() -> None:
    """Print the directory as a CSV file that can be edited and imported."""
    from chalicelib import wiring
    from infra.centers.export import to_csv

    found = wiring.get_stores().tenants.read_directory().centers
    typer.echo(to_csv(found.values()), nl=False)


def _read_sheet(file: Path, *, as_json: bool) -> "ParsedSheet":
    from infra.centers import sheet

    try:
        with file.open("rb") as opened:
            # One byte more than is allowed is enough to refuse the rest.
            return sheet.parse_sheet(opened.read(sheet.MAX_BYTES + 1))
    except OSError as error:
        _fail(f"{file} cannot be read: {error.strerror}.", USAGE_ERROR)
    except sheet.SheetError as error:
        _print_faults(file, error.faults, as_json=as_json)
        raise typer.Exit(USAGE_ERROR) from None


def _print_faults(file: Path, faults: "Sequence[SheetFault]", *, as_json: bool) -> None:
    if as_json:
        fault_rows = [{"line": f.line, "column": f.column, "message": f.message} for f in faults]
        typer.echo(json.dumps({"faults": fault_rows}, indent=2))
        return
    for fault in faults[:MAX_FAULTS_SHOWN]:
        typer.echo(f"{file.name}, {fault}", err=True)
    if len(faults) > MAX_FAULTS_SHOWN:
        typer.echo(f"and {len(faults) - MAX_FAULTS_SHOWN:,} more; --json prints all", err=True)
    number = "1 fault" if len(faults) == 1 else f"{len(faults):,} faults"
    typer.echo(f"{number}. Nothing was changed.", err=True)


def _print_changes(changes: "Sequence[CenterChange]", names: int, *, as_json: bool) -> None:
    """What would change, field by field."""
    added = sum(change.is_new for change in changes)
    counts = {"added": added, "changed": len(changes) - added, "unchanged": names - len(changes)}
    if as_json:
        change_rows = [
            {
                "center_id": change.listing.center_id,
                "added": change.is_new,
                "fields": {name: list(pair) for name, pair in change.fields.items()},
            }
            for change in changes
        ]
        typer.echo(json.dumps({**counts, "centers": change_rows}, indent=2))
        return
    for change in changes:
        sign = "+" if change.is_new else "~"
        typer.echo(f"{sign} {change.listing.center_id}  {change.listing.name}")
        for name, (before, after) in change.fields.items():
            typer.echo(
                f"    {name}: {_shorten(after)}"
                if change.is_new
                else f"    {name}: {_shorten(before)} -> {_shorten(after)}"
            )
    typer.echo(", ".join(f"{count} {word}" for word, count in counts.items()))


def _shorten(value: Any) -> str:
    return "nothing" if value is None else json.dumps(value, ensure_ascii=False)


def _fail(sentence: str, status: int) -> NoReturn:
    typer.echo(sentence, err=True)
    raise typer.Exit(status)
