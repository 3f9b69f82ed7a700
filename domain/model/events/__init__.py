"""The event: its contract as a model, its version, and its envelope."""
