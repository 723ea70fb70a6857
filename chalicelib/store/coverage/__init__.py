"""Stored coverage: the current state of each referral, the history of its moves, benefits checks, and letters."""
