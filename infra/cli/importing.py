"""`referrals import`: enter patients who are already on the way from a CSV file.

Slow imports are inside the command that needs them, as in `commands`.
"""
# ruff: noqa: PLC0415 see above

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from infra.cli.centers import MAX_FAULTS_SHOWN, print_faults, read_sheet
from infra.cli.common import PROBLEM_FOUND, USAGE_ERROR, AsJson, enter_site_or_fail, fail, print_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chalicelib.domain.identity.members import Member, TenantKind
    from chalicelib.services.platform.run_context import RunContext
    from infra.referral_import.checks import CheckedImport
    from infra.referral_import.steps import Reporters


def import_file(
    file: Annotated[Path, typer.Argument(help="CSV file in the format described in docs/clinics.md.")],
    *,
    member: Annotated[str, typer.Option(help="Email of the practice's member who refers the patients.")],
    center_member: Annotated[
        list[str] | None,
        typer.Option(help="Email of a center's member who reports the steps. Repeat it for each center."),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check the file and show what would be done.")] = False,
    as_json: AsJson = False,
) -> None:
    """Check a CSV file, then enter its patients with the steps that they have taken.

    Nothing is written if any row has an error. A run after an interruption continues without duplicates.
    Exit code 2 if the file has errors; 1 if a row was refused while it was written.
    """
    enter_site_or_fail()
    from chalicelib import wiring
    from infra.centers.saved_files import SheetError
    from infra.referral_import import sheet
    from infra.referral_import.checks import check_rows

    rows = read_sheet(file, sheet.parse_sheet, max_bytes=sheet.MAX_BYTES, as_json=as_json)
    context = wiring.build_run_context()
    reporters = _find_reporters(member, center_member or [], context=context)
    try:
        checked = check_rows(rows, reporters, context=context)
    except SheetError as error:
        print_faults(file, error.faults, as_json=as_json)
        raise typer.Exit(USAGE_ERROR) from None
    _print_hints(file, checked)
    if dry_run:
        _print_plan(checked, as_json=as_json)
        return
    _write(file, checked, reporters, as_json=as_json)


def _find_reporters(practice_email: str, center_emails: "Sequence[str]", *, context: "RunContext") -> "Reporters":
    from chalicelib.domain.identity.members import TenantKind
    from infra.referral_import.steps import Reporters

    practice = _find_member(practice_email, TenantKind.PRACTICE, context=context)
    if practice is None:
        fail("--member is not an active member of a practice who works with patients.", USAGE_ERROR)
    centers = []
    for number, email in enumerate(center_emails, start=1):
        found = _find_member(email, TenantKind.CENTER, context=context)
        if found is None:
            fail(f"--center-member {number} is not an active member of a center who works with patients.", USAGE_ERROR)
        centers.append(found)
    return Reporters(practice=practice, centers=centers)


def _find_member(email: str, kind: "TenantKind", *, context: "RunContext") -> "Member | None":
    found = [
        member
        for tenant in context.stores.tenants.list_by_kind(kind)
        for member in context.stores.members.list_for_tenant(tenant.tenant_id)
        if member.email.casefold() == email.casefold() and member.active and member.has_clinical_access
    ]
    if len(found) > 1:
        fail(f"A person is a member of {len(found)} organizations of this kind. Use another member.", USAGE_ERROR)
    return found[0] if found else None


def _print_hints(file: Path, checked: "CheckedImport") -> None:
    for hint in checked.hints[:MAX_FAULTS_SHOWN]:
        typer.echo(f"Check: {file.name}, {hint}", err=True)
    if len(checked.hints) > MAX_FAULTS_SHOWN:
        typer.echo(f"and {len(checked.hints) - MAX_FAULTS_SHOWN:,} more to check.", err=True)


def _print_plan(checked: "CheckedImport", *, as_json: bool) -> None:
    new = [each for each in checked.imports if each.row.row_id not in checked.imported_before]
    counts = {
        "referrals": len(new),
        "imported_before": len(checked.imported_before),
        "steps": sum(len(each.events) for each in checked.imports),
        "to_check": len(checked.hints),
    }
    if as_json:
        print_json(counts | {"written": False})
        return
    for each in checked.imports:
        last = each.events[-1].stage if each.events else "submitted"
        verb = "exists" if each.row.row_id in checked.imported_before else "new"
        typer.echo(f"line {each.row.line}: {verb}, {len(each.events)} steps, last status {last}")
    typer.echo(f"{counts['referrals']:,} referrals to create, {counts['imported_before']:,} imported before.")
    typer.echo("Dry run. No changes made.", err=True)


def _write(file: Path, checked: "CheckedImport", reporters: "Reporters", *, as_json: bool) -> None:
    from chalicelib import wiring
    from chalicelib.errors import ApiError
    from infra.list_snapshots import forget_snapshots
    from infra.referral_import.writing import write_import

    created = steps = refused = 0
    for planned in checked.imports:
        try:
            context = wiring.build_run_context()
            is_new, reported = write_import(planned, reporters, context=context)
        except ApiError as error:
            # It changed since the check. The other rows do not depend on it.
            typer.echo(f"{file.name}, line {planned.row.line}: {error.detail}", err=True)
            refused += 1
            continue
        created, steps = created + is_new, steps + reported
    # The clock of this machine may be behind those of the functions.
    forget_snapshots(wiring.get_stores())
    if as_json:
        counts = {"referrals": created, "imported_before": len(checked.imported_before), "steps": steps}
        print_json(counts | {"to_check": len(checked.hints), "refused": refused, "written": True})
    else:
        before = len(checked.imported_before)
        typer.echo(f"{created:,} referrals created with {steps:,} steps, {before:,} imported before.")
    if refused:
        fail(f"{refused:,} rows were refused. Correct them and run the command again.", PROBLEM_FOUND)
