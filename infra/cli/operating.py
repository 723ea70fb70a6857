"""Commands for operators: check the audit trail, replay deliveries, and retry failed tasks.

Slow imports are inside the command that needs them, as in `commands`.
"""
# ruff: noqa: PLC0415 see above

from dataclasses import asdict
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from chalicelib.store.platform.timestamps import to_timestamp
from infra.cli.common import PROBLEM_FOUND, USAGE_ERROR, AsJson, enter_site_or_fail, fail, print_json

if TYPE_CHECKING:
    from chalicelib.services.audit.verification import AuditVerification

audit = typer.Typer(help="Check the integrity of the audit trail.", no_args_is_help=True)
deliveries = typer.Typer(help="Manage deliveries from centers' systems.", no_args_is_help=True)
outbox = typer.Typer(help="Manage notices and emails waiting to be sent.", no_args_is_help=True)

for _group in (audit, deliveries, outbox):
    _group.callback()(enter_site_or_fail)


@audit.command()
def verify(
    since: Annotated[str | None, typer.Option(help="First date to check. Default: one year ago.")] = None,
    tenant: Annotated[str | None, typer.Option(help="Check one practice or center only, by its ID.")] = None,
    after: Annotated[str, typer.Option(help="Continue a check of one tenant after the position that it printed.")] = "",
    *,
    as_json: AsJson = False,
) -> None:
    """Verify audit chains and checkpoints. Exit code 1 if any was altered."""
    from chalicelib import wiring
    from chalicelib.services.audit.verification import verify_audit_trail
    from chalicelib.services.platform.run_context import RunContext

    if after and not tenant:
        fail("--after needs --tenant.", USAGE_ERROR)
    now = wiring.read_clock()
    if tenant:
        report = _verify_tenant(tenant, after)
    else:
        try:
            first_day = date.fromisoformat(since) if since else (now - timedelta(days=366)).date()
        except ValueError:
            fail("--since is not valid. Enter a date, for example 2026-11-22.", USAGE_ERROR)
        report = verify_audit_trail(context=RunContext(wiring.get_stores(), now), first_day=first_day)
    counts = {"chains": report.chains, "rows": report.rows, "checkpoints": report.checkpoints}
    problems = [{"chain": b.chain, "row": b.seq, "what": b.problem} for b in report.breaks]
    if as_json:
        print_json({**counts, "breaks": problems})
    else:
        for problem in problems:
            typer.echo(f"BROKEN  {problem['chain']} row {problem['row']}: {problem['what']}")
        typer.echo(", ".join(f"{number} {word}" for word, number in counts.items()))
        typer.echo(f"{_count(len(problems), 'problem')} found" if problems else "No problems found.")
    if problems:
        raise typer.Exit(PROBLEM_FOUND)


@audit.command()
def status(*, as_json: AsJson = False) -> None:
    """Show how far the verification of the audit trail is. Exit code 1 if it found an alteration."""
    from chalicelib import wiring
    from chalicelib.services.audit.rotation import load_rotation

    state = load_rotation(stores=wiring.get_stores())
    if state is None:
        fail("No part of the audit trail is verified yet. The next run of the checkpoints job begins.", PROBLEM_FOUND)
    if as_json:
        print_json(asdict(state))
    else:
        typer.echo(f"Round since {state.started_at}: {state.progress} percent, now {state.part.replace('_', ' ')}")
        typer.echo(f"{state.chains} chains, {state.rows} rows, {state.checkpoints} checkpoints")
        typer.echo(f"{_count(state.broken, 'problem')} in this round, {state.last_broken} in the round before it")
    if state.broken or state.last_broken:
        raise typer.Exit(PROBLEM_FOUND)


def _verify_tenant(tenant_id: str, after: str) -> "AuditVerification":
    """Verify the chains of one tenant, and print where to continue after each page of its referrals."""
    from chalicelib import wiring
    from chalicelib.domain.identity.members import TenantKind
    from chalicelib.services.audit.tenant_verification import PositionError, verify_tenant

    stores = wiring.get_stores()
    found = next(
        (each for kind in TenantKind for each in stores.tenants.list_by_kind(kind) if each.tenant_id == tenant_id), None
    )
    if found is None:
        fail(f"There is no organization {tenant_id}.", USAGE_ERROR)

    def report(position: str, chains: int) -> None:
        typer.echo(
            f"{chains} chains verified. To continue from here: --tenant {tenant_id} --after {position}", err=True
        )

    try:
        return verify_tenant(found, after=after, report=report, stores=stores)
    except PositionError:
        fail("--after is not a position that this command printed.", USAGE_ERROR)


@deliveries.command()
def replay(
    center: Annotated[str, typer.Option(help="Center ID or short name.")],
    delivery: Annotated[str | None, typer.Option(help="One webhook-id. Default: all waiting deliveries.")] = None,
) -> None:
    """Retry waiting and expired deliveries."""
    from chalicelib import wiring
    from chalicelib.domain.identity.members import Member, Role, TenantKind
    from chalicelib.errors import ConflictError, NotFoundError
    from chalicelib.services.platform.run_context import RunContext
    from chalicelib.services.webhooks.deliveries import replay_delivery
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
    webhook_ids = [delivery] if delivery else stores.delivery_log.list_unfinished(center_id)
    for webhook_id in webhook_ids:
        try:
            context = RunContext(stores, datetime.now(UTC))
            logged = replay_delivery(center_id, webhook_id, by=operator, context=context)
        except NotFoundError:
            fail(f"No delivery with webhook-id {webhook_id} from center {center}.", USAGE_ERROR)
        except ConflictError:
            fail(f"{webhook_id} is not a waiting or expired delivery.", PROBLEM_FOUND)
        typer.echo(f"{webhook_id}  {logged.result.status}")
    if not webhook_ids:
        typer.echo("No waiting deliveries.")


# `parked` is the old name of this command. Scripts may still use it.
@outbox.command("parked", hidden=True)
@outbox.command("failed")
def list_failed(*, as_json: AsJson = False) -> None:
    """List failed tasks (dead letters), oldest first."""
    from chalicelib import wiring

    tasks = list(wiring.get_stores().outbox.list_failed())
    if as_json:
        print_json([asdict(task) | {"failed_at": to_timestamp(task.failed_at)} for task in tasks])
        return
    for task in tasks:
        typer.echo(
            f"{task.outbox_id}  {to_timestamp(task.failed_at)}  {task.rule} for {task.referral_id}: {task.error}"
        )
    typer.echo(_count(len(tasks), "failed task") if tasks else "No failed tasks.")


@outbox.command()
def retry(
    outbox_id: Annotated[str | None, typer.Argument(help="Task ID as listed by `referrals outbox failed`.")] = None,
    *,
    everything: Annotated[bool, typer.Option("--all", help="Retry all failed tasks.")] = False,
) -> None:
    """Retry failed tasks on the next run of their job (relay or notices)."""
    if everything == (outbox_id is not None):
        raise typer.BadParameter("Give one task ID, or use --all.")
    from chalicelib import wiring

    store, now = wiring.get_stores().outbox, wiring.read_clock()
    outbox_ids = [outbox_id] if outbox_id else [task.outbox_id for task in store.list_failed()]
    rejected_ids = [each for each in outbox_ids if not store.retry_failed(each, now=now)]
    for each in rejected_ids:
        typer.echo(f"{each} is not a failed task.", err=True)
    typer.echo(f"{_count(len(outbox_ids) - len(rejected_ids), 'task')} will be retried")
    if rejected_ids:
        raise typer.Exit(PROBLEM_FOUND)


def _count(number: int, noun: str) -> str:
    return f"1 {noun}" if number == 1 else f"{number:,} {noun}s"
