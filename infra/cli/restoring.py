"""`referrals restore`: plan a restore of tables, check that they fit together, and repair what does not."""
# ruff: noqa: PLC0415 as in `commands`

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from infra.cli.common import PROBLEM_FOUND, USAGE_ERROR, AsJson, enter_site_or_fail, fail, print_json

if TYPE_CHECKING:
    from infra.restore.findings import Finding
    from infra.restore.sent_log import SentMail

restore = typer.Typer(help="Restore tables to an earlier time, and make them fit together.", no_args_is_help=True)

DEFAULT_SINCE = timedelta(days=7)
_MAX_LISTED = 20

_Since = Annotated[
    str | None,
    typer.Option(help="Earliest time to which a table was restored, as 2026-11-29T14:05:00Z. Default: 7 days ago."),
]
_SentLog = Annotated[
    Path | None,
    typer.Option(
        "--sent-log",
        help="Log lines of the functions that send email, as `referrals restore plan` shows how to download them.",
        exists=True,
        dir_okay=False,
    ),
]
_Files = Annotated[bool, typer.Option("--files", help="Also look for the file of each document.")]


@restore.command()
def check(
    since: _Since = None,
    sent_log: _SentLog = None,
    *,
    files: _Files = False,
    as_json: AsJson = False,
) -> None:
    """Check that all tables fit together. Reads only. Exit code 1 if something must be repaired."""
    enter_site_or_fail()
    from chalicelib import wiring
    from infra.restore import checks

    run = wiring.build_run_context()
    with checks.open_scope(
        run, since=_parse_since(since, run.now), sent_log=_read(sent_log), with_files=files
    ) as scope:
        findings = _collect(checks.find_all(scope))
    _print_findings(findings, as_json=as_json)
    if any(finding.needs_attention for finding in findings):
        raise typer.Exit(PROBLEM_FOUND)


@restore.command()
def repair(
    since: _Since = None,
    sent_log: _SentLog = None,
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Repair without asking.")] = False,
    as_json: AsJson = False,
) -> None:
    """Repair what `check` finds. Shows it first and asks. Safe to stop and repeat. Exit code 1 if a person must act."""
    enter_site_or_fail()
    from chalicelib import wiring
    from infra.restore import checks

    run = wiring.build_run_context()
    start = _parse_since(since, run.now)
    with checks.open_scope(run, since=start, sent_log=_read(sent_log)) as scope:
        found = _collect(checks.find_all(scope))
    if not as_json:
        _print_findings(found, as_json=False)
        if sent_log is None:
            typer.echo("No log of sent emails was given: only critical notices without an email are emailed again.")
    if not yes and any(finding.fix for finding in found):
        typer.confirm(f"Repair {sum(1 for finding in found if finding.fix):,} of these?", abort=True)
    with checks.open_scope(run, since=start, sent_log=_read(sent_log)) as scope:
        repaired = _collect(checks.repair_all(scope))
    remaining = [finding for finding in repaired if not finding.fix and finding.needs_attention]
    if as_json:
        print_json({"repaired": _count_kinds(each for each in repaired if each.fix), "remaining": _to_rows(remaining)})
    else:
        for kind, count in _count_kinds(each for each in repaired if each.fix).items():
            typer.echo(f"repaired {count:>6,}  {kind}")
        for finding in remaining:
            typer.echo(f"{finding.kind}  {finding.subject}  {finding.detail}  {finding.advice}")
        typer.echo(f"Run `referrals restore check` again. For a person: {len(remaining):,}")
    if remaining:
        raise typer.Exit(PROBLEM_FOUND)


def _collect(findings: Iterable["Finding"]) -> list["Finding"]:
    """Keep each finding once. There are few; the rows that they are about are not kept."""
    return list(dict.fromkeys(findings))


def _read(sent_log: Path | None) -> Iterator["SentMail"] | None:
    from infra.restore.sent_log import read_sent_log

    if sent_log is None:
        return None
    return read_sent_log(sent_log.read_text("utf-8").splitlines())


def _parse_since(text: str | None, now: datetime) -> datetime:
    if text is None:
        return now - DEFAULT_SINCE
    try:
        since = datetime.fromisoformat(text)
    except ValueError:
        fail("--since is not a time. Write it as 2026-11-29T14:05:00Z.", USAGE_ERROR)
    return since if since.tzinfo else since.replace(tzinfo=UTC)


def _count_kinds(findings: Iterable["Finding"]) -> dict[str, int]:
    return dict(sorted(Counter(finding.kind.value for finding in findings).items()))


def _to_rows(findings: Iterable["Finding"]) -> list[dict[str, object]]:
    return [
        {
            "kind": finding.kind.value,
            "subject": finding.subject,
            "detail": finding.detail,
            "can_be_repaired": finding.fix is not None,
            "needs_attention": finding.needs_attention,
            "advice": finding.advice,
        }
        for finding in findings
    ]


def _print_findings(findings: list["Finding"], *, as_json: bool) -> None:
    from infra.restore.findings import KIND_MEANINGS

    if as_json:
        print_json({"counts": _count_kinds(findings), "findings": _to_rows(findings)})
        return
    for kind, count in _count_kinds(findings).items():
        same = [finding for finding in findings if finding.kind == kind]
        typer.echo(f"{count:>6,}  {kind}: {KIND_MEANINGS[same[0].kind]}")
        for finding in same[:_MAX_LISTED]:
            typer.echo(f"        {finding.subject}  {finding.detail}")
            if finding.advice:
                typer.echo(f"          {finding.advice}")
        if count > _MAX_LISTED:
            typer.echo(f"        and {count - _MAX_LISTED:,} more; --json lists all")
    attention = sum(1 for finding in findings if finding.needs_attention)
    typer.echo(f"Problems: {attention:,}" if attention else "All tables fit together.")


@restore.command()
def plan(
    at: Annotated[str, typer.Argument(help="The second to set the tables back to, as 2026-11-29T14:05:00Z.")],
    table: Annotated[
        list[str] | None,
        typer.Option(help="A table to set back, such as outbox; repeat it. Default: all except audit."),
    ] = None,
    export_to: Annotated[str, typer.Option(help="S3 bucket for an export of the tables as they are now.")] = "",
) -> None:
    """Print the commands that set tables back to a time. Changes nothing."""
    enter_site_or_fail()
    from chalicelib import wiring
    from infra.restore import plan as planning

    moment = _parse_since(at, wiring.read_clock())
    names = table or [name for name in planning.load_tables() if name != "audit"]
    unknown = sorted(set(names) - set(planning.load_tables()))
    if unknown:
        fail(f"No table is named {', '.join(unknown)}. Tables: {', '.join(planning.load_tables())}.", USAGE_ERROR)
    prefix = wiring.get_settings().table_prefix
    try:
        planning.check_restorable(wiring.get_dynamodb_client(), prefix, names, moment)
    except planning.NotRestorableError as error:
        fail(str(error), PROBLEM_FOUND)
    steps = planning.build_steps(prefix, names, moment, export_bucket=export_to)
    for number, step in enumerate(steps, start=1):
        typer.echo(f"# {number}. {step.title}")
        for command in step.commands:
            typer.echo(command)
    typer.echo("# If a table was deleted: restore it under its own name from its last backup, then")
    for name in names:
        for command in planning.build_settings_commands(prefix, name):
            typer.echo(f"#   {command}")


@restore.command()
def copy(
    table: Annotated[str, typer.Argument(help="The table of the product, such as outbox.")],
    source: Annotated[str, typer.Option("--from", help="The full name of the restored table.")],
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Count the differences, and write nothing.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Copy without asking.")] = False,
) -> None:
    """Make a table what a restored copy of it is. Stop all functions first. Safe to stop and repeat."""
    enter_site_or_fail()
    from chalicelib import wiring
    from chalicelib.store.audit.rows import AuditEntry
    from chalicelib.store.platform.dynamo import DynamoTable
    from infra.restore import plan as planning
    from infra.restore.copy_back import copy_back
    from infra.restore.joins import open_join_file
    from infra.restore.referral_fixes import ACTOR

    if table not in planning.load_tables():
        fail(f"No table is named {table}. Tables: {', '.join(planning.load_tables())}.", USAGE_ERROR)
    run = wiring.build_run_context()
    client = wiring.get_dynamodb_client
    restored, live = (
        DynamoTable(source, client),
        DynamoTable(f"{wiring.get_settings().table_prefix}{table}", client),
    )
    with open_join_file() as joins:
        counts = copy_back(restored, live, joins, dry_run=True)
    typer.echo(f"{live.name}: {counts['written']:,} rows to write, {counts['removed']:,} to remove")
    if dry_run or not (counts["written"] or counts["removed"]):
        return
    if not yes:
        typer.confirm("Copy?", abort=True)
    with open_join_file() as joins:
        copy_back(restored, live, joins, dry_run=False)
    run.stores.audit_log.append(
        AuditEntry(
            referral_id=f"table#{table}", at=run.now, actor_id=ACTOR, tenant_id="operator", action="restore.copy"
        )
    )
    typer.echo("Copied.")
