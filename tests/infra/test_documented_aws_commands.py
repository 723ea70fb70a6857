"""The AWS commands of the documents for operators exist, with their options: no one looks them up at night."""

import re

import pytest
from botocore import xform_name
from botocore.session import get_session

from infra.commit import ROOT

PAGES = [
    *sorted((ROOT / "docs" / "runbook").glob("*.md")),
    ROOT / "docs" / "operations.md",
    ROOT / "docs" / "deploy.md",
]

# Commands that the AWS CLI has beyond the operations of a service, with the options that the pages use.
# Source: AWS CLI command reference, version 2.
OF_THE_COMMAND_LINE = {
    ("logs", "tail"): {"--since", "--filter-pattern"},
    ("s3", "mb"): set(),
    ("cloudformation", "package"): set(),
    ("cloudformation", "deploy"): set(),
    ("sns", "subscribe"): {"--topic-arn", "--protocol", "--notification-endpoint"},
}
EVERYWHERE = {"--query", "--output", "--region", "--no-cli-pager"}

_COMMAND = re.compile(r"\baws ([a-z][a-z0-9-]+) ([a-z][a-z0-9-]+)((?:[^`\n|;)]|\\\n)*)")


def list_commands(page):
    """List the service, the operation and the options of each command in code."""
    text = page.read_text(encoding="utf-8").replace("\\\n", " ")
    code = re.findall(r"^```\w*\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL)
    code += re.findall(r"`([^`\n]+)`", re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL))
    for part in (each for text in code for each in split_substitutions(text)):
        for service, operation, rest in _COMMAND.findall(part):
            yield service, operation, set(re.findall(r"(?<=\s)--[a-z][a-z0-9-]*", rest)) - EVERYWHERE


def split_substitutions(code):
    """Return a command without the commands in it, and each of these: `$(…)` and `$((…))`, from the inside out."""
    while inner := re.search(r"\$\(\(([^()]*)\)\)|\$\(([^()]*)\)", code):
        yield inner.group(1) or inner.group(2)
        code = code.replace(inner.group(0), "X")
    yield code


def list_options(service, operation):
    """List the options of an operation, from its model. None if it does not exist."""
    session = get_session()
    service = {"s3api": "s3"}.get(service, service)
    if service not in session.get_available_services():
        return None
    model = session.get_service_model(service)
    names = {xform_name(name, "-"): name for name in model.operation_names}
    if operation not in names:
        return None
    shape = model.operation_model(names[operation]).input_shape
    members = shape.members if shape else {}
    negated = {f"--no-{xform_name(name, '-')}" for name, member in members.items() if member.type_name == "boolean"}
    return negated | {f"--{xform_name(name, '-')}" for name in members}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_aws_command_exists(page):
    wrong = []
    for service, operation, options in list_commands(page):
        known = OF_THE_COMMAND_LINE.get((service, operation), list_options(service, operation))
        if known is None or options - known:
            wrong.append(f"aws {service} {operation} {sorted(options - (known or set()))}")

    assert wrong == []


def test_commands_are_found_in_blocks_and_in_sentences():
    """Otherwise the test above would find nothing to check."""
    commands = {(service, operation) for page in PAGES for service, operation, _ in list_commands(page)}

    assert {("kms", "describe-key"), ("kms", "cancel-key-deletion"), ("logs", "tail")} <= commands
    assert len(commands) > 20
