"""Two requests at once, in an order that a test decides."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Thread
from typing import Any

from chalicelib import wiring


@contextmanager
def just_before_commit(act: Callable[[], Any], *, client: Any = None) -> Iterator[None]:
    """Let `act` happen between the next request's reading and its writing, once.

    `client` is the one that the request writes by: the API's own, if none is given.
    """
    events = (client or wiring.dynamodb()).meta.events
    begun: list[bool] = []

    def overtake(**_: Any) -> None:
        if not begun:
            begun.append(True)
            # A thread of its own, as another request would have.
            other = Thread(target=act)
            other.start()
            other.join()

    events.register_first("before-call.dynamodb.TransactWriteItems", overtake)
    try:
        yield
    finally:
        events.unregister("before-call.dynamodb.TransactWriteItems", overtake)
