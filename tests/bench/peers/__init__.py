"""The same three requests, built in the two usual ways. Each module is one function, in an environment of its own."""
