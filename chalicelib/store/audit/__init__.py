"""The stored audit trail: rows chained by hashes, checkpoints and their anchor."""
