"""The command line door, `transcripts`."""
