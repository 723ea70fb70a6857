"""docs/journey.md has the same content as the tables of the product."""

from chalicelib.domain.referrals.stages import TERMINAL_STAGES, Stage
from chalicelib.domain.referrals.transitions import list_transitions
from infra.journey_page import PAGE, build_page


def test_the_page_is_up_to_date():
    """To update it, run `python -m infra.journey_page`."""
    assert PAGE.read_text("utf-8") == build_page()


def test_the_page_has_every_transition_and_every_stage():
    """The diagram has an arrow for each transition, except to final stages, which are only in the table."""
    page = build_page()
    transitions = {(start, end) for start, end, _ in list_transitions() if end not in TERMINAL_STAGES}

    arrows = [line.split() for line in page.splitlines() if "-->" in line]
    assert {(start, end) for start, _, end in arrows} == transitions
    assert all(f"| `{stage}`" in page for stage in Stage)
