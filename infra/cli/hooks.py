"""`referrals cds-hook`: ask for cards as the simulated health record system would."""
# ruff: noqa: PLC0415 as in `commands`

import json
from dataclasses import asdict
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from infra.cli import site
from infra.cli.sending import SiteResponse, post_json
from infra.cli.site import NoSiteError, Site

if TYPE_CHECKING:
    from collections.abc import Mapping

USAGE_ERROR, NO_SITE_FOUND = 2, 3


class CdsHook(StrEnum):
    """The moments in a record at which cards are asked for."""

    PATIENT_VIEW = "patient-view"
    ORDER_SIGN = "order-sign"


def cds_hook(
    hook: Annotated[CdsHook, typer.Argument(help="Which moment in the record.")],
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
        reply = _call_hook(hook, chart, site.enter_site())
    except NoSiteError as error:
        _fail(str(error), NO_SITE_FOUND)
    except (OSError, ValueError, KeyError, TypeError):
        _fail(f"{chart} is no chart: name a shipped one, or a file like those.", USAGE_ERROR)
    if as_json:
        typer.echo(json.dumps(asdict(reply), indent=2))
    else:
        typer.echo(_read_answer(reply))


def _call_hook(hook: CdsHook, chart: str, running_site: Site) -> SiteResponse:
    from chalicelib import wiring
    from infra import ehr

    address = f"{running_site.url}/cds-services/{ehr.SERVICES[hook]}"
    pair = ehr.load_or_create_key(site.get_data_dir() / "ehr-key.json")
    token = ehr.create_token(pair, audience=address, now=wiring.read_clock())
    body = json.dumps(ehr.build_hook_request(hook, ehr.load_chart(chart)))
    return post_json(address, body.encode(), {"Authorization": f"Bearer {token}"}, url=running_site.url)


def _read_answer(reply: SiteResponse) -> str:
    if reply.status != 200:
        return f"{reply.status}  {json.dumps(reply.answer)}"
    cards: list[Mapping[str, Any]] = reply.answer["cards"]
    card_texts = (f"{card['summary']}\n\n{card['detail']}" for card in cards)
    return "\n\n".join(card_texts) or "No cards: nothing in this chart concerns the catalogue."


def _fail(sentence: str, status: int) -> NoReturn:
    typer.echo(sentence, err=True)
    raise typer.Exit(status)
