"""Which characters the fonts of the packet can print, read from the fonts' own tables.

A character without a shape would stop the whole page (PDF/UA-1 forbids an empty box), so such a character is
replaced before. A machine's transliteration of a name can be wrong, so none is made.

The format is that of the table `cmap`, formats 4 and 12 (OpenType 1.9, "cmap", read 2026-11-29).
"""

import struct
import unicodedata
from collections.abc import Iterator
from functools import cache
from pathlib import Path

FONTS = Path(__file__).parent / "fonts"
"""The folder of the fonts, with their licenses."""

LATIN_FONT = "NotoSans-Regular.ttf"
"""The font of everything that the product itself writes: Latin with Vietnamese and Polish, Greek, Cyrillic."""

OTHER_FONTS = (
    "NotoSansArabic-Regular.ttf",
    "NotoSansHebrew-Regular.ttf",
    "NotoSansDevanagari-Regular.ttf",
    "NotoSansThai-Regular.ttf",
    "DroidSansFallbackFull.ttf",
    "NanumGothicCoding-Regular.ttf",
)
"""The fonts of other scripts that names are written in, the last two for Han and Kana, and for Hangul."""

UNPRINTABLE = "[?]"
"""What is printed for a character that no font has."""

_FORMAT_SEGMENTS, _FORMAT_GROUPS = 4, 12


def replace_unprintable(text: str) -> str:
    """Compose accents, and replace each character that no font has. Spaces and line breaks are kept."""
    composed = unicodedata.normalize("NFC", text)
    return "".join(char if _is_printable(char) else UNPRINTABLE for char in composed)


def _is_printable(char: str) -> bool:
    if char == "\n":
        return True
    point = ord(char)
    return point in _load_characters(LATIN_FONT) or any(point in _load_characters(font) for font in OTHER_FONTS)


@cache
def _load_characters(font: str) -> frozenset[int]:
    """Read the code points for which a font has a shape."""
    return frozenset(_list_characters((FONTS / font).read_bytes()))


def _list_characters(font: bytes) -> Iterator[int]:
    cmap = _find_table(font, b"cmap")
    (count,) = struct.unpack_from(">H", font, cmap + 2)
    for index in range(count):
        (offset,) = struct.unpack_from(">I", font, cmap + 4 + 8 * index + 4)
        start = cmap + offset
        (kind,) = struct.unpack_from(">H", font, start)
        if kind == _FORMAT_SEGMENTS:
            yield from _list_in_segments(font, start)
        elif kind == _FORMAT_GROUPS:
            yield from _list_in_groups(font, start)


def _find_table(font: bytes, tag: bytes) -> int:
    (count,) = struct.unpack_from(">H", font, 4)
    for index in range(count):
        entry = 12 + 16 * index
        if font[entry : entry + 4] == tag:
            return int(struct.unpack_from(">I", font, entry + 8)[0])
    raise ValueError("The font has no table of characters.")


def _list_in_segments(font: bytes, start: int) -> Iterator[int]:
    (twice,) = struct.unpack_from(">H", font, start + 6)
    count, ends = twice // 2, start + 14
    starts, deltas, offsets = ends + twice + 2, ends + 2 * twice + 2, ends + 3 * twice + 2
    for index in range(count):
        last, first, delta, offset = (
            struct.unpack_from(">H", font, table + 2 * index)[0] for table in (ends, starts, deltas, offsets)
        )
        for point in range(first, last + 1):
            if point != 0xFFFF and _find_glyph(font, offsets + 2 * index, offset, point, first, delta):
                yield point


def _find_glyph(font: bytes, entry: int, offset: int, point: int, first: int, delta: int) -> int:
    """The number of a shape; 0 if there is none."""
    if offset == 0:
        return int(point + delta) & 0xFFFF
    (glyph,) = struct.unpack_from(">H", font, entry + offset + 2 * (point - first))
    return int(glyph + delta) & 0xFFFF if glyph else 0


def _list_in_groups(font: bytes, start: int) -> Iterator[int]:
    (count,) = struct.unpack_from(">I", font, start + 12)
    for index in range(count):
        first, last, glyph = struct.unpack_from(">III", font, start + 16 + 12 * index)
        yield from range(first if glyph else first + 1, last + 1)
