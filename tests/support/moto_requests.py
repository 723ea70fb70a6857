"""Shorter ways through botocore and moto for the requests to DynamoDB, which are most of what the tests request.

The client still writes each request, and parses each response. Left out is what neither the product nor a test can
see: the signature, which moto does not check, and moto's search for the service, its copy of the request as a web
framework has it, its parsing of the body as a form, and the model of the service, by which moto reads and writes
each value.
"""

import json
import re
from base64 import b64encode
from collections.abc import Mapping
from functools import cache, wraps
from itertools import count
from typing import Any

from botocore import useragent
from botocore.auth import SigV4Auth
from botocore.httpsession import URLLib3Session
from botocore.loaders import JSONFileLoader, Loader
from botocore.signers import RequestSigner
from moto.core import DEFAULT_ACCOUNT_ID, responses  # type: ignore[attr-defined]
from moto.core.exceptions import HTTPException  # type: ignore[attr-defined]
from moto.core.models import botocore_stubber
from moto.dynamodb.comparisons import ConditionExpressionParser
from moto.dynamodb.models.dynamo_type import DynamoType
from moto.dynamodb.models.utilities import dynamo_to_dict
from moto.dynamodb.responses import DynamoHandler, DynamoResult

_ADDRESS = re.compile(r"https://dynamodb\.([a-z0-9-]+)\.amazonaws\.com/")
_TARGET = "DynamoDB_20120810."
_ROW_OPERATIONS = frozenset(
    {
        *("BatchGetItem", "BatchWriteItem", "DeleteItem", "GetItem", "PutItem", "Query", "Scan"),
        *("TransactGetItems", "TransactWriteItems", "UpdateItem"),
    }
)
"""The operations on rows. Requests and responses have members exactly as the service model names them."""


def shorten_requests() -> None:
    """Shorten the way of each request, while moto answers."""
    signer: Any = RequestSigner
    signer.handler = _without_signature(signer.handler)
    direct_signer: Any = SigV4Auth
    direct_signer.add_auth = _without_direct_signature(direct_signer.add_auth)
    session: Any = URLLib3Session
    session.send = _answer_direct_calls(session.send)
    result: Any = DynamoResult
    result.__init__, result.execute_result = _keep_result, _write_json(result.execute_result)
    handler: Any = DynamoHandler
    handler._enrich_response = staticmethod(_add_request_id)
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
        handler.params = json.loads(request.body)
        try:
            return handler.call_action()
        except HTTPException as e:
            return e.code, e.get_headers(), e.get_body()

    return answer


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


def _without_direct_signature(sign: Any) -> Any:
    """Do not sign a call without botocore's client either, if moto answers it directly."""

    @wraps(sign)
    def result(signer: Any, request: Any) -> None:
        operation = request.headers.get("X-Amz-Target", "").removeprefix(_TARGET)
        if not (botocore_stubber.enabled and _ADDRESS.fullmatch(request.url) and operation in _ROW_OPERATIONS):
            sign(signer, request)

    return result


def _answer_direct_calls(send: Any) -> Any:
    """Let moto answer calls without botocore's client, too; it only listens to the events of clients."""

    @wraps(send)
    def result(session: Any, request: Any) -> Any:
        answer = botocore_stubber("before-send", request)
        return send(session, request) if answer is None else answer

    return result


def _keep_result(result: Any, found: Any) -> None:
    """Convert the values of rows only when they are written as JSON; moto converts each twice."""
    result._result = found


def _write_json(execute: Any) -> Any:
    """Write the response to a request about rows as it is; moto writes each value by the model of the service."""

    @wraps(execute)
    def answer(result: Any, context: Any) -> Any:
        if type(result._result) is dict and context.operation_model.name in _ROW_OPERATIONS:
            return 200, {"Content-Type": "application/x-amz-json-1.0"}, json.dumps(result._result, default=_to_json)
        result._result = dynamo_to_dict(result._result)
        return execute(result, context)

    return answer


def _to_json(value: Any) -> Any:
    if isinstance(value, DynamoType):
        return {value.type: value.value}
    return b64encode(value).decode() if isinstance(value, bytes) else value.to_json()


def _add_request_id(headers: dict[str, str], body: Any) -> tuple[dict[str, str], Any]:
    """Number the response; moto also looks for a place in its text."""
    headers |= {"status": str(headers["status"])} if "status" in headers else {}
    requests: Any = responses
    requests.gen_amzn_requestid_long(headers)
    return headers, body


def _number_request(headers: Any, number: int) -> str:
    """Give each request its own ID, of the length of a real one; moto draws each letter at random."""
    request_id = f"{number:052d}"
    if isinstance(headers, Mapping):
        headers["x-amzn-requestid"] = request_id  # type: ignore[index]
    return request_id
