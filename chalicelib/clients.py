"""AWS clients with time limits, and a DynamoDB client that does not parse twice.

Imported by `wiring` alone and only when first needed: botocore is most of a cold start.
"""

import json
import logging
from typing import TYPE_CHECKING, Any, cast

import botocore.session
from botocore.config import Config
from botocore.parsers import JSONParser, ResponseParser, ResponseParserFactory

from chalicelib import budget

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

# At DEBUG botocore logs whole requests and answers, with passwords, addresses and data keys in
# them. Whatever the level of the root logger is set to one day, it stays out.
logging.getLogger("botocore").setLevel(logging.INFO)

CONNECT_S = 1
READ_S = 3
ATTEMPT_S = CONNECT_S + READ_S
"""The longest that one try may take. Within the ten seconds of a request there is room for two
that wait in vain, and for three that are refused at once; botocore's own would be two minutes."""

CONFIG = Config(
    connect_timeout=CONNECT_S,
    read_timeout=READ_S,
    retries={"mode": "standard", "total_max_attempts": 3},
    max_pool_connections=16,
    # Said here, because botocore composes its own anew for each call: 0.1 ms of CPU.
    user_agent="cart-referrals",
)

# Checking our own arguments again takes a fifth of a transaction's CPU; DynamoDB checks them too.
_DYNAMODB_CONFIG = CONFIG.merge(Config(parameter_validation=False))


class _PlainParser(JSONParser):
    """DynamoDB's JSON already is the attribute map that the stock parser rebuilds.

    The stock parser tries ten union members for every value, 17 ms of CPU for a page of 50.
    What differs here: binary values stay base64 text, as `dynamo.unmarshal` expects.
    """

    def _handle_json_body(self, raw_body: bytes, shape: Any) -> Any:  # noqa: ARG002 its signature
        return json.loads(raw_body) if raw_body else {}


class _PlainParserFactory(ResponseParserFactory):
    def create_parser(self, protocol_name: str) -> ResponseParser:
        """Replace the JSON parser, the only one that DynamoDB answers need."""
        return _PlainParser() if protocol_name == "json" else super().create_parser(protocol_name)


def create_dynamodb_client() -> "DynamoDBClient":
    """A DynamoDB client whose answers are the service's own JSON."""
    session = botocore.session.Session()
    session.register_component("response_parser_factory", _PlainParserFactory())
    return cast("DynamoDBClient", _create_budgeted_client(session, "dynamodb", _DYNAMODB_CONFIG))


def create_aws_client(service: str) -> Any:
    """A stock client of another service."""
    return _create_budgeted_client(botocore.session.Session(), service, CONFIG)


def _create_budgeted_client(session: botocore.session.Session, service: str, config: Config) -> Any:
    """A client that begins no try, and no pause before one, that its request has no time for."""
    client = session.create_client(service, config=config)
    service_id = client.meta.service_model.service_id.hyphenize()
    events: Any = client.meta.events  # The stubs know no handler that answers.
    events.register_first(f"needs-retry.{service_id}", _stop_retries_over_budget)
    events.register(f"request-created.{service_id}", _require_time_for_attempt)
    return client


def _stop_retries_over_budget(**_: object) -> bool | None:
    """False ends the repeats with what the last try told; None leaves it to botocore."""
    return False if budget.get_remaining_s() < ATTEMPT_S else None


def _require_time_for_attempt(**_: object) -> None:
    budget.require_time(ATTEMPT_S)
