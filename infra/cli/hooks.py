"""`referrals cds-hook`: calls a CDS Hooks service as the simulated EHR would."""
# ruff: noqa: PLC0415 for the same reason as in `commands`

import json
from dataclasses import asdict
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from infra.cli import site
from infra.cli.common import NO_SITE_FOUND, USAGE_ERROR, AsJson, fail, print_json
from infra.cli.sending import SiteResponse, post_json
from infra.cli.site import NoSiteError, Site

if TYPE_CHECKING:
    from collections.abc import Mapping


class CdsHook(StrEnum):
    """The points in an EHR workflow at which the EHR requests cards."""

    PATIENT_VIEW = "patient-view"
    ORDER_SIGN = "order-sign"


def cds_hook(
    hook: Annotated[CdsHook, typer.Argument(help="Hook to call.")],
    chart: Annotated[
        str, typer.Option(help="Sample chart (follicular, large-b-cell, unrelated) or a JSON file.")
    ] = "follicular",
    *,
    as_json: AsJson = False,
) -> None:
    """Call a CDS Hooks service, as the simulated EHR would.

    Exit code 0 means the site responded, even with an error.
    """
    try:
        reply = _call_hook(hook, chart, site.enter_site())
    except NoSiteError as error:
        fail(str(error), NO_SITE_FOUND)
    except (OSError, ValueError, KeyError, TypeError):
        fail(
            f"Cannot read chart {chart}. Use a sample chart name or a JSON file in the same format.",
            USAGE_ERROR,
        )
    if as_json:
        print_json(asdict(reply))
    else:
        typer.echo(_format_reply(reply))


def _call_hook(hook: CdsHook, chart: str, running_site: Site) -> SiteResponse:
    from chalicelib import wiring
    from infra import ehr

    address = f"{running_site.url}/cds-services/{ehr.SERVICES[hook]}"
    pair = ehr.load_or_create_key(site.get_data_dir() / "ehr-key.json")
    token = ehr.create_token(pair, audience=address, now=wiring.read_clock())
    body = json.dumps(ehr.build_hook_request(hook, ehr.load_chart(chart)))
    return post_json(address, body.encode(), {"Authorization": f"Bearer {token}"}, url=running_site.url)


def _format_reply(reply: SiteResponse) -> str:
    if reply.status != 200:
        return f"{reply.status}  {json.dumps(reply.answer)}"
    cards: list[Mapping[str, Any]] = reply.answer["cards"]
    card_texts = (f"{card['summary']}\n\n{card['detail']}" for card in cards)
    return "\n\n".join(card_texts) or "No cards. This chart has no disease in the product catalog."
