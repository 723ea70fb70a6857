"""`referrals migrate`: store the referrals of earlier releases as this release stores them."""
# ruff: noqa: PLC0415 as in `commands`

from collections import Counter
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from infra.cli.common import PROBLEM_FOUND, AsJson, enter_site_or_fail, print_json

if TYPE_CHECKING:
    from chalicelib.services.referrals.migrate import MigratedReferral

_PROGRESS_EVERY = 100
_ALIAS_IN_USE = "the alias is used by another patient"
_DIFFERS_FROM_HISTORY = "its status or monitoring days do not match its history; submit the correction again"


def migrate(
    *,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would be rewritten, and write nothing.")
    ] = False,
    from_start: Annotated[
        bool, typer.Option("--from-start", help="Begin at the first practice, even if an earlier run was stopped.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Rewrite referrals of earlier releases, so that every search finds them. Safe to stop; a repeat goes on there.

    Exit code 1 if an alias is used by two patients, a status or monitoring days of an earlier release must be
    corrected, or a referral cannot be read or changed too often.
    """
    enter_site_or_fail()
    from chalicelib import wiring
    from chalicelib.services.referrals.migrate import migrate_referrals
    from infra.list_snapshots import forget_snapshots

    counts: Counter[str] = Counter()
    problems = []
    context = wiring.build_run_context()
    for practice in migrate_referrals(dry_run=dry_run, from_start=from_start, context=context):
        for each in practice.referrals:
            counts[each.result] += 1
            if _list_problems(each):
                problems.append(each)
            if counts.total() % _PROGRESS_EVERY == 0:
                _print_progress(practice.number, practice.total, counts)
        _print_progress(practice.number, practice.total, counts)
    if not dry_run:
        forget_snapshots(context.stores)
    checked, rewritten = counts.total(), counts["rewritten"]
    if as_json:
        print_json(
            {
                "dry_run": dry_run,
                "checked": checked,
                "rewritten": rewritten,
                "problems": [asdict(each) for each in problems],
            }
        )
    else:
        for each in problems:
            for problem in _list_problems(each):
                typer.echo(f"{each.referral_id}  {each.practice_id}  {problem}")
        verb = "would be rewritten" if dry_run else "rewritten"
        typer.echo(f"Referrals checked: {checked:,}; {verb}: {rewritten:,}; with a problem: {len(problems):,}")
    if problems:
        raise typer.Exit(PROBLEM_FOUND)


def _list_problems(referral: "MigratedReferral") -> list[str]:
    """List what a person must do about a referral."""
    found = {
        referral.problem: bool(referral.problem),
        _ALIAS_IN_USE: referral.is_alias_in_use,
        _DIFFERS_FROM_HISTORY: referral.differs_from_history,
        "changed too often; run again": referral.result == "busy",
    }
    return [problem for problem, is_found in found.items() if is_found]


def _print_progress(number: int, total: int, counts: Counter[str]) -> None:
    rewritten = counts["rewritten"]
    typer.echo(
        f"Practice {number:,} of {total:,}; referrals checked: {counts.total():,}; old ones: {rewritten:,}", err=True
    )
