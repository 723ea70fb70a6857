"""The function that sets PDFs, called in this process as Lambda calls it: only JSON goes in and comes out."""

import io
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from chalicelib.store.referrals.packet_renderer import LambdaPacketRenderer
from packet_pdf.handler import handle
from tests.support.aws_fakes import PREFIX

PACKET_FUNCTION = f"{PREFIX}packet-pdf"


@dataclass
class PacketFunction:
    """A client of Lambda that knows one function. It counts its calls."""

    calls: list[Mapping[str, Any]] = field(default_factory=list)

    def invoke(self, *, FunctionName: str, Payload: bytes) -> dict[str, Any]:  # noqa: N803 botocore's names
        """Call the function and wait for its result, or for its error as Lambda reports it."""
        assert FunctionName == PACKET_FUNCTION
        event = json.loads(Payload)
        self.calls.append(event)
        try:
            result = json.dumps(handle(event))
        except Exception as e:  # noqa: BLE001 Lambda reports every error in this way
            error = {"errorMessage": str(e), "errorType": type(e).__name__, "stackTrace": []}
            return {"StatusCode": 200, "FunctionError": "Unhandled", "Payload": io.BytesIO(json.dumps(error).encode())}
        return {"StatusCode": 200, "Payload": io.BytesIO(result.encode())}


@cache
def get_local_renderer() -> LambdaPacketRenderer:
    """Replaces `wiring.get_packet_renderer`."""
    function = PacketFunction()
    return LambdaPacketRenderer(client=lambda: function, function_name=PACKET_FUNCTION)
