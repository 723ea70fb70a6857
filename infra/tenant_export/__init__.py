"""Everything that belongs to one tenant, in one encrypted file, and back into an empty deployment."""
