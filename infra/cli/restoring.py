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
