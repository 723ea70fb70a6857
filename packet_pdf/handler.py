"""The function: a page comes in, a PDF goes out. It logs and keeps nothing of either."""

import base64
from collections.abc import Mapping
from typing import Any

from packet_pdf.render import render


def handle(event: Mapping[str, Any], _context: object = None) -> Mapping[str, str]:
    """Set the page of an event.

    Args:
        event: `{"page": …}`, a `PacketPage`.

    Returns:
        `{"pdf": …}`, in base64.

    Raises:
        RenderError: the page could not be set. Lambda reports it to the API as a failed call.
    """
    return {"pdf": base64.b64encode(render(event["page"])).decode("ascii")}
