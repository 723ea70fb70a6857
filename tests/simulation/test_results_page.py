"""The page that keeps the last results of each section."""

from tests.simulation.table import replace_results

PAGE = """# Simulation

## The last results

On which day.

### faults

Old faults.

### year

Old year.
"""


def test_the_results_of_one_section_are_replaced_and_the_others_stay():
    page = replace_results(PAGE, "faults", "New faults.\n")

    assert page == PAGE.replace("Old faults.", "New faults.")


def test_a_section_without_results_is_added_at_the_end():
    page = replace_results(PAGE, "fuzz", "First fuzz.\n")

    assert page == f"{PAGE}\n### fuzz\n\nFirst fuzz.\n"
