"""What every AWS client of the product does: its time limits, and what it makes of a response.

Botocore's clients (`sdk_clients`) and our own calls (`direct_calls`) share it.
"""

import json
import logging
from collections.abc import Mapping
from typing import Any

from chalicelib import metrics

# At DEBUG, botocore logs complete requests and responses with passwords, addresses and data keys.
# This keeps them out of the logs, whatever level the root logger has.
logging.getLogger("botocore").setLevel(logging.INFO)

CONNECT_S = 1
READ_S = 3
ATTEMPT_S = CONNECT_S + READ_S
"""The longest time of one attempt. The ten seconds of a request are enough for two attempts that time
out, or for three that are refused at once. With the defaults of botocore it would be two minutes."""

MAX_ATTEMPTS = 3
MAX_CONNECTIONS = 16
USER_AGENT = "cart-referrals"

_THROTTLED = frozenset(
    {
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "ThrottlingException",
        # The reasons of a transaction that was canceled.
        "ProvisionedThroughputExceeded",
        "ThrottlingError",
    }
)


class UnreadableResponse(dict[str, Any]):
    """What stands for a response that is torn or garbled. The call is tried again, as after a timeout."""

    def __init__(self, status: int) -> None:
        metadata = {"HTTPStatusCode": status, "HTTPHeaders": {}}
        super().__init__(Error={"Code": "RequestTimeout", "Message": "unreadable"}, ResponseMetadata=metadata)


def parse_whole_json(body: bytes) -> dict[str, Any]:
    """Parse a JSON object.

    Raises:
        ValueError: it is something else. The SDK would take it for a response without values.
    """
    parsed = json.loads(body)
    if not isinstance(parsed, dict):
        raise ValueError("not a JSON object")  # noqa: TRY004 one error for everything that is no JSON object
    return parsed


def count_throttle(parsed: Mapping[str, Any]) -> None:
    """Count an attempt that DynamoDB throttled. CloudWatch's own metrics of a table show which one it was."""
    codes = {parsed.get("Error", {}).get("Code")}
    codes |= {reason.get("Code") for reason in parsed.get("CancellationReasons", ())}
    if codes & _THROTTLED:
        metrics.emit({metrics.Metric.STORAGE_THROTTLED: 1})
