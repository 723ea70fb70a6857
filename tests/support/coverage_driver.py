"""Records moves of the coverage through the API, each as the side that usually makes it."""

from datetime import date
from typing import Any, get_args
from zoneinfo import ZoneInfo

from pydantic import BaseModel

from chalicelib import wiring
from chalicelib.routes.coverage.move_bodies import AnyMoveBody
from tests.support import factories
from tests.support.api_client import ApiAnswer, ApiClient
from tests.support.api_driver import ApiDriver
from tests.support.coverage_values import Step, build_facts, get_usual_party


def get_today() -> date:
    """The day at the practice of the tests, which is behind UTC."""
    return wiring.read_clock().astimezone(ZoneInfo(factories.PRACTICE.time_zone)).date()


def list_move_bodies() -> dict[str, type[BaseModel]]:
    """The request body of each move that people make, by its name."""
    bodies = get_args(get_args(AnyMoveBody)[0])
    return {get_args(body.model_fields["move"].annotation)[0]: body for body in bodies}


def move(site: ApiClient, path: str, name: str, /, *, version: int | None = None, **changed: Any) -> ApiAnswer:
    """Record a move with the example's facts; without a version, the current one."""
    seen = site.get(f"{path}/coverage").json["version"] if version is None else version
    return site.patch(f"{path}/coverage", {"move": name, **build_facts(name, get_today(), **changed)}, version=seen)


def play(world: ApiDriver, path: str, *steps: Step) -> dict[str, Any]:
    """Record moves one after the other, and return the coverage after the last."""
    for step in steps:
        name, changed = (step, {}) if isinstance(step, str) else step
        site = world.practice if get_usual_party(name) == "practice" else world.center
        answer = move(site, path, name, **changed)
        assert answer.status == 200, answer.text
    body: dict[str, Any] = world.practice.get(f"{path}/coverage").json
    return body
