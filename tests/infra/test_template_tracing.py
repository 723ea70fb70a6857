"""No traces are recorded, because the paths of calendars and of links in emails contain secrets.

X-Ray stores the address of each request of an API with the path that the caller sent, and keeps it for 30 days
("X-Ray segment documents", AWS X-Ray developer guide).
"""

import ast
import json

import pytest

from chalicelib.routes.platform.operations import RouteAccess
from chalicelib.routes.route_loader import load_all_operations
from infra.bundle.template import list_resources_of_type
from infra.commit import ROOT

SHIPPED = ("app.py", "chalicelib", "document_check", "packet_pdf")


def test_paths_contain_secrets():
    """The reason for this file. If no path has one anymore, tracing can be considered again."""
    paths = {operation.path for operation in load_all_operations() if operation.access is RouteAccess.LINK_HOLDER}

    assert paths


def test_the_api_and_its_functions_are_not_traced(template):
    api = template["Resources"]["RestAPI"]["Properties"]
    functions = list_resources_of_type(template, "AWS::Serverless::Function").values()

    assert api["TracingEnabled"] is False
    assert "Tracing" not in template["Globals"]["Function"]
    # A function passes on the decision of its caller, and nothing that calls it records traces.
    assert {function["Properties"].get("Tracing") for function in functions} <= {None, "PassThrough"}


def test_no_role_can_send_a_trace(template):
    """So a trace that someone turns on by hand records nothing."""
    assert "xray" not in json.dumps(template).lower()


def list_imports(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""
            yield from (f"{node.module}.{name.name}" for name in node.names)


@pytest.mark.parametrize("shipped", SHIPPED)
def test_no_code_records_a_trace(shipped):
    """Neither with the X-Ray SDK, nor with OpenTelemetry, nor with the tracer of Powertools."""
    root = ROOT / shipped
    files = [root] if root.is_file() else sorted(root.rglob("*.py"))
    imports = {name for file in files for name in list_imports(file)}

    assert imports
    assert not [
        name for name in imports if name.startswith(("aws_xray_sdk", "opentelemetry")) or name.endswith("Tracer")
    ]
