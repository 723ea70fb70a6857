"""Hand-back packages of the fictional world: what centers write before they hand patients back."""

import json
import random
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from chalicelib.domain.handback.visits import FOLLOW_UP_VISIT_DAYS
from chalicelib.routes.handback.request_bodies import HandbackRequest

_UNFINISHED_EVERY = 4
"""Every fourth center was in a hurry, so that a page shows what is missing."""


def build_package(number: int, *, proposal: Mapping[str, Any], on: date) -> Mapping[str, Any]:
    """The package of story `number`, written on a day, from what the product proposes.

    The same number is the same patient whenever the world is made; only dates follow `on`.
    """
    draw = random.Random(f"package {number}")  # noqa: S311 a fictional life, not a secret
    infused_on = date.fromisoformat(proposal["infusions"][0]["on"])
    content = {
        **proposal,
        "lot": f"FICTION-{4000 + number}",
        "infusions": [{"on": infused_on.isoformat(), "dose": "100 million CAR-positive T cells"}],
        "care_points": _choose_checklist(proposal["care_points"], draw),
        **_build_course(draw, on),
        **_build_responsibilities(infused_on, on),
    }
    if number % _UNFINISHED_EVERY == 0:
        content |= {"vaccination_plan": None, "warning_signs": None, "wallet_card_given": None}
    body = HandbackRequest.model_validate_json(json.dumps(content))
    read: Mapping[str, Any] = json.loads(body.model_dump_json())
    return read


def _choose_checklist(points: Any, draw: random.Random) -> list[Mapping[str, Any]]:
    """The checklist with one of the two rhythms of IgG, as a center chooses."""
    left_out = draw.choice(("igg_monthly", "igg_quarterly"))
    return [point for point in points if point["care_point_id"] != left_out]


def _build_course(draw: random.Random, on: date) -> Mapping[str, Any]:
    """How the weeks after the infusion went."""
    crs, icans = draw.choice((0, 1, 1, 2)), draw.choice((0, 0, 0, 1))
    looked_on = (on - timedelta(days=draw.randint(1, 3))).isoformat()
    return {
        "response": {
            "assessment": draw.choice(("complete_response", "partial_response")),
            "on": looked_on,
            "words": "PET-CT",
        },
        "crs": {"worst_grade": crs, "treatment": "Tocilizumab once" if crs > 1 else None},
        "icans": {"worst_grade": icans, "treatment": None},
        "cytopenias": "Neutropenia, recovering without growth factor",
        "counts": {
            "on": looked_on,
            "neutrophils_per_ul": draw.randint(9, 22) * 100,
            "hemoglobin_g_dl": draw.randint(85, 112) / 10,
            "platelets_per_ul": draw.randint(60, 140) * 1000,
        },
        "transfusion_needs": "None in the last ten days",
        "immunoglobulin": {
            "igg_mg_dl": draw.randint(280, 520),
            "measured_on": looked_on,
            "plan": "IgG as in the care points; IVIG below 400 mg/dL with recurrent infections",
        },
        "steroids": {"status": "none"},
    }


def _build_responsibilities(infused_on: date, on: date) -> Mapping[str, Any]:
    """What the practice takes over, and when the center sees the patient next."""
    return {
        "prophylaxis": [
            {"drug": "Aciclovir", "against": "herpes", "stop_on": (infused_on + timedelta(days=365)).isoformat()},
            {
                "drug": "Co-trimoxazole",
                "against": "pneumocystis",
                "stop_when": "CD4 above 200 per \u00b5L, not before month 6",
            },
        ],
        "vaccination_plan": "Inactivated vaccines from month 3 and month 6, no live ones",
        "driving_cleared_on": on.isoformat(),
        "open_problems": "Fatigue",
        "warning_signs": "Fever of 38 \u00b0C or more, confusion, bleeding: call the center",
        "next_center_visit_on": (infused_on + timedelta(days=FOLLOW_UP_VISIT_DAYS[1])).isoformat(),
        "responsibilities": [
            {"who": "practice", "does": "Blood counts each week, then as in the care points"},
            {"who": "center", "does": "Response assessment around day 90"},
        ],
        "wallet_card_given": True,
    }
