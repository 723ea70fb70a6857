"""Pages of a list that is filtered while it is read, newest first, with a limit on what one page reads.

A filter on attributes that no index has is applied after the read. If it matches little, a page of a fixed length could
read the whole list. Therefore a page ends when it has read enough, even if it is short or empty, and the next page goes
on from there.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from chalicelib.store.platform.dynamo import DynamoTable, Item, QueryPage

READ_BUDGET = 500
"""How many rows one page reads at most."""

ROWS_PER_READ = 100


def query_filtered_page(
    table: DynamoTable,
    condition: str,
    values: Mapping[str, Any],
    *,
    index: str,
    key_names: Sequence[str],
    where: str | None,
    limit: int,
    start: Mapping[str, Any] | None,
) -> QueryPage:
    """Read one page of the rows that a filter keeps.

    Args:
        table: The table.
        condition: The key condition, with `:name` placeholders.
        values: The values of the condition and of the filter.
        index: The index that is read.
        key_names: The key attributes of the index and of the table, by which a page goes on after a row.
        where: The filter; None keeps every row.
        limit: How many rows the page has at most.
        start: Where the page starts.
    """
    if where is None:
        return table.query(condition, values, index=index, limit=limit, start=start, newest_first=True)
    found: list[Item] = []
    for _ in range(READ_BUDGET // ROWS_PER_READ):
        page = table.query(
            condition, values, index=index, where=where, limit=ROWS_PER_READ, start=start, newest_first=True
        )
        found += page.items
        if len(found) > limit:
            return QueryPage(found[:limit], {name: found[limit - 1][name] for name in key_names})
        start = page.next_key
        if start is None or len(found) == limit:
            break
    return QueryPage(found, start)
