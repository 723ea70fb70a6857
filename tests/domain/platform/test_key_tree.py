"""A tree of keys: each path has its own key, and a destroyed one cannot be derived, whatever else was destroyed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.platform import key_tree
from chalicelib.domain.platform.key_tree import KeyDestroyedError, KeyTree, TreeFullError, compute_path

TREE = KeyTree.grow(bytes(range(16)))
PATHS = st.lists(st.binary(min_size=6, max_size=6), min_size=2, max_size=8, unique=True)


@given(PATHS, st.data())
def test_only_the_keys_that_were_destroyed_are_gone(paths, data):
    """In any order, also for paths that share most of their way."""
    destroyed = data.draw(st.lists(st.sampled_from(paths), unique=True))
    tree = TREE
    for path in destroyed:
        tree = tree.destroy_key(path)
    stored = KeyTree.from_bytes(tree.to_bytes())

    for path in paths:
        if path in destroyed:
            with pytest.raises(KeyDestroyedError):
                stored.derive_key(path)
        else:
            assert stored.derive_key(path) == TREE.derive_key(path)


def test_no_node_that_is_left_is_on_the_path_of_a_destroyed_key():
    path = compute_path("ref_gone")
    bits = f"{int.from_bytes(path, 'big'):048b}"

    left = TREE.destroy_key(path).nodes

    assert not [prefix for prefix in left if bits.startswith(prefix)]
    assert len(left) == 48


def test_keys_differ_and_have_32_bytes():
    keys = {TREE.derive_key(compute_path(f"ref_{n}")) for n in range(200)}

    assert len(keys) == 200
    assert {len(key) for key in keys} == {32}


def test_a_key_is_destroyed_once():
    path = compute_path("ref_gone")

    with pytest.raises(KeyDestroyedError):
        TREE.destroy_key(path).destroy_key(path)


def test_a_tree_that_would_be_too_large_is_not_changed(monkeypatch):
    """About 400 destroyed keys fit in a row."""
    monkeypatch.setattr(key_tree, "MAX_BYTES", 3000)
    tree = TREE.destroy_key(compute_path("ref_0")).destroy_key(compute_path("ref_1"))

    with pytest.raises(TreeFullError):
        tree.destroy_key(compute_path("ref_2"))


def test_a_tree_keeps_a_limited_number_of_keys(monkeypatch):
    """They are in the memory of a function that serves many lists."""
    monkeypatch.setattr(key_tree, "MAX_KEPT_KEYS", 3)
    tree = KeyTree.grow(bytes(range(16)))

    keys = [tree.derive_key(compute_path(f"ref_{n}")) for n in (*range(8), 0)]

    assert len(tree._keys) <= 3
    assert keys[0] == keys[-1]
