"""The Lambda context, and the limits that are deployed."""

import json
import time
import uuid
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

API_FUNCTION = "api_handler"
_CONFIG = Path(__file__).parents[2] / ".chalice" / "config.json"


@cache
def get_time_limit_s(function_name: str) -> float:
    """Return the deployed time limit of the function, in seconds."""
    functions = _load_config()["stages"]["local"]["lambda_functions"]
    return float(functions[function_name]["lambda_timeout"])


@cache
def get_compressed_from_bytes() -> int:
    """Return from which size on API Gateway compresses a response."""
    return int(_load_config()["minimum_compression_size"])


def _load_config() -> dict[str, Any]:
    config: dict[str, Any] = json.loads(_CONFIG.read_text())
    return config


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
        """The ARN of the function in the local cloud's account."""
        return f"arn:aws:lambda:us-east-1:000000000000:function:{self.function_name}"

    @property
    def log_group_name(self) -> str:
        """The log group that such a function has in AWS."""
        return f"/aws/lambda/{self.function_name}"

    @property
    def log_stream_name(self) -> str:
        """The log stream that such a function has in AWS."""
        return "local"

    def get_remaining_time_in_millis(self) -> int:
        """Return how long the function may still run."""
        remaining_s = get_time_limit_s(self.function_name) - (time.monotonic() - self.started)
        return max(0, int(remaining_s * 1000))
