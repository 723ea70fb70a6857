"""How fast the product is, as ratios and counts: `make bench`.

Each figure is the median of paired runs on this machine, beside a floor or an anchor that ran
in between: a shared machine's neighbours slow both alike. docs/benchmarks.md has the last table.

    cold        a new process, until it could take a request
    operations  calls and capacity units of what people and centers do
    warm        a request in a warm process, its store in memory
    centers     finding centers, and the file of ZIP codes
    client      the same over HTTP, and our DynamoDB client against others

    recording   what the store answered, kept for `warm` and `client`
    table       the rows that they print
"""
