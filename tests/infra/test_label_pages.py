"""docs/labels.md and docs/confirm-before-use.md have the same content as the catalog."""

from chalicelib.catalog import load_products
from infra.label_pages import CONFIRM, LABELS, build_confirm_page, build_labels_page


def test_the_pages_are_up_to_date():
    """To update them, run `python -m infra.label_pages`."""
    assert LABELS.read_text("utf-8") == build_labels_page()
    assert CONFIRM.read_text("utf-8") == build_confirm_page()


def test_every_row_and_boxed_warning_has_a_line_with_its_strength():
    lines = build_labels_page().splitlines()
    for product in load_products().values():
        for indication in product.facts["indications"]:
            for row in indication["rows"]:
                assert any(row["text"] in line and row["approved_on"] in line for line in lines)


def test_what_is_not_verified_is_to_be_confirmed():
    """Each entry of each file has a line of its own."""
    page = build_confirm_page()
    open_points = sum(len(product.facts["unverified"]) for product in load_products().values())

    assert page.count("- [ ] ") >= open_points
    assert "No driving, days: 56" in page
