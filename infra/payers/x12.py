"""How a simulated payer reads a 270 and writes a 271. It is written apart from the product's codec."""

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime

from infra.payers.members import Benefit, Inquiry, PlanAnswer

TRACE_ORIGIN = "9PAYERSIM1"


class BadInquiryError(Exception):
    """The request is not a 270 that this payer can read; it answers with a 999."""


class ReceivedInquiry:
    """A 270 as a list of segments, each a list of elements."""

    def __init__(self, text: str) -> None:
        separator, terminator = text[3:4], text[105:106]
        if not text.startswith("ISA") or not terminator:
            raise BadInquiryError("no interchange")
        self.segments = [each.strip().split(separator) for each in text.split(terminator) if each.strip()]
        self.repetition = self.find("ISA")[11]

    def find(self, name: str, place: int = 1, value: str | None = None) -> list[str]:
        """The first segment with this name, and with this value at a place if one is given."""
        for segment in self.segments:
            if segment[0] == name and (value is None or segment[place] == value):
                return segment + [""] * (18 - len(segment))
        raise BadInquiryError(f"no {name}")

    def find_after(self, name: str, start: tuple[str, str]) -> list[str]:
        """The first segment with this name after the first NM1 of a role."""
        places = [number for number, each in enumerate(self.segments) if tuple(each[:2]) == start]
        for segment in self.segments[places[0] :] if places else []:
            if segment[0] == name:
                return segment + [""] * (18 - len(segment))
        return [""] * 18


def read_inquiry(text: str) -> tuple[ReceivedInquiry, Inquiry]:
    """Read a 270.

    Raises:
        BadInquiryError: it is none, or lacks what a payer needs.
    """
    message = ReceivedInquiry(text)
    if message.find("ST")[1:4] != ["270", message.find("ST")[2], "005010X279A1"]:
        raise BadInquiryError("no 270")
    subscriber, provider = message.find("NM1", 1, "IL"), message.find("NM1", 1, "1P")
    demographics = message.find_after("DMG", ("NM1", "IL"))
    try:
        asked_on = datetime.strptime(message.find("DTP", 1, "291")[3], "%Y%m%d").replace(tzinfo=UTC).date()
    except ValueError as error:
        raise BadInquiryError("no date") from error
    if not message.find("EQ")[1]:
        raise BadInquiryError("no service type")
    return message, Inquiry(
        trace=message.find("TRN")[2],
        member_id=subscriber[9],
        family_name=subscriber[3],
        given_name=subscriber[4],
        birth_date=demographics[2],
        sex=demographics[3],
        asked_on=asked_on,
        npi=provider[9],
        provider=provider[3],
        dependent=_read_dependent(message),
    )


def _read_dependent(message: ReceivedInquiry) -> dict[str, str] | None:
    name = message.find_after("NM1", ("NM1", "03"))
    if not name[1]:
        return None
    demographics = message.find_after("DMG", ("NM1", "03"))
    return {"family": name[3], "given": name[4], "birth": demographics[2], "sex": demographics[3]}


def write_271(message: ReceivedInquiry, inquiry: Inquiry, answer: PlanAnswer, *, trace: str | None = None) -> str:
    """Write the answer to a 270; another `trace` makes it an answer to another request."""
    reply = trace or inquiry.trace
    payer = message.find("NM1", 1, "PR")
    segments = [
        f"BHT*0022*11*{message.find('BHT')[3] if trace is None else trace}*{_stamp('%Y%m%d*%H%M%S')}",
        "HL*1**20*1",
        f"NM1*PR*2*{payer[3]}*****PI*{payer[9]}",
    ]
    if answer.reject_source:
        segments.append(f"AAA*Y**{answer.reject_source}*{answer.follow_up}")
    else:
        segments += ["HL*2*1*21*1", f"NM1*1P*2*{inquiry.provider}*****XX*{inquiry.npi}"]
        segments += _write_members(inquiry, answer, reply)
    return wrap(message, "HB", "271", "005010X279A1", segments)


def _write_members(inquiry: Inquiry, answer: PlanAnswer, reply: str) -> Iterator[str]:
    trace = f"TRN*2*{reply}*{TRACE_ORIGIN}"
    name = f"NM1*IL*1*{inquiry.family_name}*{inquiry.given_name}****MI*{inquiry.member_id}"
    dependent = inquiry.dependent
    if dependent and not answer.reject_subscriber:
        yield from ("HL*3*2*22*1", name)
        yield from ("HL*4*3*23*0", trace, f"NM1*03*1*{dependent['family']}*{dependent['given']}")
        birth, sex = dependent["birth"], dependent["sex"]
    else:
        yield "HL*3*2*22*0"
        if not dependent:
            yield trace
        yield name
        birth, sex = inquiry.birth_date, inquiry.sex
    if answer.group:
        yield f"REF*6P*{answer.group}"
    if answer.reject_subscriber:
        yield f"AAA*N**{answer.reject_subscriber}*{answer.follow_up}"
        return
    yield f"DMG*D8*{birth}*{sex}".rstrip("*")
    for code, day in (("346", answer.begins_on), ("347", answer.ends_on)):
        if day:
            yield f"DTP*{code}*D8*{day:%Y%m%d}"
    for benefit in answer.benefits:
        yield from _write_benefit(benefit)


def _write_benefit(benefit: Benefit) -> Iterator[str]:
    elements = [
        "EB", benefit.code, benefit.level, "^".join(benefit.types), benefit.insurance, benefit.plan, benefit.period,
        benefit.amount, benefit.percent, "", "", benefit.authorization, benefit.network,
    ]  # fmt: skip
    yield "*".join(elements).rstrip("*")
    if benefit.reference:
        yield "REF*" + "*".join(benefit.reference)
    if benefit.coordination_since:
        yield f"DTP*290*D8*{benefit.coordination_since:%Y%m%d}"
    if benefit.message:
        yield f"MSG*{benefit.message}"
    if benefit.entity:
        entity = benefit.entity
        yield "LS*2120"
        yield f"NM1*{entity['role']}*2*{entity['name']}*****{entity['kind']}*{entity['id']}"
        if "phone" in entity:
            yield f"PER*IC**TE*{entity['phone']}"
        yield "LE*2120"


def write_999(message: ReceivedInquiry, *, note: str = "5") -> str:
    """Write an acknowledgment that refuses a 270."""
    group = message.find("GS")[6]
    segments = [f"AK1*HS*{group}*005010X279A1", "AK2*270*0001", f"IK5*R*{note}", "AK9*R*1*1*0"]
    return wrap(message, "FA", "999", "005010X231A1", segments)


def wrap(message: ReceivedInquiry, group: str, code: str, guide: str, segments: Sequence[str]) -> str:
    """Put segments into an envelope that goes back to the sender of a message."""
    isa = message.find("ISA")
    control = f"{int(isa[13]) % 900_000_000 + 100_000_000}"
    body = [
        f"GS*{group}*{isa[8].strip()}*{isa[6].strip()}*{_stamp('%Y%m%d*%H%M')}*7*X*{guide}",
        f"ST*{code}*0001*{guide}",
        *segments,
        f"SE*{len(segments) + 2}*0001",
        "GE*1*7",
        f"IEA*1*{control}",
    ]
    parties = f"ZZ*{isa[8]}*ZZ*{isa[6]}"
    start = f"ISA*00*{' ' * 10}*00*{' ' * 10}*{parties}*{_stamp('%y%m%d*%H%M')}*^*00501*{control}*0*{isa[15]}*:"
    return "".join(f"{segment}~" for segment in (start, *body))


def _stamp(pattern: str) -> str:
    return datetime.now(UTC).strftime(pattern)


def format_day(day: date) -> str:
    """A day as both formats write it."""
    return f"{day:%Y%m%d}"
