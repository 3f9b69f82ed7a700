"""The use cases. They take ports in their constructor and know no adapter."""
