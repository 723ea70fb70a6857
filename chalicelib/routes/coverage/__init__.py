"""The routes of the coverage: its moves, benefits checks, and letters of medical necessity."""
