"""Worker processes: supervised and sandboxed, each with its own engine."""
