"""Identity: tenants (practices and treatment centers), their members and roles, and who can see what."""
