"""Shorter ways through botocore and moto for the requests to DynamoDB, which are most of what the tests request.

The client still validates and serializes each request, and parses each response. Left out is what neither the
product nor a test can see: the signature, which moto does not check, and moto's search for the service, its
copy of the request as a web framework has it, and its parsing of the body as a form.
"""

import re
from collections.abc import Mapping
from functools import cache, wraps
from itertools import count
from typing import Any

from botocore import useragent
from botocore.loaders import JSONFileLoader, Loader
from botocore.signers import RequestSigner
from moto.core import DEFAULT_ACCOUNT_ID, responses  # type: ignore[attr-defined]
from moto.core.exceptions import HTTPException  # type: ignore[attr-defined]
from moto.core.models import botocore_stubber
from moto.core.parse import PROTOCOL_PARSERS
from moto.core.serialize import XFormedAttributePicker
from moto.core.utils import get_service_model
from moto.dynamodb.comparisons import ConditionExpressionParser
from moto.dynamodb.responses import DynamoHandler

_ADDRESS = re.compile(r"https://dynamodb\.([a-z0-9-]+)\.amazonaws\.com/")
_TARGET = "DynamoDB_20120810."
_ROW_OPERATIONS = frozenset(
    {
        *("BatchGetItem", "BatchWriteItem", "DeleteItem", "GetItem", "PutItem", "Query", "Scan"),
        *("TransactGetItems", "TransactWriteItems", "UpdateItem"),
    }
)
"""The operations whose responses have members exactly as the service model names them."""


def shorten_requests() -> None:
    """Shorten the way of each request, while moto answers."""
    signer: Any = RequestSigner
    signer.handler = _without_signature(signer.handler)
    parser: Any = PROTOCOL_PARSERS["json"]
    parser._parse_structure = _of_one_type(parser._parse_structure)
    picker: Any = XFormedAttributePicker
    picker.__call__ = _with_exact_names(picker.__call__)
    requests: Any = responses
    numbers = count()
    requests.gen_amzn_requestid_long = lambda headers: _number_request(headers, next(numbers))


def remember_what_is_always_the_same() -> None:
    """Read the files of botocore, and parse conditions and parts of the user agent, once for each text."""
    files: Any = JSONFileLoader
    files.load_file = _cached_by_arguments(files.load_file)
    loader: Any = Loader
    loader.list_available_services = _cached_by_path(loader.list_available_services)
    agent: Any = useragent
    agent.sanitize_user_agent_string_component = cache(agent.sanitize_user_agent_string_component)
    conditions: Any = ConditionExpressionParser
    # A part of a condition is the same in each parser, and no parser changes it.
    conditions._lex_one_node = _cached_by_arguments(conditions._lex_one_node)


def _cached_by_arguments(read: Any) -> Any:
    known: dict[Any, Any] = {}

    @wraps(read)
    def result(self: Any, argument: str) -> Any:
        if argument not in known:
            known[argument] = read(self, argument)
        return known[argument]

    return result


def _cached_by_path(find: Any) -> Any:
    known: dict[Any, Any] = {}

    @wraps(find)
    def result(self: Any, type_name: str) -> Any:
        key = (type_name, *self.search_paths)
        if key not in known:
            known[key] = find(self, type_name)
        return list(known[key])

    return result


def answer_directly(process: Any) -> Any:
    """Let moto's handler answer a request to DynamoDB, without the way through a web framework."""

    @wraps(process)
    def answer(stubber: Any, request: Any) -> Any:
        address = _ADDRESS.fullmatch(request.url)
        target = _read_text(request.headers.get("X-Amz-Target", ""))
        operation = target.removeprefix(_TARGET)
        if address is None or operation not in _ROW_OPERATIONS:
            return process(stubber, request)
        handler: Any = DynamoHandler()
        handler.headers = {"x-amz-target": target, "Content-Type": "application/x-amz-json-1.0"}
        handler.querystring, handler.uri_match, handler.response_headers = {}, {}, {"server": "amazon.com"}
        handler.current_account, handler.region = DEFAULT_ACCOUNT_ID, address[1]
        handler.params = _create_parser(operation).parse({"body": request.body})
        try:
            return handler.call_action()
        except HTTPException as e:
            return e.code, e.get_headers(), e.get_body()

    return answer


@cache
def _create_parser(operation: str) -> Any:
    return PROTOCOL_PARSERS["json"](get_service_model("dynamodb").operation_model(operation))


def _read_text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value


def _without_signature(sign: Any) -> Any:
    """Sign no request that moto answers directly."""

    @wraps(sign)
    def result(signer: Any, operation_name: Any = None, request: Any = None, **options: Any) -> Any:
        if botocore_stubber.enabled and _ADDRESS.fullmatch(request.url) and operation_name in _ROW_OPERATIONS:
            return None
        return sign(signer, operation_name, request, **options)

    return result


def _of_one_type(parse: Any) -> Any:
    """Read a value of a row: moto looks for each type that it might have."""

    @wraps(parse)
    def result(parser: Any, shape: Any, value: Any) -> Any:
        if shape.name != "AttributeValue" or type(value) is not dict or len(value) != 1:
            return parse(parser, shape, value)
        [(kind, held)] = value.items()
        if held is None or kind not in shape.members:
            return parse(parser, shape, value)
        return {kind: held if kind in {"S", "N", "BOOL"} else parser._parse_shape(shape.members[kind], held)}

    return result


def _with_exact_names(pick: Any) -> Any:
    """Find a member of a response by its name; moto also tries four other spellings."""

    @wraps(pick)
    def result(picker: Any, context: Any) -> Any:
        if type(context.obj) is dict and _has_exact_names(context):
            return context.obj.get(context.key)
        return pick(picker, context)

    return result


def _has_exact_names(context: Any) -> bool:
    return context.operation_model.name in _ROW_OPERATIONS and context.service_model.service_name == "dynamodb"


def _number_request(headers: Any, number: int) -> str:
    """Give each request its own ID, of the length of a real one; moto draws each letter at random."""
    request_id = f"{number:052d}"
    if isinstance(headers, Mapping):
        headers["x-amzn-requestid"] = request_id  # type: ignore[index]
    return request_id
