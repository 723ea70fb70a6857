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
from chalicelib.routes.platform.endpoint import Reply
from chalicelib.routes.platform.fields import Body
from chalicelib.routes.platform.request import Call

LIFE_S = 24 * 3600
_SCOPE = "service"


def opened(text: str | None, call: Call, query: Body) -> Mapping[str, Any] | None:
    """The position that a cursor stands for.

    Raises:
        MalformedError: it is not one that was given for this list to this caller.
    """
    if text is None:
        return None
    # cryptography is loaded with the vault; named here only when a cursor is there.
    from cryptography.exceptions import InvalidTag  # noqa: PLC0415

    try:
        sealed = _decoded(text)
        plain = wiring.stores().vault.open(sealed, scope=_SCOPE, place=_place(call, query))
        told = json.loads(plain)
    except (binascii.Error, InvalidTag, ValueError) as e:
        raise _not_ours() from e
    if not call.now.timestamp() - LIFE_S <= told["at"]:
        raise _not_ours()
    position: Mapping[str, Any] = told["position"]
    return position


def page(
    items: list[Any], position: Mapping[str, Any] | None, call: Call, query: Body, **more: Any
) -> Reply:
    """A part of a list, with the cursor and the link of the next one."""
    cursor = _sealed(position, call, query) if position else None
    headers = {}
    if cursor:
        told = json.loads(query.model_dump_json(exclude_none=True)) | {"cursor": cursor}
        headers["Link"] = f'<?{urlencode({k: _parameter(v) for k, v in told.items()})}>; rel="next"'
    return Reply(body={"items": items, "next_cursor": cursor, **more}, headers=headers)


def _parameter(value: Any) -> Any:
    """A truth as a parameter spells it."""
    return json.dumps(value) if isinstance(value, bool) else value


def _sealed(position: Mapping[str, Any], call: Call, query: Body) -> str:
    plain = json.dumps({"position": dict(position), "at": int(call.now.timestamp())}).encode()
    return _spelled(wiring.stores().vault.seal(plain, scope=_SCOPE, place=_place(call, query)))


def _decoded(text: str) -> bytes:
    sealed = urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4))
    # The decoder overlooks strange letters and spare bits; ours has one spelling.
    if _spelled(sealed) != text:
        raise ValueError("not as it was given")
    return sealed


def _spelled(sealed: bytes) -> str:
    return urlsafe_b64encode(sealed).decode().rstrip("=")


def _place(call: Call, query: Body) -> str:
    filters = query.model_dump_json(exclude={"cursor", "limit"})
    digest = hashlib.sha256(filters.encode()).hexdigest()
    return f"cursor/{call.member.member_id}/{call.context.get('path') or call.route}/{digest}"


def _not_ours() -> MalformedError:
    return MalformedError("cursor_not_valid", "This cursor was not given for this list.")
