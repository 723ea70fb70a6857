"""The words for codes of a referral on paper. The dashboard has the same words; a test compares them."""

from collections.abc import Mapping

from chalicelib.domain.referrals.consent import ConsentBasis, ConsentScope

DRUG_CLASSES: Mapping[str, str] = {
    "anti_bcma": "Anti-BCMA",
    "anti_cd19": "Anti-CD19",
    "anti_cd20": "Anti-CD20",
    "anti_cd38": "Anti-CD38",
    "bcl2_inhibitor": "BCL-2 inhibitor",
    "btk_inhibitor": "BTK inhibitor",
    "imid": "Immunomodulatory drug (IMiD)",
}
"""Classes whose words are not their code. The others are read from the code."""

FLAGS: Mapping[str, str] = {
    "active_infection": "Active infection",
    "cns_involvement": "CNS involvement",
    "autoimmune": "Autoimmune disease",
    "hepatitis_or_hiv": "Hepatitis B, hepatitis C, or HIV",
    "prior_car_t": "Prior CAR T or same-target therapy",
    "seizure_disorder": "Seizure disorder",
    "pregnancy": "Pregnancy",
    "caregiver_available": "Caregiver available",
    "can_stay_nearby": "Able to stay near the center",
}
"""Questions about every patient, only for discussion with the center."""

PLAN_TYPES: Mapping[str, str] = {
    "medicare_advantage": "Medicare Advantage",
    "medicare_ffs": "Original Medicare (fee-for-service)",
    "tricare": "TRICARE",
    "va": "VA",
}
"""As `DRUG_CLASSES`."""

LABS: Mapping[str, tuple[str, str]] = {
    "lvef_percent": ("LVEF", "%"),
    "creatinine_clearance_ml_min": ("Creatinine clearance", " mL/min"),
    "bilirubin_x_uln": ("Bilirubin", " × upper limit of normal (ULN)"),  # noqa: RUF001 the sign that clinicians write
    "alt_or_ast_x_uln": ("ALT or AST (the higher value)", " × upper limit of normal (ULN)"),  # noqa: RUF001 the sign that clinicians write
    "absolute_lymphocytes_per_ul": ("Absolute lymphocyte count", " cells/µL"),
}
"""The label of each lab value, and its unit as it follows the number."""

AGENTS: Mapping[str, str] = {
    "bendamustine": "Bendamustine",
    "cytotoxic_chemotherapy": "Chemotherapy",
    "corticosteroid": "Corticosteroids",
    "immunosuppressant": "Immunosuppression",
    "alemtuzumab": "Alemtuzumab",
    "antithymocyte_globulin": "Antithymocyte globulin (ATG)",
    "cladribine": "Cladribine",
    "anti_cd38": "Anti-CD38 antibody",
    "proteasome_inhibitor": "Proteasome inhibitor",
    "bcma_bispecific": "BCMA bispecific antibody",
    "asparaginase": "Asparaginase",
    "donor_lymphocytes": "Donor lymphocytes",
    "radiotherapy": "Radiotherapy",
    "pembrolizumab": "Pembrolizumab",
}

CONSENT_BASES: Mapping[str, str] = {
    ConsentBasis.PATIENT_CONSENT: "The patient's consent",
    ConsentBasis.TREATMENT: "For treatment, without a separate consent",
    ConsentBasis.STATE_LAW: "State law",
}

CONSENT_SCOPES: Mapping[str, str] = {
    ConsentScope.ALL_RECORDS: "All records about this treatment",
    ConsentScope.REFERRAL_PACKET: "Only this referral",
    ConsentScope.EXCEPT_SENSITIVE: "Without specially protected records",
}

LANGUAGES: Mapping[str, str] = {
    "am": "Amharic",
    "ar": "Arabic",
    "ase": "American Sign Language",
    "bn": "Bangla",
    "cs": "Czech",
    "de": "German",
    "el": "Greek",
    "en": "English",
    "es": "Spanish",
    "es-419": "Latin American Spanish",
    "fa": "Persian",
    "fr": "French",
    "fr-CA": "Canadian French",
    "gu": "Gujarati",
    "he": "Hebrew",
    "hi": "Hindi",
    "hmn": "Hmong",
    "hr": "Croatian",
    "ht": "Haitian Creole",
    "hu": "Hungarian",
    "hy": "Armenian",
    "ig": "Igbo",
    "ilo": "Iloko",
    "it": "Italian",
    "ja": "Japanese",
    "km": "Khmer",
    "kn": "Kannada",
    "ko": "Korean",
    "lo": "Lao",
    "mis": "Another language",
    "ml": "Malayalam",
    "mr": "Marathi",
    "my": "Burmese",
    "ne": "Nepali",
    "nl": "Dutch",
    "nv": "Navajo",
    "pa": "Punjabi",
    "pl": "Polish",
    "pt": "Portuguese",
    "pt-BR": "Brazilian Portuguese",
    "ro": "Romanian",
    "ru": "Russian",
    "sk": "Slovak",
    "sm": "Samoan",
    "so": "Somali",
    "sr": "Serbian",
    "sw": "Swahili",
    "ta": "Tamil",
    "te": "Telugu",
    "th": "Thai",
    "ti": "Tigrinya",
    "tl": "Filipino",
    "tr": "Turkish",
    "uk": "Ukrainian",
    "ur": "Urdu",
    "vi": "Vietnamese",
    "yi": "Yiddish",
    "yo": "Yoruba",
    "yue": "Cantonese",
    "zh": "Chinese",
    "zh-Hans": "Simplified Chinese",
    "zh-Hant": "Traditional Chinese",
}
"""The languages that the form offers, by their tags (BCP 47). Names: Unicode CLDR, English."""


def format_code(code: str | None, labels: Mapping[str, str] | None = None) -> str:
    """The words for a code. An unknown code becomes words: "second_line" reads "Second line"."""
    if not code:
        return ""
    return (labels or {}).get(code) or (code[0].upper() + code[1:]).replace("_", " ")


def format_yes_no(value: bool | None) -> str:  # noqa: FBT001 it is the value itself
    """Yes, No, or an empty text if the answer is not known."""
    return "" if value is None else "Yes" if value else "No"
