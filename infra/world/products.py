"""Which products the centers of the sample data name: planned with their decision, given with the infusion.

Most name none, so what the practice requested counts.
"""

from collections.abc import Mapping

from chalicelib.domain.referrals.stages import Stage
from infra.world.stories import Story

_NAMED: Mapping[int, Mapping[Stage, str]] = {
    22: {Stage.CENTER_PROCEED: "breyanzi"},
    40: {Stage.CENTER_PROCEED: "breyanzi"},
    # The center gave another product than it had planned.
    43: {Stage.CENTER_PROCEED: "breyanzi", Stage.INFUSED: "yescarta"},
}
"""By the number of the story."""

_NOT_NAMED = frozenset({42})
"""Neither the practice nor the center names a product, so the window says so."""


def find_requested_product(story: Story) -> str | None:
    """Find the product that the practice requests."""
    return None if story.number in _NOT_NAMED else story.product_id


def find_named_product(story: Story, stage: Stage) -> str | None:
    """Find the product that the center names with a stage."""
    return _NAMED.get(story.number, {}).get(stage)
