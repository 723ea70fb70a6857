"""`referrals migrate`: store the referrals of earlier releases as this release stores them."""
# ruff: noqa: PLC0415 as in `commands`

from collections import Counter
from dataclasses import asdict
from typing import Annotated

import typer

from infra.cli.common import PROBLEM_FOUND, AsJson, enter_site_or_fail, print_json

_PROGRESS_EVERY = 100
_ALIAS_IN_USE = "the alias is used by another patient"


def migrate(
    *,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would be rewritten, and write nothing.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Rewrite referrals of earlier releases, so that every search finds them. Safe to stop and repeat.

    Exit code 1 if an alias is used by two patients, or a referral changed too often to be rewritten.
    """
    enter_site_or_fail()
    from chalicelib import wiring
    from chalicelib.services.platform.run_context import RunContext
    from chalicelib.services.referrals.migrate import MigrationResult, migrate_referrals

    counts: Counter[str] = Counter()
    problems = []
    context = RunContext(wiring.get_stores(), wiring.read_clock())
    for number, each in enumerate(migrate_referrals(dry_run=dry_run, context=context), start=1):
        counts[each.result] += 1
        if each.is_alias_in_use or each.problem or each.result is MigrationResult.BUSY:
            problems.append(each)
        if number % _PROGRESS_EVERY == 0:
            typer.echo(f"Referrals checked: {number:,}; old ones: {counts[MigrationResult.REWRITTEN]:,}", err=True)
    checked, rewritten = counts.total(), counts[MigrationResult.REWRITTEN]
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
            what = each.problem or (_ALIAS_IN_USE if each.is_alias_in_use else "changed too often; run again")
            typer.echo(f"{each.referral_id}  {each.practice_id}  {what}")
        verb = "would be rewritten" if dry_run else "rewritten"
        typer.echo(f"Referrals checked: {checked:,}; {verb}: {rewritten:,}; with a problem: {len(problems):,}")
    if problems:
        raise typer.Exit(PROBLEM_FOUND)
