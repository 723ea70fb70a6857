"""Asks payers: configuration, credentials, and the two connections."""
