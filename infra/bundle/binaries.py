"""Removes the parts of compiled extensions that only a debugger reads."""

import struct
from pathlib import Path

_ELF_64_LITTLE = b"\x7fELF\x02\x01"
_SEGMENT_TABLE = 0x20
_SEGMENT_COUNT = 0x36
_SECTION_TABLE = 0x28
_SECTION_COUNT = 0x3A


def strip_symbols(site: Path) -> None:
    """Shorten each extension to the part that the loader maps. Symbols are up to a third of a wheel."""
    for extension in site.rglob("*.so"):
        binary = extension.read_bytes()
        if binary.startswith(_ELF_64_LITTLE):
            extension.write_bytes(_strip_after_last_segment(binary))


def _strip_after_last_segment(binary: bytes) -> bytes:
    """Return the binary up to the end of its last segment, without a section table.

    Segments contain the code that runs. Sections name parts of them for linkers and debuggers. Symbol
    tables and the section table itself come after the last segment.
    """
    (table,) = struct.unpack_from("<Q", binary, _SEGMENT_TABLE)
    size, count = struct.unpack_from("<HH", binary, _SEGMENT_COUNT)
    end = max(_compute_segment_end(binary, table + index * size) for index in range(count))
    mapped = bytearray(binary[:end])
    struct.pack_into("<Q", mapped, _SECTION_TABLE, 0)
    struct.pack_into("<HHH", mapped, _SECTION_COUNT, 0, 0, 0)
    return bytes(mapped)


def _compute_segment_end(binary: bytes, header: int) -> int:
    (offset,) = struct.unpack_from("<Q", binary, header + 8)
    (length,) = struct.unpack_from("<Q", binary, header + 32)
    return int(offset) + int(length)
