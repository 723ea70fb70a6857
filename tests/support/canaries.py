"""A value in each field of a referral that can be found again wherever it leaks to."""

import json
import quopri
import re
from base64 import b64encode
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any
from urllib.parse import quote

from tests.support import factories

CANARIES: Mapping[str, str] = {
    "family_name": "Qvortrup-Zyx",
    "given_name": "Wilhelmqx-\u00d8deg\u00e5rd",
    "birth_date": "1937-07-19",
    "mrn": "MRN-77XQ31",
    "zip": "90313-4471",
    "phone": "+19175550813",
    "email": "qx.patient@canary-mail.example",
    "language": "qxz-QX",
    "alias": "Mauve Hoopoe",
    "caregiver_name": "Theodoraqx Caregiver",
    "caregiver_phone": "+19175550814",
    "caregiver_relation": "stepcousinqx",
    "histology": "T_CELL_RICH",
    "icd10": "C96.29",
    "regimen": "Regimenqx-Ultra",
    "line_started_on": "1999-03-27",
    "line_ended_on": "1999-05-28",
    "line_event_on": "1999-06-29",
    "transplant_on": "1999-07-30",
    "dose_last_on": "1999-08-31",
    "last_imaging_on": "1999-10-29",
    "screened_version": "0e7a9c51d3b8",
    "screened_on": "1999-09-28",
    "provider_name": "Dr. Provideriqx",
    "provider_npi": "1999999984",
    "provider_phone": "+19175550815",
    "provider_email": "dr.qx@canary-practice.example",
    "payer": "Payerqx Mutual",
    "insurance_member_id": "XEQX-0451",
    "insurance_group": "GRPQX-9",
    "subscriber_given_name": "Holderqx",
    "subscriber_family_name": "Subscriberqx",
    "subscriber_birth_date": "1931-02-23",
    "consent_on": "2026-10-09",
    "consent_expires_on": "2177-10-09",
    "none_reason": "Nonereasonqx: moves often",
    "note": "Noteqx: sleeps badly",
    "unfinished": "Unfinishedqx@",
    "view_name": "Viewqx: Wednesdays",
    "change_phone": "+19175550817",
    "change_payer": "Correctedpayerqx Life",
    "change_caregiver": "Ottilieqx Caregiver",
    "change_coordinator": "Coordinatorqx Lund",
    "change_center_phone": "+19175550818",
    "change_center_email": "coordinator.qx@canary-center.example",
    "event_note": "Eventnoteqx: called twice",
    "feed_note": "Feednoteqx: bed reserved",
    "document_name": "Scanqx Qvort.pdf",
    "document_remark": "Remarkqx: two parts",
    "document_fax": "Faxqx 917-555-0899",
    "document_confirmation": "CONFQX-8812",
    "parked_note": "Parkednoteqx: too early",
    "refused_note": "Refusednoteqx: never legal",
    "correction_note": "Correctionnoteqx: typed wrong",
    "replacement_note": "Replacementnoteqx: so it was",
    "hold_note": "Holdnoteqx: fever since Monday",
    "toxicity_note": "Toxicitynoteqx: confused at night",
    "adverse_event_note": "Adverseqx: yellow eyes",
    "adverse_event_resolved_on": "1999-10-27",
    "relapse_note": "Relapseqx: lump on the neck",
    "bridging_note": "Bridgingqx: tolerated well",
    "bridging_regimen": "Regimenqx-BR",
    "plan_place": "Placeqx building",
    "plan_contact": "Contactqx desk",
    "plan_note": "Planqx: bring the films",
    "extension_note": "Extensionnoteqx: two weeks more",
    "withdrawal_note": "Withdrawalnoteqx: moves to her son",
    "reopening_note": "Reopeningnoteqx: changed her mind",
    "consultation_remark": "Bookingqx: needs a lift",
    "consultation_question": "Askingqx: not before her son is here",
    "conversation_message": "Messageqx: is bridging fine",
    "conversation_item": "Itemqx slides of the second biopsy",
    "conversation_request": "Requestqx: before Friday",
    "conversation_answer": "Answerqx: sent by courier",
    "conversation_remark": "Remarkqx: the rest on Monday",
    "coverage_line": "Coveragelineqx 4821",
    "coverage_words": "Coveragewordsqx: lines of therapy not documented",
    "coverage_phone": "+19175550819",
    "handback_lot": "LOTQX-88213",
    "handback_infused_on": "1998-01-13",
    "handback_dose": "Dosenqx 97 million",
    "handback_response_on": "1998-02-14",
    "handback_response_words": "Petqx-CT negative",
    "handback_crs": "Crsqx: tocilizumab twice",
    "handback_icans": "Icansqx: nothing given",
    "handback_cytopenias": "Cytopeniaqx: slow",
    "handback_counts_on": "1998-03-15",
    "handback_transfusions": "Transfusionqx: weekly",
    "handback_drug": "Drugqxovir",
    "handback_stop_on": "2177-04-16",
    "handback_stop_when": "Stopqx: after the summer",
    "handback_igg_on": "1998-05-17",
    "handback_igg_plan": "Iggqx: each month",
    "handback_vaccination": "Vaccineqx: in spring",
    "handback_steroids": "Steroidqx: tapered",
    "handback_driving_on": "2177-06-18",
    "handback_irradiated_until": "2177-07-19",
    "handback_problems": "Problemqx: tired",
    "handback_warnings": "Warningqx: fever",
    "handback_phone": "+19175550816",
    "handback_center_visit_on": "2177-08-20",
    "handback_does": "Doesqx: counts on Mondays",
    "handback_care_point": "Carepointqx: eye clinic",
    "handback_care_due_on": "2177-09-21",
}


_LETTERS = 8


def build_canary_body(*, alias: str = "", **changed: Any) -> dict[str, Any]:
    """Build a complete referral with a canary in every field that is about a person.

    `alias` is added to the canary's alias, because two open referrals cannot have the same.
    """
    c = CANARIES
    line = {
        "line": 1,
        "regimen": c["regimen"],
        "classes": ["anti_cd20"],
        "started_on": c["line_started_on"],
        "ended_on": c["line_ended_on"],
        "event_on": c["line_event_on"],
    }
    return factories.build_referral_body(
        patient={
            "family_name": c["family_name"],
            "given_name": c["given_name"],
            "birth_date": c["birth_date"],
            "sex": "female",
            "mrn": c["mrn"],
            "zip": c["zip"],
            "phone": c["phone"],
            "email": c["email"],
            "language": c["language"],
            "alias": c["alias"] + alias,
            "caregiver": {
                "name": c["caregiver_name"],
                "phone": c["caregiver_phone"],
                "relation": c["caregiver_relation"],
            },
        },
        clinical__histology=c["histology"],
        clinical__icd10=c["icd10"],
        clinical__prior_lines=[line],
        clinical__transplant={"kind": "autologous", "on": c["transplant_on"]},
        clinical__last_doses=[{"agent": "bendamustine", "last_on": c["dose_last_on"]}],
        clinical__last_imaging_on=c["last_imaging_on"],
        clinical__screened={"catalogue_version": c["screened_version"], "screened_on": c["screened_on"]},
        referring_provider={
            "name": c["provider_name"],
            "npi": c["provider_npi"],
            "phone": c["provider_phone"],
            "email": c["provider_email"],
        },
        insurance={
            "payer": c["payer"],
            "plan_type": "commercial",
            "member_id": c["insurance_member_id"],
            "group": c["insurance_group"],
            "subscriber": {
                "relationship": "spouse",
                "given_name": c["subscriber_given_name"],
                "family_name": c["subscriber_family_name"],
                "birth_date": c["subscriber_birth_date"],
            },
        },
        consent_to_share={
            "given": True,
            "basis": "patient_consent",
            "on": c["consent_on"],
            "scope": "all_records",
            "expires_on": c["consent_expires_on"],
        },
        none_because=[{"item": "/patient/zip", "reason": c["none_reason"]}],
        note=c["note"],
        **changed,
    )


def find_canaries(haystack: bytes, *, allowed: frozenset[str] = frozenset()) -> set[str]:
    """Return the names of the canaries in a text, in any spelling, except those in `allowed`."""
    lowered = haystack.decode("utf-8", "surrogateescape").lower().encode("utf-8", "surrogateescape")
    return {
        name
        for name, canary in CANARIES.items()
        if name not in allowed and any(form in lowered for form in _spellings(canary))
    }


@cache
def _spellings(canary: str) -> frozenset[bytes]:
    return frozenset(_spelled(canary))


def _spelled(canary: str) -> Iterator[bytes]:
    """Return the spellings of a value: plain, escaped for JSON, Python and email, reversed, and in each encoding."""
    raw = canary.encode()
    yield raw.lower()
    yield json.dumps(canary)[1:-1].lower().encode()
    yield repr(raw)[2:-1].lower().encode()
    yield quopri.encodestring(raw).lower()
    yield canary.lower().encode()
    yield raw[::-1].lower()
    yield raw.hex().encode()
    yield quote(canary, safe="").encode().lower()
    if re.fullmatch(r"\d{4}-\d\d-\d\d", canary):
        yield canary.replace("-", "").encode()  # As X12 writes a date.
    for offset in range(3):
        encoded = b64encode(b"\0" * offset + raw)
        # An encoder mixes the letters at both ends with their neighbors, so they are left out.
        inner = encoded[4 if offset else 0 : -4].lower()
        # Shorter strings occur in any encrypted value by chance.
        if len(inner) >= _LETTERS:
            yield inner
