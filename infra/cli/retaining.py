"""`referrals retention`: how long rows are kept, and removing what is older.

Slow imports are inside the command that needs them, as in `commands`.
"""
# ruff: noqa: PLC0415 see above

from collections import Counter
from typing import Annotated

import typer

from infra.cli.common import (
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

retention = typer.Typer(help="Show and change how long rows are kept, and remove what is older.", no_args_is_help=True)
retention.callback()(enter_site_or_fail)


@retention.command()
def show(*, as_json: AsJson = False) -> None:
    """Show for how many days each kind of row is kept."""
    from chalicelib import wiring
    from infra.retention.settings import DEFAULT_DAYS, read_settings

    days = read_settings(wiring.get_stores().heartbeats.table)
    if as_json:
        print_json({kind.value: number for kind, number in days.items()})
        return
    for kind, number in days.items():
        note = "default" if number == DEFAULT_DAYS[kind] else f"default {DEFAULT_DAYS[kind]:,}"
        typer.echo(f"{kind:<18} {number:>6,} days  ({note})")
    typer.echo("Stored responses are kept for 30 days and viewed versions for 90. Audit rows are always kept.")


@retention.command("set")
def set_days(
    kind: Annotated[str, typer.Argument(help="closed_referrals, notices, emails, tasks, or deliveries.")],
    days: Annotated[int, typer.Argument(help="Days for which it is kept.")],
    *,
    yes: Yes = False,
) -> None:
    """Change for how many days a kind of row is kept. Nothing is removed until `retention apply`."""
    from chalicelib import wiring
    from infra.retention.settings import RetainedKind, RetentionError, save_setting

    if kind not in set(RetainedKind):
        fail(f"There is no such kind. Use one of: {', '.join(RetainedKind)}.", USAGE_ERROR)
    typer.echo(f"{kind} will be kept for {days:,} days.", err=True)
    confirm_or_exit("Change the setting?", yes=yes)
    context = wiring.build_run_context()
    try:
        save_setting(context.stores.heartbeats.table, RetainedKind(kind), days)
    except RetentionError as error:
        fail(str(error), USAGE_ERROR)
    append_operator_entry("retention", "retention.set", reason=f"{kind} {days}", context=context)


@retention.command("apply")
def apply_retention(
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be removed, and write nothing.")] = False,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Remove what is older than its period and needed by nothing. Run it once a month. Safe to stop and repeat."""
    from chalicelib import wiring
    from infra.retention.expired import find_expired, remove_expired
    from infra.retention.settings import read_settings

    context = wiring.build_run_context()
    expired = find_expired(read_settings(context.stores.heartbeats.table), context=context)
    counts = expired.count()
    if as_json:
        print_json({"dry_run": dry_run, "removed": {kind.value: number for kind, number in counts.items()}})
    else:
        verb = "would be removed" if dry_run else "to remove"
        typer.echo(f"{verb}: " + ", ".join(f"{number:,} {kind}" for kind, number in counts.items()))
    if dry_run or not sum(counts.values()):
        return
    confirm_or_exit("Remove them? This cannot be undone.", yes=yes)
    reason = " ".join(f"{kind}={number}" for kind, number in counts.items())
    append_operator_entry("retention", "retention.apply", reason=reason, context=context)
    done: Counter[str] = Counter()
    for kind, number in remove_expired(expired, actor_id=name_operator(), context=context):
        done[kind] += number
        typer.echo(f"{kind}: {done[kind]:,} removed", err=True)
