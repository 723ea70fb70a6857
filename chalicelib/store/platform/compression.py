"""Compresses values before they are encrypted, with a template of what stored values have in common.

Most values have less than 1 KB, and their member names are most of it. DynamoDB charges for each KB that is written,
and twice in a transaction.
"""

import zlib
from functools import cache
from pathlib import Path

from chalicelib.store.platform.item_formats import UnreadableItemError

TEMPLATE_VERSION = 1
"""The template that is used for new values; `tests/support/plaintext_template.py` makes one. There can be 15."""

_TEMPLATES = Path(__file__).parents[1]
"""Where this package is unpacked. `importlib.resources` would add 15 ms to the first request of a cold function."""

_WBITS = -zlib.MAX_WBITS
"""Raw deflate (RFC 1951): the cipher checks that nothing was altered."""


@cache
def _load_template(version: int) -> bytes:
    """Load a template. A version never changes, because stored values need it."""
    return (_TEMPLATES / f"plaintext_template_{version}.txt").read_bytes()


def compress(plaintext: bytes) -> bytes:
    """Compress with the current template."""
    compressor = zlib.compressobj(wbits=_WBITS, zdict=_load_template(TEMPLATE_VERSION))
    return compressor.compress(plaintext) + compressor.flush()


def decompress(compressed: bytes, *, template: int) -> bytes:
    """Return the plaintext that was compressed with this version of the template.

    Raises:
        UnreadableItemError: a newer release wrote it, with a template that this release does not have.
    """
    if template > TEMPLATE_VERSION:
        raise UnreadableItemError("compressed value", LookupError(template))
    return zlib.decompressobj(wbits=_WBITS, zdict=_load_template(template)).decompress(compressed)
