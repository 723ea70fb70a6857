"""`referrals organizations`: add practices and centers with their first administrators, and lock or unlock them.

Slow imports are inside the command that needs them, as in `commands`.
"""
# ruff: noqa: PLC0415 see above

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from infra.cli.common import (
    PROBLEM_FOUND,
    USAGE_ERROR,
    AsJson,
    Yes,
    confirm_or_exit,
    enter_site_or_fail,
    fail,
    name_operator,
    print_json,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from chalicelib.domain.identity.members import Member
    from chalicelib.services.platform.run_context import RunContext
    from infra.organizations.access import OrganizationState
    from infra.organizations.changes import PlannedChange
    from infra.organizations.requests import RequestedOrganization

organizations = typer.Typer(help="Manage practices and centers, and their administrators.", no_args_is_help=True)
organizations.callback()(enter_site_or_fail)

_OrganizationId = Annotated[str, typer.Argument(help="ID as listed by `referrals organizations list`.")]
_AdministratorName = Annotated[str | None, typer.Option("--administrator", help="Name of the first administrator.")]
_Email = Annotated[str | None, typer.Option(help="Email address of the administrator.")]
_Roles = Annotated[
    str,
    typer.Option("--also", help="Further roles of the administrator, such as coordinator; separated by semicolons."),
]


@organizations.command()
def add(  # noqa: PLR0913 one option for each field
    file: Annotated[Path | None, typer.Argument(help="CSV file as described in docs/first-day.md.")] = None,
    *,
    practice: Annotated[str | None, typer.Option(help="Name of a new practice.")] = None,
    center: Annotated[str | None, typer.Option(help="ID of a center in the directory.")] = None,
    organization_id: Annotated[
        str, typer.Option("--id", help="ID of the practice. Default: derived from its name.")
    ] = "",
    time_zone: Annotated[str, typer.Option(help="Time zone of the practice, such as America/Chicago.")] = "",
    administrator: _AdministratorName = None,
    email: _Email = None,
    also: _Roles = "",
    yes: Yes = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would change, without changing it.")] = False,
    as_json: AsJson = False,
) -> None:
    """Add a practice or a center with its first administrator, who gets a temporary password by email.

    It is safe to repeat: what exists stays as it is, and an interrupted run is completed. Exit code 2 if
    something is not valid; 1 if you declined.
    """
    cells = {
        "kind": "practice" if practice is not None else "center",
        "organization_id": center or organization_id,
        "name": practice or "",
        "time_zone": time_zone,
        "administrator_name": administrator or "",
        "administrator_email": email or "",
        "administrator_roles": also,
    }
    from infra.organizations.changes import add_organization

    if sum(each is not None for each in (file, practice, center)) != 1:
        fail("Give a file, or --practice, or --center.", USAGE_ERROR)
    requested = _read_file(file, as_json=as_json) if file else [_parse_arguments(cells)]
    context = _build_context()
    changes = _plan(requested, context=context)
    if not as_json:
        for change in changes:
            _print_change(change)
    if not dry_run and not all(change.changes_nothing for change in changes):
        confirm_or_exit(yes=yes)
        with _fail_in_one_sentence():
            for change in changes:
                add_organization(change, create_account=_create_account, by=name_operator(), context=context)
    if as_json:
        print_json([_describe_change(change) for change in changes])
    elif not dry_run:
        typer.echo("Done. Invited people have 7 days to sign in with the temporary password from their email.")


@organizations.command()
def administrator(
    organization_id: _OrganizationId,
    *,
    name: Annotated[str, typer.Option(help="Name of the person.")],
    email: Annotated[str, typer.Option(help="Email address of the person.")],
    also: _Roles = "",
    yes: Yes = False,
) -> None:
    """Make a person an administrator: invite the person, or give a member the role and access again.

    Use it if an organization has no administrator who can sign in. Exit code 1 if you declined.
    """
    from infra.organizations.changes import AdministratorState, ensure_administrator, plan_administrator
    from infra.organizations.requests import parse_administrator

    tenant = _find(organization_id).tenant
    faults: list[tuple[str, str]] = []
    invitation = parse_administrator(name, email, also, tenant.kind, faults)
    if invitation is None or faults:
        fail("\n".join(f"{column}: {message}" for column, message in faults), USAGE_ERROR)
    context = _build_context()
    with _fail_in_one_sentence():
        state = plan_administrator(tenant, invitation, stores=context.stores)
    typer.echo(f"{tenant.name}: {invitation.name} <{invitation.email}> {state}.")
    if state is AdministratorState.NOTHING:
        return
    confirm_or_exit(yes=yes)
    with _fail_in_one_sentence():
        ensure_administrator(tenant, invitation, create_account=_create_account, by=name_operator(), context=context)
    typer.echo("Done.")


@organizations.command()
def operator(
    *,
    name: Annotated[str, typer.Option(help="Name of the person.")],
    email: Annotated[str, typer.Option(help="Email address of the person.")],
    yes: Yes = False,
) -> None:
    """Invite a person to the page "Operations", or give access again. The page shows no patients.

    Exit code 1 if you declined.
    """
    from dataclasses import replace

    from chalicelib.domain.identity.members import Role, TenantKind
    from infra.organizations.changes import ensure_administrator, ensure_operator_organization
    from infra.organizations.requests import parse_administrator

    faults: list[tuple[str, str]] = []
    parsed = parse_administrator(name, email, "", TenantKind.OPERATOR, faults)
    if parsed is None or faults:
        fail("\n".join(f"--{column.removeprefix('administrator_')}: {text}" for column, text in faults), USAGE_ERROR)
    invitation = replace(parsed, roles=frozenset({Role.OPERATOR}))
    typer.echo(f"{invitation.name} <{invitation.email}> will see how this service runs, and no patients.")
    confirm_or_exit(yes=yes)
    context = _build_context()
    with _fail_in_one_sentence():
        tenant = ensure_operator_organization(by=name_operator(), context=context)
        ensure_administrator(tenant, invitation, create_account=_create_account, by=name_operator(), context=context)
    typer.echo("Done. A new person has 7 days to sign in with the temporary password from the email.")


@organizations.command("reset-sign-in")
def reset_sign_in(
    organization_id: _OrganizationId,
    *,
    email: Annotated[str, typer.Option(help="Email address of the member.")],
    yes: Yes = False,
) -> None:
    """Let a member who lost their authenticator start again, with a temporary password by email.

    Administrators do this for people of their own organization. Use it for a person of several organizations, or if
    no administrator can sign in. First make sure that the person is who they say they are. Safe to repeat.
    """
    from chalicelib import wiring
    from infra.organizations import sign_in_reset

    tenant = _find(organization_id).tenant
    context = _build_context()
    with _fail_in_one_sentence():
        memberships = sign_in_reset.find_memberships(tenant, email, stores=context.stores)
    member = memberships[0]
    typer.echo(f"{member.name} <{member.email}> will get a new account. The earlier password, authenticator and")
    typer.echo(f"sessions end. It keeps the access to: {', '.join(each.tenant_id for each in memberships)}.")
    confirm_or_exit(yes=yes)
    with _fail_in_one_sentence():
        sign_in_reset.reset_sign_in(
            member,
            delete_account=wiring.get_credential_service().delete_account,
            create_account=_create_account,
            by=name_operator(),
            context=context,
        )
    typer.echo("Done. The person has 7 days to sign in with the temporary password from the email.")


@organizations.command("list")
def list_all(*, as_json: AsJson = False) -> None:
    """List all practices and centers."""
    from chalicelib import wiring
    from infra.organizations.access import list_organizations

    found = [*list_organizations(stores=wiring.get_stores())]
    if as_json:
        print_json([_describe(each) for each in found])
        return
    for each in found:
        tenant, lock = each.tenant, f"  locked since {each.locked_since}" if each.locked_since else ""
        typer.echo(f"{tenant.kind:<9} {tenant.tenant_id:<34} {tenant.name}{lock}")
    if not found:
        typer.echo("No organizations. Add one with `referrals organizations add`.")


@organizations.command()
def show(organization_id: _OrganizationId, *, as_json: AsJson = False) -> None:
    """Show an organization and its people."""
    from chalicelib import wiring
    from infra.organizations.access import list_people

    found = _find(organization_id)
    people = list_people(found.tenant, stores=wiring.get_stores())
    if as_json:
        print_json({**_describe(found), "people": [_describe_member(member) for member in people]})
        return
    typer.echo(f"{found.tenant.name} ({found.tenant.kind} {found.tenant.tenant_id}, {found.tenant.time_zone})")
    if found.locked_since:
        typer.echo(f"Locked since {found.locked_since}. Its people and its system have no access.")
    for member in people:
        state = "" if member.active else "  disabled"
        typer.echo(f"{member.name:<30} {member.email:<34} {', '.join(sorted(member.roles))}{state}")
    if not any(member.is_admin and member.active for member in people):
        typer.echo("No administrator. Add one with `referrals organizations administrator`.")


@organizations.command()
def lock(organization_id: _OrganizationId, *, yes: Yes = False) -> None:
    """Refuse all requests of an organization's people and of its system, from the next one on.

    Its data stays, and notices about its patients are still sent. Safe to repeat.
    """
    from infra.organizations.access import lock_organization

    tenant = _find(organization_id).tenant
    typer.echo(f"{tenant.name} will be locked: its people and its system are refused until you unlock it.")
    _change_lock(organization_id, lock_organization, "locked", yes=yes)


@organizations.command()
def unlock(organization_id: _OrganizationId, *, yes: Yes = False) -> None:
    """Accept requests of a locked organization again. Disabled members stay disabled. Safe to repeat."""
    from infra.organizations.access import unlock_organization

    tenant = _find(organization_id).tenant
    typer.echo(f"{tenant.name} will be unlocked: its active members and its system have access again.")
    _change_lock(organization_id, unlock_organization, "unlocked", yes=yes)


def _change_lock(organization_id: str, change: "Callable[..., int]", what: str, *, yes: bool) -> None:
    confirm_or_exit(yes=yes)
    tenant = _find(organization_id).tenant
    with _fail_in_one_sentence():
        count = change(tenant, by=name_operator(), context=_build_context())
    typer.echo(f"{tenant.name} is {what}. People {what} now: {count}.")


@contextmanager
def _fail_in_one_sentence() -> Iterator[None]:
    """End the command if a service refuses or does not respond while something is changed."""
    from botocore.exceptions import ClientError

    from chalicelib.errors import ApiError
    from infra.organizations.changes import OrganizationError

    try:
        yield
    except OrganizationError as error:
        fail(str(error), PROBLEM_FOUND)
    except (ApiError, ClientError) as error:
        code = error.response["Error"]["Code"] if isinstance(error, ClientError) else error.code
        fail(f"Not everything was done ({code}). Run the command again to complete it.", PROBLEM_FOUND)


def _parse_arguments(cells: dict[str, str]) -> "RequestedOrganization":
    from chalicelib import wiring
    from infra.organizations.requests import RowError, parse_row

    options = {
        "administrator_name": "--administrator",
        "administrator_email": "--email",
        "administrator_roles": "--also",
        "name": "--practice",
        "organization_id": "--center" if cells["kind"] == "center" else "--id",
    }
    try:
        return parse_row(cells, stores=wiring.get_stores())
    except RowError as error:
        fail(
            "\n".join(f"{options.get(column, '--time-zone')}: {message}" for column, message in error.faults),
            USAGE_ERROR,
        )


def _read_file(file: Path, *, as_json: bool) -> "Sequence[RequestedOrganization]":
    from chalicelib import wiring
    from infra.cli.centers import read_sheet
    from infra.organizations import requests

    stores = wiring.get_stores()
    return read_sheet(
        file, lambda raw: requests.parse_sheet(raw, stores=stores), max_bytes=requests.MAX_BYTES, as_json=as_json
    )


def _plan(requested: "Sequence[RequestedOrganization]", *, context: "RunContext") -> "Sequence[PlannedChange]":
    from infra.organizations.changes import OrganizationError, plan_organization

    try:
        return [plan_organization(each, stores=context.stores) for each in requested]
    except OrganizationError as error:
        fail(str(error), USAGE_ERROR)


def _create_account(email: str) -> str:
    from chalicelib import wiring

    service = wiring.get_identity_service()
    return service.create_account(email, pool_id=wiring.get_settings().identity_pool_id)


def _find(organization_id: str) -> "OrganizationState":
    from chalicelib import wiring
    from infra.organizations.access import find_organization

    found = find_organization(organization_id, stores=wiring.get_stores())
    if found is None:
        fail(f"No organization {organization_id}. Run `referrals organizations list` to list them.", USAGE_ERROR)
    return found


def _build_context() -> "RunContext":
    from chalicelib import wiring

    return wiring.build_run_context()


def _print_change(change: "PlannedChange") -> None:
    tenant, administrator = change.requested.tenant, change.requested.administrator
    roles = ", ".join(sorted(administrator.roles))
    typer.echo(f"{'+' if change.is_new else ' '} {tenant.kind} {tenant.tenant_id}  {tenant.name}, {tenant.time_zone}")
    typer.echo(f"    {administrator.name} <{administrator.email}> ({roles}) {change.administrator}")


def _describe_change(change: "PlannedChange") -> dict[str, Any]:
    tenant = change.requested.tenant
    return {
        "organization_id": tenant.tenant_id,
        "kind": tenant.kind.value,
        "name": tenant.name,
        "added": change.is_new,
        "administrator": change.administrator.name.lower(),
    }


def _describe(state: "OrganizationState") -> dict[str, Any]:
    tenant = state.tenant
    return {
        "organization_id": tenant.tenant_id,
        "kind": tenant.kind.value,
        "name": tenant.name,
        "time_zone": tenant.time_zone,
        "locked_since": state.locked_since,
    }


def _describe_member(member: "Member") -> dict[str, Any]:
    return {
        "member_id": member.member_id,
        "name": member.name,
        "email": member.email,
        "roles": sorted(member.roles),
        "active": member.active,
    }
