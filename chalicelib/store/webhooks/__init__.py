"""Stored idempotency records, the log of deliveries, and the secrets with which centers sign."""
