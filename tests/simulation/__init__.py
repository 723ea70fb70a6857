"""Long searches for a case in which a promise of the product does not hold: `make simulation`.

Each section is a module that tries to break promises; `--only` selects it by its name. It has

    MINUTES    how long its full search takes on two quiet cores; all together about two hours
    simulate   `simulate(progress, budget)` yields one `SectionResult` for each promise

    section_protocol    the result of a search, and how much of it is wanted
    sections            all sections, in the order in which they run
    section_processes   runs each section in its own process
    table               formats the results; docs/simulation.md has the last ones

A search that cannot fail proves nothing: each checks itself, on a variant that is known to be
wrong or by what it met on the way, and reports a counterexample if that finds nothing.
"""
