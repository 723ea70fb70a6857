"""Commands that manage the center directory.

Slow imports are inside the command that needs them, as in `commands`.
"""
# ruff: noqa: PLC0415 see above

import getpass
import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from infra.cli.common import PROBLEM_FOUND, USAGE_ERROR, AsJson, Yes, enter_site_or_fail, fail, print_json

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from infra.centers.publishing import CenterChange
    from infra.centers.saved_files import SheetFault

Parsed = TypeVar("Parsed")
MAX_FAULTS_SHOWN = 50

centers = typer.Typer(help="Manage the center directory.", no_args_is_help=True)
centers.callback()(enter_site_or_fail)


@centers.command("import")
def import_file(
    file: Annotated[Path, typer.Argument(help="CSV file in the format described in docs/centers.md.")],
    *,
    yes: Yes = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would change, without changing it.")] = False,
    by: Annotated[str | None, typer.Option(help="Name to record in the history. Default: your user name.")] = None,
    as_json: AsJson = False,
) -> None:
    """Check a CSV file, show the changes, ask for confirmation, and apply all of them or none.

    Centers not in the file stay unchanged. Set `listed` to `no` to remove a center from search.
    Exit code 2 if the file has errors; 1 if you declined or someone else imported at the same time.
    """
    from chalicelib import wiring
    from infra.centers import publishing, sheet

    parsed = read_sheet(file, sheet.parse_sheet, max_bytes=sheet.MAX_BYTES, as_json=as_json)
    stores = wiring.get_stores()
    directory = stores.tenants.read_directory()
    changes = publishing.compare_centers(directory, parsed.listings)
    if not as_json:
        for warning in parsed.warnings:
            typer.echo(f"{file.name}, {warning}. Imported as written; please check.", err=True)
    _print_changes(changes, len(parsed.listings), parsed.warnings, as_json=as_json)
    if dry_run or not changes:
        return
    if not (yes or typer.confirm("Apply these changes?", err=True)):
        fail("No changes made.", PROBLEM_FOUND)
    try:
        version = publishing.publish_directory(
            directory,
            changes,
            imported_by=by or f"operator:{getpass.getuser()}",
            digest=parsed.digest,
            stores=stores,
            now=wiring.read_clock(),
        )
    except publishing.ConcurrentImportError:
        fail("Someone else imported at the same time. No changes made. Run the command again.", PROBLEM_FOUND)
    typer.echo(f"Directory updated to version {version.number}. Users see it within 5 minutes.", err=True)


@centers.command()
def history(
    center: Annotated[str | None, typer.Argument(help="Show only this center's history.")] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """List directory versions, oldest first: who imported what, and when."""
    from infra.centers.history import list_center_versions, list_directory_versions

    rows = [*(list_center_versions(center) if center else list_directory_versions())]
    if as_json:
        print_json(rows)
        return
    for row in rows:
        typer.echo(f"version {row['version']}  {row['at']}  {row['by']}  {row['summary']}")
    if not rows:
        typer.echo("No imports yet." if center is None else "No imports for this center.")


@centers.command()
def export() -> None:
    """Print the directory as CSV for editing and import."""
    from chalicelib import wiring
    from infra.centers.export import to_csv

    directory = wiring.get_stores().tenants.read_directory()
    typer.echo(to_csv(directory.centers.values()), nl=False)


def read_sheet(file: Path, parse: "Callable[[bytes], Parsed]", *, max_bytes: int, as_json: bool) -> "Parsed":
    """Read and parse a CSV file. If it has faults, print them and exit."""
    from infra.centers.saved_files import SheetError

    try:
        with file.open("rb") as stream:
            # One byte over the limit is enough to reject the file.
            return parse(stream.read(max_bytes + 1))
    except OSError as error:
        fail(f"Cannot read {file}: {error.strerror}.", USAGE_ERROR)
    except SheetError as error:
        print_faults(file, error.faults, as_json=as_json)
        raise typer.Exit(USAGE_ERROR) from None


def print_faults(file: Path, faults: "Sequence[SheetFault]", *, as_json: bool) -> None:
    """Print what is wrong with a file, line by line."""
    if as_json:
        print_json({"faults": [{"line": f.line, "column": f.column, "message": f.message} for f in faults]})
        return
    for fault in faults[:MAX_FAULTS_SHOWN]:
        typer.echo(f"{file.name}, {fault}", err=True)
    if len(faults) > MAX_FAULTS_SHOWN:
        typer.echo(f"and {len(faults) - MAX_FAULTS_SHOWN:,} more. Use --json to list all.", err=True)
    number = "1 error" if len(faults) == 1 else f"{len(faults):,} errors"
    typer.echo(f"{number}. No changes made.", err=True)


def _print_changes(
    changes: "Sequence[CenterChange]", center_count: int, warnings: "Sequence[SheetFault]", *, as_json: bool
) -> None:
    """Print what would change, field by field."""
    added = sum(change.is_new for change in changes)
    counts = {"added": added, "changed": len(changes) - added, "unchanged": center_count - len(changes)}
    if as_json:
        change_rows = [
            {
                "center_id": change.listing.center_id,
                "added": change.is_new,
                "fields": {name: list(pair) for name, pair in change.fields.items()},
            }
            for change in changes
        ]
        found = [{"line": w.line, "column": w.column, "message": w.message} for w in warnings]
        print_json({**counts, "centers": change_rows, "warnings": found})
        return
    for change in changes:
        sign = "+" if change.is_new else "~"
        typer.echo(f"{sign} {change.listing.center_id}  {change.listing.name}")
        for name, (before, after) in change.fields.items():
            typer.echo(
                f"    {name}: {_format_value(after)}"
                if change.is_new
                else f"    {name}: {_format_value(before)} -> {_format_value(after)}"
            )
    typer.echo(", ".join(f"{count} {word}" for word, count in counts.items()))


def _format_value(value: Any) -> str:
    return "(empty)" if value is None else json.dumps(value, ensure_ascii=False)
