"""What our HTTP functions answer, as an OpenAPI 3.1 description: docs/openapi.json."""
