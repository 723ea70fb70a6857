"""`referrals cds-hook`: ask for cards as a health record would, with a token of its own."""
# ruff: noqa: PLC0415 as in `commands`

import json
from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

from infra.cli.sending import Reply, posted


class Hook(StrEnum):
    """The moments in a record at which cards are asked for."""

    PATIENT_VIEW = "patient-view"
    ORDER_SIGN = "order-sign"


def ask(hook: Hook, chart: str, *, url: str, key_file: Path, now: datetime) -> Reply:
    """Ask the site for cards over a chart.

    Raises:
        FileNotFoundError: there is no such chart, or the site that runs made no key.
        NoSiteError: nobody answers at `url`.
    """
    from infra import ehr

    told = ehr.chart(chart)
    pair = ehr.key(key_file)
    address = f"{url}/cds-services/{ehr.SERVICES[hook]}"
    signed = ehr.token(pair, audience=address, now=now)
    return posted(
        address,
        json.dumps(ehr.hook_of(hook, told)).encode(),
        {"Authorization": f"Bearer {signed}"},
        url=url,
    )


def told(answer: Mapping[str, Any]) -> str:
    """The cards as a person reads them."""
    cards = answer.get("cards", [])
    if not cards:
        return "No cards: nothing in this chart concerns the catalogue."
    return "\n\n".join(f"{card['summary']}\n\n{card['detail']}" for card in cards)
