"""How long each kind of row is kept, and the command that removes what is older."""
