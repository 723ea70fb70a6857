"""The version of the product. The package, `GET /health`, the OpenAPI document, and CHANGELOG.md share it."""

VERSION = "0.6.0"
