"""The words of planned dates: what can be planned, how a visit takes place, and which statuses they belong to."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from chalicelib.domain.referrals.stages import Stage

MAX_AHEAD = timedelta(days=3 * 366)
"""How far ahead a date may be planned. A later one is a typing error. This product's own choice."""


class PlanKind(StrEnum):
    """What is planned for the patient, in the usual order."""

    CONSULTATION = "consultation"
    LEUKAPHERESIS = "leukapheresis"
    DELIVERY = "delivery"
    LYMPHODEPLETION = "lymphodepletion"
    INFUSION = "infusion"
    RETURN = "return"


class VisitMode(StrEnum):
    """How the patient attends."""

    IN_PERSON = "in_person"
    TELEHEALTH = "telehealth"


class PlannedDay(NamedTuple):
    """When something is planned: a time, or a day at the center. Exactly one of the two is set."""

    starts_at: datetime | None = None
    on: date | None = None


class DatedPlan(NamedTuple):
    """What is planned, and when."""

    plan: PlanKind
    day: PlannedDay


PLAN_LABELS: Mapping[PlanKind, str] = {
    PlanKind.CONSULTATION: "Consultation",
    PlanKind.LEUKAPHERESIS: "Leukapheresis",
    PlanKind.DELIVERY: "Product delivery",
    PlanKind.LYMPHODEPLETION: "Lymphodepletion",
    PlanKind.INFUSION: "CAR T infusion",
    PlanKind.RETURN: "Return to the referring practice",
}

MODE_LABELS: Mapping[VisitMode, str] = {VisitMode.IN_PERSON: "In person", VisitMode.TELEHEALTH: "Telehealth"}

PLAN_BY_STAGE: Mapping[Stage, PlanKind] = {
    Stage.CONSULT_SCHEDULED: PlanKind.CONSULTATION,
    Stage.APHERESIS_SCHEDULED: PlanKind.LEUKAPHERESIS,
    Stage.PRODUCT_SHIPPED: PlanKind.DELIVERY,
}
"""The statuses whose report may carry a planned date, and what is planned."""

STAGE_WHEN_DONE: Mapping[PlanKind, Stage] = {
    PlanKind.CONSULTATION: Stage.CONSULT_COMPLETED,
    PlanKind.LEUKAPHERESIS: Stage.APHERESIS_COMPLETED,
    PlanKind.DELIVERY: Stage.PRODUCT_RECEIVED,
    PlanKind.LYMPHODEPLETION: Stage.LYMPHODEPLETION_STARTED,
    PlanKind.INFUSION: Stage.INFUSED,
    PlanKind.RETURN: Stage.HANDED_BACK,
}
"""The status that says that the plan was carried out."""
