"""`referrals cds-hook`: ask for cards as the simulated health record system would."""
# ruff: noqa: PLC0415 as in `commands`

import json
from dataclasses import asdict
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from infra.cli import site
from infra.cli.sending import Reply, posted
from infra.cli.site import NoSiteError, Site

if TYPE_CHECKING:
    from collections.abc import Mapping

NOT_UNDERSTOOD, NO_SITE = 2, 3


class Hook(StrEnum):
    """The moments in a record at which cards are asked for."""

    PATIENT_VIEW = "patient-view"
    ORDER_SIGN = "order-sign"


def cds_hook(
    hook: Annotated[Hook, typer.Argument(help="Which moment in the record.")],
    chart: Annotated[
        str, typer.Option(help="`follicular`, `large-b-cell`, `unrelated`, or a JSON file.")
    ] = "follicular",
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")] = False,
) -> None:
    """Ask for CDS Hooks cards, as the simulated health record system would.

    Exit status 0 means that the site answered, whatever it said.
    """
    try:
        reply = _ask(hook, chart, site.enter())
    except NoSiteError as error:
        _fail(str(error), NO_SITE)
    except (OSError, ValueError, KeyError, TypeError):
        _fail(f"{chart} is no chart: name a shipped one, or a file like those.", NOT_UNDERSTOOD)
    if as_json:
        typer.echo(json.dumps(asdict(reply), indent=2))
    else:
        typer.echo(_told(reply))


def _ask(hook: Hook, chart: str, found: Site) -> Reply:
    from chalicelib import wiring
    from infra import ehr

    address = f"{found.url}/cds-services/{ehr.SERVICES[hook]}"
    pair = ehr.key(site.data_dir() / "ehr-key.json")
    token = ehr.token(pair, audience=address, now=wiring.now())
    body = json.dumps(ehr.hook_of(hook, ehr.chart(chart)))
    return posted(address, body.encode(), {"Authorization": f"Bearer {token}"}, url=found.url)


def _told(reply: Reply) -> str:
    if reply.status != 200:
        return f"{reply.status}  {json.dumps(reply.answer)}"
    cards: list[Mapping[str, Any]] = reply.answer["cards"]
    told = (f"{card['summary']}\n\n{card['detail']}" for card in cards)
    return "\n\n".join(told) or "No cards: nothing in this chart concerns the catalogue."


def _fail(sentence: str, status: int) -> NoReturn:
    typer.echo(sentence, err=True)
    raise typer.Exit(status)
