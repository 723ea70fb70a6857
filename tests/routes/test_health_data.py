"""Where health data gets to, and where it must never: one canary a field, all doors watched."""

import json
import logging
from datetime import timedelta
from typing import Any

import pytest
from botocore.session import Session

from chalicelib import wiring
from chalicelib.domain.notices import Lane
from chalicelib.services.duties import run_job
from chalicelib.store.stores import TABLES
from tests.support import cloud
from tests.support.canaries import CANARIES, a_canary_body, found_in
from tests.support.clinic import TO_INFUSED

NOTES = frozenset({"event_note", "feed_note", "parked_note"})
"""Read where the events are read, and not with the referral."""


class Watched:
    """What left the product by each door, as bytes."""

    def __init__(self):
        self.logs = self.mails = self.refusals = b""
        self.referral_id = ""


def event_of(stage, **data):
    return {
        "type": "stage.changed",
        "occurred_at": wiring.now().isoformat(),
        "data": {"stage": stage, **data},
    }


def live(world):
    """The life of a referral: submitted, read, listed, moved by all doors, told by mail."""
    referral_id = world.practice.post("/v1/referrals", a_canary_body(), key="life").json[
        "referral_id"
    ]
    path = f"/v1/referrals/{referral_id}"
    world.practice.post("/v1/referrals", a_canary_body(), key="life")
    world.deliver(referral_id, "consult_scheduled", note=CANARIES["parked_note"],
                  at=(wiring.now() + timedelta(minutes=2)).isoformat())  # fmt: skip
    world.center.post(f"{path}/events", event_of("received", note=CANARIES["event_note"]))
    world.deliver(referral_id, "accepted", note=CANARIES["feed_note"])
    for stage in TO_INFUSED[3:]:
        world.deliver(referral_id, stage, at=(wiring.now() + timedelta(minutes=3)).isoformat())
    for site in (world.practice, world.center, world.other_practice):
        for read in (path, f"{path}/events", f"{path}/window", "/v1/referrals?q=qvortrup",
                     "/v1/notices"):  # fmt: skip
            site.get(read)
    for lane in Lane:
        run_job(lane, **wiring.job(wiring.now() + timedelta(days=30)))
    return referral_id


def fail(world, referral_id):
    """Requests with the same data that end in every kind of refusal; returns the answers."""
    path, draft = f"/v1/referrals/{referral_id}", a_canary_body(submit=False)
    yield world.practice.post("/v1/referrals", a_canary_body() | {"mystery": 1})
    yield world.practice.post("/v1/referrals", a_canary_body(clinical__ecog="1"))
    yield world.practice.post("/v1/referrals", a_canary_body(product_id="notacell"))
    yield world.practice.post("/v1/referrals", a_canary_body(center_id=None))
    yield world.practice.post("/v1/referrals", draft, key="life")
    yield world.practice.post("/v1/referrals", json.dumps(draft)[:-1])
    yield world.practice.post("/v1/referrals", draft, key=None)
    yield world.center.post("/v1/referrals", draft)
    yield world.anyone.post("/v1/referrals", draft)
    yield world.practice.send("PATCH", path, draft, headers={"If-Match": '"1"'})
    yield world.practice.patch(path, {"note": CANARIES["note"]}, version=1)
    yield world.practice.post(f"{path}/events", event_of("infused", note=CANARIES["event_note"]))
    yield world.other_center.post(f"{path}/events", event_of("infused", note=CANARIES["note"]))
    yield world.deliver(referral_id, "withdrawn", note=CANARIES["feed_note"])
    yield world.deliver(referral_id, "received", secret=b"x" * 32, note=CANARIES["feed_note"])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(wiring.dynamodb(), "transact_write_items", broken)
        yield world.practice.post("/v1/referrals", a_canary_body())


def broken(**request):
    """A bug of ours, with everything that it was about in its text."""
    raise KeyError(str(request), *CANARIES.values())


@pytest.fixture(scope="module")
def watched(world):
    """What was logged, mailed and refused while a referral lived and requests failed."""
    seen = Watched()
    with Recorder() as records:
        seen.referral_id = live(world)
        answers = list(fail(world, seen.referral_id))
    seen.logs = str([vars(record) for record in records]).encode()
    seen.mails = str([vars(mail) for mail in cloud.sent_mail()]).encode()
    seen.refusals = str([(a.text, a.headers) for a in answers]).encode()
    assert {answer.status for answer in answers} == {400, 401, 403, 404, 409, 412, 422, 500}
    return seen


class Recorder(logging.Handler):
    """Keeps everything that any logger says, at the most talkative level."""

    def __init__(self):
        super().__init__()
        self.records: list[logging.LogRecord] = []

    def emit(self, record):
        self.records.append(record)

    def __enter__(self):
        self.before = logging.getLogger().level
        logging.getLogger().addHandler(self)
        logging.getLogger().setLevel("DEBUG")
        return self.records

    def __exit__(self, *_):
        logging.getLogger().removeHandler(self)
        logging.getLogger().setLevel(self.before)


def dumped(table):
    """Every attribute of every row, as it is stored."""
    client: Any = Session().create_client("dynamodb")
    pages = client.get_paginator("scan").paginate(TableName=f"{cloud.PREFIX}{table}")
    values = (v for page in pages for item in page["Items"] for v in item.values())
    return b"\n".join(_bytes(kind, raw) for value in values for kind, raw in value.items())


def _bytes(kind, raw):
    return raw if kind == "B" else str(raw).encode()


def test_the_watch_would_see_a_leak(world, watched):
    """Where it may be read it is found, in each spelling: only so does the rest mean something."""
    path = f"/v1/referrals/{watched.referral_id}"

    assert found_in(world.practice.get(path).text.encode()) == set(CANARIES) - NOTES
    assert found_in(world.center.get(f"{path}/events").text.encode()) == NOTES
    for canary in CANARIES.values():
        assert found_in(canary.encode().hex().encode())
        assert found_in(b"x" + canary.upper().encode() + b"y")
        assert found_in(json.dumps({"x": canary}).encode())


def test_no_log_tells_of_a_patient(watched):
    """Nobody's logger, ours or a library's, at any level, whatever went wrong."""
    assert b"unexpected" in watched.logs
    assert found_in(watched.logs) == set()


def test_no_mail_tells_of_a_patient_but_by_nickname(watched):
    """Subject, text, page, headers, tags: the practice's own nickname is all."""
    assert found_in(watched.mails) == {"alias"}


def test_no_refusal_tells_of_a_patient(watched):
    """Whatever was wrong with a request, its answer repeats nothing of it."""
    assert found_in(watched.refusals) == set()


@pytest.mark.parametrize("table", TABLES)
def test_no_table_tells_of_a_patient_in_clear(watched, table):
    """What is about somebody is sealed, kept answers and waiting deliveries too."""
    assert found_in(dumped(table)) == set()


def test_a_list_tells_only_who_it_is(world, watched):
    """To find a referral takes a name and a day of birth, and no history."""
    told = world.practice.get("/v1/referrals?q=qvortrup").text.encode()

    assert found_in(told) == {"family_name", "given_name", "birth_date", "alias"}


def test_a_stranger_is_told_nothing(world, watched):
    """Neither of the two that have nothing to do with it, nor an administrator."""
    path = f"/v1/referrals/{watched.referral_id}"
    strangers = [world.other_practice, world.other_center]
    strangers += [world.site_of(world.members[name]) for name in ("practice_admin", "operator")]

    for site in strangers:
        told = [site.get(p).text for p in (path, f"{path}/events", "/v1/referrals", "/v1/notices")]
        assert found_in("".join(told).encode()) == set()


def test_nothing_of_a_patient_stands_in_an_address(watched):
    """What is asked for is named by ids that say nothing; a nickname is not made of a name."""
    assert found_in(watched.referral_id.encode()) == set()
    assert watched.referral_id.startswith("ref_")
