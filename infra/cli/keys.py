"""`referrals secrets` and `referrals keys`: end a leaked webhook secret, and change the keys that encrypt data.

Slow imports are inside the command that needs them, as in `commands`.
"""
# ruff: noqa: PLC0415 see above

from collections import Counter
from datetime import timedelta
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
    from chalicelib.services.platform.run_context import RunContext

secrets = typer.Typer(help="List and rotate the secrets with which centers' systems sign.", no_args_is_help=True)
keys = typer.Typer(help="Rotate the keys that encrypt data.", no_args_is_help=True)
for _group in (secrets, keys):
    _group.callback()(enter_site_or_fail)

_PROGRESS_EVERY = 500
_MAX_GRACE_HOURS = 24 * 30

Center = Annotated[str, typer.Option(help="Center ID or short name.")]


@secrets.command("list")
def list_secrets(center: Center, *, as_json: AsJson = False) -> None:
    """List a center's webhook secrets: their IDs and times, never their values."""
    from chalicelib import wiring
    from chalicelib.store.platform.timestamps import to_timestamp

    center_id = _find_center_id(center)
    rows = [
        {
            "secret_id": entry.secret_id,
            "created_at": to_timestamp(entry.created_at),
            "expires_at": to_timestamp(entry.expires_at) if entry.expires_at else None,
            "valid": entry.expires_at is None or entry.expires_at > wiring.read_clock(),
        }
        for entry in wiring.get_stores().secrets.list_all(center_id)
    ]
    if as_json:
        print_json(rows)
        return
    for row in rows:
        state = "valid" if row["valid"] else "ended"
        until = f"until {row['expires_at']}" if row["expires_at"] else ""
        typer.echo(f"{row['secret_id']}  created {row['created_at']}  {state} {until}".rstrip())
    if not rows:
        typer.echo("This center has no webhook secret.")


@secrets.command()
def rotate(
    center: Center,
    *,
    now: Annotated[
        bool, typer.Option("--now", help="The earlier secrets are refused at once. For a secret that leaked.")
    ] = False,
    grace: Annotated[int, typer.Option(help="Hours for which the earlier secrets stay valid.")] = 24,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Create a webhook secret and print it once; end the earlier ones, at once or after a grace period."""
    from chalicelib import wiring
    from chalicelib.store.audit.rows import AuditEntry
    from chalicelib.store.platform.transactions import ConditionFailedError

    if not 0 <= grace <= _MAX_GRACE_HOURS:
        fail(f"--grace is not valid. Enter 0 to {_MAX_GRACE_HOURS} hours.", USAGE_ERROR)
    center_id = _find_center_id(center)
    hours = 0 if now else grace
    end = "at once: its system's updates are refused until it has the new secret" if hours == 0 else f"in {hours} hours"
    typer.echo(f"{center_id} will get a new secret. Its earlier secrets end {end}.", err=True)
    confirm_or_exit("Rotate the secret?", yes=yes)
    context = wiring.build_run_context()
    new = context.stores.secrets.prepare_rotate(center_id, now=context.now, overlap=timedelta(hours=hours))
    entry = AuditEntry(
        referral_id=f"center#{center_id}",
        at=context.now,
        actor_id=name_operator(),
        tenant_id=center_id,
        action="webhook_secret.revoke" if hours == 0 else "webhook_secret.make",
    )
    try:
        context.stores.transactions.commit(*new.writes, context.stores.audit_log.prepare_append(entry))
    except ConditionFailedError:
        fail("Someone else changed the secrets of this center at this moment. Run it again.", PROBLEM_FOUND)
    if as_json:
        print_json({"secret_id": new.secret_id, "secret": new.whsec_text})
    else:
        typer.echo(f"{new.secret_id}\n{new.whsec_text}")
        typer.echo("Give this secret to the center's system now. It is not shown again.", err=True)


@keys.command("rotate")
def rotate_keys(
    tenant: Annotated[str, typer.Argument(help="ID of a practice or center.")], *, yes: Yes = False
) -> None:
    """Give a tenant new keys, then encrypt its rows again. If it is interrupted, run `keys reencrypt`."""
    from chalicelib import wiring

    context = wiring.build_run_context()
    _require_tenant(tenant, context=context)
    typer.echo(f"{tenant} will get new keys, and every row of it will be encrypted again. People can work.", err=True)
    confirm_or_exit("Rotate the keys?", yes=yes)
    try:
        generation = context.stores.encryption.add_generation(tenant)
    except ValueError:
        fail("This tenant's keys were rotated too often to be rotated again.", PROBLEM_FOUND)
    append_operator_entry(f"keys#{tenant}", "keys.rotate", context=context)
    typer.echo(f"Generation {generation} of the keys is in use.")
    _reencrypt(tenant, context=context)


@keys.command()
def reencrypt(tenant: Annotated[str, typer.Argument(help="ID of a practice or center.")], *, yes: Yes = False) -> None:
    """Encrypt every row of a tenant that has older keys: after a rotation, or rows of an earlier release.

    Safe to stop and repeat. Rows of an earlier release get a key for each referral.
    """
    from chalicelib import wiring

    context = wiring.build_run_context()
    _require_tenant(tenant, context=context)
    typer.echo(f"Every row of {tenant} that has older keys will be encrypted again. People can work.", err=True)
    confirm_or_exit("Continue?", yes=yes)
    append_operator_entry(f"keys#{tenant}", "keys.reencrypt", context=context)
    _reencrypt(tenant, context=context)


@keys.command()
def rewrap(
    to: Annotated[str, typer.Option(help="ID, alias, or ARN of the KMS key that encrypts the data keys from now on.")],
    *,
    yes: Yes = False,
) -> None:
    """Let another KMS key encrypt every data key. Reading works meanwhile; safe to stop and repeat."""
    from botocore.exceptions import ClientError

    from chalicelib import clients, wiring
    from infra.scanning import scan_table

    context = wiring.build_run_context()
    try:
        metadata = clients.create_aws_client("kms").describe_key(KeyId=to)["KeyMetadata"]
    except ClientError:
        fail("This KMS key does not exist, or you may not use it.", USAGE_ERROR)
    if not metadata["Enabled"]:
        fail("This KMS key is not enabled.", USAGE_ERROR)
    encryption = context.stores.encryption
    scopes = sorted(row["scope"] for row in scan_table(encryption.keys, "attribute_exists(data_key)"))
    typer.echo(
        f"{metadata['Arn']} will encrypt the data keys of {len(scopes):,} scopes. The functions need permission to"
        " decrypt with it first. Keep the key that it replaces: backups and tables need it.",
        err=True,
    )
    confirm_or_exit("Continue?", yes=yes)
    append_operator_entry("keys#keys", "keys.rewrap", context=context)
    rewrapped = 0
    for number, scope in enumerate(scopes, start=1):
        rewrapped += encryption.rows.rewrap(scope, to=metadata["Arn"])
        if number % _PROGRESS_EVERY == 0:
            typer.echo(f"{number:,} of {len(scopes):,}", err=True)
    typer.echo(f"Data keys checked: {len(scopes):,}; encrypted with the new key: {rewrapped:,}")


def _reencrypt(tenant: str, *, context: "RunContext") -> None:
    from infra.key_rotation import reencrypt_tenant

    counts: Counter[str] = Counter()
    written = 0
    for table, was_written in reencrypt_tenant(tenant, stores=context.stores):
        counts[table] += 1
        written += was_written
        if counts.total() % _PROGRESS_EVERY == 0:
            typer.echo(f"Rows checked: {counts.total():,}; encrypted again: {written:,}", err=True)
    typer.echo(f"Rows checked: {counts.total():,}; encrypted again: {written:,}")
    typer.echo(
        "Functions that were already running use the earlier keys for 15 minutes at most. Run"
        f" `referrals keys reencrypt {tenant}` after that, until it encrypts none.",
        err=True,
    )


def _require_tenant(tenant: str, *, context: "RunContext") -> None:
    from chalicelib.domain.identity.members import TenantKind

    practices = {each.tenant_id for each in context.stores.tenants.list_by_kind(TenantKind.PRACTICE)}
    if tenant not in practices and context.stores.tenants.get_center(tenant) is None:
        fail("There is no practice or center with this ID.", USAGE_ERROR)


def _find_center_id(name: str) -> str:
    from chalicelib import wiring
    from infra.world.places import find_center

    try:
        center_id = find_center(name).tenant_id
    except KeyError:
        center_id = name
    if wiring.get_stores().tenants.get_center(center_id) is None:
        fail("There is no center with this ID.", USAGE_ERROR)
    return center_id
