"""The life of a referral with a canary in each field, and everything that leaves the product during it."""

import json
import logging
import os
import sys
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, get_args, get_type_hints
from unittest.mock import patch

from botocore.session import Session

from chalicelib import wiring
from chalicelib.domain.notices.tasks import TaskQueue
from chalicelib.errors import UnavailableError
from chalicelib.routes.platform import fields
from chalicelib.services.coverage.payer_setups import PayerDirectory
from chalicelib.services.notices.outbox_worker import JobFailedError, run_job
from chalicelib.store.platform.idempotency import TEMPLATE_VERSION, _load_template
from infra.payers.server import Behavior, run_simulator
from infra.payers.setups import PAYERS_SECRET, build_payers, store_secrets
from tests.support import aws_fakes as cloud
from tests.support import coverage_driver, coverage_values, factories, faults
from tests.support.api_client import ApiAnswer, ApiClient
from tests.support.api_driver import STAGES_TO_INFUSED, ApiDriver
from tests.support.bookings import Booker, publish_slot
from tests.support.canaries import CANARIES, build_canary_body
from tests.support.coverage_driver import list_move_bodies
from tests.support.factories import CENTER
from tests.support.handbacks import build_canary_handback
from tests.support.metric_lines import record_metrics


@dataclass
class CapturedOutput:
    """What left the product on each channel, as bytes."""

    logs: bytes = b""
    metrics: bytes = b""
    mails: bytes = b""
    refusals: bytes = b""
    addresses: bytes = b""
    statuses: set[int] = field(default_factory=set)
    referral_id: str = ""


def capture_outputs(world: ApiDriver, plan: faults.FaultPlan = faults.plan_never) -> CapturedOutput:
    """Run the flow and its failures, with faults of AWS by a plan, and record what leaves."""
    cloud.create_buckets()
    seen = CapturedOutput()
    with _recorded() as message, record_metrics() as metrics:
        seen.referral_id = play_referral(world)
        answers = list(trigger_refusals(world, seen.referral_id))
        with faults.inject_faults(plan):
            answers += _troubled(world)
    seen.logs = b"\n".join(message)
    seen.metrics = metrics.getvalue().encode()
    seen.mails = str([vars(mail) for mail in cloud.list_sent_mail()]).encode()
    seen.refusals = str([(a.text, a.headers) for a in answers if a.status >= 400]).encode()
    seen.addresses = str([a.headers.get("location", "") for a in answers]).encode()
    seen.addresses += seen.referral_id.encode()
    seen.statuses = {answer.status for answer in answers if answer.status >= 400}
    return seen


def event_of(kind: str, /, *, minutes: int = 0, **data: Any) -> dict[str, Any]:
    """Build an event of now, or of minutes from now."""
    at = wiring.read_clock() + timedelta(minutes=minutes)
    return {"type": kind, "occurred_at": at.isoformat(), "data": data}


def play_referral(world: ApiDriver) -> str:
    """Submit, read, list, move in every way and email a referral; return its id."""
    answer = world.practice.post("/v1/referrals", build_canary_body(), key="life")
    referral_id: str = answer.json["referral_id"]
    path, c = f"/v1/referrals/{referral_id}", CANARIES
    world.practice.post("/v1/referrals", build_canary_body(), key="life")
    world.deliver(referral_id, "consult_scheduled", note=c["parked_note"],
                  at=(wiring.read_clock() + timedelta(minutes=2)).isoformat())  # fmt: skip
    world.center.post(f"{path}/events", event_of("stage.changed", stage="received",
                                                 note=c["event_note"]))  # fmt: skip
    world.deliver(referral_id, "accepted", note=c["feed_note"])
    world.deliver(referral_id, "submitted", note=c["refused_note"])
    world.center.post(f"{path}/events", event_of("hold.started", note=c["hold_note"]))
    world.center.post(f"{path}/events", event_of("hold.ended", minutes=1))
    for stage in STAGES_TO_INFUSED[3:]:
        world.deliver(referral_id, stage, at=(wiring.read_clock() + timedelta(minutes=3)).isoformat())
    _plan_consultation(world, referral_id)
    _correct_facts(world, path)
    _say_more(world, path)
    _talk(world, path)
    _share(world, path)
    _save_views(world)
    _cover(world, path)
    _ask_payers(world)
    world.center.put(f"{path}/handback", build_canary_handback(), version=0)
    for site in (world.practice, world.center, world.other_practice):
        for read in (path, f"{path}/events", f"{path}/changes", f"{path}/window", "/v1/referrals?q=qvortrup",
                     "/v1/notices", f"{path}/notices", f"{path}/handback", f"{path}/follow-up",
                     f"{path}/follow-up.ics", f"{path}/packet.pdf", f"{path}/packet.pdf?patient=alias"):  # fmt: skip
            site.get(read)
    for lane in TaskQueue:
        run_job(lane, context=wiring.build_job_context(wiring.read_clock() + timedelta(days=30)))
    return referral_id


def _plan_consultation(world: ApiDriver, referral_id: str) -> None:
    """Ask for a consultation time, hold and book one, move it, and cancel it, with a word in each."""
    booker = Booker(world.practice, referral_id)
    first, second = publish_slot(world), publish_slot(world)
    booker.hold(first)
    booker.book(first, note=CANARIES["consultation_remark"], reschedule=True)
    booker.book(second, note=CANARIES["consultation_remark"])
    booker.ask(note=CANARIES["consultation_question"])
    for site in (world.practice, world.center, world.other_practice):
        for read in (booker.path, f"/v1/centers/{CENTER.tenant_id}/slots"):
            site.get(read)


def _correct_facts(world: ApiDriver, path: str) -> None:
    """Change facts of both sides, and change them back, so that only the history has the values between."""
    c = CANARIES
    known = world.practice.get(path).json
    caregiver = {**known["patient"]["caregiver"], "name": c["change_caregiver"]}
    new_patient = {**known["patient"], "phone": c["change_phone"], "caregiver": caregiver}
    new_insurance = {**known["insurance"], "payer": c["change_payer"]}
    contact = {
        "coordinator": c["change_coordinator"],
        "phone": c["change_center_phone"],
        "email": c["change_center_email"],
    }
    for site, changes in (
        (world.practice, {"patient": new_patient, "insurance": new_insurance}),
        (world.practice, {"patient": known["patient"], "insurance": known["insurance"]}),
        (world.center, {"center_contact": contact}),
        (world.center, {"center_contact": None}),
    ):
        site.patch(path, changes, version=site.get(path).json["version"])


def _say_more(world: ApiDriver, path: str) -> None:
    """Return the events besides stage changes, with a word in each."""
    c, ends_on = CANARIES, (wiring.read_clock() + timedelta(days=40)).date().isoformat()
    events = f"{path}/events"
    world.center.post(events, event_of("toxicity.noticed", minutes=4, note=c["toxicity_note"]))
    world.practice.post(events, event_of("adverse_event.reported", minutes=4, kind="infection", status="resolved",
                                         resolved_on=c["adverse_event_resolved_on"],
                                         note=c["adverse_event_note"]))  # fmt: skip
    world.practice.post(events, event_of("relapse.reported", minutes=4, note=c["relapse_note"]))
    world.practice.post(events, event_of("bridging.reported", status="completed", regimen=c["bridging_regimen"],
                                         note=c["bridging_note"]))  # fmt: skip
    planned_on = (wiring.read_clock() + timedelta(days=9)).date().isoformat()
    plan = {"plan": "return", "on": planned_on, "place": c["plan_place"], "contact": c["plan_contact"]}
    for site in (world.center, world.practice):
        site.post(events, event_of("plan.changed", minutes=4, note=c["plan_note"], **plan))
    extension = event_of("window.extended", minutes=4, ends_on=ends_on, note=c["extension_note"])
    wrong = world.center.post(events, extension).json["event_id"]
    replacement = event_of("stage.changed", minutes=3, stage="product_received",
                           note=c["replacement_note"])  # fmt: skip
    for given in (None, replacement):
        world.center.post(events, event_of("event.corrected", minutes=4, supersedes=wrong,
                                           note=c["correction_note"],
                                           replacement=given))  # fmt: skip
    asking = event_of("withdrawal.requested", minutes=4, note=c["withdrawal_note"])
    world.practice.post(events, asking)
    ended = world.practice.post("/v1/referrals", build_canary_body(alias=" 2", submit=False)).json["referral_id"]
    _leave_unfinished(world, ended)
    withdrawn = event_of("stage.changed", stage="withdrawn", reason_code="patient_choice",
                         note=c["withdrawal_note"])  # fmt: skip
    again = event_of("referral.reopened", minutes=1, note=c["reopening_note"])
    for event in (withdrawn, again):
        world.practice.post(f"/v1/referrals/{ended}/events", event)


def _leave_unfinished(world: ApiDriver, draft_id: str) -> None:
    """Keep what was typed into a draft and refused, and try to submit it."""
    path = f"/v1/referrals/{draft_id}"
    values = [{"pointer": "/patient/email", "value": CANARIES["unfinished"]}]
    world.practice.patch(path, {"unfinished": values}, version=1)
    world.practice.get(path)
    world.practice.post(f"{path}/events", event_of("stage.changed", stage="submitted"))


def _talk(world: ApiDriver, path: str) -> None:
    """Write messages, ask for information by a person and by the center's system, and answer."""
    c, requests = CANARIES, f"{path}/information-requests"
    for site in (world.practice, world.center):
        site.post(f"{path}/messages", {"text": c["conversation_message"]})
        site.post(f"{path}/messages/read", {"up_to": 1})
    asked: dict[str, Any] = {"items": [c["conversation_item"], "imaging"], "text": c["conversation_request"]}
    request_id = world.center.post(requests, asked).json["request_id"]
    answers = [{"item_id": str(n), "kind": "answered", "text": c["conversation_answer"]} for n in (1, 2)]
    for answer in answers:
        world.practice.post(f"{requests}/{request_id}/answer", {"items": [answer], "note": c["conversation_remark"]})
    delivery = event_of("information.requested", **asked) | {"referral_id": path.rsplit("/", 1)[-1]}
    world.deliver_raw(json.dumps(delivery).encode())
    for site in (world.practice, world.center, world.other_practice):
        for read in (f"{path}/messages", requests):
            site.get(read)


def _share(world: ApiDriver, path: str) -> None:
    """Announce a file that never arrives, record a fax, and report that it was not found."""
    c, documents = CANARIES, f"{path}/documents"
    file = {"name": c["document_name"], "type": "application/pdf", "size": 9, "sha256": "a" * 64}
    world.practice.post(documents, {"kind": "imaging", "file": file, "note": c["document_remark"]}, key="file")
    world.practice.post(documents, {"kind": "imaging", "file": file, "note": c["document_remark"]}, key="file")
    fax = {"to": c["document_fax"], "confirmation": c["document_confirmation"]}
    document_id = world.practice.post(documents, _with_sent(**fax)).json["document"]["document_id"]
    world.center.post(f"{documents}/{document_id}/arrival", {"arrival": "not_found"})
    for site in (world.practice, world.center, world.other_practice):
        site.get(documents)


def _save_views(world: ApiDriver) -> None:
    """Save views for a person and for the organization; a stale version and a repeated name are refused."""
    name = CANARIES["view_name"]
    for site in (world.practice, world.center):
        for owner in ("mine", "shared"):
            for names in ([name], [name, name], [f"{name} 2"]):
                site.put(f"/v1/views/{owner}", factories.build_views_body(*names), version=0)
    for site in (world.practice, world.center, world.other_practice):
        site.get("/v1/views")


def _with_sent(**sent: str) -> dict[str, Any]:
    today = wiring.read_clock().date().isoformat()
    return {"kind": "clinic_notes", "sent": {"channel": "fax", "sent_on": today, **sent}}


def _cover(world: ApiDriver, path: str) -> None:
    """Make every move of the coverage, with a canary in each text that a person enters."""
    for name in coverage_values.EVERY_MOVE:
        words: dict[str, Any] = dict(list_canary_facts(name))
        answer = coverage_driver.move(_get_mover(world, name), path, name, **words)
        assert answer.status == 200, answer.text
    letter = f"{path}/coverage/letter"
    world.practice.put(letter, {"text": world.practice.get(letter).json["draft"]}, version=0)
    for site in (world.practice, world.center, world.other_practice):
        site.get(f"{path}/coverage")
        site.get(letter)


def _ask_payers(world: ApiDriver) -> None:
    """Ask the patient's payer electronically in both formats: once about a member that it knows, and once not."""
    secrets: Any = wiring.get_aws_client("secretsmanager")
    with run_simulator(behavior=Behavior(slow_s=0.01)) as simulator:
        store_secrets(secrets, simulator.url)
        by_kind = {payer["kind"]: payer for payer in build_payers(simulator.url)}
        for number, (kind, member_id) in enumerate(CHECKS):
            payer = {**by_kind[kind], "name": CANARIES["payer"], "payer_id": f"canary-{number}"}
            secrets.put_secret_value(SecretId=PAYERS_SECRET, SecretString=json.dumps([payer]))
            directory = PayerDirectory(
                secrets=wiring.get_payer_secrets(),
                secret_name=PAYERS_SECRET,
                loopback=True,
                read_monotonic=wiring.read_monotonic,
            )
            body = build_canary_body(alias=f" {5 + number}")
            body["insurance"]["member_id"] = member_id
            referral = world.practice.post("/v1/referrals", body, key=f"check-{number}").json
            path = f"/v1/referrals/{referral['referral_id']}/coverage-checks"
            with patch.object(wiring, "get_payer_directory", lambda found=directory: found):
                world.practice.post(path, None, key=f"ask-{number}")
                run_job(TaskQueue.EVENT, context=wiring.build_job_context())
            [check] = world.practice.get(path).json["items"]
            assert check["state"] == ("failed" if member_id == CANARIES["insurance_member_id"] else "completed"), check
            world.other_center.get(path)


CHECKS = (
    ("core_soap", "XEX0001"),
    ("clearinghouse_json", "XEX0001"),
    ("core_soap", CANARIES["insurance_member_id"]),
    ("clearinghouse_json", CANARIES["insurance_member_id"]),
)
"""The format, and the member who is asked about."""


def _get_mover(world: ApiDriver, name: str) -> ApiClient:
    return world.practice if coverage_values.get_usual_party(name) == "practice" else world.center


def list_canary_facts(name: str) -> dict[str, str]:
    """The canaries of a move by field: one for each kind of text."""
    kinds = {
        fields.SingleLineText: "coverage_line",
        fields.MultiLineText: "coverage_words",
        fields.Phone: "coverage_phone",
    }
    return {
        field: CANARIES[kinds[kind]]
        for field, annotation in get_type_hints(list_move_bodies()[name], include_extras=True).items()
        for kind in kinds
        if annotation == kind or kind in get_args(annotation)
    }


def trigger_refusals(world: ApiDriver, referral_id: str) -> Iterator[ApiAnswer]:
    """Send requests with the same data that end in every kind of refusal; yield the responses."""
    path, draft = f"/v1/referrals/{referral_id}", build_canary_body(submit=False)
    infused = event_of("stage.changed", stage="infused", note=CANARIES["event_note"])
    yield world.practice.post("/v1/referrals", build_canary_body() | {"mystery": 1})
    yield world.practice.post("/v1/referrals", build_canary_body(clinical__ecog="1"))
    yield world.practice.post("/v1/referrals", build_canary_body(product_id="notacell"))
    yield world.practice.post("/v1/referrals", build_canary_body(center_id=None))
    yield world.practice.post("/v1/referrals", draft, key="life")
    yield world.practice.post("/v1/referrals", json.dumps(draft)[:-1])
    yield world.practice.post("/v1/referrals", draft, key=None)
    yield world.center.post("/v1/referrals", draft)
    yield world.anyone.post("/v1/referrals", draft)
    yield world.practice.send("PATCH", path, draft, headers={"If-Match": '"1"'})
    yield world.practice.patch(path, {"note": CANARIES["note"]}, version=1)
    version = world.practice.get(path).json["version"]
    named = {"family_name": CANARIES["family_name"], "birth_date": CANARIES["birth_date"]}
    yield world.practice.patch(path, {"patient": named | {"alias": CANARIES["family_name"]}}, version=version)
    yield world.practice.patch(path, {"patient": named | {"alias": CANARIES["alias"] + " 2"}}, version=version)
    yield world.center.patch(path, {"note": CANARIES["note"]}, version=version)
    yield world.practice.post(f"{path}/events", infused)
    yield world.other_center.post(f"{path}/events", infused)
    yield world.deliver(referral_id, "withdrawn", note=CANARIES["feed_note"])
    yield world.deliver(referral_id, "received", secret=b"x" * 32, note=CANARIES["feed_note"])
    package = f"{path}/handback"
    yield world.center.put(package, build_canary_handback() | {"mystery": 1}, version=1)
    yield world.center.put(package, build_canary_handback() | {"product_id": "notacell"}, version=1)
    yield world.center.put(package, build_canary_handback(), version=7)
    yield world.practice.put(package, build_canary_handback(), version=1)
    yield world.other_center.put(package, build_canary_handback(), version=1)
    message = {"text": CANARIES["conversation_message"]}
    asked: dict[str, Any] = {"items": [CANARIES["conversation_item"]], "text": CANARIES["conversation_request"]}
    yield world.practice.post(f"{path}/messages", message | {"mystery": 1})
    yield world.practice.post(f"{path}/messages", {"text": CANARIES["conversation_message"] * 200})
    yield world.other_center.post(f"{path}/messages", message)
    yield world.practice.post(f"{path}/information-requests", asked)
    yield world.center.post(f"{path}/information-requests", asked | {"items": asked["items"] * 2})
    yield world.center.post(f"{path}/events", event_of("information.requested", **asked, mystery=1))
    fax = _with_sent(to=CANARIES["document_fax"])
    yield world.practice.post(f"{path}/documents", fax | {"mystery": 1})
    yield world.practice.post(f"{path}/documents", fax | {"kind": CANARIES["document_remark"]})
    yield world.other_center.post(f"{path}/documents", fax)
    yield from _trigger_refused_bookings(world, referral_id)
    yield from _trigger_refused_moves(world, path)
    with patch.object(wiring.get_dynamodb_client(), "transact_write_items", _broken):
        yield world.practice.post(f"{path}/messages", message)
        yield world.practice.post(f"{path}/documents", fax)
        yield world.practice.post("/v1/referrals", build_canary_body(alias=" 3"))


def _trigger_refused_moves(world: ApiDriver, path: str) -> Iterator[ApiAnswer]:
    denial = {"move": "authorization_denied", **coverage_values.build_facts("authorization_denied")}
    for facts in (denial, denial | {"mystery": 1}, denial | {"deadline": CANARIES["coverage_line"]}):
        words = facts | list_canary_facts("authorization_denied")
        yield world.practice.patch(f"{path}/coverage", words, version=0)
        yield world.other_center.patch(f"{path}/coverage", words, version=0)
        yield world.practice.patch(f"{path}/coverage", words, version=len(coverage_values.EVERY_MOVE))


def _trigger_refused_bookings(world: ApiDriver, referral_id: str) -> Iterator[ApiAnswer]:
    path = f"/v1/referrals/{referral_id}"
    wanted = {"note": CANARIES["consultation_question"]}
    yield world.practice.post(f"{path}/consultation/requests", wanted | {"mystery": 1})
    yield world.center.post(f"{path}/consultation/requests", wanted)
    booking = {"slot_id": "slot_x", "state": "booked", "note": CANARIES["consultation_remark"]}
    yield world.practice.put(f"{path}/consultation", booking | {"mystery": 1}, version=1)
    yield world.practice.put(f"{path}/consultation", booking, version=999)
    yield Booker(world.practice, referral_id).book("slot_x", note=CANARIES["consultation_remark"])


def _troubled(world: ApiDriver) -> Iterator[ApiAnswer]:
    """Send good requests while AWS has trouble of its own."""
    answer = world.practice.post("/v1/referrals", build_canary_body(alias=" 4"))
    yield answer
    for referral_id in {answer.json.get("referral_id") or "ref_" + "a" * 26}:
        path = f"/v1/referrals/{referral_id}"
        yield world.practice.get(path)
        yield world.practice.get("/v1/referrals?q=qvortrup")
        event = event_of("stage.changed", stage="received", note=CANARIES["event_note"])
        yield world.center.post(f"{path}/events", event)
        yield world.deliver(referral_id, "accepted", note=CANARIES["feed_note"])
    for lane in TaskQueue:
        try:
            run_job(lane, context=wiring.build_job_context())
        except (JobFailedError, UnavailableError):
            continue  # The product wrote about it in the log, which is searched.


def dump_table(table: str) -> bytes:
    """Return every attribute of every row as it is stored, decompressed where it is only compressed."""
    client: Any = Session().create_client("dynamodb")
    pages = client.get_paginator("scan").paginate(TableName=f"{cloud.PREFIX}{table}")
    values = (v for page in pages for item in page["Items"] for v in item.values())
    return b"\n".join(part for value in values for part in _bytes(value))


def _bytes(value: dict[str, Any]) -> Iterator[bytes]:
    ((kind, raw),) = value.items()
    plain = bytes(raw) if kind == "B" else str(raw).encode()
    yield plain
    if kind == "B":
        for unpacker in (zlib.decompressobj(), zlib.decompressobj(zdict=_load_template(TEMPLATE_VERSION))):
            try:
                yield unpacker.decompress(plain)
            except zlib.error:
                continue


def _broken(**request: Any) -> None:
    """An error of ours whose text contains everything that it is about."""
    raise KeyError(str(request), *CANARIES.values())


class _Recorder(logging.Handler):
    """Records everything that any logger writes, at the most detailed level."""

    def __init__(self) -> None:
        super().__init__()
        self.records: list[bytes] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(str(vars(record)).encode())


@contextmanager
def _recorded() -> Iterator[list[bytes]]:
    """Record all logs and all output until the block ends."""
    recorder, root = _Recorder(), logging.getLogger()
    before = root.level
    kept = {number: os.dup(number) for number in (1, 2)}
    with tempfile.TemporaryFile() as outputs:
        sys.stdout.flush()
        for number in kept:
            os.dup2(outputs.fileno(), number)
        root.addHandler(recorder)
        root.setLevel("DEBUG")
        try:
            yield recorder.records
        finally:
            root.removeHandler(recorder)
            root.setLevel(before)
            sys.stdout.flush()
            for number, old in kept.items():
                os.dup2(old, number)
                os.close(old)
            outputs.seek(0)
            recorder.records.append(outputs.read())
