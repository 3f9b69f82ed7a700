"""Jobs: submission, work on a leased job, and what callers see and do meanwhile."""
