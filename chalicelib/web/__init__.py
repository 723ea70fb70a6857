"""The dashboard's files. Served as they are; nothing builds them."""
