"""Centers."""
