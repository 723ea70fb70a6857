"""All sections of the simulation, in the order in which they run."""

SECTIONS: tuple[str, ...] = (
    "faults",
    "deliveries",
    "writers",
    "crowds",
    "stale",
    "year",
    "tenant_isolation",
    "audit",
    "canaries",
    "fuzz",
    "mutants",
)
"""Modules of this package. Each has `MINUTES` and `simulate`, see `section_protocol.Section`."""
