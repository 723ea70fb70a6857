"""What a request asked the store and got as a response, kept for a replay.

A measured process contains neither tables nor their imitation: only the requests, and the
responses that they got from tables made from the template.
"""

import copy
import json
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache, partial
from typing import Any
from unittest.mock import patch

from chalicelib import wiring
from chalicelib.domain.webhooks import signature as signing
from tests.support import factories
from tests.support.api_driver import ApiDriver

Event = dict[str, Any]
ReadKey = tuple[str, ...]

WIRE_NAMES = {"get_item": "GetItem", "query": "Query"}
"""The reads that are recorded, by the names of the client's methods. Writes always succeed."""


def build_read_key(name: str, request: Mapping[str, Any]) -> ReadKey:
    """Return what a read asks for, as a key. `name` is the operation's on the wire."""
    what = request.get("Key") or request["ExpressionAttributeValues"]
    return (name, request["TableName"], *(next(iter(value.values())) for value in what.values()))


@dataclass(frozen=True, slots=True)
class RecordedRequests:
    """Requests by name, with everything that is needed to answer them.

    Attributes:
        bodies: The response of each.
        plaintexts: The data keys by their wrapped form.
        secret: The center's webhook secret.
        page_query: The request for the rows of a list's page.
        transaction: The writes of a submission.
    """

    environment: Mapping[str, str]
    events: Mapping[str, Event]
    bodies: Mapping[str, Any]
    answers: Mapping[ReadKey, Mapping[str, Any]]
    plaintexts: Mapping[bytes, bytes]
    secret: bytes
    page_query: Mapping[str, Any]
    transaction: Sequence[Mapping[str, Any]]

    def fresh_events(self) -> dict[str, Event]:
        """Return the requests, as if they were made now."""
        return sign_again(self.events, self.secret)


def sign_again(events: Mapping[str, Event], secret: bytes) -> dict[str, Event]:
    """Return the requests with the webhook signed again: a signature is valid for five minutes."""
    stamp = str(int(time.time()))
    event = copy.deepcopy(events["webhook"])
    event["headers"] |= {
        "webhook-timestamp": stamp,
        "webhook-signature": signing.sign_delivery(
            secret, webhook_id=event["headers"]["webhook-id"], timestamp=stamp, body=event["body"].encode()
        ),
    }
    return {**events, "webhook": event}


@dataclass(slots=True)
class RecordingClient:
    """Passes every call to `client` and records it."""

    client: Any
    answers: dict[ReadKey, Mapping[str, Any]] = field(default_factory=dict)
    requests: dict[str, list[Mapping[str, Any]]] = field(default_factory=dict)

    def __getattr__(self, name: str) -> Any:
        attribute = getattr(self.client, name)
        return partial(self._remember, name, attribute) if callable(attribute) else attribute

    def _remember(self, name: str, call: Any, **request: Any) -> Any:
        answer = call(**request)
        self.requests.setdefault(name, []).append(request)
        if name in WIRE_NAMES:
            bare = {key: value for key, value in answer.items() if key != "ResponseMetadata"}
            self.answers[build_read_key(WIRE_NAMES[name], request)] = bare
        return answer


@dataclass(frozen=True, slots=True)
class ReplayClient:
    """A DynamoDB client that has every response ready."""

    answers: Mapping[ReadKey, Mapping[str, Any]]

    def get_item(self, **request: Any) -> Mapping[str, Any]:
        return self.answers[build_read_key("GetItem", request)]

    def query(self, **request: Any) -> Mapping[str, Any]:
        return self.answers[build_read_key("Query", request)]

    def put_item(self, **_request: Any) -> Mapping[str, Any]:
        return {}

    def transact_write_items(self, **_request: Any) -> Mapping[str, Any]:
        return {}


@dataclass(frozen=True, slots=True)
class _Keys:
    """A key service that knows what was wrapped."""

    plaintexts: Mapping[bytes, bytes]

    def decrypt(self, *, CiphertextBlob: bytes, **_: Any) -> Mapping[str, bytes]:  # noqa: N803 KMS spells it so
        return {"Plaintext": self.plaintexts[CiphertextBlob]}


def record(clinic: ApiDriver, client: Any, listed: int) -> RecordedRequests:
    """Record each request as a function with empty caches answers it."""
    referral_id = clinic.refer()["referral_id"]
    listening, keys = RecordingClient(client), RecordingClient(wiring.get_aws_client("kms"))
    events = _events(clinic, referral_id, listed)
    secret = clinic.secrets[factories.CENTER.tenant_id]
    bodies = {}
    with use_clients(listening, keys):
        for name, event in sign_again(events, secret).items():
            answer = clinic.anyone.invoke(event)
            if answer.status >= 300:
                raise ValueError(f"not what is measured: {name} {answer}")
            bodies[name] = answer.json
    unwrapped = keys.requests["decrypt"]
    return RecordedRequests(
        environment=dict(os.environ),
        events=events,
        bodies=bodies,
        answers=listening.answers,
        plaintexts={each["CiphertextBlob"]: keys.client.decrypt(**each)["Plaintext"] for each in unwrapped},
        secret=secret,
        page_query=next(q for q in listening.requests["query"] if "IndexName" in q),
        transaction=listening.requests["transact_write_items"][0]["TransactItems"],
    )


@contextmanager
def use_clients(dynamodb: Any, kms: Any) -> Iterator[None]:
    """Connect the product, as newly started, to these clients."""
    with (
        patch.object(wiring, "get_dynamodb_client", cache(lambda: dynamodb)),
        patch.object(wiring, "get_aws_client", cache(lambda _service: kms)),
    ):
        wiring.reset()
        yield
        wiring.reset()


@contextmanager
def replay_requests(recorded: RecordedRequests, dynamodb: Any) -> Iterator[None]:
    """Let the product answer the recorded requests, with this client."""
    with patch.dict(os.environ, recorded.environment), use_clients(dynamodb, _Keys(recorded.plaintexts)):
        yield


def _events(clinic: ApiDriver, referral_id: str, listed: int) -> dict[str, Event]:
    site = clinic.practice
    bearer = {"Authorization": f"Bearer {site.token}"}
    json_body = {"Content-Type": "application/json"}
    body = json.dumps(factories.build_referral_body(patient__alias="Quiet Meadow"))
    moved = json.dumps(
        {
            "type": "stage.changed",
            "referral_id": referral_id,
            "occurred_at": wiring.read_clock().isoformat(),
            "data": {"stage": "received"},
        }
    )
    keyed = {"Idempotency-Key": "bench"}
    screen = json.dumps(factories.build_screen_body())
    center = f"/v1/webhooks/centers/{factories.CENTER.tenant_id}"
    return {
        "submit": site.build_event("POST", "/v1/referrals", body, bearer | json_body | keyed),
        "webhook": site.build_event("POST", center, moved, json_body | {"webhook-id": "msg_recorded"}),
        "read": site.build_event("GET", f"/v1/referrals/{referral_id}", None, bearer),
        "page": site.build_event("GET", f"/v1/referrals?limit={listed}", None, bearer),
        "screen": site.build_event("POST", "/v1/screens", screen, bearer | json_body),
    }
