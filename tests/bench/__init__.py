"""How fast the product is, as ratios and counts: `make bench`.

Each figure is the median of paired runs on this machine, next to a floor or a reference that ran
in between: other programs on a shared machine slow both in the same way. docs/benchmarks.md has the last table.

    cold        a new process, until it could take a request
    operations  calls and capacity units of what people and centers do
    warm        a request in a warm process, with its store in memory
    centers     the center search, and the file of ZIP codes
    client      the same over HTTP, and our DynamoDB client against others

    recording   what the store answered, kept for `warm` and `client`
    table       the rows that they print
"""
