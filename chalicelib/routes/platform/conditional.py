"""Conditional requests (RFC 9110, section 13): a client that has the current version gets 304 without a body."""

from dataclasses import replace
from hashlib import sha256

from chalicelib.routes.platform.endpoint import ApiResponse
from chalicelib.routes.platform.request import ApiRequest


def with_content_tag(response: ApiResponse[str], request: ApiRequest) -> ApiResponse[str]:
    """Give a text an ETag that follows from its bytes, and answer 304 to a client that has the same text."""
    tag = f'"{sha256(response.body.encode()).hexdigest()[:32]}"'
    headers = {**response.headers, "ETag": tag}
    if matches_tag(request.headers.get("if-none-match", ""), tag):
        return ApiResponse(body="", status=304, headers=headers)
    return replace(response, headers=headers)


def matches_tag(if_none_match: str, tag: str) -> bool:
    """Whether `If-None-Match` names the tag: alone or in a list, also as a weak tag, or as `*`."""
    named = [each.strip().removeprefix("W/") for each in if_none_match.split(",")]
    return tag in named or named == ["*"]
