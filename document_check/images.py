"""Check an image, and write a copy from its pixels: without metadata, and without anything after its end.

The size is checked before anything is decoded, because a small file can describe a huge image.
"""

import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from PIL import Image, ImageOps, ImageSequence, UnidentifiedImageError

from chalicelib.domain.documents.file_types import FileType
from chalicelib.domain.documents.limits import MAX_PAGES, MAX_PIXELS
from chalicelib.domain.documents.reasons import RejectionReason
from document_check.outcomes import CleanedContent, RefusedFileError

Image.MAX_IMAGE_PIXELS = MAX_PIXELS

_FORMATS: Mapping[FileType, str] = {FileType.JPEG: "JPEG", FileType.PNG: "PNG", FileType.TIFF: "TIFF"}

JPEG_QUALITY = 92
"""Quality of the copy. From 90 on, text of a scanned page keeps its edges. This product's own choice (2026-11)."""

_KEPT_COMPRESSIONS = frozenset({"group3", "group4", "jpeg", "packbits", "tiff_adobe_deflate", "tiff_lzw"})
_BITONAL_COMPRESSIONS = frozenset({"group3", "group4"})

_METADATA = frozenset({"exif", "xmp", "photoshop", "comment", "icc_profile", "XML:com.adobe.xmp"})


def clean_image(source: Path, file_type: FileType, cleaned: Path) -> CleanedContent:
    """Check an image and write its cleaned copy.

    Raises:
        RefusedFileError: it is damaged, or too large to check.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(source, formats=[_FORMATS[file_type]]) as image:
                return _clean_open_image(image, file_type, cleaned)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as e:
        raise RefusedFileError(RejectionReason.IMAGE_TOO_LARGE) from e
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, TypeError, KeyError, EOFError) as e:
        raise RefusedFileError(RejectionReason.DAMAGED) from e
    except MemoryError as e:
        raise RefusedFileError(RejectionReason.TOO_COMPLEX) from e


def _clean_open_image(image: Image.Image, file_type: FileType, cleaned: Path) -> CleanedContent:
    if file_type is FileType.TIFF:
        pages = getattr(image, "n_frames", 1)
        if pages > MAX_PAGES:
            raise RefusedFileError(RejectionReason.TOO_MANY_PAGES)
        return _clean_tiff(image, pages, cleaned)
    _require_size(image)
    # PNG keeps text in `text`, which is complete only after the image was decoded.
    image.load()
    removed = _list_metadata(image)
    pixels = _take_pixels(image)
    options = {"quality": JPEG_QUALITY} if file_type is FileType.JPEG else {}
    pixels.save(cleaned, _FORMATS[file_type], **options, **_read_dpi(image))
    return CleanedContent(1, removed)


def _clean_tiff(image: Image.Image, pages: int, cleaned: Path) -> CleanedContent:
    removed: set[str] = set()

    def list_frames() -> Iterator[Image.Image]:
        for frame in ImageSequence.Iterator(image):
            _require_size(frame)
            removed.update(_list_metadata(frame))
            compression = str(frame.info.get("compression"))
            pixels = _take_pixels(frame)
            pixels.encoderinfo = {"compression": _choose_compression(compression, pixels.mode), **_read_dpi(frame)}
            yield pixels

    frames = list_frames()
    first = next(frames)
    first.save(cleaned, "TIFF", save_all=True, append_images=frames, **first.encoderinfo)
    with Image.open(cleaned) as copy:
        if getattr(copy, "n_frames", 1) != pages:
            raise RefusedFileError(RejectionReason.DAMAGED)
    return CleanedContent(pages, tuple(sorted(removed)))


def _require_size(image: Image.Image) -> None:
    """Refuse an image with too many pixels, before they are decoded."""
    if image.width * image.height > MAX_PIXELS:
        raise RefusedFileError(RejectionReason.IMAGE_TOO_LARGE)


def _take_pixels(image: Image.Image) -> Image.Image:
    """Copy only the pixels. A photo is turned as its metadata says, because that metadata is dropped."""
    turned = ImageOps.exif_transpose(image)
    pixels = Image.new(turned.mode, turned.size)
    if turned.mode == "P" and turned.palette:
        pixels.putpalette(turned.palette)
    pixels.paste(turned)
    return pixels


def _list_metadata(image: Image.Image) -> tuple[str, ...]:
    has_metadata = bool(_METADATA & image.info.keys()) or bool(getattr(image, "text", None))
    return ("metadata",) if has_metadata else ()


def _read_dpi(image: Image.Image) -> dict[str, Any]:
    dpi = image.info.get("dpi")
    return {"dpi": dpi} if dpi else {}


def _choose_compression(compression: str, mode: str) -> str:
    """Keep the compression of a fax or a scan. Others are stored without loss."""
    is_kept = compression in _KEPT_COMPRESSIONS
    is_possible = mode == "1" if compression in _BITONAL_COMPRESSIONS else compression != "jpeg" or mode in {"L", "RGB"}
    return compression if is_kept and is_possible else "tiff_adobe_deflate"
