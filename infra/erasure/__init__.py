"""Erase a patient from every table and bucket. See docs/erasure.md."""
