"""What commands share: exit codes, JSON output, error messages, questions, and the operator in the audit trail."""

import getpass
import json
import os
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer
from typer.core import TyperGroup

from chalicelib.errors import StoredItemError
from infra.cli import site
from infra.cli.site import OPERATOR_VARIABLE, NoSiteError

if TYPE_CHECKING:
    from chalicelib.services.platform.run_context import RunContext

PROBLEM_FOUND, USAGE_ERROR, NO_SITE_FOUND = 1, 2, 3

Yes = Annotated[bool, typer.Option("--yes", help="Apply without asking.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def print_json(value: Any) -> None:
    """Print a value as JSON."""
    typer.echo(json.dumps(value, indent=2))


def fail(message: str, exit_code: int) -> NoReturn:
    """Print a message to standard error and exit."""
    typer.echo(message, err=True)
    raise typer.Exit(exit_code)


class ReportingGroup(TyperGroup):
    """The commands. One that meets an item that this release cannot read says which release wrote it, and exits."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except StoredItemError as error:
            fail(f"Not possible: {error}. Nothing was overwritten.", PROBLEM_FOUND)


def enter_site_or_fail() -> None:
    """Find the running site."""
    try:
        site.enter_site()
    except NoSiteError as error:
        fail(str(error), NO_SITE_FOUND)


def confirm_or_exit(question: str = "Apply this?", *, yes: bool) -> None:
    """Ask on standard error before something is changed, unless `yes`. Exit with code 1 on any answer but yes."""
    if not (yes or typer.confirm(question, err=True)):
        fail("No changes made.", PROBLEM_FOUND)


def name_operator() -> str:
    """Name the person who runs the command, as the audit trail records it.

    On a deployment this is the last part of the caller's AWS identity: the name of the role session or of the user.
    `REFERRALS_OPERATOR` names someone else, for scripts; CloudTrail still shows whose identity it was. In the local
    run, it is the name of the user of this computer.
    """
    return f"operator:{os.environ.get(OPERATOR_VARIABLE) or _find_aws_name() or getpass.getuser()}"


def append_operator_entry(subject: str, action: str, *, reason: str = "", context: "RunContext") -> None:
    """Append the audit row of a command that is about no referral. It belongs to the operator, whom it names."""
    from chalicelib.store.audit.rows import AuditEntry  # noqa: PLC0415 as in `commands`

    entry = AuditEntry(
        referral_id=subject,
        at=context.now,
        actor_id=name_operator(),
        tenant_id="operator",
        action=action,
        reason=reason,
    )
    context.stores.audit_log.append(entry)


def _find_aws_name() -> str:
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 as in `commands`

    from chalicelib import clients  # noqa: PLC0415 after the settings of the site

    try:
        arn = str(clients.create_aws_client("sts").get_caller_identity()["Arn"])
    except (BotoCoreError, ClientError, KeyError):
        return ""
    return arn.rpartition("/")[2] if "/" in arn else ""
