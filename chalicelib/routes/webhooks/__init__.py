"""Webhooks: what the systems of centers send, and the log that a center's administrators read."""
