"""`referrals erase`: erase a patient from every table, bucket and email record, and destroy the key.

Slow imports are inside the command that needs them, as in `commands`.
"""
# ruff: noqa: PLC0415 see above

import re
from collections import Counter
from typing import TYPE_CHECKING, Annotated

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
    from chalicelib.services.platform.run_context import RunContext
    from infra.erasure.erase import ErasurePlan, ErasureReason

_TICKET = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]{0,39}", re.ASCII)

_STAYS = (
    "What stays: the audit trail (ids, times and codes); the providers and payers that the practice used; email that"
    " was delivered; files that people downloaded; backups, which are unreadable when the backups of the table"
    " `keys` have expired. See docs/erasure.md."
)


def erase(
    referral: Annotated[str, typer.Argument(help="Referral ID. Referrals that it continues are erased with it.")],
    *,
    reason: Annotated[
        str,
        typer.Option(
            help="patient_request, consent_withdrawn, entered_by_mistake, duplicate, retention_ended, legal_order, or"
            " restored_backup."
        ),
    ],
    ticket: Annotated[
        str, typer.Option(help="Number under which the request is filed. It is kept, so no health data.")
    ] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be erased, and write nothing.")] = False,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Erase a patient. It cannot be undone; run it again after an interruption, and once more two hours later.

    Exit code 1 if something could not be erased, 2 if there is no such referral.
    """
    enter_site_or_fail()
    from chalicelib import wiring
    from chalicelib.errors import NotFoundError
    from infra.erasure.erase import ErasureReason, plan_erasure

    if reason not in set(ErasureReason):
        fail(f"--reason is not valid. Use one of: {', '.join(ErasureReason)}.", USAGE_ERROR)
    if ticket and not _TICKET.fullmatch(ticket):
        fail("--ticket is not valid. Use up to 40 letters, digits, and . _ / -", USAGE_ERROR)
    context = wiring.build_run_context()
    try:
        plan = plan_erasure(referral, stores=context.stores)
    except NotFoundError:
        fail("There is no such referral.", USAGE_ERROR)
    if not as_json:
        _print_plan(plan)
    if dry_run:
        if as_json:
            print_json(_to_json(plan, {}))
        return
    confirm_or_exit("Erase the patient? This cannot be undone.", yes=yes)
    counts, incomplete = _erase(plan, ErasureReason(reason), ticket, as_json=as_json, context=context)
    if as_json:
        print_json(_to_json(plan, counts))
    if incomplete:
        fail(
            "A tenant has too many erased patients to destroy one more key. See docs/erasure.md.",
            PROBLEM_FOUND,
        )


def erase_restored(
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="List them, and write nothing.")] = False,
    yes: Yes = False,
) -> None:
    """Erase again the patients whom a restored backup brought back. Run it after every restore."""
    enter_site_or_fail()
    from chalicelib import wiring
    from infra.erasure.erase import ErasureReason, erase_referrals, list_restored

    context = wiring.build_run_context()
    referral_ids = sorted(list_restored(stores=context.stores))
    for referral_id in referral_ids:
        typer.echo(referral_id)
    if dry_run or not referral_ids:
        typer.echo(f"Erased referrals that a backup brought back: {len(referral_ids):,}")
        return
    confirm_or_exit("Erase them again? This cannot be undone.", yes=yes)
    reason, actor_id = ErasureReason.RESTORED_BACKUP, name_operator()
    for step in erase_referrals(referral_ids, reason, actor_id=actor_id, context=context):
        typer.echo(f"{step.place}: {step.removed:,} removed", err=True)
    typer.echo(f"Erased again: {len(referral_ids):,}")


def _erase(
    plan: "ErasurePlan", reason: "ErasureReason", ticket: str, *, as_json: bool, context: "RunContext"
) -> tuple[Counter[str], bool]:
    from infra.erasure.erase import erase_referrals, is_settled

    counts: Counter[str] = Counter()
    incomplete, actor_id = False, name_operator()
    for step in erase_referrals(plan.referral_ids, reason, actor_id=actor_id, ticket=ticket, context=context):
        counts[step.place] += step.removed
        incomplete = incomplete or step.is_incomplete
        typer.echo(f"{step.place}: {step.removed:,} removed", err=True)
    erasures = [context.stores.erasures.get(referral_id) for referral_id in plan.referral_ids]
    if not as_json:
        typer.echo("Erased.")
        if not all(erasure and is_settled(erasure, context.now) for erasure in erasures):
            typer.echo(
                "Run the same command again in three hours: it removes what functions that were already running, or"
                " uploads that had begun, wrote in the meantime."
            )
    return counts, incomplete


def _print_plan(plan: "ErasurePlan") -> None:
    typer.echo(f"Referrals of this patient that will be erased: {', '.join(plan.referral_ids)}")
    if plan.begun:
        typer.echo(f"Their erasure was begun before: {', '.join(plan.begun)}")
    typer.echo(f"Organizations whose members will no longer see the patient: {', '.join(plan.tenants)}")
    typer.echo(
        "From: every table with its indexes, tasks, notices, emails, stored responses, deliveries, consultation"
        " times, and every version of every document. The key that encrypted them will be destroyed."
    )
    typer.echo(_STAYS)
    if plan.other_ids:
        typer.echo(
            "Referrals with the same names and date of birth, which will NOT be erased unless you erase them too:"
            f" {', '.join(plan.other_ids)}"
        )


def _to_json(plan: "ErasurePlan", counts: "Counter[str] | dict[str, int]") -> dict[str, object]:
    return {
        "referrals": list(plan.referral_ids),
        "begun_before": list(plan.begun),
        "other_referrals": list(plan.other_ids),
        "tenants": list(plan.tenants),
        "removed": dict(counts),
    }
