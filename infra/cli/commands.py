"""All commands. Each command finds the site, calls one function, and prints the result.

Slow imports are inside the command that needs them. The product is imported only after the site's
settings are applied.
"""
# ruff: noqa: PLC0415 see above

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import Annotated, Any

import typer

from chalicelib.errors import StoredItemError, UnauthenticatedError, UnavailableError
from chalicelib.settings import SettingsError
from infra.cli import erasing, exporting, hooks, importing, migrating, operating, restoring, site, time_arguments
from infra.cli.catalog import catalog
from infra.cli.centers import centers
from infra.cli.common import NO_SITE_FOUND, PROBLEM_FOUND, USAGE_ERROR, AsJson, ReportingGroup, fail, print_json
from infra.cli.conformance import conformance
from infra.cli.jobs import RunnableJob
from infra.cli.keys import keys, secrets
from infra.cli.organizations import organizations
from infra.cli.retaining import retention
from infra.cli.sending import DeliveryHistory, SignedDelivery, build_delivery, post_delivery
from infra.cli.site import NoSiteError, Site, StackChoice

app = typer.Typer(
    name="referrals",
    cls=ReportingGroup,
    help="Run, test, and operate a CAR T Referral Dashboard.",
    no_args_is_help=True,
    # A traceback with local variables could print patient data and secrets.
    pretty_exceptions_show_locals=False,
)


@app.callback()
def choose_site(
    stack: Annotated[
        str | None,
        typer.Option(
            envvar="REFERRALS_STACK", help="Work on this deployed stack. Default: the local site, or the environment."
        ),
    ] = None,
    region: Annotated[str | None, typer.Option(help="Region of the stack. Default: the one of your settings.")] = None,
    *,
    own_credentials: Annotated[
        bool,
        typer.Option(
            "--own-credentials", help="Use your own permissions on the stack, not those of its operator role."
        ),
    ] = False,
) -> None:
    """Run, test, and operate a CAR T Referral Dashboard."""
    choice = StackChoice(name=stack, region=region, uses_own_credentials=own_credentials) if stack else None
    site.choose_stack(choice)


app.command()(hooks.cds_hook)
app.command()(migrating.migrate)
app.command("import")(importing.import_file)
app.command()(erasing.erase)
app.command()(erasing.erase_restored)
app.command()(exporting.export)
app.command()(exporting.import_tenant)
app.add_typer(operating.audit, name="audit")
app.add_typer(operating.deliveries, name="deliveries")
app.add_typer(operating.outbox, name="outbox")
app.add_typer(restoring.restore, name="restore")
app.add_typer(organizations, name="organizations")
app.add_typer(centers, name="centers")
app.add_typer(secrets, name="secrets")
app.add_typer(keys, name="keys")
app.add_typer(retention, name="retention")
app.add_typer(catalog, name="catalog")
app.add_typer(conformance, name="conformance")

_WRONG_SECRET = b"no center signs with this secret"


@app.command()
def members(*, as_json: AsJson = False) -> None:
    """List the sample accounts."""
    from infra import world

    rows = [
        {
            "member": member.handle,
            "name": member.name,
            "email": member.email,
            "kind": member.tenant.kind.value,
            "tenant_id": member.tenant.tenant_id,
            "tenant": member.tenant.name,
            "roles": sorted(member.roles),
            "password": member.password,
        }
        for member in world.list_members()
    ]
    if as_json:
        print_json(rows)
        return
    for row in rows:
        typer.echo(f"{row['member']:<22} {row['email']:<32} {row['tenant']}")
    typer.echo(f"\nPassword for all accounts: {world.DEMO_PASSWORD}")


@app.command()
def token(
    member: Annotated[str, typer.Argument(help="Name as listed by `referrals members`, or email address.")],
) -> None:
    """Print an access token for a sample account."""
    from infra import world

    account = world.find_member(member)
    if account is None:
        fail(f"No member named {member}. Run `referrals members` to list them.", USAGE_ERROR)
    with _open_site():
        from chalicelib import wiring
        from chalicelib.services.identity.sign_in import SignedInSession

        session = wiring.get_identity_service().sign_in(account.email, account.password)
        if not isinstance(session, SignedInSession):
            fail(f"{member} needs more than a password. Sign in through the dashboard.", PROBLEM_FOUND)
        typer.echo(session.access_token)


@app.command()
def seed() -> None:
    """Create the sample data if it does not exist."""
    with _open_site():
        from infra import world

        try:
            was_created = world.seed_once(_print_progress)
        except (world.NotFictionalSiteError, world.OutdatedWorldError) as error:
            fail(str(error), USAGE_ERROR)
        typer.echo("Sample data created." if was_created else "Sample data already exists. Nothing changed.")


@app.command()
def send_event(  # noqa: PLR0913 one option for each field
    center: Annotated[str | None, typer.Option(help="Center ID or short name.")] = None,
    referral: Annotated[str | None, typer.Option(help="Referral ID.")] = None,
    stage: Annotated[str | None, typer.Option(help="Stage to report.")] = None,
    event_type: Annotated[
        str | None,
        typer.Option(
            "--type",
            help="Event type. Default: stage.changed. Others: adverse_event.reported, relapse.reported,"
            " bridging.reported, toxicity.noticed, hold.started, hold.ended, window.extended, plan.changed,"
            " referral.reopened.",
        ),
    ] = None,
    at: Annotated[
        str | None,
        typer.Option(help="When it happened: RFC 3339 time, or a date (noon at the center). Default: now."),
    ] = None,
    *,
    part: Annotated[int | None, typer.Option(help="Infusion number of a split dose.")] = None,
    of: Annotated[int | None, typer.Option(help="Total number of infusions in the dose.")] = None,
    local_date: Annotated[str | None, typer.Option(help="Calendar date at the center.")] = None,
    product: Annotated[
        str | None, typer.Option(help="Product: planned with center_proceed, given with infused.")
    ] = None,
    sequence: Annotated[int | None, typer.Option(help="Sender's sequence number.")] = None,
    reason_code: Annotated[str | None, typer.Option(help="Reason code.")] = None,
    note: Annotated[str | None, typer.Option(help="Note to the referring practice.")] = None,
    kind: Annotated[str | None, typer.Option(help="Kind of adverse event, such as crs or infection.")] = None,
    grade: Annotated[int | None, typer.Option(help="Grade of the adverse event, 1 to 5.")] = None,
    status: Annotated[
        str | None,
        typer.Option(
            help="Adverse event: ongoing, resolved. Relapse: suspected, confirmed, ruled_out."
            " Bridging therapy: planned, started, completed, none."
        ),
    ] = None,
    resolved_on: Annotated[str | None, typer.Option(help="Date on which the adverse event resolved.")] = None,
    by: Annotated[str | None, typer.Option(help="Who gives bridging therapy: practice, center, other.")] = None,
    regimen: Annotated[str | None, typer.Option(help="Regimen of bridging therapy.")] = None,
    response: Annotated[
        str | None, typer.Option(help="Response to bridging therapy, such as partial_response.")
    ] = None,
    ends_on: Annotated[str | None, typer.Option(help="New end date of monitoring.")] = None,
    plan: Annotated[
        str | None,
        typer.Option(
            help="What is planned: consultation, leukapheresis, delivery, lymphodepletion, infusion, or return."
        ),
    ] = None,
    on: Annotated[str | None, typer.Option(help="Planned day at the center.")] = None,
    starts_at: Annotated[str | None, typer.Option(help="Planned time, such as 2026-12-03T10:30:00-05:00.")] = None,
    canceled: Annotated[bool, typer.Option("--canceled", help="The planned date was canceled.")] = False,
    bad_signature: Annotated[bool, typer.Option("--bad-signature", help="Sign with a wrong secret.")] = False,
    replay: Annotated[
        bool,
        typer.Option("--replay", help="Resend the last delivery that matches, with the same ID and bytes."),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Send a signed event, as a center's system would: a stage change, or another `--type`.

    Prints the HTTP status and response. Exit code 0 means the site responded, even with an error.
    """
    with _open_site() as running_site:
        sent = DeliveryHistory(site.get_data_dir() / "sent-deliveries.json")
        center_id = _resolve_center_id(center)
        if replay:
            delivery = sent.find_last(center_id=center_id, referral_id=referral, stage=stage or event_type)
            if delivery is None:
                fail("No matching delivery to resend.", USAGE_ERROR)
        else:
            data = {"stage": stage, "part": part, "of": of, "local_date": local_date, "product_id": product}
            data |= {"kind": kind, "grade": grade, "status": status, "resolved_on": resolved_on}
            data |= {"by": by, "regimen": regimen, "response": response, "ends_on": ends_on}
            data |= {"plan": plan, "on": on, "starts_at": starts_at, "canceled": canceled or None}
            data |= {"reason_code": reason_code, "note": note}
            delivery = _build_delivery(center_id, referral, event_type or "stage.changed", at, sequence, data)
        _post_delivery(delivery, running_site, sent, bad_signature=bad_signature, as_json=as_json)


_JOB_HELP = (
    "Job to run: relay (notices about recorded events), notices (scheduled notices and reminders), "
    "clocks (overdue alerts), digest (weekly summaries), or slots (consultation times from weekly patterns)."
)
_COUNT_LABELS = {"parked": "dead letters", "taken": "taken by another run"}
"""The labels of those counts whose name alone is not clear."""


@app.command()
def run_job(
    name: Annotated[RunnableJob, typer.Argument(help=_JOB_HELP)],
    at: Annotated[
        str | None, typer.Option(help="Run as if at this time: RFC 3339 time, or a date (end of day, UTC).")
    ] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Run a scheduled job now."""
    try:
        run_at = time_arguments.parse_end_of_day(at) if at else None
    except ValueError as error:
        fail(f"--at is not valid: {error}.", USAGE_ERROR)
    with _open_site():
        from chalicelib import wiring
        from chalicelib.services.consultation.patterns import materialize_all
        from chalicelib.services.notices import outbox_worker

        context = wiring.build_job_context(run_at)
        try:
            counts = (
                outbox_worker.run_job(name.queue, context=context) if name.queue else materialize_all(context=context)
            )
        except outbox_worker.JobFailedError as error:
            fail(f"{error}. The failed tasks will be retried on the next run.", PROBLEM_FOUND)
        if as_json:
            print_json(dict(counts))
        else:
            typer.echo(", ".join(f"{number} {_COUNT_LABELS.get(name, name)}" for name, number in counts.items()))


@app.command()
def doctor(*, as_json: AsJson = False) -> None:
    """Check settings, tables, encryption key, buckets, sign-in, email, and payers. Exit code 1 if a check fails."""
    with _open_site() as running_site:
        from chalicelib import clients, settings, wiring
        from infra.cli.doctor import run_checks

        results = []
        for result in run_checks(
            settings.read_settings(), aws=clients.create_aws_client, url=running_site.url, now=wiring.read_clock()
        ):
            results.append(result)
            if not as_json:
                typer.echo(f"{'ok' if result.passed else 'FAIL':<4}  {result.check:<22} {result.detail}")
    if as_json:
        print_json([{"check": each.check, "ok": each.passed, "detail": each.detail} for each in results])
    if not all(result.passed for result in results):
        raise typer.Exit(PROBLEM_FOUND)


@app.command()
def openapi() -> None:
    """Print the OpenAPI document."""
    from chalicelib.routes.openapi import build_document

    print_json(build_document())


@contextmanager
def _open_site() -> Iterator[Site]:
    """Find the running site. If it cannot be used, print why in one sentence and exit."""
    try:
        yield site.enter_site()
    except NoSiteError as error:
        fail(str(error), NO_SITE_FOUND)
    except StoredItemError:
        raise
    except UnavailableError:
        fail("Cannot reach the site's services. Check cloud.log, then try again.", NO_SITE_FOUND)
    except UnauthenticatedError:
        fail("This account does not exist yet. Run `referrals seed`.", PROBLEM_FOUND)
    except SettingsError as error:
        fail(str(error), USAGE_ERROR)


def _resolve_center_id(name: str | None) -> str | None:
    """Return the ID of a center that is given by its short name or its ID."""
    from infra.world.places import find_center

    try:
        return find_center(name).tenant_id if name else None
    except KeyError:
        return name


def _build_delivery(
    center_id: str | None,
    referral: str | None,
    event_type: str,
    at: str | None,
    sequence: int | None,
    data: dict[str, Any],
) -> SignedDelivery:
    if not (center_id and referral and (data["stage"] or event_type != "stage.changed")):
        fail(
            "--center, --referral, and --stage are required. Other events need --type instead of --stage.", USAGE_ERROR
        )
    from chalicelib import wiring

    center = wiring.get_stores().tenants.get_center(center_id)
    zone = center.tenant.time_zone if center else "UTC"
    try:
        occurred_at = time_arguments.parse_event_time(at, time_zone=zone, now=wiring.read_clock())
    except ValueError as error:
        fail(f"--at is not valid: {error}.", USAGE_ERROR)
    return build_delivery(
        center_id=center_id,
        referral_id=referral,
        event_type=event_type,
        occurred_at=occurred_at,
        sequence=sequence,
        data=data,
    )


def _post_delivery(
    delivery: SignedDelivery, running_site: Site, sent: DeliveryHistory, *, bad_signature: bool, as_json: bool
) -> None:
    from chalicelib import wiring

    now = wiring.read_clock()
    valid = wiring.get_stores().secrets.list_valid(delivery.center_id, now=now)
    if not (valid or bad_signature):
        fail(f"No center with ID {delivery.center_id}.", USAGE_ERROR)
    secret = _WRONG_SECRET if bad_signature else valid[-1]
    reply = post_delivery(delivery, secret=secret, url=running_site.url, now=now)
    if not bad_signature:
        sent.add(delivery)
    if as_json:
        print_json({**asdict(reply), "webhook_id": delivery.webhook_id})
    else:
        typer.echo(f"{reply.status}  {json.dumps(reply.answer)}")


def _print_progress(line: str) -> None:
    typer.echo(line, err=True)
