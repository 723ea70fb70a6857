"""Files as people and attackers upload them, made in memory. Nothing here is a real record."""

import io
import zipfile
import zlib
from collections.abc import Callable
from typing import Any

import pikepdf
from PIL import Image

EICAR = b"X5O!P%@AP[4\\PZX54(P^)7CC)7}$" + b"EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"
"""The test file that every scanner reports, in two halves, so that a scanner does not report this repository.

Source: https://www.eicar.org/download-anti-malware-testfile/ (68 bytes; read 2026-11)."""


def build_pdf(pages: int = 1, change: Callable[[pikepdf.Pdf], None] | None = None, **options: Any) -> bytes:
    """Build a PDF. `change` may add what an attacker would."""
    with pikepdf.new() as pdf:
        for _ in range(pages):
            pdf.add_blank_page(page_size=(612, 792))
        if change:
            change(pdf)
        out = io.BytesIO()
        pdf.save(out, **options)
        return out.getvalue()


def build_image(kind: str = "PNG", size: tuple[int, int] = (40, 30), mode: str = "RGB", **options: Any) -> bytes:
    """Build an image of one color."""
    out = io.BytesIO()
    Image.new(mode, size, "white").save(out, kind, **options)
    return out.getvalue()


def build_fax(pages: int) -> bytes:
    """Build a fax: a TIFF of black and white pages."""
    frames = [Image.new("1", (200, 100), page % 2) for page in range(pages)]
    out = io.BytesIO()
    frames[0].save(out, "TIFF", save_all=True, append_images=frames[1:], compression="group4", dpi=(204, 196))
    return out.getvalue()


def build_zip(name: str = "a.txt", content: bytes = b"x") -> bytes:
    """Build a zip with one file."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, content)
    return out.getvalue()


def build_huge_png(width: int = 11_000, height: int = 11_000) -> bytes:
    """Build a PNG of about 20 KB that describes 121 million pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return len(data).to_bytes(4) + kind + data + zlib.crc32(kind + data).to_bytes(4)

    header = width.to_bytes(4) + height.to_bytes(4) + bytes([1, 0, 0, 0, 0])
    pixels = zlib.compress(bytes((width // 8 + 2) * height), 9)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")
