"""The envelope of X12: from bytes to segments, with every count and control number checked first.

X12 has no escape character, so a value that holds a delimiter cannot be told from two values. What the
envelope says is therefore compared with what is there before any segment is read.

Source:
    ASC X12.5 and X12.6, 005010: ISA is 105 characters of fixed width and the segment terminator.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from chalicelib.domain.coverage.x12_error import X12Error, X12Flaw

MAX_BYTES = 256 * 1024
"""The largest interchange that is read. Real answers have 2 to 60 KB."""

MAX_SEGMENTS = 2_000
"""The most segments that are read."""

VERSION = "005010X279A1"
"""The guide of the 270 and the 271. Source: 45 CFR 162.1202."""

_ISA_WIDTHS = (3, 2, 10, 2, 10, 2, 15, 2, 15, 6, 4, 1, 5, 9, 1, 1, 1)
_ISA_CHARS = 105
_ISA_VERSION = "00501"
_SEGMENT_ID = re.compile(r"[A-Z][A-Z0-9]{1,2}", re.ASCII)
_COUNT = re.compile(r"\d{1,10}", re.ASCII)
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class Delimiters:
    """The four characters that the ISA segment defines for one interchange."""

    element: str
    repetition: str
    component: str
    terminator: str


@dataclass(frozen=True, slots=True)
class Segment:
    """One segment, such as `EB*1**30`.

    Attributes:
        number: Its place in the interchange, from 1.
        elements: With the segment's name first, so that `elements[1]` is EB01.
        delimiters: Of the interchange.
    """

    number: int
    elements: Sequence[str]
    delimiters: Delimiters

    @property
    def name(self) -> str:
        """Such as `EB`."""
        return self.elements[0]

    def get(self, place: int) -> str | None:
        """The element at a place, without spaces around it; None if it is empty or not there."""
        if place >= len(self.elements):
            return None
        return self.elements[place].strip(" ") or None

    def require(self, place: int) -> str:
        """The element at a place.

        Raises:
            X12Error: it is empty or not there.
        """
        value = self.get(place)
        if value is None:
            raise X12Error(X12Flaw.ELEMENT_MISSING, self.number)
        return value

    def list_repeats(self, place: int) -> tuple[str, ...]:
        """The values of an element that repeats, without empty ones."""
        value = self.get(place) or ""
        return tuple(each.strip(" ") for each in value.split(self.delimiters.repetition) if each.strip(" "))

    def list_components(self, place: int) -> tuple[str, ...]:
        """The components of a composite element; empty ones stay, so that places count."""
        value = self.get(place) or ""
        return tuple(value.split(self.delimiters.component)) if value else ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Interchange:
    """A checked interchange of real-time traffic: at most one transaction set.

    Attributes:
        control_number: ISA13.
        test_data: Whether ISA15 is `T`.
        acknowledgments: TA1 segments of the envelope.
        set_code: Such as `271`; None if there is no transaction set.
        guide: The guide of the set (GS08), such as `005010X279A1`; None without a set.
        body: The segments between ST and SE.
    """

    control_number: str
    test_data: bool
    acknowledgments: Sequence[Segment]
    set_code: str | None
    guide: str | None
    body: Sequence[Segment]


def read_interchange(raw: bytes) -> Interchange:
    """Read the envelope of one interchange.

    A byte order mark at the start is dropped, and line breaks after a terminator. Nothing else is.

    Raises:
        X12Error: it is not exactly what its envelope says.
    """
    segments = _split(_decode(raw))
    if segments[-1].name != "IEA":
        raise X12Error(X12Flaw.TRUNCATED)
    isa, *inner, iea = segments
    _require_equal(isa.elements[13], iea.get(2), X12Flaw.INTERCHANGE_CONTROL_NUMBER, iea)
    acknowledgments = []
    while inner and inner[0].name == "TA1":
        acknowledgments.append(inner.pop(0))
    _require_count(iea, sum(each.name == "GS" for each in inner), X12Flaw.GROUP_COUNT)
    if not inner and not acknowledgments:
        raise X12Error(X12Flaw.EMPTY_INTERCHANGE)
    set_code, guide, body = _read_group(inner) if inner else (None, None, ())
    return Interchange(
        control_number=isa.elements[13],
        test_data=isa.elements[15] == "T",
        acknowledgments=acknowledgments,
        set_code=set_code,
        guide=guide,
        body=body,
    )


def _decode(raw: bytes) -> str:
    if len(raw) > MAX_BYTES:
        raise X12Error(X12Flaw.TOO_LARGE)
    raw = raw.removeprefix(_BYTE_ORDER_MARK)
    if not raw.strip():
        raise X12Error(X12Flaw.EMPTY)
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        # The extended character set of X12 is often sent as ISO 8859-1, in which every byte has a meaning.
        return raw.decode("latin-1")


def _split(text: str) -> Sequence[Segment]:
    delimiters = _read_delimiters(text)
    *parts, rest = text.split(delimiters.terminator)
    if rest.strip("\r\n"):
        raise X12Error(X12Flaw.TRUNCATED)
    if len(parts) > MAX_SEGMENTS:
        raise X12Error(X12Flaw.TOO_MANY_SEGMENTS)
    if parts[0] != text[:_ISA_CHARS]:
        raise X12Error(X12Flaw.ISA_WIDTH, 1)
    return [_read_segment(part, number, delimiters) for number, part in enumerate(parts, start=1)]


def _read_segment(part: str, number: int, delimiters: Delimiters) -> Segment:
    text = part.lstrip("\r\n")
    if not text:
        raise X12Error(X12Flaw.EMPTY_SEGMENT, number)
    if any(char < " " or char == "\x7f" for char in text if char not in _list_delimiters(delimiters)):
        raise X12Error(X12Flaw.CONTROL_CHARACTER, number)
    elements = text.split(delimiters.element)
    if not _SEGMENT_ID.fullmatch(elements[0]):
        raise X12Error(X12Flaw.SEGMENT_NAME, number)
    return Segment(number, elements, delimiters)


def _read_delimiters(text: str) -> Delimiters:
    """Read the delimiters from the fixed places of the ISA segment, and check its widths."""
    if not text.startswith("ISA"):
        raise X12Error(X12Flaw.NO_ISA)
    if len(text) <= _ISA_CHARS:
        raise X12Error(X12Flaw.TRUNCATED)
    elements = text[:_ISA_CHARS].split(text[3])
    if tuple(map(len, elements)) != _ISA_WIDTHS:
        raise X12Error(X12Flaw.ISA_WIDTH, 1)
    delimiters = Delimiters(
        element=text[3], repetition=elements[11], component=elements[16], terminator=text[_ISA_CHARS]
    )
    used = _list_delimiters(delimiters)
    if len(set(used)) != len(used) or not all(each.isascii() and not each.isalnum() and each != " " for each in used):
        raise X12Error(X12Flaw.DELIMITERS, 1)
    if elements[12] != _ISA_VERSION:
        raise X12Error(X12Flaw.VERSION, 1)
    if elements[15] not in {"P", "T"}:
        raise X12Error(X12Flaw.USAGE_INDICATOR, 1)
    return delimiters


def _list_delimiters(delimiters: Delimiters) -> str:
    return delimiters.element + delimiters.repetition + delimiters.component + delimiters.terminator


def _read_group(segments: Sequence[Segment]) -> tuple[str, str, Sequence[Segment]]:
    """Read the only group and its only transaction set; return the set's code, its guide and its body."""
    names = [each.name for each in segments]
    if names.count("GS") != 1 or names[0] != "GS":
        raise X12Error(X12Flaw.GROUP_STRUCTURE, segments[0].number)
    if names[-1] != "GE":
        raise X12Error(X12Flaw.TRUNCATED, segments[-1].number)
    gs, *inner, ge = segments
    _require_equal(gs.require(6), ge.get(2), X12Flaw.GROUP_CONTROL_NUMBER, ge)
    _require_count(ge, names.count("ST"), X12Flaw.SET_COUNT)
    if names.count("ST") != 1 or names.count("SE") != 1:
        raise X12Error(X12Flaw.SEVERAL_SETS if names.count("ST") > 1 else X12Flaw.SET_STRUCTURE, gs.number)
    if len(inner) < 2 or inner[0].name != "ST" or inner[-1].name != "SE":
        raise X12Error(X12Flaw.SET_STRUCTURE, gs.number)
    st, *body, se = inner
    if {"ISA", "IEA", "GE", "TA1"} & {each.name for each in body}:
        raise X12Error(X12Flaw.SET_STRUCTURE, st.number)
    _require_equal(st.require(2), se.get(2), X12Flaw.SET_CONTROL_NUMBER, se)
    _require_count(se, len(inner), X12Flaw.SEGMENT_COUNT)
    guide = gs.require(8)
    # A clearing house may leave ST03 out of an acknowledgment; where it is, it must agree.
    if st.get(3) not in {None, guide}:
        raise X12Error(X12Flaw.VERSION, st.number)
    return st.require(1), guide, body


def _require_equal(expected: str, found: str | None, reason: X12Flaw, segment: Segment) -> None:
    if found != expected:
        raise X12Error(reason, segment.number)


def _require_count(segment: Segment, actual: int, reason: X12Flaw) -> None:
    """Compare the first element of a trailer with what was counted."""
    stated = segment.get(1) or ""
    if not _COUNT.fullmatch(stated) or int(stated) != actual:
        raise X12Error(reason, segment.number)
