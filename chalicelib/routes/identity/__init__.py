"""Sign-in, the signed-in member, and the members of an organization."""
