"""Chalice with boto3's resource and Powertools."""

from typing import Any

from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.metrics import MetricUnit
from chalice import Chalice, Response, UnauthorizedError

from tests.bench.peers import common

app = Chalice(app_name="usual")
logger, tracer, metrics = Logger(service="usual"), Tracer(service="usual"), Metrics(namespace="usual", service="usual")


@app.route("/v1/referrals", methods=["GET"])
def list_referrals() -> dict[str, Any]:
    """List referrals."""
    limit = (_get_request().query_params or {}).get("limit", "50")
    return {"items": common.list_referrals(_find_member(), int(limit))}


@app.route("/v1/referrals", methods=["POST"])
def submit() -> Response:
    """Submit a referral."""
    member = _find_member()
    body = common.NewReferral.model_validate_json(_get_request().raw_body)
    return Response(common.submit_referral(member, body), status_code=201)


@app.route("/v1/webhooks/centers/{center_id}", methods=["POST"])
def receive(center_id: str) -> dict[str, Any]:
    """Receive a delivery."""
    request = _get_request()
    logger.append_keys(center_id=center_id)
    body = common.StageEvent.model_validate_json(request.raw_body)
    return common.receive_event(request.headers, request.raw_body, body)


def _get_request() -> Any:
    return app.current_request


def _find_member() -> dict[str, Any]:
    try:
        return common.find_member(_get_request().headers.get("authorization", ""))
    except (common.NotSignedInError, common.InvalidTokenError) as e:
        raise UnauthorizedError from e


@metrics.log_metrics
@logger.inject_lambda_context
@tracer.capture_lambda_handler
def handle(event: dict[str, Any], context: Any) -> Any:
    """Handle an event of API Gateway."""
    response = app(event, context)
    metrics.add_metric(name="requests", unit=MetricUnit.Count, value=1)
    logger.info("request", extra={"status": response["statusCode"]})
    return response
