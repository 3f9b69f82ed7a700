"""Tables, indexes, their migration, and the differences between the two dialects."""
