"""Tables and indexes, how they are migrated, and where the two dialects differ."""
