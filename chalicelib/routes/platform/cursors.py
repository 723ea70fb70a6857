"""Cursors: where a list goes on, sealed so that it can only be handed back.

A cursor is bound to the caller, the route and the filter. One that was edited, is another
person's, another list's or too old, is refused.
"""

import binascii
import hashlib
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from chalicelib import wiring
from chalicelib.errors import MalformedError
from chalicelib.routes.platform.endpoint import ApiResponse
from chalicelib.routes.platform.fields import StrictModel
from chalicelib.routes.platform.request import ApiRequest

LIFE_S = 24 * 3600
_SCOPE = "service"


def decode_cursor(text: str | None, request: ApiRequest, query: StrictModel) -> Mapping[str, Any] | None:
    """The position that a cursor stands for.

    Raises:
        MalformedError: it is not one that was given for this list to this caller.
    """
    if text is None:
        return None
    # cryptography is loaded with the vault; named here only when a cursor is there.
    from cryptography.exceptions import InvalidTag  # noqa: PLC0415

    try:
        sealed = _decode_base64(text)
        plain = wiring.get_stores().encryption.decrypt(
            sealed, scope=_SCOPE, context=_build_encryption_context(request, query)
        )
        content = json.loads(plain)
    except (binascii.Error, InvalidTag, ValueError) as e:
        raise _build_invalid_cursor_error() from e
    if not request.now.timestamp() - LIFE_S <= content["at"]:
        raise _build_invalid_cursor_error()
    position: Mapping[str, Any] = content["position"]
    return position


def build_page_response(
    items: list[Any], position: Mapping[str, Any] | None, request: ApiRequest, query: StrictModel, **more: Any
) -> ApiResponse:
    """A part of a list, with the cursor and the link of the next one."""
    cursor = _encrypt_position(position, request, query) if position else None
    headers = {}
    if cursor:
        parameters = json.loads(query.model_dump_json(exclude_none=True)) | {"cursor": cursor}
        headers["Link"] = f'<?{urlencode({k: _format_parameter(v) for k, v in parameters.items()})}>; rel="next"'
    return ApiResponse(body={"items": items, "next_cursor": cursor, **more}, headers=headers)


def _format_parameter(value: Any) -> Any:
    """A truth as a parameter spells it."""
    return json.dumps(value) if isinstance(value, bool) else value


def _encrypt_position(position: Mapping[str, Any], request: ApiRequest, query: StrictModel) -> str:
    plain = json.dumps({"position": dict(position), "at": int(request.now.timestamp())}).encode()
    return _encode_base64(
        wiring.get_stores().encryption.encrypt(plain, scope=_SCOPE, context=_build_encryption_context(request, query))
    )


def _decode_base64(text: str) -> bytes:
    sealed = urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4))
    # The decoder overlooks strange letters and spare bits; ours has one spelling.
    if _encode_base64(sealed) != text:
        raise ValueError("not as it was given")
    return sealed


def _encode_base64(ciphertext: bytes) -> str:
    return urlsafe_b64encode(ciphertext).decode().rstrip("=")


def _build_encryption_context(request: ApiRequest, query: StrictModel) -> str:
    filters = query.model_dump_json(exclude={"cursor", "limit"})
    digest = hashlib.sha256(filters.encode()).hexdigest()
    return f"cursor/{request.member.member_id}/{request.gateway_context.get('path') or request.route}/{digest}"


def _build_invalid_cursor_error() -> MalformedError:
    return MalformedError("cursor_not_valid", "This cursor was not given for this list.")
