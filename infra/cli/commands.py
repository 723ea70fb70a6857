"""The commands. Each finds the site, calls one thing, and says what came of it.

What takes long to import is imported by the command that needs it, and nothing of the product
before the site's settings are in place.
"""
# ruff: noqa: PLC0415 see above

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import Annotated, Any, NoReturn

import typer

from chalicelib.errors import UnauthenticatedError, UnavailableError
from chalicelib.settings import SettingsError
from infra.cli import hooks, moments, operating, site
from infra.cli.centers import centers
from infra.cli.jobs import RunnableJob
from infra.cli.sending import DeliveryHistory, SignedDelivery, build_delivery, post_delivery
from infra.cli.site import NoSiteError, Site

app = typer.Typer(
    name="referrals",
    help="Run, try and connect to a CAR T Referral Dashboard.",
    no_args_is_help=True,
    # A traceback with its local variables would print what nobody may see.
    pretty_exceptions_show_locals=False,
)

app.command()(hooks.cds_hook)
app.add_typer(operating.audit, name="audit")
app.add_typer(operating.deliveries, name="deliveries")
app.add_typer(operating.outbox, name="outbox")
app.add_typer(centers, name="centers")

PROBLEM_FOUND, USAGE_ERROR, NO_SITE_FOUND = 1, 2, 3

_WRONG_SECRET = b"no center signs with this secret"

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]


@app.command()
def members(*, as_json: AsJson = False) -> None:
    """List the people of the fictional world who can sign in."""
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
        _print_json(rows)
        return
    for row in rows:
        typer.echo(f"{row['member']:<22} {row['email']:<32} {row['tenant']}")
    typer.echo(f"\nThe password of them all: {world.DEMO_PASSWORD}")


@app.command()
def token(member: Annotated[str, typer.Argument(help="As `referrals members` lists them, or by email.")]) -> None:
    """Print an access token of a fictional person, from the site's identity service."""
    from infra import world

    person = world.find_member(member)
    if person is None:
        _fail(f"Nobody is called {member}: `referrals members` lists everybody.", USAGE_ERROR)
    with _open_site():
        from chalicelib import wiring
        from chalicelib.services.identity.sign_in import SignedInSession

        session = wiring.get_identity_service().sign_in(person.email, person.password)
        if not isinstance(session, SignedInSession):
            _fail(f"{member} is asked for more than a password: sign in on the page.", PROBLEM_FOUND)
        typer.echo(session.access_token)


@app.command()
def seed() -> None:
    """Make the fictional world, unless it is there already."""
    with _open_site():
        from infra import world

        try:
            made = world.seed_once(_print_progress)
        except (world.NotFictionalSiteError, world.OutdatedWorldError) as refusal:
            _fail(str(refusal), USAGE_ERROR)
        typer.echo("The fictional world is ready." if made else "It was there already.")


@app.command()
def send_event(  # noqa: PLR0913 an option a field
    center: Annotated[str | None, typer.Option(help="Id or short name of the center.")] = None,
    referral: Annotated[str | None, typer.Option(help="Id of the referral.")] = None,
    stage: Annotated[str | None, typer.Option(help="The stage that was reached.")] = None,
    at: Annotated[str | None, typer.Option(help="An RFC 3339 time, or a day: noon at the center. Else now.")] = None,
    *,
    part: Annotated[int | None, typer.Option(help="Which infusion of a split dose.")] = None,
    of: Annotated[int | None, typer.Option(help="How many infusions make the dose.")] = None,
    local_date: Annotated[str | None, typer.Option(help="The day at the center.")] = None,
    sequence: Annotated[int | None, typer.Option(help="The sender's own count.")] = None,
    reason_code: Annotated[str | None, typer.Option(help="Why, as a code.")] = None,
    note: Annotated[str | None, typer.Option(help="A note for the other side.")] = None,
    bad_signature: Annotated[bool, typer.Option("--bad-signature", help="Sign it with a wrong secret.")] = False,
    replay: Annotated[
        bool, typer.Option("--replay", help="Send again what was sent last (of what is named): same id, same bytes.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Send a signed stage change, as a center's own system would.

    Prints the status and the answer. Exit status 0 means that the site answered, whatever it
    said.
    """
    with _open_site() as found:
        sent = DeliveryHistory(site.get_data_dir() / "sent-deliveries.json")
        center_id = _resolve_center_id(center)
        if replay:
            delivery = sent.find_last(center_id=center_id, referral_id=referral, stage=stage)
            if delivery is None:
                _fail("Nothing was sent yet that could be sent again.", USAGE_ERROR)
        else:
            data = {"part": part, "of": of, "local_date": local_date}
            data |= {"reason_code": reason_code, "note": note}
            delivery = _build_delivery(center_id, referral, stage, at, sequence, data)
        _post_delivery(delivery, found, sent, bad_signature=bad_signature, as_json=as_json)


@app.command()
def run_job(
    name: Annotated[RunnableJob, typer.Argument(help="What is planned, committed, overdue, or weekly.")],
    at: Annotated[str | None, typer.Option(help="As if it ran then: an RFC 3339 time, or a day's end in UTC.")] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Run a scheduled job now, as the schedule would."""
    try:
        when = moments.parse_end_of_day(at) if at else None
    except ValueError as error:
        _fail(f"--at is not understood: {error}.", USAGE_ERROR)
    with _open_site():
        from chalicelib import wiring
        from chalicelib.services.notices import outbox_worker as duties

        try:
            counts = dict(duties.run_job(name.lane, context=wiring.build_job_context(when)))
        except duties.JobFailedError as failure:
            _fail(f"{failure}; they are tried again later.", PROBLEM_FOUND)
        if as_json:
            _print_json(counts)
        else:
            typer.echo(", ".join(f"{number} {word}" for word, number in counts.items()))


@app.command()
def doctor(*, as_json: AsJson = False) -> None:
    """Check settings, tables, key, identity and mail sender. Exit status 1 if one is off."""
    with _open_site() as found:
        from chalicelib import clients, settings, wiring
        from infra.cli.doctor import run_checks

        findings = []
        known = settings.read_settings()
        for finding in run_checks(known, aws=clients.create_aws_client, url=found.url, now=wiring.read_clock()):
            findings.append(finding)
            if not as_json:
                mark = "ok " if finding.passed else "OFF"
                typer.echo(f"{mark}  {finding.check:<22} {finding.detail}")
    if as_json:
        _print_json([{"check": each.check, "ok": each.passed, "detail": each.detail} for each in findings])
    if not all(finding.passed for finding in findings):
        raise typer.Exit(PROBLEM_FOUND)


@app.command()
def openapi() -> None:
    """Print the OpenAPI document."""
    import app as _routes  # noqa: F401 declares every route
    from chalicelib.routes import openapi as described

    _print_json(described.build_document())


@contextmanager
def _open_site() -> Iterator[Site]:
    """The site to talk to; what keeps us from it is said in one sentence."""
    try:
        yield site.enter_site()
    except NoSiteError as error:
        _fail(str(error), NO_SITE_FOUND)
    except UnavailableError:
        _fail("The site's services do not answer; look into cloud.log, or try again.", NO_SITE_FOUND)
    except UnauthenticatedError:
        _fail("The identity service does not know this person: run `referrals seed`.", PROBLEM_FOUND)
    except SettingsError as error:
        _fail(str(error), USAGE_ERROR)


def _resolve_center_id(name: str | None) -> str | None:
    """The id of a center that may have been called by its short name."""
    from infra.world.places import find_center

    try:
        return find_center(name).tenant_id if name else None
    except KeyError:
        return name


def _build_delivery(
    center_id: str | None,
    referral: str | None,
    stage: str | None,
    at: str | None,
    sequence: int | None,
    data: dict[str, Any],
) -> SignedDelivery:
    if not (center_id and referral and stage):
        _fail("Name the --center, the --referral and the --stage.", USAGE_ERROR)
    from chalicelib import wiring

    center = wiring.get_stores().tenants.get_center(center_id)
    zone = center.tenant.time_zone if center else "UTC"
    try:
        occurred_at = moments.parse_event_time(at, time_zone=zone, now=wiring.read_clock())
    except ValueError as error:
        _fail(f"--at is not understood: {error}.", USAGE_ERROR)
    return build_delivery(
        center_id=center_id, referral_id=referral, stage=stage, occurred_at=occurred_at, sequence=sequence, data=data
    )


def _post_delivery(
    delivery: SignedDelivery, running_site: Site, sent: DeliveryHistory, *, bad_signature: bool, as_json: bool
) -> None:
    from chalicelib import wiring

    now = wiring.read_clock()
    secrets = wiring.get_stores().secrets.list_valid(delivery.center_id, now=now)
    if not (secrets or bad_signature):
        _fail(f"There is no center {delivery.center_id}.", USAGE_ERROR)
    secret = _WRONG_SECRET if bad_signature else secrets[-1]
    reply = post_delivery(delivery, secret=secret, url=running_site.url, now=now)
    if not bad_signature:
        sent.remember(delivery)
    if as_json:
        _print_json({**asdict(reply), "webhook_id": delivery.webhook_id})
    else:
        typer.echo(f"{reply.status}  {json.dumps(reply.answer)}")


def _print_progress(line: str) -> None:
    typer.echo(line, err=True)


def _print_json(value: Any) -> None:
    typer.echo(json.dumps(value, indent=2))


def _fail(sentence: str, status: int) -> NoReturn:
    typer.echo(sentence, err=True)
    raise typer.Exit(status)
