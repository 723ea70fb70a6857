"""HTTP: one module a noun. A route authenticates, parses, calls one service and answers."""
