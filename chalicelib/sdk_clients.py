"""Botocore's clients, with time limits; they never take an unreadable response for an empty one.

The DynamoDB client does not parse responses twice.

Only `clients` imports this module, and only when it first needs it, because botocore is half of a cold start.
"""

from collections.abc import Mapping
from typing import Any, ClassVar

import botocore.session
from botocore.config import Config
from botocore.exceptions import NoCredentialsError, ResponseStreamingError
from botocore.parsers import JSONParser, ResponseParserFactory, RestJSONParser

from chalicelib import budget
from chalicelib.aws_responses import (
    ATTEMPT_S,
    CONNECT_S,
    MAX_ATTEMPTS,
    MAX_CONNECTIONS,
    READ_S,
    USER_AGENT,
    UnreadableResponse,
    count_throttle,
    parse_whole_json,
)

CONFIG = Config(
    connect_timeout=CONNECT_S,
    read_timeout=READ_S,
    retries={"mode": "standard", "total_max_attempts": MAX_ATTEMPTS},
    max_pool_connections=MAX_CONNECTIONS,
    # Set here, because botocore otherwise composes one for each call, which takes 0.1 ms of CPU.
    user_agent=USER_AGENT,
)

# Validating our own arguments takes a fifth of a transaction's CPU, and DynamoDB validates them too.
_DYNAMODB_CONFIG = CONFIG.merge(Config(parameter_validation=False))


# A copy of 25 MB inside S3 can take longer than other calls. No request of a person waits for it.
_STORAGE_CONFIG = CONFIG.merge(Config(read_timeout=20))

PACKET_READ_S = 7
"""How long to wait for the function that sets PDFs: a function that just starts needs seconds.
`chalicelib.store.referrals.packet_renderer` checks before that the request has the time."""

_FUNCTION_CONFIG = CONFIG.merge(Config(read_timeout=PACKET_READ_S))

_CONFIG_BY_SERVICE = {"dynamodb": _DYNAMODB_CONFIG, "lambda": _FUNCTION_CONFIG, "s3": _STORAGE_CONFIG}


class _WholeJson:
    """Refuses a body that is not a JSON object. The SDK would take it for a response without values."""

    def _parse_body_as_json(self, body_contents: bytes) -> dict[str, Any]:
        return parse_whole_json(body_contents) if body_contents else {}


class _WholeJsonParser(_WholeJson, JSONParser):
    pass


class _WholeRestJsonParser(_WholeJson, RestJSONParser):
    pass


class _PlainParser(_WholeJsonParser):
    """Returns the JSON of DynamoDB unchanged, because it already is the attribute map.

    The standard parser tries ten union members for every value, which takes 17 ms of CPU for a page of
    50. One thing differs: binary values stay base64 text, as `dynamo.unmarshal` expects.
    """

    def _handle_json_body(self, raw_body: bytes, shape: Any) -> Any:  # noqa: ARG002 botocore defines the signature
        return self._parse_body_as_json(raw_body)


class _CheckedParser:
    """Parses with a parser of the SDK, and never takes an unreadable response for an empty one."""

    def __init__(self, parser: Any) -> None:
        self._parser = parser

    def parse(self, response: Any, shape: Any) -> Any:
        """Parse a response as `botocore.parsers.ResponseParser.parse` does."""
        status = response["status_code"]
        if not response["body"] and self._needs_body(status, shape):
            return UnreadableResponse(status)
        try:
            return self._parser.parse(response, shape)
        except Exception:  # noqa: BLE001 each parser fails in its own ways, and each means the same
            return UnreadableResponse(status)

    def _needs_body(self, status: int, shape: Any) -> bool:
        """Whether a response without a body is not a whole one."""
        if status >= 300:
            return status < 500 and isinstance(self._parser, _WholeJson)
        if shape is None or "payload" in shape.serialization:
            return False
        return any("location" not in member.serialization for member in shape.members.values())


class _CheckedParserFactory(ResponseParserFactory):
    _JSON_PARSERS: ClassVar[dict[str, type]] = {"json": _WholeJsonParser, "rest-json": _WholeRestJsonParser}

    def create_parser(self, protocol_name: str) -> Any:
        """Create the parser of a protocol."""
        parser_class = self._JSON_PARSERS.get(protocol_name)
        return _CheckedParser(parser_class() if parser_class else super().create_parser(protocol_name))


class _PlainParserFactory(_CheckedParserFactory):
    """For DynamoDB, whose responses need only one parser."""

    _JSON_PARSERS: ClassVar[dict[str, type]] = {"json": _PlainParser}


def create_sdk_client(service: str) -> Any:
    """Create a client that starts no attempt, and no pause before one, for which the request has no time."""
    session = botocore.session.Session()
    is_dynamodb = service == "dynamodb"
    parsers = _PlainParserFactory() if is_dynamodb else _CheckedParserFactory()
    session.register_component("response_parser_factory", parsers)
    client = session.create_client(service, config=_CONFIG_BY_SERVICE.get(service, CONFIG))
    service_id = client.meta.service_model.service_id.hyphenize()
    events: Any = client.meta.events  # The stubs have no type for a handler with a return value.
    events.register_first(f"needs-retry.{service_id}", _stop_retries_over_budget)
    events.register(f"request-created.{service_id}", _require_time_for_attempt)
    events.register(f"after-call.{service_id}", _refuse_unreadable_response)
    if is_dynamodb:
        events.register_first(f"needs-retry.{service_id}", _count_throttle)
    return client


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


def _count_throttle(response: tuple[Any, Mapping[str, Any]] | None = None, **_: object) -> None:
    """It is called after each attempt, and leaves the rest to botocore."""
    count_throttle(response[1] if response else {})


def _stop_retries_over_budget(**_: object) -> bool | None:
    """Return False to end the retries with the last result; None leaves the decision to botocore."""
    return False if budget.get_remaining_s() < ATTEMPT_S else None


def _require_time_for_attempt(**_: object) -> None:
    budget.require_time(ATTEMPT_S)


def _refuse_unreadable_response(parsed: Any, **_: object) -> None:
    """Let a call fail whose last response could not be read, whatever status the response had."""
    if isinstance(parsed, UnreadableResponse):
        raise ResponseStreamingError(error="unreadable response")
