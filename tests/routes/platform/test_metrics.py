"""What requests and deliveries are counted as, and that counting never gets in their way."""

import json

import pytest
from aws_lambda_powertools.metrics.provider.cloudwatch_emf.cloudwatch import AmazonCloudWatchEMFProvider

from chalicelib import metrics
from chalicelib.errors import UnauthenticatedError
from chalicelib.metrics import DeliveryOutcome, Metric, RouteFamily
from chalicelib.routes.route_loader import load_all_operations
from chalicelib.services.identity.sign_in import IdentityService
from tests.support.metric_lines import parse_metrics, record_metrics, sum_metrics


@pytest.fixture
def recorded():
    """What is written to standard output as in production."""
    with record_metrics() as output:
        yield output


def read_lines(output):
    return parse_metrics(output.getvalue())


def test_a_request_is_counted_with_its_family_and_its_time(shared_api, recorded):
    shared_api.practice.get("/v1/referrals")

    [line] = read_lines(recorded)
    assert line.dimensions == {"Family": "referrals"}
    assert line.values["Succeeded"] == [1]
    assert 0 < line.values["Latency"][0] < 60_000
    assert line.units == {"Latency": "Milliseconds", "Succeeded": "Count"}


@pytest.mark.parametrize(
    ("path", "client", "expected"),
    [
        ("/v1/referrals/ref_aaaaaaaaaaaaaaaaaaaaaaaaaa", "practice", {"Refused": 1}),
        ("/v1/referrals", "anyone", {"Refused": 1, "Unauthenticated": 1}),
        ("/v1/referrals", "operator", {"Refused": 1, "Forbidden": 1}),
    ],
)
def test_a_refused_request_is_counted(shared_api, recorded, path, client, expected):
    """And separately if the caller was not known, or not allowed to."""
    members = shared_api.members
    caller = shared_api.get_client_for(members[client]) if client in members else shared_api.anyone

    caller.get(path)

    assert {name: value for name, value in sum_metrics(recorded.getvalue()).items() if name != "Latency"} == expected


def test_a_refused_sign_in_is_not_counted_as_an_unknown_caller(shared_api, recorded, monkeypatch):
    """People mistype passwords; a burst of these is another alarm."""

    def refuse(*_):
        raise UnauthenticatedError

    monkeypatch.setattr(IdentityService, "renew_session", refuse)
    shared_api.anyone.post("/v1/sessions/refresh", {"refresh_token": "wrong"}, key=None)

    assert sum_metrics(recorded.getvalue()).keys() & {"SignInsRefused", "Unauthenticated"} == {"SignInsRefused"}


def test_a_failure_of_ours_is_counted(shared_api, recorded, monkeypatch):
    monkeypatch.setattr("chalicelib.wiring.get_settings", lambda: 1 / 0)

    shared_api.anyone.get("/health")

    assert sum_metrics(recorded.getvalue())["Failed"] == 1


def test_every_route_has_a_family():
    routes = {f"{operation.method} {operation.path}": operation.family for operation in load_all_operations()}

    assert not [route for route, family in routes.items() if family is RouteFamily.OTHER]
    assert set(routes.values()) == set(RouteFamily) - {RouteFamily.OTHER}


@pytest.fixture
def referral_id(shared_api):
    return shared_api.refer()["referral_id"]


def list_outcomes(output):
    return [line.dimensions["Outcome"] for line in read_lines(output) if "Deliveries" in line.values]


def test_a_delivery_is_counted_by_what_became_of_it(shared_api, referral_id, recorded):
    shared_api.deliver(referral_id, "received", webhook_id="msg_metrics_1")
    shared_api.deliver(referral_id, "received", webhook_id="msg_metrics_1", secret=b"x" * 32)
    shared_api.deliver(referral_id, "infused")
    shared_api.deliver(referral_id, "received")
    shared_api.deliver_raw(b"not JSON")

    assert list_outcomes(recorded) == ["applied", "not_signed", "parked", "recorded", "refused"]


def test_a_delivery_that_we_could_not_process_is_counted(shared_api, referral_id, recorded, monkeypatch):
    monkeypatch.setattr("chalicelib.routes.webhooks.receive.report_by_webhook", lambda *_, **__: 1 / 0)

    shared_api.deliver(referral_id, "received")

    assert list_outcomes(recorded) == ["failed"]


@pytest.mark.parametrize(
    ("status", "outcome"),
    [(401, "not_signed"), (429, "too_many"), (400, "refused"), (409, "refused"), (503, "failed"), (500, "failed")],
)
def test_the_outcome_of_a_refused_delivery_follows_its_status(recorded, status, outcome):
    metrics.count_refused_delivery(status)

    assert list_outcomes(recorded) == [outcome]


def test_an_unknown_result_cannot_become_a_dimension(recorded):
    """A later version can have another result. It is counted, and its word is not written."""
    metrics.count_delivery("Ana Example")

    assert list_outcomes(recorded) == [DeliveryOutcome.OTHER]


@pytest.mark.parametrize("broken", ["add_metric", "add_dimension", "flush_metrics"])
def test_a_metric_that_cannot_be_written_does_not_fail_its_request(shared_api, recorded, monkeypatch, broken):
    """Not even a crash of the library."""
    monkeypatch.setattr(AmazonCloudWatchEMFProvider, broken, lambda *_, **__: 1 / 0)

    assert shared_api.practice.get("/v1/referrals").status == 200
    assert recorded.getvalue() == ""


def test_a_closed_standard_output_does_not_fail_a_request(shared_api, recorded):
    """`print` raises ValueError."""
    recorded.close()

    assert shared_api.practice.get("/v1/referrals").status == 200


def test_a_value_outside_the_lists_is_not_written(recorded):
    """Neither a name nor a dimension."""
    metrics.emit({"AnaExample": 1})  # type: ignore[dict-item]
    metrics.emit({Metric.LATENCY: 1}, "Ana Example")  # type: ignore[arg-type]
    metrics.emit({Metric.LATENCY: "Ana Example"})  # type: ignore[dict-item]

    assert recorded.getvalue() == ""


@pytest.mark.parametrize("name", ["POWERTOOLS_METRICS_DISABLED", "POWERTOOLS_METRICS_NAMESPACE"])
def test_nothing_is_written_outside_of_a_deployment(shared_api, capsys, monkeypatch, name):
    """A local run disables metrics, and a test has no namespace for them."""
    monkeypatch.delenv("POWERTOOLS_METRICS_NAMESPACE", raising=False)
    if name == "POWERTOOLS_METRICS_DISABLED":
        monkeypatch.setenv("POWERTOOLS_METRICS_NAMESPACE", "cart-metrics")
        monkeypatch.setenv(name, "true")

    shared_api.practice.get("/v1/referrals")

    assert not [line for line in capsys.readouterr().out.splitlines() if "_aws" in json.loads(line)]
