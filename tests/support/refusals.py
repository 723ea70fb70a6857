"""A way to each refusal, with a canary in every field and header of the request."""

from types import SimpleNamespace
from typing import Any

from botocore.exceptions import ClientError, ReadTimeoutError

from chalicelib import wiring
from chalicelib.errors import RateLimitedError
from tests.support import factories

CANARY = "canary-8d1f"
EVENT: dict[str, Any] = {
    "type": "stage.changed",
    "occurred_at": "2026-11-20T10:00:00-05:00",
    "data": {"stage": "withdrawn", "note": CANARY},
}


def build_canary_referral(**changed):
    """Build a referral with a canary in every text that may hold one."""
    return factories.build_referral_body(
        patient__family_name=CANARY,
        patient__given_name=CANARY,
        patient__mrn=CANARY,
        patient__caregiver={"name": CANARY},
        referring_provider__name=CANARY,
        insurance__payer=CANARY,
        note=CANARY,
        **changed,
    )


def malformed(world, _patch):
    wrong = build_canary_referral(
        patient__email=CANARY,
        patient__phone=CANARY,
        patient__zip=CANARY,
        patient__language=CANARY,
        patient__birth_date=CANARY,
        patient__sex=CANARY,
        clinical__disease=CANARY,
        clinical__icd10=CANARY,
        clinical__histology=f"{CANARY}!",
        clinical__ecog=CANARY,
        clinical__prior_lines=CANARY,
        referring_provider__npi=CANARY,
        insurance__plan_type=CANARY,
        consent_to_share__given=CANARY,
        product_id=CANARY,
        center_id=CANARY,
        urgency=CANARY,
        submit=CANARY,
    )
    wrong["patient"][f"{CANARY}: {CANARY}"] = CANARY
    return world.practice.post("/v1/referrals", wrong)


def telling_alias(world, _patch):
    return world.practice.post("/v1/referrals", build_canary_referral(patient__alias=CANARY))


def malformed_query(world, _patch):
    names = ("limit", "stage", "phase", "worklist", "center_id", "updated_since", "sort", "cursor")
    query = "&".join(f"{name}={CANARY}%0A" for name in names)
    return world.practice.get(f"/v1/referrals?{query}&{CANARY}%3D=1")


def twice(world, _patch):
    return world.practice.get(f"/v1/referrals?q={CANARY}&q={CANARY}")


def not_json(world, _patch):
    return world.practice.post("/v1/referrals", f'{{"{CANARY}": {CANARY}')


def key_missing(world, _patch):
    return world.practice.post("/v1/referrals", build_canary_referral(), key=f"{CANARY}\x7f")


def unauthenticated(world, _patch):
    return world.anyone.with_token(CANARY).get("/v1/me")


def unsigned(world, _patch):
    return world.deliver_raw(CANARY.encode(), secret=b"wrong" * 6)


def refused_to_role(world, _patch):
    return world.center.post("/v1/referrals", build_canary_referral())


def not_there(world, _patch):
    return world.practice.get(f"/v1/referrals/{CANARY}")


def other_format(world, _patch):
    path = f"/v1/referrals/{world.refer()['referral_id']}/packet.pdf"
    return world.practice.get(path, Accept=f"text/{CANARY}")


def no_workbook(world, _patch):
    return world.practice.get("/v1/referrals.xlsx", Accept=f"text/{CANARY}")


def no_such_method(world, _patch):
    return world.practice.send("PURGE", f"/v1/referrals/{CANARY}", build_canary_referral())


def incomplete(world, _patch):
    return world.practice.post("/v1/referrals", build_canary_referral(insurance__member_id=None))


def unknown_reference(world, _patch):
    named = {"product_id": "canary_8d1f", "center_id": "canary_8d1f"}
    return world.practice.post("/v1/referrals", build_canary_referral(**named))


def move_not_legal(world, _patch):
    referral_id = world.practice.post("/v1/referrals", build_canary_referral()).json["referral_id"]
    wrong = EVENT | {"data": {"stage": "accepted", "note": CANARY, "reason_code": "unknown"}}
    return world.practice.post(f"/v1/referrals/{referral_id}/events", wrong)


def stale(world, _patch):
    referral_id = world.practice.post("/v1/referrals", build_canary_referral()).json["referral_id"]
    return world.practice.patch(f"/v1/referrals/{referral_id}", {"note": CANARY}, version=CANARY)


def without_version(world, _patch):
    return world.practice.patch(f"/v1/referrals/{CANARY}", {"note": CANARY}, version=None)


def too_large(world, _patch):
    return world.practice.post("/v1/referrals", build_canary_referral() | {"note": CANARY * 20_000})


def media_type(world, _patch):
    kind = {"Content-Type": f"text/{CANARY}"}
    return world.practice.post("/v1/referrals", build_canary_referral(), **kind)


def key_reused(world, _patch):
    world.practice.post("/v1/referrals", build_canary_referral(), key=CANARY)
    return world.practice.post("/v1/referrals", build_canary_referral(urgency="urgent"), key=CANARY)


def id_reused(world, _patch):
    world.deliver("ref_" + "a" * 26, "accepted", webhook_id=CANARY, note=CANARY)
    return world.deliver("ref_" + "a" * 26, "declined", webhook_id=CANARY, note=CANARY)


def too_many(world, patch):
    def sign_in(_email, _password):
        raise RateLimitedError("slow_down", "Too many tries. Wait a little.")

    patch.setattr(wiring, "get_identity_service", lambda: SimpleNamespace(sign_in=sign_in))
    result = {"email": f"{CANARY}@x.example", "password": CANARY}
    return world.anyone.post("/v1/sessions", result, key=None)


def our_bug(world, patch):
    def broken():
        raise RuntimeError(f"no such thing: {CANARY}")

    patch.setattr(wiring, "get_stores", broken)
    return world.practice.post("/v1/referrals", build_canary_referral())


def no_answer(world, patch):
    def lost(**_request):
        raise ReadTimeoutError(endpoint_url=f"https://{CANARY}.example")

    patch.setattr(wiring.get_dynamodb_client(), "get_item", lost)
    return world.practice.post("/v1/referrals", build_canary_referral())


def aws_error(code):
    return ClientError({"Error": {"Code": code, "Message": CANARY}}, "GetItem")


def throttled(world, patch):
    def busy(**_request):
        raise aws_error("ThrottlingException")

    patch.setattr(wiring.get_dynamodb_client(), "get_item", busy)
    return world.practice.get("/v1/referrals")


def misconfigured(world, patch):
    def denied(**_request):
        raise aws_error("AccessDeniedException")

    patch.setattr(wiring.get_dynamodb_client(), "get_item", denied)
    return world.practice.get("/v1/referrals")


def mistaken(world, patch):
    patch.setattr(wiring, "get_stores", lambda: 1 / 0)
    return world.practice.get("/v1/referrals")


REFUSALS = {
    malformed: (400, "malformed"),
    telling_alias: (400, "alias_has_name"),
    malformed_query: (400, "malformed"),
    twice: (400, "parameter_twice"),
    not_json: (400, "not_json"),
    key_missing: (400, "idempotency_key_missing"),
    unknown_reference: (400, "unknown_reference"),
    unauthenticated: (401, "unauthenticated"),
    unsigned: (401, "unauthenticated"),
    refused_to_role: (403, "practice_only"),
    not_there: (404, "not_found"),
    no_such_method: (405, "method_not_allowed"),
    other_format: (406, "accept_pdf"),
    no_workbook: (406, "accept_xlsx"),
    incomplete: (409, "packet_incomplete"),
    move_not_legal: (409, "not_your_move"),
    id_reused: (409, "webhook_id_reused"),
    stale: (412, "stale"),
    too_large: (413, "too_large"),
    media_type: (415, "not_json"),
    key_reused: (422, "idempotency_key_reused"),
    without_version: (428, "if_match_missing"),
    too_many: (429, "slow_down"),
    our_bug: (500, "internal"),
    misconfigured: (503, "unavailable"),
    mistaken: (500, "internal"),
    no_answer: (503, "unavailable"),
    throttled: (503, "unavailable"),
}
"""Yield each refusal with its status and its code."""
