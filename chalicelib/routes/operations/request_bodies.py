"""What an operator sends."""

from typing import Annotated

from pydantic import Field

from chalicelib.routes.platform.fields import Identifier, StrictModel


class RetryTasksRequest(StrictModel):
    """The failed tasks to try again."""

    outbox_ids: Annotated[list[Identifier], Field(min_length=1, max_length=100)]
    """The IDs of the tasks, as `GET /v1/operations` lists them."""
