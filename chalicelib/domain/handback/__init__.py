"""Handback."""
