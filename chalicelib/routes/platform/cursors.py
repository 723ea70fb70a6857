"""Cursors: where a list continues, encrypted so that a client can only send it back.

A cursor is bound to the caller, the route and the filter. It is refused if it was edited, is too
old, or belongs to another person or another list.
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
from chalicelib.routes.platform.fields import StrictModel
from chalicelib.routes.platform.request import ApiRequest

LIFE_S = 24 * 3600
_SCOPE = "service"


def decode_cursor(text: str | None, request: ApiRequest, query: StrictModel) -> Mapping[str, Any] | None:
    """The position that a cursor encodes.

    Raises:
        MalformedError: it was not given to this caller for this list.
    """
    if text is None:
        return None
    # cryptography is loaded by the envelope encryption; it is imported here only if there is a cursor.
    from cryptography.exceptions import InvalidTag  # noqa: PLC0415

    try:
        ciphertext = _decode_base64(text)
        plain = wiring.get_stores().encryption.decrypt(
            ciphertext, scope=_SCOPE, context=_build_encryption_context(request, query)
        )
        content = json.loads(plain)
    except (binascii.Error, InvalidTag, ValueError) as e:
        raise _build_invalid_cursor_error() from e
    if not request.now.timestamp() - LIFE_S <= content["at"]:
        raise _build_invalid_cursor_error()
    position: Mapping[str, Any] = content["position"]
    return position


def encode_cursor(position: Mapping[str, Any] | None, request: ApiRequest, query: StrictModel) -> str | None:
    """The cursor of the next page; None if the list ends here."""
    if not position:
        return None
    plain = json.dumps({"position": dict(position), "at": int(request.now.timestamp())}).encode()
    return _encode_base64(
        wiring.get_stores().encryption.encrypt(plain, scope=_SCOPE, context=_build_encryption_context(request, query))
    )


def build_link_header(cursor: str | None, query: StrictModel) -> dict[str, str]:
    """Build the `Link` header that leads to the next page, if there is one."""
    if not cursor:
        return {}
    parameters = json.loads(query.model_dump_json(exclude_none=True, exclude={"page"})) | {"cursor": cursor}
    sent = {name: _format_parameter(value) for name, value in parameters.items()}
    return {"Link": f'<?{urlencode(sent, doseq=True)}>; rel="next"'}


def _format_parameter(value: Any) -> Any:
    """Write a boolean as a query parameter does."""
    return json.dumps(value) if isinstance(value, bool) else value


def _decode_base64(text: str) -> bytes:
    ciphertext = urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4))
    # The decoder ignores characters outside the alphabet and spare bits; each cursor has one spelling.
    if _encode_base64(ciphertext) != text:
        raise ValueError("This page link is not valid.")
    return ciphertext


def _encode_base64(ciphertext: bytes) -> str:
    return urlsafe_b64encode(ciphertext).decode().rstrip("=")


def _build_encryption_context(request: ApiRequest, query: StrictModel) -> str:
    filters = query.model_dump_json(exclude={"cursor", "limit", "page"})
    digest = hashlib.sha256(filters.encode()).hexdigest()
    return f"cursor/{request.member.member_id}/{request.gateway_context.get('path') or request.route}/{digest}"


def _build_invalid_cursor_error() -> MalformedError:
    return MalformedError("cursor_not_valid", "This page link is no longer valid. Start again from the first page.")
