"""Stored versions of the directory of treatment centers."""
