"""How deliveries on a center's webhook are signed and verified."""
