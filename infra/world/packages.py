"""Transition-of-care summaries of the sample data, which centers write before patients return to their practice."""

import json
import random
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from chalicelib.domain.handback.visits import FOLLOW_UP_VISIT_DAYS
from chalicelib.routes.handback.request_bodies import HandbackRequest

_INCOMPLETE_EVERY = 4
"""Every fourth summary is incomplete, so that a page shows the missing items."""


def build_package(number: int, *, proposal: Mapping[str, Any], on: date) -> Mapping[str, Any]:
    """Build the transition-of-care summary of story `number`, written on a date, from the product's proposal.

    The same number always gives the same patient. Only the dates depend on `on`.
    """
    rng = random.Random(f"package {number}")  # noqa: S311 fictional data, not a secret
    infused_on = date.fromisoformat(proposal["infusions"][0]["on"])
    content = {
        **proposal,
        "lot": f"FICTION-{4000 + number}",
        "infusions": [{"on": infused_on.isoformat(), "dose": "100 million CAR-positive T cells"}],
        "care_points": _choose_care_points(proposal["care_points"], rng),
        **_build_course(rng, on),
        **_build_responsibilities(infused_on, on),
    }
    if number % _INCOMPLETE_EVERY == 0:
        content |= {"vaccination_plan": None, "warning_signs": None, "wallet_card_given": None}
    body = HandbackRequest.model_validate_json(json.dumps(content))
    package: Mapping[str, Any] = json.loads(body.model_dump_json())
    return package


def _choose_care_points(points: Any, rng: random.Random) -> list[Mapping[str, Any]]:
    """Keep one of the two IgG monitoring schedules, as a center would choose."""
    removed = rng.choice(("igg_monthly", "igg_quarterly"))
    return [point for point in points if point["care_point_id"] != removed]


def _build_course(rng: random.Random, on: date) -> Mapping[str, Any]:
    """Describe the weeks after the infusion."""
    crs, icans = rng.choice((0, 1, 1, 2)), rng.choice((0, 0, 0, 1))
    measured_on = (on - timedelta(days=rng.randint(1, 3))).isoformat()
    return {
        "response": {
            "assessment": rng.choice(("complete_response", "partial_response")),
            "on": measured_on,
            "words": "PET-CT",
        },
        "crs": {"worst_grade": crs, "treatment": "Tocilizumab once" if crs > 1 else None},
        "icans": {"worst_grade": icans, "treatment": None},
        "cytopenias": "Neutropenia, recovering without growth factor",
        "counts": {
            "on": measured_on,
            "neutrophils_per_ul": rng.randint(9, 22) * 100,
            "hemoglobin_g_dl": rng.randint(85, 112) / 10,
            "platelets_per_ul": rng.randint(60, 140) * 1000,
        },
        "transfusion_needs": "None in the last ten days",
        "immunoglobulin": {
            "igg_mg_dl": rng.randint(280, 520),
            "measured_on": measured_on,
            "plan": "IgG as in the care points; IVIG below 400 mg/dL with recurrent infections",
        },
        "steroids": {"status": "none"},
    }


def _build_responsibilities(infused_on: date, on: date) -> Mapping[str, Any]:
    """Describe what the practice takes over and when the center sees the patient next."""
    return {
        "prophylaxis": [
            {"drug": "Acyclovir", "against": "herpes", "stop_on": (infused_on + timedelta(days=365)).isoformat()},
            {
                "drug": "Trimethoprim-sulfamethoxazole",
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
