"""The docs' page on the journey says what the tables say."""

from chalicelib.domain.referrals.stages import TERMINAL_STAGES, Stage
from chalicelib.domain.referrals.transitions import list_transitions
from infra.journey_page import PAGE, build_page


def test_the_page_is_up_to_date():
    """Written again whenever a table changes: `python -m infra.journey_page`."""
    assert PAGE.read_text("utf-8") == build_page()


def test_the_picture_has_every_move_and_every_stage():
    """An arrow for each move that goes on; an ending stands in the table."""
    told = build_page()
    arrows = {(start, end) for start, end, _ in list_transitions() if end not in TERMINAL_STAGES}

    drawn = [line.split() for line in told.splitlines() if "-->" in line]
    assert {(start, end) for start, _, end in drawn} == arrows
    assert all(f"| `{stage}`" in told for stage in Stage)
