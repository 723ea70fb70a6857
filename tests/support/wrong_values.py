"""Values that a field or a parameter must refuse, by its place."""

from typing import Any

NOT_NUMBERS = ("1", True, 1.5, [1], {"n": 1}, "")
NOT_BOOLEANS: tuple[Any, ...] = (1, 0, "true", "yes", "", [], 1.0)
NOT_TEXTS: tuple[Any, ...] = (1, True, 1.5, [], ["x"], {"x": "y"})
NOT_DAYS = (
    0, 1741003200, "1741003200", "1741003200.5", True, "", "tomorrow", "2026-13-01", "2026-02-30",
    "02/03/2026", "20260203", "2026-2-3", "2026-02-03T00:00:00", "2026-02-03T00:00:00Z",
    "2026-02-03 ", "\u0662\u0660\u0662\u0666-02-03", "-2026-02-03", "0000-01-01", "1899-12-31",
    "2026-W06-2", "10000-01-01",
)  # fmt: skip
NOT_TIMESTAMPS = (
    0, 1741003200, "1741003200", 1741003200.5, True, "", "now", "2026-11-20",
    "2026-11-20T10:00:00", "2026-11-20 10:00:00Z", "2026-11-20T10:00Z", "2026-11-20T10:00:00.Z",
    "2026-11-20T25:00:00Z", "2026-11-20T10:60:00Z", "2026-11-20T10:00:60Z",
    "2026-02-30T10:00:00Z", "2026-11-20T10:00:00+25:00", "2026-11-20T10:00:00 +01:00",
    "2026-11-20T10:00:00,5Z", "2026-11-20T10:00:00+0100", "20261120T100000Z",
    "2026-11-20T10:00:00[America/New_York]", "0001-01-01T00:00:00+14:00",
    "0000-01-01T00:00:00Z", "1899-12-31T23:59:59Z", "9999-12-31T23:59:59-14:00",
)  # fmt: skip

WRONG_IN_REFERRALS: dict[str, tuple[Any, ...]] = {
    "/patient": ("x", [], 1, None, True),
    "/patient/family_name": (*NOT_TEXTS, "", "   ", "x" * 201, "a\nb"),
    "/patient/given_name": (*NOT_TEXTS, "", "\t", "x" * 201),
    "/patient/birth_date": (*NOT_DAYS, "196", "61", "1961-13", "1961-00", "1961-4", "1899",
                            "2199-01", "about 1961"),
    "/patient/sex": ("f", "Female", 1, True, "", []),
    "/patient/mrn": (1009, "", "x" * 201, "a\r\nb"),
    "/patient/zip": (77030, "7703", "770300", "77030-12", "ABCDE",
                     "\u0667\u0667\u0660\u0663\u0660"),
    "/patient/phone": (17135550142, "0135550142", "+0123456789", "713-555-014", "7135550142 or 7135550143",
                       "+1713\n5550142", "+1", "+17135550142;ext=", "713-555-0142 x12345678", "+" + "1" * 16,
                       "713-555-0142,12", "call me", "\u0667" * 10, "+1+7135550142", "x12"),
    "/patient/email": ("x", "a@b", "a@x.org, evil@y.org", "a@x.org\r\nBcc: evil@y.org",
                       "a b@x.org",
                       "<a@x.org>", '"a b"@x.org', "a@x.org\n", "a@x.org\x00", "a@@x.org",
                       "a@x..org", "\u00e4@x.org", "a@x.org;evil@y.org", "A <a@x.org>", 5,
                       "a@" + "x" * 260 + ".org", "a@ex\u0430mple.org", "%0aBcc:evil@y.org"),
    "/patient/language": ("english", "e", 1, "en_US", "en-", "es-41", "zh-Hant-Hant-Hant", "a" * 36, ""),
    "/patient/alias": (1, "x" * 41, "Blue\nHeron", "Blue\r\nBcc: x@y.org", ["x"]),
    "/patient/caregiver": ("Luis", [], {"phone": "+17135550143"}, {}),
    "/patient/caregiver/phone": ("555", 5),
    "/clinical/disease": ("lbcl", "Cancer", 1, "", ["LBCL"]),
    "/clinical/histology": ("DLBCL NOS", "x" * 65, 1, "", "a-b"),
    "/clinical/icd10": ("c83.398", "C83.39811", "C8", 83, "C83.", "C83.3\n", "C83.3",
                         "C83", "C83.Q7X9", "Z94.84"),
    "/clinical/ecog": (*NOT_NUMBERS, -1, 5, 10**14),
    "/clinical/hsct_eligible": NOT_BOOLEANS,
    "/clinical/prior_lines": ("R-CHOP", {}, None, [[]] , [1]),
    "/clinical/prior_lines/0/line": (*NOT_NUMBERS, 0, 31, -1, None),
    "/clinical/prior_lines/0/regimen": (1, "", None, "x" * 201),
    "/clinical/prior_lines/0/classes": ("anti_cd20", None, {}),
    "/clinical/prior_lines/0/classes/0": ("Anti_CD20", 1, None, ""),
    "/clinical/prior_lines/0/started_on": NOT_DAYS,
    "/clinical/prior_lines/0/response": ("CR", 1, ""),
    "/clinical/flags": ("none", [], True),
    "/clinical/flags/autoimmune": NOT_BOOLEANS,
    "/product_id": (1, "Breyanzi", "a b", "", "x" * 65),
    "/center_id": (1, "", "CTR_HARBOR", "../x"),
    "/urgency": ("asap", 1, None, ""),
    "/referring_provider": (None, "R. Provider", []),
    "/referring_provider/npi": (1234567893, "1234567890", "123456789", "0234567893", "12345678931",
                                "\u0661234567893"),
    "/insurance": ("none", [], True),
    "/insurance/payer": ("", 1),
    "/insurance/plan_type": ("PPO", 1),
    "/consent_to_share/given": (*NOT_BOOLEANS, None),
    "/consent_to_share/on": NOT_DAYS,
    "/note": (1, True, [], {}, "", " \n ", "x" * 4001, "a\x00b", "a\x1bb"),
    "/submit": (*NOT_BOOLEANS, None),
}  # fmt: skip
WRONG_IN_EVENTS: dict[str, tuple[Any, ...]] = {
    "/type": ("stage_changed", "hold", 1, None, ""),
    # A center's system may send a date without a time.
    "/occurred_at": (*(value for value in NOT_TIMESTAMPS if value != "2026-11-20"), None),
    "/sequence": ("1", True, 1.5, -1, 10**12, [1]),
    "/data": (None, [], "received"),
    "/data/stage": ("Received", "unknown", 1, None, "", ["received"]),
    "/data/part": (*NOT_NUMBERS, 0, 10, None),
    "/data/of": (*NOT_NUMBERS, 0, 10, None),
    "/data/local_date": NOT_DAYS,
    "/data/reason_code": ("a b", "x" * 65, 1, ""),
    "/data/note": (1, "", "x" * 4001, "a\x00b"),
}
UNKNOWN_IN_EVENTS = ("/data/actor", "/data/product_lot", "/event_id", "/recorded_at", "/schema_version", "/source")
"""Members that no event has: refused when a person sends them, ignored when a center's system does."""
WRONG_QUERIES: dict[str, tuple[str, ...]] = {
    "/v1/referrals": (
        "limit=0", "limit=-1", "limit=101", "limit=1e9", "limit=NaN", "limit=", "limit=1.0",
        "limit=%D9%A1", "limit=1%20", "stage=Accepted", "phase=all", "worklist=mine",
        "center_id=a%20b", "updated_since=yesterday", "updated_since=1741003200",
        "updated_since=2026-11-20", "updated_since=9999-12-31T23:59:59-14:00",
        "updated_since=0001-01-01T00:00:00%2B14:00", "sort=birth_date", "sort=practice_id",
        "q=" + "x" * 101, "q=%00", "q=%E2%80%AE", "cursor=",
        "cursor=" + "x" * 3000, "limit=1&limit=2", "q=a&q=a", "unknown=1", "Limit=5",
    ),
    "/v1/centers": (
        "disease=cancer", "product=A%20B", "limit=0", "near=7703", "near=K1A%200B1", "near=00000",
        "near=77030-12", "near=77030&within_miles=0", "near=77030&within_miles=10000",
        "near=77030&within_miles=-5", "near=77030&within_miles=1.5", "within_miles=50",
        "near=77030&within_miles=50km", "sort=distance", "near=77030&sort=capacity",
        "age_group=all", "accepting=yes", "payer=" + "x" * 101, "q=%1b", "near=77030&near=79106",
    ),
    "/v1/resources": ("topic=money", "topic=", "language=EN", "language=xx", "limit=5", "q=%1b"),
    "/v1/diagnosis-codes": ("disease=lbcl", "disease=", "disease=LBCL&disease=FL", "code=C83.3"),
    "/v1/notices": ("limit=0", "q=x", "unread=true"),
    "/v1/me": ("member_id=mem_x",),
    "/v1/referrals/counts": ("tenant_id=prc_maple", "center_id=ctr_mesa"),
}  # fmt: skip
