"""`referrals export` and `referrals import-tenant`: move a tenant to another deployment, in one encrypted file.

Slow imports are inside the command that needs them, as in `commands`.
"""
# ruff: noqa: PLC0415 see above

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from infra.cli.common import (
    PROBLEM_FOUND,
    USAGE_ERROR,
    AsJson,
    Yes,
    append_operator_entry,
    confirm_or_exit,
    enter_site_or_fail,
    fail,
    name_operator,
    print_json,
)

if TYPE_CHECKING:
    from chalicelib.domain.identity.members import TenantKind

_MIN_PASSPHRASE = 16

PassphraseFile = Annotated[
    Path | None,
    typer.Option(help=f"File with the passphrase: {_MIN_PASSPHRASE} characters or more. Default: ask for it."),
]


def export(
    tenant: Annotated[str, typer.Option(help="ID of a practice or center.")],
    to: Annotated[Path, typer.Option(help="File to write. It must not exist.")],
    *,
    passphrase_file: PassphraseFile = None,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Write everything that belongs to a tenant to an encrypted file. Anyone with the passphrase can read all of it."""
    enter_site_or_fail()
    from chalicelib import wiring
    from chalicelib.store.platform.timestamps import to_timestamp
    from infra.tenant_export.container import ExportFileError, build_header, write_export
    from infra.tenant_export.rows import list_records

    context = wiring.build_run_context()
    kind = _find_kind(tenant)
    if to.exists():
        fail(f"{to} exists already.", USAGE_ERROR)
    typer.echo(
        f"{to} will have the health data of every patient of {tenant}, the keys of its data, and its audit trail,"
        " encrypted with the passphrase. An erasure does not reach this file: delete it when it was imported.",
        err=True,
    )
    confirm_or_exit("Export the tenant?", yes=yes)
    passphrase = _read_passphrase(passphrase_file, confirm=True)
    append_operator_entry(f"tenant#{tenant}", "tenant.export", context=context)
    header = build_header(tenant_id=tenant, kind=kind.value, exported_at=to_timestamp(context.now))
    try:
        number = write_export(to, header, list_records(tenant, kind, stores=context.stores), passphrase=passphrase)
    except ExportFileError as error:
        fail(str(error), USAGE_ERROR)
    if as_json:
        print_json({"tenant_id": tenant, "records": number, "file": str(to)})
    else:
        typer.echo(f"{number:,} records written to {to}")


def import_tenant(
    file: Annotated[Path, typer.Argument(help="File that `referrals export` wrote.")],
    *,
    passphrase_file: PassphraseFile = None,
    create_accounts: Annotated[
        bool,
        typer.Option("--create-accounts", help="Invite every active member: this deployment has another user pool."),
    ] = False,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Write an exported tenant into a deployment that does not have it. Safe to repeat after an interruption."""
    enter_site_or_fail()
    from chalicelib import wiring
    from infra.tenant_export.container import ExportFileError, read_header, read_records
    from infra.tenant_export.restoring import require_new_tenant, write_records

    context = wiring.build_run_context()
    try:
        header = read_header(file)
        require_new_tenant(header, context=context)
        typer.echo(
            f"{header.tenant_id}, as it was at {header.exported_at}, will be written into this deployment. Stop the"
            " deployment that it comes from first: both would send email about the same patients.",
            err=True,
        )
        confirm_or_exit("Import the tenant?", yes=yes)
        passphrase = _read_passphrase(passphrase_file, confirm=False)
        for _ in read_records(file, passphrase=passphrase):
            continue  # Nothing is written from a file that is damaged or incomplete.
        counts = write_records(
            read_records(file, passphrase=passphrase),
            header,
            create_account=_create_account if create_accounts else None,
            actor_id=name_operator(),
            context=context,
        )
    except FileNotFoundError:
        fail(f"{file} does not exist.", USAGE_ERROR)
    except ExportFileError as error:
        fail(str(error), USAGE_ERROR)
    if as_json:
        print_json({"tenant_id": header.tenant_id, "written": dict(counts)})
    else:
        typer.echo(f"{header.tenant_id}: {sum(counts.values()):,} rows and files written")


def _create_account(email: str) -> str:
    from chalicelib import wiring

    return wiring.get_identity_service().create_account(email, pool_id=wiring.get_settings().identity_pool_id)


def _find_kind(tenant_id: str) -> "TenantKind":
    from chalicelib import wiring
    from chalicelib.domain.identity.members import TenantKind

    table = wiring.get_stores().tenants.table
    kinds = [k for k in (TenantKind.PRACTICE, TenantKind.CENTER) if table.get({"kind": k, "tenant_id": tenant_id})]
    return kinds[0] if kinds else fail("There is no practice or center with this ID.", USAGE_ERROR)


def _read_passphrase(path: Path | None, *, confirm: bool) -> str:
    if path is None:
        text: str = typer.prompt("Passphrase", hide_input=True, confirmation_prompt=confirm, err=True)
    else:
        try:
            text = path.read_text("utf-8").strip()
        except (OSError, UnicodeDecodeError):
            fail(f"{path} cannot be read.", USAGE_ERROR)
    if len(text) < _MIN_PASSPHRASE:
        fail(f"The passphrase must have {_MIN_PASSPHRASE} characters or more.", PROBLEM_FOUND)
    return text
