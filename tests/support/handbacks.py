"""Transition-of-care summaries for tests: a complete one, and one with a canary in each field."""

import copy
from typing import Any

from tests.support.canaries import CANARIES

_PACKAGE: dict[str, Any] = {
    "product_id": "breyanzi",
    "lot": "LOT-4711",
    "infusions": [{"on": "2026-11-02", "dose": "100 million cells"}],
    "response": {"assessment": "complete_response", "on": "2026-11-20", "words": "PET-CT"},
    "crs": {"worst_grade": 1, "treatment": "Tocilizumab once"},
    "icans": {"worst_grade": 0, "treatment": None},
    "cytopenias": "Neutropenia, recovering",
    "counts": {"on": "2026-11-20", "neutrophils_per_ul": 1400, "hemoglobin_g_dl": 9.8, "platelets_per_ul": 84000},
    "transfusion_needs": "None since day 20",
    "prophylaxis": [
        {"drug": "Acyclovir", "against": "herpes", "stop_on": "2027-11-02", "stop_when": None},
        {
            "drug": "Trimethoprim-sulfamethoxazole",
            "against": "pneumocystis",
            "stop_on": None,
            "stop_when": "CD4 above 200",
        },
    ],
    "immunoglobulin": {
        "igg_mg_dl": 380,
        "measured_on": "2026-11-20",
        "plan": "Monthly; IVIG below 400 with infections",
    },
    "vaccination_plan": "From month 3",
    "steroids": {"status": "none", "words": None},
    "driving_cleared_on": "2026-11-16",
    "irradiated_until": "2027-02-15",
    "open_problems": "Fatigue",
    "warning_signs": "Fever, confusion",
    "center_phone": "+17135550199",
    "next_center_visit_on": "2027-02-01",
    "responsibilities": [{"who": "practice", "does": "Blood counts each week"}],
    "care_points": [
        {
            "care_point_id": "vaccines_early",
            "text": "COVID-19 and influenza vaccines from month 3.",
            "due_on": "2027-02-02",
        },
        {"care_point_id": None, "text": "See the eye clinic", "due_on": None},
    ],
    "wallet_card_given": True,
}


def build_handback_body(**changed: Any) -> dict[str, Any]:
    """Build a complete summary, with other values in whole fields."""
    return copy.deepcopy(_PACKAGE) | changed


def build_canary_handback() -> dict[str, Any]:
    """Build a summary with a canary in every field that is about a person."""
    c = CANARIES
    return build_handback_body(
        lot=c["handback_lot"],
        infusions=[{"on": c["handback_infused_on"], "dose": c["handback_dose"]}],
        response={
            "assessment": "complete_response",
            "on": c["handback_response_on"],
            "words": c["handback_response_words"],
        },
        crs={"worst_grade": 1, "treatment": c["handback_crs"]},
        icans={"worst_grade": 0, "treatment": c["handback_icans"]},
        cytopenias=c["handback_cytopenias"],
        counts={"on": c["handback_counts_on"], "platelets_per_ul": 84000},
        transfusion_needs=c["handback_transfusions"],
        prophylaxis=[
            {
                "drug": c["handback_drug"],
                "against": "herpes",
                "stop_on": c["handback_stop_on"],
                "stop_when": c["handback_stop_when"],
            }
        ],
        immunoglobulin={"igg_mg_dl": 380, "measured_on": c["handback_igg_on"], "plan": c["handback_igg_plan"]},
        vaccination_plan=c["handback_vaccination"],
        steroids={"status": "none", "words": c["handback_steroids"]},
        driving_cleared_on=c["handback_driving_on"],
        irradiated_until=c["handback_irradiated_until"],
        open_problems=c["handback_problems"],
        warning_signs=c["handback_warnings"],
        center_phone=c["handback_phone"],
        next_center_visit_on=c["handback_center_visit_on"],
        responsibilities=[{"who": "practice", "does": c["handback_does"]}],
        care_points=[{"care_point_id": None, "text": c["handback_care_point"], "due_on": c["handback_care_due_on"]}],
    )
