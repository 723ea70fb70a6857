import pytest

from tests.bench.capacity import Index, Schema, compute_item_bytes, compute_read_units, compute_write_units

PLAIN = Schema(["id"], [])
LISTED = Schema(["id"], [Index("by_owner", frozenset({"owner", "at"}), frozenset({"id", "owner", "at"}))])


def _item(size=100, **attributes):
    """Build an item of `size` bytes with more attributes on top."""
    item = {"id": {"S": "x" * (size - 2)}}
    return item | {name: {"S": text} for name, text in attributes.items()}


@pytest.mark.parametrize(
    ("value", "size"),
    [
        ({"S": "né"}, 3),
        ({"N": "0"}, 2),
        ({"N": "1700000000"}, 2),
        ({"N": "-123"}, 4),
        ({"B": b"\x00" * 10}, 10),
        ({"B": "AAAA"}, 3),
        ({"BOOL": True}, 1),
        ({"L": [{"S": "ab"}, {"S": "c"}]}, 8),
    ],
)
def test_a_value_has_its_documented_size(value, size):
    """Its name counts too: four letters here."""
    assert compute_item_bytes({"name": value}) == 4 + size


def test_a_strong_read_pays_for_each_4_kb_and_an_eventual_one_half():
    """Rows of a Query are added up before rounding; a missing item costs one unit."""
    assert compute_read_units([4096], strong=True) == 1
    assert compute_read_units([430] * 50, strong=True) == 6
    assert compute_read_units([430] * 50, strong=False) == 3
    assert compute_read_units([], strong=True) == 1


def test_a_write_pays_for_each_1_kb_of_the_larger_image_and_twice_in_a_transaction():
    """A shrinking item still pays for its old size."""
    assert compute_write_units(None, _item(1024), PLAIN, transaction=False) == 1
    assert compute_write_units(None, _item(1025), PLAIN, transaction=True) == 4
    assert compute_write_units(_item(3000), _item(100), PLAIN, transaction=False) == 3


def test_an_index_is_paid_for_when_its_entry_comes_changes_moves_or_goes():
    """A change that the index does not project costs it nothing."""
    out, mine = _item(), _item(owner="a", at="1")
    cases = [
        (None, out, 1),
        (None, mine, 2),
        (mine, mine | {"note": {"S": "new"}}, 1),
        (mine, _item(owner="a", at="2"), 3),
        (mine, out, 2),
    ]

    paid = [compute_write_units(before, after, LISTED, transaction=False) for before, after, _ in cases]

    assert paid == [units for *_, units in cases]
