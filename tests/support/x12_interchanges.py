"""Interchanges that payers send, as text. They are written by hand, never by our own writer.

Source:
    The six test interchanges of the coverage design, November 28, 2026, and the list of others next to them.
"""

TRACE_ID = "C5F0A1"
CONTROL_NUMBER = "000000905"

_ISA = (
    "ISA*00*          *00*          *ZZ*PAYERSIM       *ZZ*CARTHUB        *261128*1405*^*00501*{control}*0*{usage}*:~"
)
_GS = "GS*{code}*PAYERSIM*CARTHUB*20261128*1405*1*X*{guide}~"

START = (
    "BHT*0022*11*C5F0A1*20261128*140500~HL*1**20*1~NM1*PR*2*EXAMPLE HEALTH*****PI*99999~"
    "HL*2*1*21*1~NM1*1P*2*EXAMPLE PRACTICE*****XX*1234567893~"
)
"""Up to the receiver."""

DATES = "DMG*D8*19610402*F~DTP*346*D8*20260101~"

DESIGNATED_CENTER = (
    "EB*N**78********Y*Y~MSG*CELLULAR THERAPY AT DESIGNATED CENTERS ONLY~"
    "LS*2120~NM1*1P*2*EXAMPLE DESIGNATED CENTER*****SV*COE01~LE*2120~"
)


def wrap(body, *, code="HB", set_code="271", guide="005010X279A1", usage="T", control=CONTROL_NUMBER):
    """A complete interchange around the segments between ST and SE, with right counts."""
    count = body.count("~") + 2
    return (
        _ISA.format(control=control, usage=usage)
        + _GS.format(code=code, guide=guide)
        + f"ST*{set_code}*0001*{guide}~{body}SE*{count}*0001~GE*1*1~IEA*1*{control}~"
    )


def build_subscriber(rest, *, member_id="XEX0003", given_name="ANA", trace_id=TRACE_ID, mid=""):
    """A 271 about the subscriber; `mid` comes between the trace and the name, `rest` after the name."""
    return wrap(
        f"{START}HL*3*2*22*0~TRN*2*{trace_id}*9CARTHUB01~{mid}NM1*IL*1*EXAMPLE*{given_name}****MI*{member_id}~{rest}"
    )


AUTHORIZATION_REQUIRED = build_subscriber(
    f"REF*6P*42~{DATES}EB*1**30**EXAMPLE PPO GOLD~EB*1*IND*48~EB*C*IND*30***29*1150.00*****Y~"
    "EB*G*IND*30***29*3200.00*****Y~EB*A*IND*48*****.2***Y*Y~EB*CB**78********Y*Y~"
    "MSG*CAR T THERAPY REQUIRES PRIOR AUTHORIZATION CALL 8005550100~"
    "LS*2120~NM1*X3*2*EXAMPLE UTILIZATION MGMT*****PI*99999~PER*IC**TE*8005550100~LE*2120~"
)
INACTIVE = build_subscriber(
    "DMG*D8*19610402*F~DTP*346*D8*20250101~DTP*347*D8*20260930~EB*6**30**EXAMPLE PPO GOLD~", member_id="XEX0002"
)
OUT_OF_NETWORK = build_subscriber(
    f"{DATES}EB*1**30**EXAMPLE HMO~EB*I*IND*48^78*********N~MSG*REQUESTING PROVIDER IS NOT IN NETWORK~",
    member_id="XEX0004",
)
CANNOT_ANSWER = wrap("BHT*0022*11*C5F0A1*20261128*140500~HL*1**20*1~NM1*PR*2*EXAMPLE HEALTH*****PI*99999~AAA*Y**42*R~")
TWO_COVERAGES = build_subscriber(
    f"{DATES}EB*1**30**EXAMPLE MEDICARE SUPPLEMENT~EB*R**30*MA~REF*F6*1EG4TE5MK73~DTP*290*D8*20260501~"
    "LS*2120~NM1*PRP*2*MEDICARE*****PI*CMSMED~LE*2120~EB*R**30*12~"
    "LS*2120~NM1*SEP*2*OTHER COMMERCIAL*****PI*88888~LE*2120~",
    member_id="XEX0006",
)
TRUNCATED = AUTHORIZATION_REQUIRED[: len(AUTHORIZATION_REQUIRED) * 6 // 10]
DESIGNATED = build_subscriber(f"{DATES}EB*1**30**EXAMPLE PPO GOLD~{DESIGNATED_CENTER}", member_id="XEX0005")
NOT_FOUND = build_subscriber("AAA*N**72*C~", member_id="XEX0007")
DEPENDENT = wrap(
    f"{START}HL*3*2*22*1~NM1*IL*1*EXAMPLE*ANA****MI*XEX0003~HL*4*3*23*0~TRN*2*C5F0A1*9CARTHUB01~"
    "NM1*03*1*EXAMPLE*LUIS~DMG*D8*20120809*M~INS*N*19~DTP*346*D8*20260101~EB*1**30**EXAMPLE PPO GOLD~"
)

ANSWERS = {
    "authorization_required": AUTHORIZATION_REQUIRED,
    "inactive": INACTIVE,
    "out_of_network": OUT_OF_NETWORK,
    "cannot_answer": CANNOT_ANSWER,
    "two_coverages": TWO_COVERAGES,
    "designated": DESIGNATED,
    "not_found": NOT_FOUND,
    "dependent": DEPENDENT,
}
"""The valid ones, by name."""

ACCEPTED_999 = wrap("AK1*HS*1*005010X279A1~AK2*270*0001~IK5*A~AK9*A*1*1*1~", code="FA", set_code="999",
                    guide="005010X231A1")  # fmt: skip
REJECTED_999 = wrap(
    "AK1*HS*1*005010X279A1~AK2*270*0001~IK3*NM1*8*2100*8~IK5*R*5~AK9*R*1*1*0~",
    code="FA",
    set_code="999",
    guide="005010X231A1",
)


def build_ta1(status, note="000"):
    """An interchange that holds only an acknowledgment of ours."""
    ta1 = f"TA1*{CONTROL_NUMBER}*261128*1405*{status}*{note}~"
    return _ISA.format(control="000000001", usage="T") + ta1 + "IEA*0*000000001~"


def use_delimiters(text, *, element="|", component=">", terminator="'", repetition="!"):
    """The same interchange with other delimiters."""
    table = str.maketrans({"*": element, ":": component, "~": terminator, "^": repetition})
    return text.translate(table)
