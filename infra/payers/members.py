"""The members that the simulated payers know, and what their plans say, apart from any wire format.

| member | what the payer answers |
|---|---|
| XEX0001 | active |
| XEX0002 | inactive |
| XEX0003 | active, authorization required |
| XEX0004 | active, out of network |
| XEX0005 | active, only at a designated center |
| XEX0006 | active, two other coverages |
| XEX0007 | not found |
| XEX0008 | as XEX0001, but slowly |
| XEX0009 | closes the connection, then "unable to respond", then (if set) as XEX0001 |
| XEX0010 | garbage, a different kind each time |

Any other member is not found. Dates follow the day that is asked for, so that the answers never age.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

SLOW = "XEX0008"
DOWN = "XEX0009"
GARBAGE = "XEX0010"

UNABLE_TO_RESPOND = "42"
SUBSCRIBER_ID_UNKNOWN = "72"
SUBSCRIBER_NOT_FOUND = "75"


@dataclass(frozen=True, slots=True, kw_only=True)
class Inquiry:
    """What a payer is asked, in either format. Texts are as they were received."""

    trace: str
    member_id: str
    family_name: str
    given_name: str
    birth_date: str
    sex: str
    asked_on: date
    npi: str
    provider: str
    dependent: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Benefit:
    """One row of a plan, with X12 codes."""

    code: str
    types: Sequence[str] = ()
    level: str = ""
    insurance: str = ""
    plan: str = ""
    period: str = ""
    amount: str = ""
    percent: str = ""
    authorization: str = ""
    network: str = ""
    message: str = ""
    reference: tuple[str, str] | None = None
    coordination_since: date | None = None
    entity: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanAnswer:
    """What a plan says about one member: rows, or a reason for which there are none."""

    group: str = ""
    begins_on: date | None = None
    ends_on: date | None = None
    benefits: Sequence[Benefit] = ()
    reject_source: str = ""
    reject_subscriber: str = ""
    follow_up: str = "C"


_GOLD = Benefit(code="1", types=["30"], plan="EXAMPLE PPO GOLD")
_ACCUMULATORS = (
    Benefit(code="1", types=["48"], level="IND"),
    Benefit(code="C", types=["30"], level="IND", period="29", amount="1150.00", network="Y"),
    Benefit(code="G", types=["30"], level="IND", period="29", amount="3200.00", network="Y"),
)


def answer_inquiry(inquiry: Inquiry) -> PlanAnswer:
    """Answer for one member as a payer that is up would."""
    asked_on = inquiry.asked_on
    begins_on = date(asked_on.year, 1, 1)
    visit = Benefit(code="B", types=["98"], level="IND", amount="40.00", authorization="N", network="Y")
    active = PlanAnswer(group="42", begins_on=begins_on, benefits=(_GOLD, *_ACCUMULATORS, visit))
    authorized = (_GOLD, *_ACCUMULATORS, *_AUTHORIZATION)
    plans = {
        "XEX0001": active,
        "XEX0002": _build_ended(asked_on),
        "XEX0003": PlanAnswer(group="42", begins_on=begins_on, benefits=authorized),
        "XEX0004": PlanAnswer(begins_on=begins_on, benefits=_OUT_OF_NETWORK),
        "XEX0005": PlanAnswer(begins_on=begins_on, benefits=(_GOLD, _DESIGNATED)),
        "XEX0006": PlanAnswer(begins_on=begins_on, benefits=_list_two_coverages(asked_on)),
        "XEX0007": PlanAnswer(reject_subscriber=SUBSCRIBER_ID_UNKNOWN),
        SLOW: active,
        DOWN: active,
        GARBAGE: active,
    }
    return plans.get(inquiry.member_id) or PlanAnswer(reject_subscriber=SUBSCRIBER_NOT_FOUND)


UNABLE = PlanAnswer(reject_source=UNABLE_TO_RESPOND, follow_up="R")


def _build_ended(asked_on: date) -> PlanAnswer:
    """A plan of last year that ended on the last day of the month before the previous one."""
    last_month = asked_on.replace(day=1) - timedelta(days=1)
    ended_on = last_month.replace(day=1) - timedelta(days=1)
    return PlanAnswer(
        begins_on=date(ended_on.year - 1, 1, 1),
        ends_on=ended_on,
        benefits=(Benefit(code="6", types=["30"], plan="EXAMPLE PPO GOLD"),),
    )


_AUTHORIZATION = (
    Benefit(code="A", types=["48"], level="IND", percent=".2", authorization="Y", network="Y"),
    Benefit(
        code="CB",
        types=["78"],
        authorization="Y",
        network="Y",
        message="CAR T THERAPY REQUIRES PRIOR AUTHORIZATION CALL 8005550100",
        entity={"role": "X3", "name": "EXAMPLE UTILIZATION MGMT", "kind": "PI", "id": "99999", "phone": "8005550100"},
    ),
)

_OUT_OF_NETWORK = (
    Benefit(code="1", types=["30"], plan="EXAMPLE HMO"),
    Benefit(code="I", types=["48", "78"], network="N", message="REQUESTING PROVIDER IS NOT IN NETWORK"),
)

_DESIGNATED = Benefit(
    code="N",
    types=["78"],
    authorization="Y",
    network="Y",
    message="CELLULAR THERAPY AT DESIGNATED CENTERS ONLY",
    entity={"role": "1P", "name": "EXAMPLE DESIGNATED CENTER", "kind": "SV", "id": "COE01"},
)


def _list_two_coverages(asked_on: date) -> Sequence[Benefit]:
    since = (asked_on.replace(day=1) - timedelta(days=150)).replace(day=1)
    return (
        Benefit(code="1", types=["30"], plan="EXAMPLE MEDICARE SUPPLEMENT"),
        Benefit(
            code="R",
            types=["30"],
            insurance="MA",
            # CMS's published sample of a Medicare number.
            reference=("F6", "1EG4TE5MK73"),
            coordination_since=since,
            entity={"role": "PRP", "name": "MEDICARE", "kind": "PI", "id": "CMSMED"},
        ),
        Benefit(
            code="R",
            types=["30"],
            insurance="12",
            entity={"role": "SEP", "name": "OTHER COMMERCIAL", "kind": "PI", "id": "88888"},
        ),
    )
