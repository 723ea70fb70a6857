"""The docs' page on the journey says what the tables say."""

from chalicelib.domain.referrals.stages import TERMINAL, Stage
from chalicelib.domain.referrals.transitions import all_moves
from infra.journey_page import PAGE, page


def test_the_page_is_up_to_date():
    """Written again whenever a table changes: `python -m infra.journey_page`."""
    assert PAGE.read_text("utf-8") == page()


def test_the_picture_has_every_move_and_every_stage():
    """An arrow for each move that goes on; an ending stands in the table."""
    told = page()
    arrows = {(start, end) for start, end, _ in all_moves() if end not in TERMINAL}

    drawn = [line.split() for line in told.splitlines() if "-->" in line]
    assert {(start, end) for start, _, end in drawn} == arrows
    assert all(f"| `{stage}`" in told for stage in Stage)
