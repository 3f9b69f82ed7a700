"""The contract as documents: JSON Schema, OpenAPI, AsyncAPI, examples, and which version a change needs."""
