"""FastAPI with Mangum, boto3's resource and Powertools."""

from typing import Annotated, Any

from aws_lambda_powertools import Logger
from fastapi import Depends, FastAPI, Header, HTTPException, Request
from mangum import Mangum

from tests.bench.peers import common

app = FastAPI()
logger = Logger(service="usual")


def find_member(authorization: Annotated[str, Header()] = "") -> dict[str, Any]:
    """Find who is asking."""
    try:
        return common.find_member(authorization)
    except (common.NotSignedInError, common.InvalidTokenError) as e:
        raise HTTPException(401) from e


Member = Annotated[dict[str, Any], Depends(find_member)]


@app.get("/v1/referrals")
def list_referrals(member: Member, limit: int = 50) -> dict[str, Any]:
    """List referrals."""
    return {"items": common.list_referrals(member, limit)}


@app.post("/v1/referrals", status_code=201)
def submit(member: Member, body: common.NewReferral) -> dict[str, Any]:
    """Submit a referral."""
    return common.submit_referral(member, body)


@app.post("/v1/webhooks/centers/{center_id}")
async def receive(center_id: str, request: Request) -> dict[str, Any]:
    """Receive a delivery."""
    logger.append_keys(center_id=center_id)
    raw = await request.body()
    return common.receive_event(dict(request.headers), raw, common.StageEvent.model_validate_json(raw))


_answer = Mangum(app, lifespan="off")


@logger.inject_lambda_context
def handle(event: dict[str, Any], context: Any) -> Any:
    """Handle an event of API Gateway."""
    response = _answer(event, context)
    logger.info("request", extra={"status": response["statusCode"]})
    return response
