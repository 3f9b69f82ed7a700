"""A small reader of expositions and of the part of PromQL that docs/observability uses."""
