"""Centers and what else a signed-in member can look up."""
