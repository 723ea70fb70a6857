"""How the service itself runs, for its operator. Nothing here is about a patient."""
