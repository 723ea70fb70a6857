"""What the product promises, and long searches for a case where it does not hold: `make simulation`.

Each section is a module that tries to break promises; `--only` asks for it by its name. It has

    MINUTES    how long its full search takes on two quiet cores; all together at most 40
    prove      `prove(progress, budget)` yields one `claims.Result` for each promise

    claims     the result of a search, and how much of it is wanted
    sections   which there are, in the order in which they run
    apart      each section runs in a process of its own
    table      the rows that they print; docs/simulation.md has the last ones

A search that cannot fail proves nothing: each checks itself, on a variant that is known to be
wrong or by what it has met on the way, and says so as a counterexample if that finds nothing.
"""
