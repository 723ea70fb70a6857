"""Patches for what moto does too slowly, or not safely, for so many tests; its responses stay the same."""

from functools import cache, wraps
from inspect import signature
from threading import RLock
from typing import Any

from moto import backend_index
from moto.core import responses
from moto.core.botocore_stubber import BotocoreStubber
from moto.dynamodb.exceptions import ItemSizeTooLarge
from moto.dynamodb.models import DynamoDBBackend
from moto.dynamodb.models.dynamo_type import DynamoType, Item, LimitedSizeDict
from moto.dynamodb.models.table import SecondaryIndex, Table
from moto.dynamodb.parsing import ast_nodes, expressions
from moto.dynamodb.parsing.validators import ActionCountValidator

from tests.support.moto_requests import answer_directly, remember_what_is_always_the_same, shorten_requests

_IN_MOTO = RLock()
_PLAIN = frozenset({"S", "B", "BOOL"})
_SERVICES = frozenset({"dynamodb", "kms", "s3", "sesv2"})
_NODE = ast_nodes.Node  # type: ignore[attr-defined] # Its module has no types.
_TRAVERSER: Any = ast_nodes.DepthFirstTraverser  # type: ignore[attr-defined]
_LARGEST_ROW = 405_000
"""Bytes, as in moto."""


def patch_moto() -> None:
    """Make moto faster, and safe for threads. A second call changes nothing."""
    moto: Any = BotocoreStubber
    if hasattr(moto.process_request, "__wrapped__"):
        return
    moto.process_request = _one_at_a_time(answer_directly(moto.process_request))
    shorten_requests()
    remember_what_is_always_the_same()
    table: Any = Table
    # Only a transaction copies a table.
    table.__deepcopy__ = lambda table, _memo: table
    table.all_items, table.query = _sorted_rows, _among_few(table.query)
    backend: Any = DynamoDBBackend
    backend.transact_write_items = _undo_only_what_changed(backend.transact_write_items)
    index: Any = SecondaryIndex
    index.project = _without_values(index.project)
    row: Any = Item
    row.__init__, row.__deepcopy__, row.size = _create_row, _copy_of_row, _size_of_row
    value: Any = DynamoType
    value.cast_value, value.size = property(_quickly(value.cast_value.fget)), _size_of_value(value.size)
    _patch_expressions()
    requests: Any = responses
    requests.method_names_from_class = cache(requests.method_names_from_class)
    # The services are tried in this order for each request.
    backend_index.backend_url_patterns.sort(key=lambda entry: entry[0] not in _SERVICES)


def _patch_expressions() -> None:
    """Parse each update expression once, and walk through it without asking each node the same."""
    parser: Any = expressions.UpdateExpressionParser  # type: ignore[attr-defined]
    parser.make = cache(parser.make)
    node: Any = _NODE
    node.__deepcopy__ = _copy_of_node
    _TRAVERSER.traverse = _traverse
    counts: Any = ActionCountValidator
    counts.verify_action_counts = _once(counts.verify_action_counts)


def _one_at_a_time(process: Any) -> Any:
    """Let requests of threads take turns: moto walks through tables while other threads change them."""

    @wraps(process)
    def alone(*args: Any) -> Any:
        with _IN_MOTO:
            return process(*args)

    return alone


def _undo_only_what_changed(transact: Any) -> Any:
    """Undo a refused transaction row by row; moto copies every table of the transaction for each operation."""

    @wraps(transact)
    def result(backend: Any, transact_items: list[dict[str, Any]]) -> None:
        before = [_find_row(backend, *next(iter(item.items()))) for item in transact_items]
        try:
            transact(backend, transact_items)
        except Exception:
            for rows, key, row in before:
                if row is None:
                    rows.pop(key, None)
                else:
                    rows[key] = row
            raise

    return result


def _find_row(backend: Any, kind: str, operation: dict[str, Any]) -> tuple[dict[Any, Any], Any, Any]:
    """Find the place of a row, its key there, and a copy of the row; None if there is none."""
    table = backend.tables.get(operation["TableName"])
    if table is None:
        return {}, None, None
    key = operation["Item" if kind == "Put" else "Key"]
    place, name = table.items, DynamoType(key[table.hash_key_attr])
    if table.range_key_attr:
        place, name = place[name], DynamoType(key[table.range_key_attr])
    return place, name, _copy_of_row(place[name]) if name in place else None


def _copy_of_row(row: Any, _memo: Any = None) -> Any:
    copy: Any = Item.__new__(Item)
    copy.hash_key, copy.range_key = row.hash_key, row.range_key
    copy.attrs = LimitedSizeDict.__new__(LimitedSizeDict)
    dict.update(copy.attrs, row.attrs)
    return copy


def _sorted_rows(table: Any) -> list[Any]:
    """Return all rows by their keys, which moto unwraps again for each comparison."""
    if not table.range_key_attr:
        return sorted(table.items.values(), key=lambda row: row.hash_key.cast_value)
    rows = [row for held in table.items.values() for row in held.values()]
    return sorted(rows, key=lambda row: (row.hash_key.cast_value, row.range_key.cast_value))


def _among_few(query: Any) -> Any:
    """Query only the rows that can match; moto sorts the whole table first."""
    arguments = signature(query)

    @wraps(query)
    def result(table: Any, hash_key: Any, *args: Any, **options: Any) -> Any:
        named = arguments.bind(table, hash_key, *args, **options).arguments
        wanted = named.get("hash_key_conditions")
        few = table.__class__.__new__(table.__class__)
        few.__dict__.update(table.__dict__)
        if named.get("index_name") is None:
            few.items = {hash_key: table.items[hash_key]} if hash_key in table.items else {}
        elif wanted and table.range_key_attr:
            few.items = {key: _rows_with(held, wanted) for key, held in table.items.items()}
        return query(few, hash_key, *args, **options)

    return result


def _rows_with(held: dict[Any, Any], wanted: list[tuple[str, Any]]) -> dict[Any, Any]:
    return {
        key: row
        for key, row in held.items()
        if all(name in row.attrs and row.attrs[name].value == value.value for name, value in wanted)
    }


def _without_values(project: Any) -> Any:
    """Return the part of a row that an index holds; moto converts each value to Python and back."""

    @wraps(project)
    def result(index: Any, row: Any) -> Any:
        if not index.projection or index.projection.get("ProjectionType") not in {"KEYS_ONLY", "INCLUDE"}:
            return project(index, row)
        names = [*index.table_key_attrs, *(key["AttributeName"] for key in index.schema)]
        if index.projection["ProjectionType"] == "INCLUDE":
            names += index.projection.get("NonKeyAttributes", [])
        part = _copy_of_row(row)
        dict.clear(part.attrs)
        dict.update(part.attrs, {name: row.attrs[name] for name in names if name in row.attrs})
        return part

    return result


def _create_row(row: Any, hash_key: Any, range_key: Any, attrs: dict[str, Any]) -> None:
    """Check the size of a new row once; moto checks it again with each attribute."""
    row.hash_key, row.range_key = hash_key, range_key
    row.attrs = LimitedSizeDict()
    dict.update(row.attrs, {name: DynamoType(value) for name, value in attrs.items()})
    if _size_of_row(row) > _LARGEST_ROW:
        raise ItemSizeTooLarge


def _size_of_row(row: Any) -> int:
    return sum(_bytes_of(name) + value.size() for name, value in row.attrs.items())


def _size_of_value(size: Any) -> Any:
    def result(value: Any) -> int:
        if value.type == "S":
            return _bytes_of(value.value)
        if value.type == "M":
            return sum(_bytes_of(name) + each.size() for name, each in value.value.items())
        return int(size(value))

    return result


def _bytes_of(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode())


def _copy_of_node(node: Any, _memo: Any = None, parent: Any = None) -> Any:
    copy = node.__class__.__new__(node.__class__)
    copy.__dict__.update(node.__dict__)
    copy.parent = parent
    if node.children is not None:
        copy.children = [
            _copy_of_node(each, parent=copy) if isinstance(each, _NODE) else each for each in node.children
        ]
    return copy


def _traverse(traverser: Any, root: Any) -> Any:
    """Walk through an expression; moto asks each node for its class, in each of ten walks."""
    steps, step_by_class = traverser._processing_map(), dict[type, Any]()
    has_hook = type(traverser).pre_processing_of_child is not _TRAVERSER.pre_processing_of_child

    def walk(node: Any, child_id: int) -> Any:
        parent, kind = node.parent, type(node)
        for number, child in enumerate(node.children or ()):
            if has_hook:
                traverser.pre_processing_of_child(node, number)
            if isinstance(child, _NODE):
                walk(child, number)
        if kind not in step_by_class:
            step_by_class[kind] = next((step for each, step in steps.items() if issubclass(kind, each)), None)
        step = step_by_class[kind]
        if step:
            node = step(node)
            node.parent = parent
            if parent:
                parent.children[child_id] = node
        return node

    return walk(root, -1)


def _once(verify: Any) -> Any:
    """Count the actions of a whole expression only, which includes those of its parts."""

    def result(validator: Any, node: Any) -> Any:
        return node if node.parent is not None else verify(validator, node)

    return result


def _quickly(cast: Any) -> Any:
    """Convert a value to Python; moto first asks of each string whether it is anything else."""
    return lambda value: value.value if value.type in _PLAIN else cast(value)
