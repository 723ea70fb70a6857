"""One value in each field of a referral that is found again wherever it may have got to."""

from base64 import b64encode
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote

from tests.support import factories

CANARIES: Mapping[str, str] = {
    "family_name": "Qvortrup-Zyx",
    "given_name": "Wilhelmqx",
    "birth_date": "1937-07-19",
    "mrn": "MRN-77XQ31",
    "zip": "90313-4471",
    "phone": "+19175550813",
    "email": "qx.patient@canary-mail.example",
    "alias": "Mauve Hoopoe",
    "caregiver_name": "Theodoraqx Caregiver",
    "caregiver_phone": "+19175550814",
    "caregiver_relation": "stepcousinqx",
    "histology": "HISTOQX_77",
    "icd10": "C83.Q7X9",
    "regimen": "Regimenqx-Ultra",
    "line_started_on": "1999-03-27",
    "provider_name": "Dr. Provideriqx",
    "provider_npi": "1999999984",
    "provider_phone": "+19175550815",
    "provider_email": "dr.qx@canary-practice.example",
    "payer": "Payerqx Mutual",
    "insurance_member_id": "XEQX-0451",
    "insurance_group": "GRPQX-9",
    "consent_on": "2026-10-09",
    "note": "Noteqx: sleeps badly",
    "event_note": "Eventnoteqx: called twice",
    "feed_note": "Feednoteqx: bed reserved",
    "parked_note": "Parkednoteqx: too early",
}


def a_canary_body(**changed: Any) -> dict[str, Any]:
    """A complete referral with a canary in every field that is about somebody."""
    c = CANARIES
    line = {
        "line": 1,
        "regimen": c["regimen"],
        "classes": ["anti_cd20"],
        "started_on": c["line_started_on"],
    }
    return factories.a_referral_body(
        patient={
            "family_name": c["family_name"],
            "given_name": c["given_name"],
            "birth_date": c["birth_date"],
            "sex": "female",
            "mrn": c["mrn"],
            "zip": c["zip"],
            "phone": c["phone"],
            "email": c["email"],
            "language": "en",
            "alias": c["alias"],
            "caregiver": {
                "name": c["caregiver_name"],
                "phone": c["caregiver_phone"],
                "relation": c["caregiver_relation"],
            },
        },
        clinical__histology=c["histology"],
        clinical__icd10=c["icd10"],
        clinical__prior_lines=[line],
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
        },
        consent_to_share={"given": True, "on": c["consent_on"]},
        note=c["note"],
        **changed,
    )


def found_in(haystack: bytes, *, but: frozenset[str] = frozenset()) -> set[str]:
    """The names of the canaries that are in there, however they are spelled; `but` may be."""
    lowered = haystack.lower()
    return {
        name
        for name, canary in CANARIES.items()
        if name not in but and any(form in lowered for form in _spellings(canary))
    }


def _spellings(canary: str) -> Iterator[bytes]:
    """As it is, reversed, in hexadecimal, in a URL and in base64 at each offset; lower case."""
    raw = canary.encode()
    yield raw.lower()
    yield raw[::-1].lower()
    yield raw.hex().encode()
    yield quote(canary, safe="").encode().lower()
    for offset in range(3):
        encoded = b64encode(b"\0" * offset + raw)
        # What an encoder would mix with its neighbours at either end is left out.
        yield encoded[4 if offset else 0 : -4].lower()
