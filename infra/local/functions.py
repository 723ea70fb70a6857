"""What Lambda hands to a function beside the event: its context, and how long it may take."""

import json
import time
import uuid
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

API_FUNCTION = "api_handler"
_CONFIG = Path(__file__).parents[2] / ".chalice" / "config.json"


@cache
def get_time_limit_s(function_name: str) -> float:
    """How long the function may take, as it is deployed."""
    functions = json.loads(_CONFIG.read_text())["stages"]["local"]["lambda_functions"]
    return float(functions[function_name]["lambda_timeout"])


@dataclass(frozen=True, slots=True, kw_only=True)
class LambdaContext:
    """The context of one call."""

    function_name: str
    function_version: str = "$LATEST"
    memory_limit_in_mb: int = 512
    aws_request_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    started: float = field(default_factory=time.monotonic)

    @property
    def invoked_function_arn(self) -> str:
        """An address in the local cloud's account."""
        return f"arn:aws:lambda:us-east-1:000000000000:function:{self.function_name}"

    @property
    def log_group_name(self) -> str:
        """Where the logs of such a function are in AWS."""
        return f"/aws/lambda/{self.function_name}"

    @property
    def log_stream_name(self) -> str:
        """As `log_group_name`."""
        return "local"

    def get_remaining_time_in_millis(self) -> int:
        """How long the function may still take."""
        left = get_time_limit_s(self.function_name) - (time.monotonic() - self.started)
        return max(0, int(left * 1000))
