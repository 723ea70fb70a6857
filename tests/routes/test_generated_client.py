"""A client that openapi-python-client generates from the document with its default settings works with the API."""

import importlib
import re
import sys
from types import SimpleNamespace

import pytest

from tests.support import factories, tokens

# An environment from before the generator was added gets it with `make setup`.
generator = pytest.importorskip("openapi_python_client", reason="run make setup")
settings = pytest.importorskip("openapi_python_client.config", reason="run make setup")
httpx = pytest.importorskip("httpx", reason="run make setup")

PACKAGE = "car_t_referral_dashboard_client"
PAGES_AND_FILES = re.compile(r"Unsupported content_type (\*/\*|application/(pdf|vnd\.openxml.*))")
"""What the generator leaves out: responses that are no JSON. The operations themselves are generated."""


@pytest.fixture(scope="module")
def generated(tmp_path_factory, shared_api):
    """The generated package, and what the generator warned of."""
    folder = tmp_path_factory.mktemp("client")
    document = folder / "openapi.json"
    document.write_text(shared_api.anyone.get("/v1/openapi.json").text)
    config = settings.Config.from_sources(
        # The hooks only format the code.
        settings.ConfigFile(post_hooks=[]),
        settings.MetaType.POETRY,
        document_source=document,
        file_encoding="utf-8",
        overwrite=False,
        output_path=folder / "project",
    )
    warnings = generator.generate(config=config)
    sys.path.append(str(folder / "project"))
    yield SimpleNamespace(
        warnings=warnings,
        client=importlib.import_module(PACKAGE),
        models=importlib.import_module(f"{PACKAGE}.models"),
        **{
            name: importlib.import_module(f"{PACKAGE}.api.referrals.{name}")
            for name in ("create_referral", "list_referrals", "report_event", "list_events")
        },
    )
    sys.path.remove(str(folder / "project"))


@pytest.fixture
def sign_in(generated, shared_api):
    """Build the generated client of a member; its requests go to the handler, not to a port."""

    def answer(request):
        headers = {name.title(): value for name, value in request.headers.items()}
        path = request.url.raw_path.decode()
        response = shared_api.anyone.send(request.method, path, request.read() or None, headers=headers)
        return httpx.Response(response.status, headers=response.headers, text=response.text)

    def build(member):
        return generated.client.AuthenticatedClient(
            base_url="https://referrals.example",
            token=tokens.create_token(shared_api.members[member].person),
            httpx_args={"transport": httpx.MockTransport(answer)},
            raise_on_unexpected_status=True,
        )

    return build


def test_no_operation_and_no_type_is_left_out(generated):
    details = [warning.detail or "" for warning in generated.warnings]

    assert [text for text in details if not PAGES_AND_FILES.search(text)] == []


def test_the_client_submits_a_referral_and_lists_it(generated, sign_in):
    body = generated.models.ReferralRequest.from_dict(factories.build_referral_body())

    created = generated.create_referral.sync(client=sign_in("practice"), body=body, idempotency_key="first")
    page = generated.list_referrals.sync(client=sign_in("practice"))

    assert created.stage == "submitted"
    assert created.referral_id in {item.referral_id for item in page.items}


def test_the_client_reports_an_event_and_reads_the_timeline(generated, sign_in, shared_api):
    referral_id = shared_api.refer()["referral_id"]
    event = generated.models.StageEventRequest.from_dict(
        {"type": "stage.changed", "occurred_at": "2026-11-02T12:00:00Z", "data": {"stage": "accepted"}}
    )

    result = generated.report_event.sync(referral_id, client=sign_in("center"), body=event, idempotency_key="second")
    timeline = generated.list_events.sync(referral_id, client=sign_in("practice"))

    assert (result.status, result.stage) == ("applied", "accepted")
    assert {item.stage for item in timeline.items} == {"submitted", "accepted"}


def test_the_client_reads_a_refusal_as_a_problem(generated, sign_in):
    body = generated.models.ReferralRequest.from_dict(factories.build_referral_body(insurance=None))

    problem = generated.create_referral.sync(client=sign_in("center"), body=body, idempotency_key="third")

    assert isinstance(problem, generated.models.ProblemResponse)
    assert problem.status == 403
