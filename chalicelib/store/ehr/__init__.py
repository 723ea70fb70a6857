"""Stored state of the connection to health record systems."""
