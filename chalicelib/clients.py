"""AWS clients with time limits, and a DynamoDB client that does not parse responses twice.

Only `wiring` imports this module, and only when it first needs it, because botocore is most of a cold
start.
"""

import json
import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

import botocore.session
from botocore.config import Config
from botocore.exceptions import NoCredentialsError
from botocore.parsers import JSONParser, ResponseParser, ResponseParserFactory

from chalicelib import budget, metrics

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

# At DEBUG, botocore logs complete requests and responses with passwords, addresses and data keys.
# This keeps them out of the logs, whatever level the root logger has.
logging.getLogger("botocore").setLevel(logging.INFO)

CONNECT_S = 1
READ_S = 3
ATTEMPT_S = CONNECT_S + READ_S
"""The longest time of one attempt. The ten seconds of a request are enough for two attempts that time
out, or for three that are refused at once. With the defaults of botocore it would be two minutes."""

CONFIG = Config(
    connect_timeout=CONNECT_S,
    read_timeout=READ_S,
    retries={"mode": "standard", "total_max_attempts": 3},
    max_pool_connections=16,
    # Set here, because botocore otherwise composes one for each call, which takes 0.1 ms of CPU.
    user_agent="cart-referrals",
)

# Validating our own arguments takes a fifth of a transaction's CPU, and DynamoDB validates them too.
_DYNAMODB_CONFIG = CONFIG.merge(Config(parameter_validation=False))


# A copy of 25 MB inside S3 can take longer than other calls. No request of a person waits for it.
_STORAGE_CONFIG = CONFIG.merge(Config(read_timeout=20))

PACKET_READ_S = 7
"""How long to wait for the function that sets PDFs: a function that just starts needs seconds.
`chalicelib.store.referrals.packet_renderer` checks before that the request has the time."""

_FUNCTION_CONFIG = CONFIG.merge(Config(read_timeout=PACKET_READ_S))

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

_CONFIG_BY_SERVICE = {"lambda": _FUNCTION_CONFIG, "s3": _STORAGE_CONFIG}


class _PlainParser(JSONParser):
    """Returns the JSON of DynamoDB unchanged, because it already is the attribute map.

    The standard parser tries ten union members for every value, which takes 17 ms of CPU for a page of
    50. One thing differs: binary values stay base64 text, as `dynamo.unmarshal` expects.
    """

    def _handle_json_body(self, raw_body: bytes, shape: Any) -> Any:  # noqa: ARG002 botocore defines the signature
        return json.loads(raw_body) if raw_body else {}


class _PlainParserFactory(ResponseParserFactory):
    def create_parser(self, protocol_name: str) -> ResponseParser:
        """Replace the JSON parser, the only one that DynamoDB responses need."""
        return _PlainParser() if protocol_name == "json" else super().create_parser(protocol_name)


def create_dynamodb_client() -> "DynamoDBClient":
    """Create a DynamoDB client that returns the JSON of the service without conversion."""
    session = botocore.session.Session()
    session.register_component("response_parser_factory", _PlainParserFactory())
    client = _create_budgeted_client(session, "dynamodb", _DYNAMODB_CONFIG)
    client.meta.events.register_first("needs-retry.dynamodb", _count_throttle)
    return cast("DynamoDBClient", client)


def create_aws_client(service: str) -> Any:
    """Create a standard client of another service."""
    config = _CONFIG_BY_SERVICE.get(service, CONFIG)
    return _create_budgeted_client(botocore.session.Session(), service, config)


def load_signing_identity() -> tuple[str, str, str, str]:
    """Load the access key, the secret key, the session token and the region of this function.

    The token is empty if the credentials have none.
    """
    session = botocore.session.Session()
    credentials = session.get_credentials()
    if credentials is None:
        raise NoCredentialsError
    current = credentials.get_frozen_credentials()
    region = str(session.get_config_variable("region"))
    return str(current.access_key), str(current.secret_key), current.token or "", region


def _create_budgeted_client(session: botocore.session.Session, service: str, config: Config) -> Any:
    """Create a client that starts no attempt, and no pause before one, for which the request has no time."""
    client = session.create_client(service, config=config)
    service_id = client.meta.service_model.service_id.hyphenize()
    events: Any = client.meta.events  # The stubs have no type for a handler with a return value.
    events.register_first(f"needs-retry.{service_id}", _stop_retries_over_budget)
    events.register(f"request-created.{service_id}", _require_time_for_attempt)
    return client


def _count_throttle(response: tuple[Any, Mapping[str, Any]] | None = None, **_: object) -> None:
    """Count an attempt that DynamoDB throttled. It is called after each attempt, and leaves the rest to botocore.

    CloudWatch's own metrics of a table show which one it was.
    """
    parsed = response[1] if response else {}
    codes = {parsed.get("Error", {}).get("Code")}
    codes |= {reason.get("Code") for reason in parsed.get("CancellationReasons", ())}
    if codes & _THROTTLED:
        metrics.emit({metrics.Metric.STORAGE_THROTTLED: 1})


def _stop_retries_over_budget(**_: object) -> bool | None:
    """Return False to end the retries with the last result; None leaves the decision to botocore."""
    return False if budget.get_remaining_s() < ATTEMPT_S else None


def _require_time_for_attempt(**_: object) -> None:
    budget.require_time(ATTEMPT_S)
