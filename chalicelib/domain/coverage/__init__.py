"""Benefits checks: the question to a payer, its answer row by row, and the four facts derived from it."""
