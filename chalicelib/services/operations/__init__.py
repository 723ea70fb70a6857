"""How the service itself runs, for its operator."""
