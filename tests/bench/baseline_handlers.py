"""Handlers that read, validate and answer, and do nothing else: the floor of a request."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from chalicelib.routes.eligibility.request_bodies import ScreenRequest
from chalicelib.routes.referrals.event_bodies import StageEventRequest
from chalicelib.routes.referrals.request_bodies import ReferralRequest
from tests.bench.raw_dynamodb import RawDynamoDB
from tests.bench.recording import Event, RecordedRequests

Response = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class BaselineHandlers:
    """Return handlers by the names of the recorded requests.

    With `dynamodb`, each makes the one call that it needs.
    """

    recorded: RecordedRequests
    dynamodb: RawDynamoDB | None = None

    def submit(self, event: Event) -> Response:
        """Create a referral."""
        body = ReferralRequest.model_validate_json(event["body"])
        self._write()
        return _answer(201, {"referral_id": "ref_bare", "urgency": body.urgency})

    def webhook(self, event: Event) -> Response:
        """Receive a stage change."""
        result = json.loads(event["body"])
        referral_id = result.pop("referral_id")
        body = StageEventRequest.model_validate_json(json.dumps(result))
        self._write()
        return _answer(200, {"referral_id": referral_id, "stage": body.data.stage})

    def read(self, _event: Event) -> Response:
        """Get one referral."""
        return _answer(200, self.recorded.bodies["read"])

    def page(self, _event: Event) -> Response:
        """List referrals."""
        if self.dynamodb is None:
            return _answer(200, self.recorded.bodies["page"])
        found = self.dynamodb.call("Query", self.recorded.page_query)
        return _answer(200, {"items": [_plain(row) for row in found["Items"]]})

    def screen(self, event: Event) -> Response:
        """Answer an eligibility check: nothing is looked up, nothing compared."""
        ScreenRequest.model_validate_json(event["body"])
        return _answer(200, self.recorded.bodies["screen"])

    def _write(self) -> None:
        if self.dynamodb:
            request = {"TransactItems": self.recorded.transaction}
            self.dynamodb.call("TransactWriteItems", request)


def _plain(row: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    return {name: text for name, value in row.items() for text in value.values()}


def _answer(status: int, body: Any) -> Response:
    headers = {"Content-Type": "application/json"}
    return {"statusCode": status, "headers": headers, "body": json.dumps(body)}
