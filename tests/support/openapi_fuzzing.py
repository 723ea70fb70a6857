"""Requests that schemathesis derives from our OpenAPI document, sent to the product in this process."""

import secrets
import time
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Any, TypeAlias

import pytest
import schemathesis
from schemathesis import Case, HookContext
from schemathesis.core.parameters import ParameterLocation
from schemathesis.engine import events, from_schema
from schemathesis.generation import GenerationMode
from schemathesis.generation.meta import TestPhase
from werkzeug.datastructures import EnvironHeaders

from app import app
from chalicelib import wiring
from chalicelib.domain.webhooks.signature import sign_delivery
from chalicelib.routes.openapi import build_document
from chalicelib.routes.platform.endpoint import build_gateway_problem
from chalicelib.routes.platform.operations import MEMBERSHIP_HEADER
from infra.local.gateway import Gateway
from infra.local.http1 import HttpRequest
from tests.support import bookings, ehr, tokens
from tests.support.api_driver import REQUIRED_STAGES_TO_INFUSED, ApiDriver
from tests.support.factories import CENTER
from tests.support.identity import accept_everything
from tests.support.route_policy import build_fax_body

AnyCase: TypeAlias = Case[Any]

_CHECKS = {
    # tests/routes/test_route_table.py sends bad credentials of every kind to every route.
    "ignored_auth": {"enabled": False},
    # A schema cannot say everything: a valid body may contradict itself or what is stored.
    "positive_data_acceptance": {"enabled": False},
    "missing_required_header": {"expected-statuses": ["400", "401", "403", "404", "415", "428"]},
    # A version that the product never gave is stale (412), not malformed.
    "negative_data_rejection": {
        "expected-statuses": ["400", "401", "403", "404", "405", "409", "412", "413", "415", "422", "428"]
    },
}


@dataclass
class FuzzReport:
    """What a run found.

    Attributes:
        statuses: How many responses had each status.
        faults: What was wrong, once for each route and kind of fault, with the request that shows it.
    """

    statuses: Counter[int] = field(default_factory=Counter)
    faults: dict[str, str] = field(default_factory=dict)


def fuzz_routes(api: ApiDriver, *, every: int = 1, max_examples: int = 0, seed: int = 1) -> FuzzReport:
    """Send every route the boundary values of its parameters and its body, then random values.

    Args:
        api: The product, with members in every role.
        every: 1 sends all boundary values, 4 every fourth, 0 none.
        max_examples: The number of random requests to each route.
        seed: The random values follow from it.
    """
    settings = {
        "seed": seed,
        "checks": _CHECKS,
        "generation": {"deterministic": True, "max-examples": max_examples, "no-shrink": True},
        "phases": {
            "examples": {"enabled": False},
            "coverage": {"enabled": every > 0},
            "fuzzing": {"enabled": max_examples > 0},
            "stateful": {"enabled": False},
        },
    }
    schema = schemathesis.openapi.from_dict(_load_document(), config=schemathesis.Config.from_dict(settings))
    schema.auth()(_Credentials)
    numbers = count()

    @schema.hook
    def filter_case(_context: HookContext, case: AnyCase) -> bool:
        is_boundary = case.meta is not None and case.meta.phase.name is TestPhase.COVERAGE
        return not is_boundary or next(numbers) % every == 0

    report = FuzzReport()
    with _willing_services():
        sender = schema.app = _Sender(api)
        for event in from_schema(schema).execute():
            if isinstance(event, events.ScenarioFinished):
                _collect(event, report)
            elif isinstance(event, events.NonFatalError | events.FatalError):
                report.faults[f"{type(event).__name__} {len(report.faults)}"] = repr(event)[:500]
        report.faults |= sender.find_unreadable()
    return report


def _load_document() -> dict[str, Any]:
    """The OpenAPI document, with versions that schemathesis can generate.

    schemathesis 4.32 generates no valid header with quotes. The product accepts a version without them. It would also
    send the recorded examples in place of other values; `tests/routes/test_openapi.py` sends those.
    """
    document = _without_examples(build_document())
    operations = [operation for path in document["paths"].values() for operation in path.values()]
    # A random membership is refused before anything else is read. One operation is enough to try it.
    for operation in [each for each in operations if each is not document["paths"]["/v1/me"]["get"]]:
        operation["parameters"] = [each for each in operation["parameters"] if each["name"] != MEMBERSHIP_HEADER]
    for parameter in [each for operation in operations for each in operation["parameters"]]:
        if parameter["name"] == "If-Match":
            parameter["schema"] = {"type": "string", "pattern": "^[0-9]{1,9}$"}
    return document


def _without_examples(part: Any) -> Any:
    """Copy a part of the document without the `example` of each value."""
    if isinstance(part, list):
        return [_without_examples(each) for each in part]
    if not isinstance(part, dict):
        return part
    return {name: _without_examples(each) for name, each in part.items() if name != "example"}


@contextmanager
def _willing_services():
    """Let the services outside the product accept everything, without a limit of requests."""
    with pytest.MonkeyPatch.context() as patch:
        accept_everything(patch)
        patch.setattr(wiring.get_aws_client("sesv2"), "get_account", dict)
        patch.setattr(wiring, "get_member_rate_limit", lambda: None)
        patch.setattr(wiring, "get_webhook_rate_limit", lambda: None)
        yield


def _collect(event: events.ScenarioFinished, report: FuzzReport) -> None:
    for interaction in event.recorder.interactions.values():
        if interaction.response:
            report.statuses[interaction.response.status_code] += 1
    for check in [check for checks in event.recorder.checks.values() for check in checks]:
        if check.failure_info:
            found = f"{check.failure_info.failure} {check.failure_info.code_sample}"
            report.faults.setdefault(f"{event.label} {check.name}", found)


@schemathesis.hook
def before_call(_context: HookContext, case: AnyCase, _kwargs: dict[str, Any]) -> None:
    """Let the sender prepare each request."""
    case.operation.app.prepare(case)


class _Credentials:
    """Marks the requests that get credentials. The real ones depend on the request."""

    def get(self, _case: AnyCase, _context: Any) -> str:
        return "from the sender"

    def set(self, case: AnyCase, data: str, _context: Any) -> None:
        case.headers.update({"Authorization": data, "webhook-signature": data})


class _Sender:
    """The product behind the local gateway, as a WSGI application that adds credentials."""

    def __init__(self, api: ApiDriver) -> None:
        self._api = api
        self._gateway = Gateway(app, build_gateway_problem)
        self._draft = api.refer(submit=False)["referral_id"]
        self._infused = api.refer()["referral_id"]
        api.move_to(self._infused, *REQUIRED_STAGES_TO_INFUSED)
        asked = api.center.post(f"/v1/referrals/{self._infused}/information-requests", {"text": "Which regimen?"})
        self._ids = {
            "request_id": asked.json["request_id"],
            "document_id": api.practice.post(f"/v1/referrals/{self._infused}/documents", build_fax_body()).json[
                "document"
            ]["document_id"],
            "center_id": CENTER.tenant_id,
            "member_id": api.members["provider"].member_id,
            "referral_id": self._infused,
            "slot_id": bookings.publish_slot(api),
            "pattern_id": api.center.post(bookings.PATTERNS, bookings.build_pattern_body()).json["pattern_id"],
            "service_id": ehr.PATIENT_VIEW.rpartition("/")[2],
        }

    def find_unreadable(self) -> dict[str, str]:
        """What can no longer be read after what was accepted."""
        referral = f"/v1/referrals/{self._infused}"
        views = (
            "",
            "/consultation",
            "/events",
            "/notices",
            "/window",
            "/handback",
            "/follow-up",
            "/follow-up.ics",
            "/messages",
            "/packet.pdf",
        )
        paths = [
            *(referral + view for view in views),
            f"/v1/referrals/{self._draft}",
            "/v1/referrals",
            "/v1/notices",
            "/v1/referrals.xlsx",
        ]
        paths += [f"{referral}/information-requests", f"{referral}/documents"]
        paths += [f"{referral}/{view}" for view in ("coverage", "coverage/letter", "coverage-checks")]
        answers = {path: self._api.practice.get(path) for path in paths}
        return {f"GET {path}": answer.text for path, answer in answers.items() if answer.status != 200}

    def prepare(self, case: AnyCase) -> None:
        """Replace valid values that the product would refuse: an unknown id, a used key, a stale version."""
        if self._is_valid(case, ParameterLocation.PATH):
            case.path_parameters |= {name: self._ids[name] for name in self._ids.keys() & case.path_parameters.keys()}
            if case.method == "PATCH" and "referral_id" in case.path_parameters:
                case.path_parameters["referral_id"] = self._draft
        if self._is_valid(case, ParameterLocation.HEADER):
            fresh: dict[str, Callable[[], str]] = {
                "Idempotency-Key": lambda: secrets.token_hex(8),
                "If-Match": lambda: self._read_version(case),
                "webhook-id": lambda: secrets.token_hex(8),
                "webhook-timestamp": lambda: str(int(time.time())),
            }
            for name in fresh.keys() & set(case.headers):
                case.headers[name] = fresh[name]()

    @staticmethod
    def _is_valid(case: AnyCase, location: ParameterLocation) -> bool:
        part = case.meta.components.get(location) if case.meta else None
        return part is not None and part.mode is GenerationMode.POSITIVE

    def _read_version(self, case: AnyCase) -> str:
        path = case.formatted_path.removesuffix("/look")
        return self._choose_client("GET", path).get(path).headers.get("etag", "1").strip('W/"')

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Answer a request."""
        method, path = environ["REQUEST_METHOD"], environ["REQUEST_URI"].partition("?")[0]
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        headers = dict(EnvironHeaders(environ).items())
        headers.pop("Accept-Encoding", None)  # The reader of the responses does not decompress them.
        if path.startswith("/v1/sessions"):
            tokens.forget_signed_tokens()
        if headers.pop("Authorization", None):
            is_ehr = path.startswith("/cds-services/")
            token = ehr.create_token(path) if is_ehr else self._choose_client(method, path).token
            headers["Authorization"] = f"Bearer {token}"
        if headers.pop("Webhook-Signature", None):
            signed = {"webhook_id": headers.get("Webhook-Id", ""), "timestamp": headers.get("Webhook-Timestamp", "")}
            headers["webhook-signature"] = sign_delivery(self._api.secrets[CENTER.tenant_id], body=body, **signed)
        query, sent = environ["QUERY_STRING"], tuple(headers.items())
        request = HttpRequest(method=method, path=path, query=query, headers=sent, body=body, peer="127.0.0.1")
        response = self._gateway.answer(request)
        start_response(f"{response.status} ", list(response.headers))
        return [response.body]

    def _choose_client(self, method: str, path: str) -> Any:
        """The client of a member who may do this."""
        if path.startswith("/v1/members"):
            return self._api.get_client_for(self._api.members["practice_admin"])
        if path.startswith("/v1/centers/"):
            return self._api.get_client_for(self._api.members["center_admin"])
        asks = method == "POST" and path.endswith(("/events", "/information-requests", "/close"))
        is_work_of_center = asks or path.endswith("/events") or (method == "PUT" and path.endswith("/handback"))
        return self._api.center if is_work_of_center else self._api.practice
