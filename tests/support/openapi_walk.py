"""A walk through every route, with refusals: what the OpenAPI document says is compared with it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest

from app import app
from chalicelib import wiring
from chalicelib.domain.notices.tasks import TaskQueue
from chalicelib.services.coverage.payer_setups import parse_payers
from chalicelib.services.notices.outbox_worker import run_job
from infra.payers.setups import build_payers
from tests.support import bookings, coverage_values, ehr, factories, handbacks
from tests.support import sns_sender as posting
from tests.support.api_client import ApiAnswer, ApiClient, FakeLambdaContext
from tests.support.api_driver import STAGES_TO_INFUSED, ApiDriver
from tests.support.document_driver import open_document_driver
from tests.support.identity import NEW_PASSWORD, PASSWORD, accept_everything
from tests.support.refusals import REFUSALS


@dataclass(frozen=True, kw_only=True)
class Exchange:
    """A request and its response.

    Attributes:
        parameters: The values in the path, in the query and in the headers, by their names.
        body: The body of the request, if it is JSON.
    """

    method: str
    route: str
    parameters: Mapping[str, str]
    body: Any
    answer: ApiAnswer


@dataclass
class RecordingApp:
    """The app, with all requests and responses recorded."""

    exchanges: list[Exchange] = field(default_factory=list)
    routes: Any = field(default_factory=lambda: app.routes)

    def __call__(self, event: dict[str, Any], _context: FakeLambdaContext) -> dict[str, Any]:
        """Pass the event on."""
        answered: dict[str, Any] = app(event, _context)
        headers = {name.lower(): value for name, value in answered["headers"].items()}
        given = (event["pathParameters"], event["queryStringParameters"], event["headers"])
        exchange = Exchange(
            method=event["httpMethod"].lower(),
            route=event["resource"],
            parameters={name: value for part in given if part for name, value in part.items()},
            body=_read_json(event["body"]),
            answer=ApiAnswer(answered["statusCode"], headers, answered["body"]),
        )
        self.exchanges.append(exchange)
        return answered


def _read_json(text: str | None) -> Any:
    try:
        return json.loads(text or "null")
    except ValueError:
        return None


class UnreachablePayers:
    """Payers that are configured, and that no one answers for."""

    @staticmethod
    def list_all() -> Any:
        """Return them."""
        return parse_payers(json.dumps(build_payers("http://127.0.0.1:9")), loopback=True)


def record_walk(world: ApiDriver) -> list[Exchange]:
    """Walk through every route, and be refused in every way."""
    overheard, quiet = RecordingApp(), world.anyone
    world.anyone = ApiClient(overheard)
    with pytest.MonkeyPatch.context() as patch:
        accept_everything(patch)
        world.anyone.get("/health/ready")  # moto has no mail account.
        patch.setattr(wiring.get_aws_client("sesv2"), "get_account", dict)
        patch.setattr(wiring, "get_payer_directory", UnreachablePayers)
        walk(world)
        for refuse in REFUSALS:
            with patch.context() as spoiled:
                refuse(world, spoiled)
    world.anyone = quiet
    return overheard.exchanges


def walk(world):
    """Walk the main path from the first page to the monitoring window, and all other routes."""
    for page in (
        "/",
        "/docs",
        "/legal/terms",
        "/assets/any/app/app.js",
        "/assets/any/app/none.js",
        "/health",
        "/health/ready",
    ):
        world.anyone.get(page)
    for public in ("/v1/openapi.json", "/v1/statements"):
        world.anyone.get(public)
    sign_in_and_out(world)
    look_from_a_health_record(world)
    posting.play_mail_lifecycle(world)
    for path in ("/v1/me", "/v1/memberships", "/v1/products", "/v1/centers?limit=1", "/v1/centers/ctr_harbor",
                 "/v1/resources", "/v1/diagnosis-codes?disease=FL"):  # fmt: skip
        world.practice.get(path)
    world.practice.post("/v1/screens", factories.build_screen_body(planned_collection_on="2199-01-01"))
    manage_people(world)
    manage_deliveries(world)
    operate(world)
    draft = world.refer(submit=False, insurance=None, consent_to_share=None, center_id=None)
    world.practice.patch(f"/v1/referrals/{draft['referral_id']}", {"note": "Her daughter interprets."}, version=1)
    unfinished = [{"pointer": "/patient/zip", "value": "1234"}]
    world.practice.patch(f"/v1/referrals/{draft['referral_id']}", {"unfinished": unfinished}, version=2)
    referral_id = world.refer()["referral_id"]
    path = f"/v1/referrals/{referral_id}"
    event = {
        "type": "stage.changed",
        "occurred_at": wiring.read_clock().isoformat(),
        "data": {"stage": "received", "note": "Records arrived by fax."},
    }
    world.center.post(f"{path}/events", event)
    world.move_to(referral_id, "accepted")
    book(world, referral_id)
    world.move_to(referral_id, *STAGES_TO_INFUSED[3:])
    world.deliver(referral_id, "handed_back")
    look(world, path)
    talk(world, path)
    share(world, path)
    cover(world, path)
    hand_back(world, path)
    world.deliver(referral_id, "handback_ready")
    for lane in TaskQueue:
        run_job(lane, context=wiring.build_job_context(wiring.read_clock() + timedelta(days=30)))
    world.get_client_for(world.members["practice_admin"]).get(f"{path}/audit")
    world.get_client_for(world.members["practice_admin"]).get("/v1/audit")
    for owner in ("mine", "shared"):
        views = factories.build_views_body("Urgent, not late", worklist="all_open", urgency="urgent", late=False)
        world.practice.send("PUT", f"/v1/views/{owner}", views, headers={"If-Match": '"0"'})
    actor = world.members["practice_admin"].member_id
    world.get_client_for(world.members["practice_admin"]).get(f"/v1/audit?actor_id={actor}&limit=1")
    directory = world.practice.get("/v1/practice-directory").json
    world.practice.send("DELETE", f"/v1/practice-directory/{directory['payers'][0]['entry_id']}")
    for site in (world.practice, world.center):
        for read in (path, f"{path}/events?limit=2", f"{path}/changes", f"{path}/window", f"{path}/notices",
                     f"{path}/possible-duplicates", "/v1/referrals?limit=1", "/v1/referrals.csv", "/v1/referrals.xlsx",
                     "/v1/referrals?limit=1&sort=due&page=1", "/v1/referrals/counts", "/v1/views",
                     "/v1/notices?limit=1", "/v1/insights", "/v1/insights/tables.csv"):  # fmt: skip
            site.get(read)
    notice = world.practice.get("/v1/notices").json["items"][0]
    world.practice.get(f"/v1/notices/{notice['notice_id']}")
    world.practice.post(f"/v1/notices/{notice['notice_id']}/read", None)
    world.practice.post("/v1/notices/read", {"notice_ids": [notice["notice_id"]]})


def book(world, referral_id):
    """Publish times and a pattern, ask for one, hold, book, move and cancel."""
    first, second, third = (bookings.publish_slot(world, capacity=2) for _ in range(3))
    pattern = world.center.post(bookings.PATTERNS, bookings.build_pattern_body())
    extra = {"on": bookings.find_time().date().isoformat(), "at": "02:30"}
    changed = bookings.build_pattern_body(extra=[extra], days_off=["2199-01-01"], ends_on="2199-12-31")
    pattern_path = f"{bookings.PATTERNS}/{pattern.json['pattern_id']}"
    world.center.put(pattern_path, changed, version=1)
    booker = bookings.Booker(world.practice, referral_id)
    booker.ask(preferred_days=["monday"], earliest_on="2199-01-01", mode="telehealth", note="Mornings.")
    booker.hold(first)
    booker.book(first, note="With her daughter.")
    booker.hold(second)
    booker.book(second)
    for site in (world.practice, world.center):
        for read in (bookings.SLOTS, f"{bookings.SLOTS}?mode=in_person&referral_id={referral_id}", booker.path,
                     f"{booker.path}.ics"):  # fmt: skip
            site.get(read)
    booker.cancel(reason="patient_unwell")
    booker.book(first)
    world.center.get(bookings.PATTERNS)
    world.center.send("DELETE", pattern_path, headers={"If-Match": '"2"'})
    world.center.send("DELETE", f"{bookings.SLOTS}/{third}", headers={"If-Match": '"1"'})


def look(world, path):
    tag = {"If-Match": world.practice.get(path).headers["etag"]}
    world.practice.send("PUT", f"{path}/look", headers=tag)


def talk(world, path):
    world.center.post(f"{path}/messages", {"text": "Day 1 was quiet."})
    world.practice.post(f"{path}/messages/read", {"up_to": 1})
    asked = [
        world.center.post(f"{path}/information-requests", {"items": ["clinical_ecog", "Old slides"], "text": text})
        for text in ("Before discharge", "Once more")
    ]
    first, second = [f"{path}/information-requests/{answer.json['request_id']}" for answer in asked]
    answers = [{"item_id": "1", "kind": "answered", "text": "ECOG 1"}, {"item_id": "2", "kind": "sent_separately"}]
    world.practice.post(f"{first}/answer", {"items": answers, "note": "By fax today."})
    world.center.post(f"{second}/close", None)
    for read in (f"{path}/messages?limit=1", f"{path}/information-requests"):
        world.center.get(read)


def share(world, path):
    with open_document_driver(world) as documents:
        document_id = documents.share()
        documents.get(document_id)
        documents.open(document_id)
        documents.remove(document_id, "duplicate")
        fax = documents.send_outside()
        world.center.post(f"{documents.path}/{fax}/arrival", {"arrival": "not_found"})
        world.center.get(documents.path)
    world.center.get(f"{path}/documents")
    world.center.get(f"{path}/packet.pdf?patient=alias")
    world.center.get(f"{path}/packet.pdf", Accept="text/html")
    world.center.get("/v1/referrals.xlsx", Accept="*/*")


def cover(world, path):
    today = wiring.read_clock().date()
    for version, (site, move) in enumerate(
        [
            (world.practice, "result_recorded"),
            (world.practice, "authorization_required"),
            (world.center, "authorization_submitted"),
            (world.practice, "authorization_denied"),
            (world.center, "agreement_needed"),
            (world.practice, "item_verified"),
        ]
    ):
        body = {"move": move, **coverage_values.build_facts(move, today)}
        assert site.patch(f"{path}/coverage", body, version=version).status == 200
    world.practice.post(f"{path}/coverage-checks", None)
    run_job(TaskQueue.EVENT, context=wiring.build_job_context())
    world.center.get(f"{path}/coverage-checks")
    world.practice.get(f"{path}/coverage/letter")
    letter = "Re: request for authorization\n\nThe patient has had two lines of therapy."
    world.practice.put(f"{path}/coverage/letter", {"text": letter}, version=0)
    for site in (world.practice, world.center):
        site.get(f"{path}/coverage")


def hand_back(world, path):
    world.center.get(f"{path}/handback")
    world.center.put(f"{path}/handback", handbacks.build_handback_body(), version=0)
    for read in (f"{path}/handback", f"{path}/follow-up", f"{path}/follow-up.ics"):
        world.practice.get(read)
    url = world.practice.post("/v1/me/calendar", None).json["url"]
    world.anyone.get(urlsplit(url).path)
    world.practice.get("/v1/me/calendar")
    world.practice.send("DELETE", "/v1/me/calendar")


def look_from_a_health_record(world):
    feedback = f"{ehr.PATIENT_VIEW}/feedback"
    for path in ("/cds-services", ehr.PATIENT_VIEW, feedback):
        world.anyone.send("OPTIONS", path, headers={"Origin": ehr.ORIGIN})
    world.anyone.get("/cds-services")
    for chart in ("follicular", "unrelated"):
        ehr.call_hook(world.anyone, ehr.load_hook(chart))
    (card,) = ehr.call_hook(world.anyone, ehr.load_hook("large-b-cell")).json["cards"]
    world.practice.post("/v1/screens/chart-entries", {"token": card["links"][0]["url"].rpartition("/")[2]})
    ehr.call_hook(
        world.anyone,
        {"feedback": [{"card": "f539ac9b-a34f-432a-b15c-4d62336e6d8c", "outcome": "accepted"}]},
        path=feedback,
    )


def sign_in_and_out(world):
    email = "provider@cedar.example"
    asked = {"email": email, "session": "from-the-challenge", "challenge": "MFA_SETUP", "code": "123456"}
    passwords = {"current_password": PASSWORD, "new_password": NEW_PASSWORD}
    world.anyone.post("/v1/sessions", {"email": email, "password": PASSWORD})
    world.anyone.post("/v1/sessions/challenge", asked)
    world.anyone.post("/v1/sessions/refresh", {"refresh_token": "from-the-sign-in"})
    world.anyone.post("/v1/sessions/password-reset", {"email": email})
    reset = {"email": email, "code": "123456", "new_password": NEW_PASSWORD}
    world.anyone.post("/v1/sessions/password-reset/confirm", reset)
    world.practice.get("/v1/sessions/authenticator")
    world.practice.post("/v1/sessions/authenticator", {"password": PASSWORD})
    world.practice.post("/v1/sessions/authenticator/confirm", {"code": "123456"})
    world.practice.post("/v1/sessions/password", passwords)
    world.practice.send("DELETE", "/v1/sessions")


def manage_people(world):
    admin = world.get_client_for(world.members["practice_admin"])
    newcomer = {"name": "New Person", "email": "new@cedar.example", "roles": ["provider"]}
    added = admin.post("/v1/members", newcomer).json
    admin.post(f"/v1/members/{added['member_id']}/invitation", None)
    admin.post(f"/v1/members/{added['member_id']}/sign-in-reset", None)
    admin.patch(f"/v1/members/{added['member_id']}", {"active": False}, version=2)
    for path in ("/v1/me", "/v1/members", "/v1/members/second-steps?limit=1"):
        admin.get(path)


def operate(world):
    """See how the service runs."""
    operator = world.get_client_for(world.members["operator"])
    for path in ("/v1/operations", "/v1/operations/unreachable-members"):
        operator.get(path)
    operator.post("/v1/operations/failed-tasks/retry", {"outbox_ids": ["out_" + "a" * 26]})


def manage_deliveries(world):
    """Retry a parked delivery, and create a new secret; the old ones stay valid."""
    admin = world.get_client_for(world.members["center_admin"])
    waiting = world.refer()["referral_id"]
    world.deliver(waiting, "infused", webhook_id="msg-waits")
    admin.get(f"/v1/centers/ctr_harbor/deliveries?limit=1&status=parked&referral_id={waiting}")
    admin.post("/v1/centers/ctr_harbor/deliveries/msg-waits/replay", None)
    admin.post("/v1/centers/ctr_harbor/webhook-secrets", None)
    admin.get("/v1/centers/ctr_harbor/webhook")
    signed = admin.post("/v1/centers/ctr_harbor/test-events", None).json
    names = ("webhook_id", "webhook_timestamp", "webhook_signature")
    headers = {name.replace("_", "-"): signed[name] for name in names}
    world.anyone.send("POST", "/v1/webhooks/centers/ctr_harbor", signed["body"].encode(), headers=headers)
