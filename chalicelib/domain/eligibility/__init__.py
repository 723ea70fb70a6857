"""Eligibility check: compares what was entered with product labels. Only a treatment center decides."""
