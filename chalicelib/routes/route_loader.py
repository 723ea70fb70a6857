"""The routes of the app. The module of a route is imported with its first request.

To import all modules takes longer than everything else in a cold start, and one request needs one of
them. So the app registers what the table says (`route_table`, generated from the declarations), and
every registered function is the same: it imports the module of its route, and handles the request.
"""

import gc
from collections.abc import Callable
from functools import cache
from importlib import import_module
from threading import RLock

from chalice import Chalice, Response

from chalicelib import wiring
from chalicelib.metrics import find_route_family
from chalicelib.routes.platform.endpoint import handle_request, refuse_without_module
from chalicelib.routes.platform.operations import RouteOperation, get_declared
from chalicelib.routes.route_table import VIEWS

_PACKAGE = __name__.rpartition(".")[0]

_import_lock = RLock()
"""Held during an import: requests of a local run share the process, and Python takes two threads that import a
package and a module of it for a deadlock."""


def register_routes(app: Chalice) -> None:
    """Register every route of the table. No module of a route is imported yet."""
    for (method, path), view in VIEWS.items():
        # No media type is named here. Otherwise the framework would return 415 before we know who
        # is asking.
        register = app.route(path, methods=[method], name=view.rpartition(".")[2], content_types=[])
        register(_build_handler(app, method, path))


def _build_handler(app: Chalice, method: str, path: str) -> Callable[..., Response]:
    def handle(**path_parameters: str) -> Response:
        started = wiring.read_monotonic()
        try:
            operation = load_operation(method, path)
        except Exception as e:  # noqa: BLE001 a module can fail in any way, and none may end the process
            ms = round((wiring.read_monotonic() - started) * 1000, 1)
            family = find_route_family(_get_module(method, path))
            return refuse_without_module(e, path, app.current_request, family=family, ms=ms)
        return handle_request(operation, app.current_request, path_parameters, started=started)

    return handle


@cache
def load_operation(method: str, path: str) -> RouteOperation:
    """Import the module of a route, and return what it declares. A failed import is tried again next time."""
    with _import_lock:
        # What is imported stays, so there is nothing to collect.
        was_enabled = gc.isenabled()
        gc.disable()
        try:
            import_module(_get_module(method, path))
        finally:
            if was_enabled:
                gc.enable()
    return get_declared(method, path)


def load_all_operations() -> list[RouteOperation]:
    """Import the modules of all routes, and return what they declare, in the order of the table."""
    return [load_operation(*route) for route in VIEWS]


def _get_module(method: str, path: str) -> str:
    return f"{_PACKAGE}.{VIEWS[method, path].rpartition('.')[0]}"
