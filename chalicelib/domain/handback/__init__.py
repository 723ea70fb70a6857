"""The return to the referring provider (`handback` in the API): transition-of-care summary and follow-up dates."""
