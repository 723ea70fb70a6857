"""AWS clients with time limits, and a DynamoDB client that does not parse twice.

Imported by `wiring` alone and only when first needed: botocore is most of a cold start.
"""

import json
import logging
from typing import TYPE_CHECKING, Any, cast

import botocore.session
from botocore.config import Config
from botocore.parsers import JSONParser, ResponseParser, ResponseParserFactory

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

# At DEBUG botocore logs whole requests and answers, with passwords, addresses and data keys in
# them. Whatever the level of the root logger is set to one day, it stays out.
logging.getLogger("botocore").setLevel(logging.INFO)

CONFIG = Config(
    # One request may take 29 s at the gateway; botocore's own 60 s would outlive it.
    connect_timeout=2,
    read_timeout=4,
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


def dynamodb() -> "DynamoDBClient":
    """A DynamoDB client whose answers are the service's own JSON."""
    session = botocore.session.Session()
    session.register_component("response_parser_factory", _PlainParserFactory())
    return cast("DynamoDBClient", session.create_client("dynamodb", config=_DYNAMODB_CONFIG))


def aws(service: str) -> Any:
    """A stock client of another service."""
    return botocore.session.Session().create_client(service, config=CONFIG)
