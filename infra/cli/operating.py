"""Commands for whoever runs a site: is the audit trail whole, and what waits for what.

What takes long to import is imported by the command that needs it, as in `commands`.
"""
# ruff: noqa: PLC0415 see above

import json
from dataclasses import asdict
from datetime import UTC, date, datetime, timedelta
from typing import Annotated

import typer

from chalicelib.services.platform.run_context import RunContext
from chalicelib.store.platform.timestamps import to_timestamp
from infra.cli import site
from infra.cli.site import NoSiteError

PROBLEM_FOUND, NO_SITE_FOUND = 1, 3

audit = typer.Typer(help="Look whether the audit trail is whole.", no_args_is_help=True)
deliveries = typer.Typer(help="What centers' systems sent.", no_args_is_help=True)
outbox = typer.Typer(help="What people are still to be told.", no_args_is_help=True)


@audit.callback()
@deliveries.callback()
@outbox.callback()
def _enter() -> None:
    """Find the site first."""
    try:
        site.enter_site()
    except NoSiteError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(NO_SITE_FOUND) from None


@audit.command()
def verify(
    since: Annotated[str | None, typer.Option(help="The first day to look at; a year ago unless given.")] = None,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")] = False,
) -> None:
    """Look at every chain and checkpoint. Exit status 1 if anything was touched."""
    from chalicelib import wiring
    from chalicelib.services.audit import trail as audits

    now = wiring.read_clock()
    first = date.fromisoformat(since) if since else (now - timedelta(days=366)).date()
    found = audits.verify_audit_trail(context=RunContext(wiring.get_stores(), now), first_day=first)
    counts = {"chains": found.chains, "rows": found.rows, "checkpoints": found.checkpoints}
    broken = [{"chain": b.chain, "row": b.seq, "what": b.problem} for b in found.breaks]
    if as_json:
        typer.echo(json.dumps({**counts, "breaks": broken}, indent=2))
    else:
        for each in broken:
            typer.echo(f"BROKEN  {each['chain']} row {each['row']}: {each['what']}")
        typer.echo(", ".join(f"{number} {word}" for word, number in counts.items()))
        typer.echo(f"{len(broken)} breaks" if broken else "The trail is whole.")
    if broken:
        raise typer.Exit(PROBLEM_FOUND)


@deliveries.command()
def replay(
    center: Annotated[str, typer.Option(help="The center's id, or its short name.")],
    delivery: Annotated[str | None, typer.Option(help="One webhook-id; else all that wait.")] = None,
) -> None:
    """Try deliveries once more that wait, or waited in vain."""
    from chalicelib import wiring
    from chalicelib.domain.identity.members import Member, Role, TenantKind
    from chalicelib.services.webhooks import deliveries as service
    from infra.world.places import find_center

    try:
        center_id = find_center(center).tenant_id
    except KeyError:
        center_id = center
    operator = Member(
        member_id="operator:command-line",
        subject="operator:command-line",
        tenant_id=center_id,
        kind=TenantKind.CENTER,
        name="Operator",
        email="operator@localhost",
        roles=frozenset({Role.ADMIN}),
    )
    stores = wiring.get_stores()
    waiting = [delivery] if delivery else stores.delivery_log.list_unfinished(center_id)
    for webhook_id in waiting:
        logged = service.replay_delivery(
            center_id, webhook_id, by=operator, context=RunContext(stores, datetime.now(UTC))
        )
        typer.echo(f"{webhook_id}  {logged.result.status}")
    if not waiting:
        typer.echo("Nothing waits.")


@outbox.command()
def parked(*, as_json: Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")] = False) -> None:
    """List what failed for good and waits for a person, longest first."""
    from chalicelib import wiring

    tasks = list(wiring.get_stores().outbox.list_failed())
    if as_json:
        rows = [asdict(task) | {"failed_at": to_timestamp(task.failed_at)} for task in tasks]
        typer.echo(json.dumps(rows, indent=2))
        return
    for task in tasks:
        about = f"{task.rule} of {task.referral_id}"
        typer.echo(f"{task.outbox_id}  {to_timestamp(task.failed_at)}  {about}: {task.error}")
    typer.echo(f"{len(tasks)} parked" if tasks else "Nothing is parked.")


@outbox.command()
def retry(
    outbox_id: Annotated[str | None, typer.Argument(help="As `referrals outbox parked` lists it.")] = None,
    *,
    everything: Annotated[bool, typer.Option("--all", help="All that is parked.")] = False,
) -> None:
    """Let the jobs try what was parked again: `relay` at its next run, `notices` at its own."""
    if everything == (outbox_id is not None):
        raise typer.BadParameter("Name one task, or say --all.")
    from chalicelib import wiring

    store, now = wiring.get_stores().outbox, wiring.read_clock()
    outbox_ids = [outbox_id] if outbox_id else [task.outbox_id for task in store.list_failed()]
    refused = [each for each in outbox_ids if not store.retry_failed(each, now=now)]
    for each in refused:
        typer.echo(f"{each} is not parked.", err=True)
    typer.echo(f"{len(outbox_ids) - len(refused)} to be tried again")
    if refused:
        raise typer.Exit(PROBLEM_FOUND)
