"""Calls the function that sets a referral as a PDF. No other module calls it.

The function has a bundle of its own, because its library and fonts are four times as large as the rest.
"""

import base64
import binascii
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from chalicelib import budget
from chalicelib.aws import translate_aws_errors
from chalicelib.errors import UnavailableError
from chalicelib.observe import log

RENDER_S = 8.0
"""The longest time to wait for a page: a function that just starts has to load 90 MB first, and needs up to a few
seconds. A request has ten seconds in all."""

_PDF_START = b"%PDF-"
_CLASS_NAME = re.compile(r"[A-Za-z_.]{1,60}")


class PacketUnavailableError(UnavailableError):
    """The page was not set; nothing was written."""

    def __init__(self) -> None:
        """Say what works meanwhile."""
        super().__init__(
            "packet_unavailable", "The PDF cannot be made right now. Try again in a moment, or print this page."
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class LambdaPacketRenderer:
    """Sets pages with a Lambda function. `client` returns the one client, which it creates when first needed."""

    client: Callable[[], Any]
    function_name: str

    def render(self, page: Mapping[str, Any]) -> bytes:
        """Set a page, as `PacketPage` of `chalicelib.domain.referrals.packet_page` describes it; return the PDF.

        Raises:
            UnavailableError: the function did not respond in time, or failed.
        """
        budget.require_time(RENDER_S)
        payload = json.dumps({"page": page}).encode()
        with translate_aws_errors():
            response = self.client().invoke(FunctionName=self.function_name, Payload=payload)
            result = response["Payload"].read()
        if response.get("FunctionError"):
            log.error("packet_renderer_failed", error=_read_error_type(result))
            raise PacketUnavailableError
        return _read_pdf(result)


def _read_error_type(result: bytes) -> str:
    """The class of the function's error. Its message is not logged."""
    try:
        kind = str(json.loads(result)["errorType"])
    except (KeyError, TypeError, ValueError):
        return "unknown"
    return kind if _CLASS_NAME.fullmatch(kind) else "unknown"


def _read_pdf(result: bytes) -> bytes:
    try:
        pdf = base64.b64decode(json.loads(result)["pdf"], validate=True)
    except (KeyError, TypeError, ValueError, binascii.Error) as e:
        log.error("packet_renderer_failed", error="unreadable")
        raise PacketUnavailableError from e
    if not pdf.startswith(_PDF_START):
        log.error("packet_renderer_failed", error="not_a_pdf")
        raise PacketUnavailableError
    return pdf
