"""The operator's texts. docs/deploy.md says how an operator replaces them."""
