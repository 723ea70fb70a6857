"""A TypeScript client with the types that openapi-typescript generates by default works with the API."""

import json
import os
import re
import shutil
import subprocess
from types import SimpleNamespace

import pytest

from app import app
from chalicelib.routes.platform.endpoint import build_gateway_problem
from infra.local.gateway import Gateway
from infra.local.server import HttpServer
from tests.support import factories, tokens
from tests.support.source_files import ROOT

TOOLS = ROOT / "node_modules/.bin"
PROGRAM = ROOT / "tests/support/typed_client.ts"
TIMEOUT_S = 120
TYPE_ERROR = re.compile(r"^(\w+)\.ts\([\d,]+\): (.*(?:\n  .*)*)", re.MULTILINE)
TYPED_OPERATION = re.compile(r'^        \w+: operations\["(\w+)"\];$', re.MULTILINE)
TSCONFIG = {
    "compilerOptions": {
        "strict": True,
        "target": "es2022",
        "module": "nodenext",
        "lib": ["es2022", "dom", "dom.iterable"],
        "types": [],
        "outDir": "out",
    },
    "include": ["*.ts"],
}
EXPORT_REFERRAL = """import type {{ components }} from "./api.js";
export const referral: components["schemas"]["ReferralRequest"] = {body};
"""
IMPORT_CLIENT = """import { listReferrals, reportEvent, submitReferral } from "./client.js";
const session = { url: "", token: "" };
"""
WRONG_LINES = {
    "unknown_field": ("submitReferral(session, { diagnosis: 'LBCL' }, 'key');", "'diagnosis' does not exist"),
    "wrong_type": ("submitReferral(session, { submit: 'yes' }, 'key');", "not assignable to type 'boolean"),
    "wrong_value": ("submitReferral(session, { urgency: 'soon' }, 'key');", """'"soon"' is not assignable"""),
    "missing_field": (
        "reportEvent(session, 'ref_1', { type: 'stage.changed', data: { stage: 'accepted' } }, 'key');",
        "'occurred_at' is missing",
    ),
    "wrong_filter": ("listReferrals(session, { stage: ['accepted', 'agreed'] });", """'"agreed"' is not assignable"""),
    "unknown_answer": ("(await submitReferral(session, {}, 'key')).status;", "'status' does not exist"),
    "possible_null": ("(await listReferrals(session)).items[0].product_id.length;", "possibly 'null'"),
}
"""Mistakes of a developer, and what the compiler says."""


def run(*command, cwd, **environment):
    """Run a program of Node, and return its exit code and what it printed."""
    return subprocess.run(
        command,
        cwd=cwd,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )


@pytest.fixture(scope="module")
def tools():
    """The folder of the generator and the compiler. Without them, the tests are skipped, and in CI they fail."""
    if shutil.which("node") and (TOOLS / "openapi-typescript").exists() and (TOOLS / "tsc").exists():
        return TOOLS
    reason = "Install Node.js 18 or later with npm, and run `make check`, which installs the packages of package.json."
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="module")
def generated(tools, tmp_path_factory, shared_api):
    """A folder with the document, the generated types, and what the generator printed."""
    folder = tmp_path_factory.mktemp("typed")
    document = shared_api.anyone.get("/v1/openapi.json")
    (folder / "openapi.json").write_text(document.text)
    done = run(tools / "openapi-typescript", "openapi.json", "--output", "api.ts", cwd=folder)
    assert done.returncode == 0, done.stderr
    return SimpleNamespace(folder=folder, document=document.json, printed=done.stdout + done.stderr)


@pytest.fixture(scope="module")
def compiled(tools, generated):
    """The folder with the compiled program, and the errors in each file."""
    folder = generated.folder
    shutil.copy(PROGRAM, folder / "client.ts")
    (folder / "referral.ts").write_text(EXPORT_REFERRAL.format(body=json.dumps(factories.build_referral_body())))
    for name, (line, _) in WRONG_LINES.items():
        (folder / f"{name}.ts").write_text(IMPORT_CLIENT + line)
    (folder / "tsconfig.json").write_text(json.dumps(TSCONFIG))
    (folder / "package.json").write_text('{"type": "module"}')
    # It also writes the files that have errors.
    printed = run(tools / "tsc", "--pretty", "false", cwd=folder).stdout
    return SimpleNamespace(folder=folder / "out", errors=TYPE_ERROR.findall(printed))


@pytest.fixture(scope="module")
def site(shared_api):
    """The address of the API, which listens on loopback as in a local run."""
    server = HttpServer(0)
    server.start(Gateway(app, build_gateway_problem))
    yield server.url
    server.stop()


@pytest.fixture(scope="module")
def results(compiled, site, shared_api):
    """What the program got from the API."""
    people = {name: shared_api.members[name].person for name in ("practice", "center")}
    environment = {f"{name.upper()}_TOKEN": tokens.create_token(person) for name, person in people.items()}
    done = run(shutil.which("node"), "client.js", cwd=compiled.folder, SITE_URL=site, **environment)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_every_operation_has_a_type(generated):
    declared = {each["operationId"] for item in generated.document["paths"].values() for each in item.values()}

    typed = re.findall(
        r'^        \w+: operations\["(\w+)"\];$', (generated.folder / "api.ts").read_text(), re.MULTILINE
    )

    assert sorted(typed) == sorted(declared)


def test_the_generator_warns_of_nothing(generated):
    assert [line for line in generated.printed.splitlines() if line and line[0] not in "✨🚀"] == []


def test_the_compiler_is_the_one_that_is_pinned(tools):
    """The generator needs an older one, which has a command of the same name."""
    pinned = json.loads((ROOT / "package.json").read_text())["devDependencies"]["@typescript/native"]

    printed = run(tools / "tsc", "--version", cwd=ROOT).stdout

    assert printed.split()[-1] == pinned.rpartition("@")[2]


def test_the_client_has_no_type_error(compiled):
    assert [text for file, text in compiled.errors if file not in WRONG_LINES] == []


@pytest.mark.parametrize("mistake", WRONG_LINES)
def test_a_mistake_is_a_type_error(compiled, mistake):
    texts = [text for file, text in compiled.errors if file == mistake]

    assert len(texts) == 1
    assert WRONG_LINES[mistake][1] in texts[0]


def test_the_client_submits_a_referral(results):
    assert results["created"]["stage"] == "submitted"


def test_the_client_lists_the_referral(results):
    assert results["created"]["referral_id"] in {item["referral_id"] for item in results["page"]["items"]}


def test_the_client_reports_an_event(results):
    assert (results["reported"]["status"], results["reported"]["stage"]) == ("applied", "accepted")


def test_the_client_reads_the_timeline(results):
    assert {item["stage"] for item in results["timeline"]["items"]} == {"submitted", "accepted"}


def test_the_client_reads_a_refusal_as_a_problem(results):
    assert (results["problem"]["status"], results["problem"]["code"]) == (403, "practice_only")
