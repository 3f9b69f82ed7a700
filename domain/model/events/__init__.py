"""The event: its contract as a model, its version, and the envelope in which a bus delivers it."""
