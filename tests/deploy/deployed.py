"""The deployed product as tests talk to it."""

import contextlib
import json
from urllib.error import HTTPError
from urllib.request import ProxyHandler, Request, build_opener

import botocore.session

from infra import bundle
from tests.support.api_client import ApiClient
from tests.support.api_driver import ApiDriver

PASSWORD = "A-fictional-password-1"


class Deployed:
    """The API behind its gateway, called with the events of `Site` as an app is."""

    def __init__(self, endpoint, api_id):
        from app import app

        self.routes = app.routes
        self.base = f"{endpoint}/_aws/execute-api/{api_id}/api"
        self.open = build_opener(ProxyHandler({})).open

    def __call__(self, event, _context):
        body = event["body"]
        request = Request(
            self.base + event["path"],
            method=event["httpMethod"],
            data=None if body is None else body.encode(),
            headers=event["headers"],
        )
        try:
            answer = self.open(request, timeout=60)
        except HTTPError as refused:
            answer = refused
        with answer:
            text = answer.read().decode()
            return {"statusCode": answer.status, "headers": dict(answer.headers), "body": text}


class DeployedClinic(ApiDriver):
    """The tests' tenants, whose people sign in with a password."""

    def get_client_for(self, member):
        """The site as a member uses it, signed in through the API itself."""
        session = self.anyone.post("/v1/sessions", {"email": member.email, "password": PASSWORD}, key=None)
        assert session.status == 200, session.text
        return self.anyone.with_token(session.json["access_token"])


class Stack:
    """What is deployed, and how to reach into it."""

    def __init__(self, endpoint, deployed, dist, outputs):
        self.endpoint = endpoint
        self.deployed = deployed
        self.dist = dist
        self.outputs = outputs
        self.template = json.loads((dist / bundle.TEMPLATE).read_text())
        self.site = ApiClient(Deployed(endpoint, outputs["RestAPIId"]))

    def client(self, service):
        """A client with an operator's permissions."""
        return botocore.session.Session().create_client(service)

    def run_schedule(self, function):
        """Do what EventBridge does when the rule that runs `function` is due."""
        events = self.client("events")
        for rule in events.list_rules()["Rules"]:
            for target in events.list_targets_by_rule(Rule=rule["Name"])["Targets"]:
                if target["Arn"].endswith(f":{function}"):
                    return self._invoke(target["Arn"], rule["Arn"])
        raise LookupError(f"no rule runs {function}")

    def _invoke(self, function_arn, rule_arn):
        event = {
            "version": "0",
            "id": "53dc4d37-cffa-4f76-80c9-8b7d4a4d2eaa",
            "detail-type": "Scheduled Event",
            "source": "aws.events",
            "account": "000000000000",
            "time": "2026-11-02T12:00:00Z",
            "region": "us-east-1",
            "resources": [rule_arn],
            "detail": {},
        }
        answer = self.client("lambda").invoke(FunctionName=function_arn, Payload=json.dumps(event).encode())
        said = json.loads(answer["Payload"].read())
        assert "FunctionError" not in answer, said
        return said

    @contextlib.contextmanager
    def without_stream(self):
        """Let what is committed meanwhile not be told by the stream."""
        functions = self.client("lambda")
        [source] = functions.list_event_source_mappings(FunctionName="cart-outbox")["EventSourceMappings"]
        functions.update_event_source_mapping(UUID=source["UUID"], Enabled=False)
        try:
            yield
        finally:
            functions.update_event_source_mapping(UUID=source["UUID"], Enabled=True)

    def mails(self):
        """Every mail that was sent, oldest first."""
        with build_opener(ProxyHandler({})).open(f"{self.endpoint}/_ministack/ses/messages") as all_:
            return [mail for mails in json.load(all_)["messages"].values() for mail in mails]

    def give_the_gateway_its_refusals(self):
        """Set what CloudFormation sets on AWS and the local cloud's leaves out."""
        gateway = self.client("apigateway")
        api = {"restApiId": self.outputs["RestAPIId"]}
        packaged = self.template["Resources"]["RestAPI"]["Properties"]["GatewayResponses"]
        for kind, refusal in packaged.items():
            headers = refusal["ResponseParameters"]["Headers"].items()
            gateway.put_gateway_response(
                **api,
                responseType=kind,
                statusCode=str(refusal["StatusCode"]),
                responseParameters={f"gatewayresponse.header.{k}": v for k, v in headers},
                responseTemplates=refusal["ResponseTemplates"],
            )
        gateway.create_deployment(**api, stageName="api")
