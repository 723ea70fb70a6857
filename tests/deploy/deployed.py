"""Access to the deployed product for tests."""

import contextlib
import json
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import ProxyHandler, Request, build_opener

import botocore.session

from infra import bundle
from infra.bundle.aliases import ALIAS
from tests.support.api_client import ApiClient
from tests.support.api_driver import ApiDriver

PASSWORD = "A-fictional-password-1"


class DeployedApp:
    """The API behind its gateway. `ApiClient` calls it with the same events as a Chalice app."""

    def __init__(self, endpoint, api_id):
        from app import app

        self.routes = app.routes
        self.base = f"{endpoint}/_aws/execute-api/{api_id}/api"
        self.open = build_opener(ProxyHandler({})).open

    def __call__(self, event, _context):
        sent = event["body"]
        query = urlencode(event.get("multiValueQueryStringParameters") or {}, doseq=True)
        request = Request(
            self.base + event["path"] + (f"?{query}" if query else ""),
            method=event["httpMethod"],
            data=None if sent is None else sent.encode(),
            headers=event["headers"],
        )
        try:
            response = self.open(request, timeout=60)
        except HTTPError as error:
            response = error
        with response:
            text = response.read().decode()
            return {"statusCode": response.status, "headers": dict(response.headers), "body": text}


class DeployedDriver(ApiDriver):
    """The test tenants. Their members sign in with a password."""

    def get_client_for(self, member):
        """Return the API client of a member who signed in through the API."""
        session = self.anyone.post("/v1/sessions", {"email": member.email, "password": PASSWORD}, key=None)
        assert session.status == 200, session.text
        return self.anyone.with_token(session.json["access_token"])


class Stack:
    """The deployed stack and its AWS services."""

    def __init__(self, endpoint, deployed, dist, outputs):
        self.endpoint = endpoint
        self.deployed = deployed
        self.dist = dist
        self.outputs = outputs
        self.template = json.loads((dist / bundle.TEMPLATE).read_text())
        self.site = ApiClient(DeployedApp(endpoint, outputs["RestAPIId"]))

    def create_client(self, service):
        """Create an AWS client with the permissions of an operator."""
        return botocore.session.Session().create_client(service)

    def run_schedule(self, function):
        """Run a function as EventBridge does when its rule is due."""
        events = self.create_client("events")
        for rule in events.list_rules()["Rules"]:
            for target in events.list_targets_by_rule(Rule=rule["Name"])["Targets"]:
                if target["Arn"].endswith(f":{function}:{ALIAS}"):
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
        response = self.create_client("lambda").invoke(FunctionName=function_arn, Payload=json.dumps(event).encode())
        result = json.loads(response["Payload"].read())
        assert "FunctionError" not in response, result
        return result

    @contextlib.contextmanager
    def disable_stream(self):
        """Disable the stream during the block."""
        functions = self.create_client("lambda")
        [source] = functions.list_event_source_mappings(FunctionName=f"cart-outbox:{ALIAS}")["EventSourceMappings"]
        functions.update_event_source_mapping(UUID=source["UUID"], Enabled=False)
        try:
            yield
        finally:
            functions.update_event_source_mapping(UUID=source["UUID"], Enabled=True)

    def use_retries_of_alias(self, function):
        """Give a function the deployed settings of its alias for runs that fail.

        The local cloud keeps the settings of an alias, and applies only those of the function without an alias.
        """
        functions = self.create_client("lambda")
        found = functions.get_function_event_invoke_config(FunctionName=function, Qualifier=ALIAS)
        names = ("MaximumRetryAttempts", "MaximumEventAgeInSeconds", "DestinationConfig")
        settings = {name: found[name] for name in names}
        functions.put_function_event_invoke_config(FunctionName=function, **settings)

    def list_mails(self):
        """List every sent mail, oldest first."""
        with build_opener(ProxyHandler({})).open(f"{self.endpoint}/_ministack/ses/messages") as response:
            return [mail for mails in json.load(response)["messages"].values() for mail in mails]

    def put_gateway_responses(self):
        """Set the gateway responses, which the local cloud's CloudFormation ignores."""
        gateway = self.create_client("apigateway")
        api = {"restApiId": self.outputs["RestAPIId"]}
        packaged = self.template["Resources"]["RestAPI"]["Properties"]["GatewayResponses"]
        for kind, response in packaged.items():
            headers = response["ResponseParameters"]["Headers"].items()
            gateway.put_gateway_response(
                **api,
                responseType=kind,
                statusCode=str(response["StatusCode"]),
                responseParameters={f"gatewayresponse.header.{k}": v for k, v in headers},
                responseTemplates=response["ResponseTemplates"],
            )
        gateway.create_deployment(**api, stageName="api")
