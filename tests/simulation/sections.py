"""Every section of the proofs, in the order in which they run."""

SECTIONS: tuple[str, ...] = (
    "faults",
    "deliveries",
    "writers",
    "stale",
    "year",
    "matrix",
    "audit",
    "canaries",
    "fuzz",
    "mutants",
)
"""Modules of this package. Each has `MINUTES` and `prove`, see `claims.Section`."""
